# Starts a program with the variables of the stack's `.env`, which the swarm gives the hub as a file: in no specification of a service do they stand.
#
# The arguments are the program and its own.
import os
import re
import sys

SECRETS = "/run/secrets/hub.env"
LINE = re.compile(r"""([A-Za-z_][A-Za-z0-9_]*)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^'"]*))$""")


def variables(text):
    """The form that the installer writes: '...' as it stands, or "..." with a backslash before what would mean something."""
    for line in text.splitlines():
        found = LINE.match(line.strip())
        if found:
            name, plain, escaped, bare = found.groups()
            if escaped is not None:
                plain = re.sub(r"\\(.)", r"\1", escaped)
            yield name, bare if plain is None else plain


with open(SECRETS, encoding="utf-8") as file:
    os.environ.update(variables(file.read()))
os.execvp(sys.argv[1], sys.argv[1:])
