# Asks Redis at the address and port that follow whether it is there, as Ray's tasks come to it, and prints what it says.
import socket
import sys

place = "%s:%s" % tuple(sys.argv[1:3])
try:
    connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 8)
    connection.settimeout(8)
    connection.sendall(b"PING\r\n")
    said = connection.makefile("rb").readline().decode("utf-8", "replace").strip()
except (ConnectionResetError, BrokenPipeError):
    said = ""
except OSError as error:
    sys.exit("%s: %s" % (place, error))
print(said.lstrip("+") or "%s hung up at once" % place)
