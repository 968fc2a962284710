# Tries a PostgreSQL server as the application will use it, with nothing but Python: login, both databases, the right to make tables there, the version.
#
# Standard input, one a line: server, port, user, password, the oldest version that will do, and each database. TLS is taken where the server offers it, as
# the application's own drivers do. The last line printed is the finding.
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys

server, port, user, password, oldest = (sys.stdin.readline().rstrip("\n") for _ in range(5))
databases = [name for name in sys.stdin.read().split("\n") if name]
place = "%s:%s" % (server, port)
LOOK = "SELECT current_setting('server_version_num'), current_setting('server_version'), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"


class Refused(Exception):
    """The server said no: its code, and its own words."""


def lost(found, cause=""):
    print(found)
    sys.stderr.write("%s\n" % cause)
    sys.exit(1)


def exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError("the server closed the connection")
        data += more
    return data


def send(connection, kind, body):
    connection.sendall(kind + struct.pack("!I", len(body) + 4) + body)


def receive(connection):
    """Returns the next message that is no notice; one that is an error ends the conversation."""
    while True:
        kind = exactly(connection, 1)
        body = exactly(connection, struct.unpack("!I", exactly(connection, 4))[0] - 4)
        if kind == b"E":
            fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
            raise Refused(fields.get(b"C", ""), fields.get(b"M", ""))
        if kind not in (b"N", b"S"):
            return kind, body


def connect():
    connection = socket.create_connection((server, int(port)), timeout=8)
    connection.sendall(struct.pack("!II", 8, 80877103))
    if exactly(connection, 1) == b"S":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = context.wrap_socket(connection, server_hostname=server)
    return connection


def digest(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def scram(connection):
    """Shows by SCRAM-SHA-256 that the password is known, without sending it."""
    ours = base64.b64encode(os.urandom(18)).decode()
    first = "n=,r=" + ours
    start = ("n,," + first).encode()
    send(connection, b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(start)) + start)
    theirs = receive(connection)[1][4:].decode()
    parts = dict(part.split("=", 1) for part in theirs.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    key = digest(salted, b"Client Key")
    last = "c=biws,r=" + parts["r"]
    signature = digest(hashlib.sha256(key).digest(), ",".join([first, theirs, last]).encode())
    proof = bytes(one ^ other for one, other in zip(key, signature))
    send(connection, b"p", ("%s,p=%s" % (last, base64.b64encode(proof).decode())).encode())
    receive(connection)


def log_in(connection, database):
    words = ["user", user, "database", database, "application_name", "installer-check", ""]
    body = struct.pack("!I", 196608) + b"".join(word.encode() + b"\0" for word in words)
    connection.sendall(struct.pack("!I", len(body) + 4) + body)
    while True:
        kind, body = receive(connection)
        if kind == b"Z":
            return
        if kind != b"R":
            continue
        wanted = struct.unpack("!I", body[:4])[0]
        if wanted == 3:
            send(connection, b"p", password.encode() + b"\0")
        elif wanted == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest()
            send(connection, b"p", b"md5" + hashlib.md5(inner.encode() + body[4:8]).hexdigest().encode() + b"\0")
        elif wanted == 10:
            scram(connection)
        elif wanted not in (0, 12):
            lost("%s wants a login of another kind than a password" % place, "authentication request %d" % wanted)


def row(connection, query):
    """Returns the columns of the only row."""
    send(connection, b"Q", query.encode() + b"\0")
    columns = []
    while True:
        kind, body = receive(connection)
        if kind == b"Z":
            return columns
        if kind == b"D":
            at = 2
            while at < len(body):
                size = struct.unpack("!i", body[at : at + 4])[0]
                columns.append(body[at + 4 : at + 4 + max(size, 0)].decode())
                at += 4 + max(size, 0)


def refused(database, code, words):
    if code == "28P01":
        lost("%s refuses %s: wrong name or password" % (place, user), words)
    if code == "28000":
        lost("%s does not let %s log in from this host" % (place, user), words)
    if code == "3D000":
        lost("%s has no database %s" % (place, database), words)
    if code == "42501":
        lost("%s may not use the database %s" % (user, database), words)
    lost("%s refuses %s in the database %s" % (place, user, database), "%s (code %s)" % (words, code))


def look(database):
    connection = connect()
    try:
        log_in(connection, database)
        number, version, may_create = row(connection, LOOK)
        send(connection, b"X", b"")
    except Refused as error:
        refused(database, *error.args)
    finally:
        connection.close()
    if int(number) // 10000 < int(oldest):
        lost("%s is PostgreSQL %s, and %s or newer is needed" % (place, version, oldest))
    if may_create != "t":
        lost("%s may not make tables in the database %s" % (user, database), "it lacks CREATE on the schema that it works in")
    return version


try:
    version = [look(database) for database in databases][0]
except socket.gaierror as error:
    lost("the name %s cannot be resolved" % server, error)
except ssl.SSLError as error:
    lost("TLS with %s fails" % place, error)
except (ConnectionRefusedError, socket.timeout, OSError) as error:
    lost("%s cannot be reached as a PostgreSQL server" % place, error)
except (ValueError, IndexError, KeyError, struct.error) as error:
    lost("%s does not answer as a PostgreSQL server" % place, error)
print("%s answers as PostgreSQL %s, with the databases %s" % (place, version, " and ".join(databases)))
