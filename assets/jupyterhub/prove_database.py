# Says whether this JupyterHub can work with the hub's database: it is as this one makes it, or older, so that it is brought up to date when the hub starts.
#
# Runs in the hub's container; the argument is the database's address. It only reads. The last line printed is the finding.
import os
import sys

import jupyterhub
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, exc, text

ours = f"JupyterHub {jupyterhub.__version__}"
known = ScriptDirectory(os.path.join(os.path.dirname(jupyterhub.__file__), "alembic"))
try:
    with create_engine(sys.argv[1], connect_args={"connect_timeout": 5}).connect() as database:
        found = database.execute(text("SELECT version_num FROM alembic_version")).scalar()
except exc.ProgrammingError:
    found = None
except exc.OperationalError:
    print("the database does not answer yet, so there is nothing to compare")
    sys.exit(0)
if found is None:
    print("the database is empty")
    sys.exit(0)
try:
    known.get_revision(found)
except CommandError:
    print(f"the hub's database was brought up to date by a newer JupyterHub: {ours} of this image does not know its version {found}")
    sys.exit(1)
if found in known.get_heads():
    print(f"the database is as {ours} makes it")
else:
    print(f"{ours} brings the database up to date when it starts: from version {found} to {known.get_current_head()}")
