# Lets JupyterHub itself read its configuration and go as far as it would before it starts, with a database that is gone afterwards: nothing lasting is touched
# and nothing is started. Whatever JupyterHub does not recognise is an error here, since it would only warn of it and go on without.
#
# Runs in the hub's container; the argument is the configuration. The last line printed is the finding.
import asyncio
import logging
import os
import sys
import tempfile

import jupyterhub
from jupyterhub import orm
from jupyterhub.app import JupyterHub

REFUSED = "JupyterHub does not accept its configuration"

class Warnings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


async def initialize(config, folder):
    """Reads the configuration and makes every part that it configures; returns what was warned of."""
    hub = JupyterHub.instance()
    heard = Warnings()
    hub.log.addHandler(heard)
    logging.getLogger("traitlets").addHandler(heard)
    await hub.initialize(
        [
            f"--config={config}",
            "--JupyterHub.db_url=sqlite:///" + os.path.join(folder, "database"),
            "--JupyterHub.cookie_secret_file=" + os.path.join(folder, "secret"),
            "--ConfigurableHTTPProxy.pid_file=" + os.path.join(folder, "proxy.pid"),
        ]
    )
    # A spawner is made for each person, so that its options would be looked at only then. There is one: somebody is an administrator.
    hub.users[hub.db.query(orm.User).first().id].spawner  # noqa: B018, it is made when it is asked for
    return heard.said


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            said = asyncio.run(initialize(sys.argv[1], folder))
        except (Exception, SystemExit) as error:
            print(f"{REFUSED}: {' '.join(str(error).split())}")
            sys.exit(1)
    ignored = [line for line in said if "not recognized" in line]
    if ignored:
        print("JupyterHub does not know everything in its configuration: " + "; ".join(ignored))
        sys.exit(1)
    print(f"JupyterHub {jupyterhub.__version__} accepts its configuration")


main()
