# Tries a Redis server as the application will use it, with nothing but Python: it answers without a password, takes writes, and is no replica.
#
# Standard input, one a line: server and port. The last line printed is the finding.
import socket
import sys

server, port = (sys.stdin.readline().rstrip("\n") for _ in range(2))
place = "%s:%s" % (server, port)


def lost(found, cause=""):
    print(found)
    sys.stderr.write("%s\n" % cause)
    sys.exit(1)


def ask(*words):
    """Returns the answer to one command: a line, or what a bulk string holds."""
    command = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    stream.write(b"*%d\r\n%s" % (len(words), command))
    stream.flush()
    line = stream.readline().decode("utf-8", "replace").rstrip()
    if not line:
        raise OSError("the server closed the connection")
    if line.startswith("-"):
        lost(*refused(line[1:]))
    if line.startswith("$"):
        return stream.read(int(line[1:]) + 2).decode("utf-8", "replace")
    return line[1:]


def refused(words):
    if words.startswith("NOAUTH"):
        return "%s wants a password, which the application cannot give" % place, words
    if words.startswith("DENIED"):
        return "%s answers its own host only" % place, words
    return "%s refuses the application" % place, words


try:
    stream = socket.create_connection((server, int(port)), timeout=8).makefile("rwb")
except socket.gaierror as error:
    lost("the name %s cannot be resolved" % server, error)
except OSError as error:
    lost("%s cannot be reached" % place, error)
try:
    if ask(b"PING") != "PONG":
        lost("%s does not answer as a Redis server" % place)
    told = dict(line.split(":", 1) for line in ask(b"INFO").splitlines() if ":" in line)
except (OSError, ValueError) as error:
    lost("%s does not answer as a Redis server" % place, error)
if told.get("role") == "slave":
    lost("%s is a replica, which takes no writes" % place, "role:slave")
print("%s answers as Redis %s" % (place, told.get("redis_version", "")))
