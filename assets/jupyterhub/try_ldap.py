# Tries an LDAP server as the hub will use it, with nothing but Python: connection, TLS, login of the account that searches, and the branch it searches.
#
# Standard input, one a line: server, port, start-tls | tls | none, account, its password, branch; an account or branch that is empty is not tried. What
# follows is the authority that the server's certificate is compared with, in PEM; the host's own when nothing follows. The last line printed is the finding.
import socket
import ssl
import sys

server, port, encryption, account, password, branch = (sys.stdin.readline().rstrip("\n") for _ in range(6))
authority = sys.stdin.read()
place = "%s:%s" % (server, port)


def lost(found, cause):
    print(found)
    sys.stderr.write("%s\n" % cause)
    sys.exit(1)


def ber(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        head = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([128 + len(digits)]) + digits
    return bytes([tag]) + head + body


def exactly(count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError("the server closed the connection")
        data += more
    return data


def element(read):
    """Reads one element; returns its tag and body."""
    tag, size = read(1)[0], read(1)[0]
    if size > 127:
        size = int.from_bytes(read(size - 128), "big")
    return tag, read(size)


def elements(body):
    while body:
        taken = [0]

        def read(count):
            part = body[taken[0] : taken[0] + count]
            taken[0] += count
            return part

        yield element(read)
        body = body[taken[0] :]


def ask(operation):
    """Sends one request; returns the code of its result and the server's own words."""
    ask.number += 1
    connection.sendall(ber(0x30, ber(2, bytes([ask.number])), operation))
    while True:
        _, message = element(exactly)
        (_, _), (tag, body) = list(elements(message))[:2]
        # Entries and references of a search come before its result.
        if tag not in (0x64, 0x73):
            (_, code), (_, _), (_, words) = list(elements(body))[:3]
            return int.from_bytes(code, "big"), words.decode("utf-8", "replace")


ask.number = 0

try:
    connection = socket.create_connection((server, int(port)), timeout=8)
except socket.gaierror as error:
    lost("the name %s cannot be resolved" % server, error)
except OSError as error:
    lost("%s cannot be reached" % place, error)

try:
    if encryption == "start-tls":
        code, words = ask(ber(0x77, ber(0x80, b"1.3.6.1.4.1.1466.20037")))
        if code:
            lost("%s does not begin TLS on this port" % place, "result code %d: %s" % (code, words))
    if encryption != "none":
        try:
            context = ssl.create_default_context(cadata=authority.strip() or None)
            connection = context.wrap_socket(connection, server_hostname=server)
        except ssl.SSLError as error:
            lost("TLS with %s fails" % place, error)
    if account:
        code, words = ask(ber(0x60, ber(2, b"\3"), ber(4, account.encode()), ber(0x80, password.encode())))
        if code == 49:
            lost("%s refuses %s: wrong name or password" % (place, account), "result code 49: %s" % words)
        if code:
            lost("%s refuses %s" % (place, account), "result code %d: %s" % (code, words))
    if branch:
        any_entry = ber(0x87, b"objectClass")
        no_attributes = ber(0x30, ber(4, b"1.1"))
        zero = ber(10, b"\0")
        code, words = ask(ber(0x63, ber(4, branch.encode()), zero, zero, ber(2, b"\1"), ber(2, b"\10"), ber(1, b"\0"), any_entry, no_attributes))
        if code == 32:
            lost("%s knows no %s, or does not show it" % (place, branch), "result code 32: %s" % words)
        if code:
            lost("%s does not let %s be searched" % (place, branch), "result code %d: %s" % (code, words))
except (OSError, ValueError, IndexError) as error:
    lost("%s does not answer as an LDAP server" % place, error)

done = [] if encryption == "none" else ["TLS"]
done += ["the login of %s" % account] if account else []
done += ["the branch to search"] if branch else []
print("%s answers%s" % (place, ", with " + " and ".join(done) if done else ""))
