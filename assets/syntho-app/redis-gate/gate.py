# The way to Redis from other hosts: lets the hosts of the list beside it through, and hangs up on everybody else at once. Redis itself has no such list.
#
#   python gate.py outside ADDRESS PORT    listens there, in the host's network, and passes on to the inside what is let through
#   python gate.py inside HOST PORT        passes on to Redis, in the network of the project
#   python gate.py check ADDRESS PORT      asks Redis through the gate, once
#
# It has two ends with a socket in a volume between them, so that Redis is published nowhere. The outer end stands in the host's network because only there every
# connection shows where it really comes from; behind a published port it can be Docker's own address that is seen. The containers of the project come with
# addresses of their own: they are known by the network in which the way back to them begins, which is the one that the inner end is in. The signal HUP makes the
# outer end take up a changed list, and end the connections of hosts that are no longer on it.
import asyncio
import ipaddress
import os
import resource
import signal
import socket
import sys

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "allowed")
# What the two ends share: where the inner one listens, and its address in the project's network.
SHARED = "/run/redis-gate"
BETWEEN = os.path.join(SHARED, "socket")
INNER = os.path.join(SHARED, "address")
# Connections at once, each of which is two files here. Redis itself takes 10000.
MOST = 4000
# Addresses that are named when they are refused, each once; others are refused in silence.
NAMED = 1000
# Seconds in which the next one must answer.
PATIENCE = 5
CHUNK = 64 * 1024


def say(text):
    print(text, flush=True)


def named(error):
    return str(error) or type(error).__name__


def listed():
    """Returns the hosts of the list: addresses, or networks where nobody knows the addresses beforehand."""
    with open(LIST, encoding="ascii") as lines:
        return {ipaddress.ip_network(line.strip()) for line in lines if line.strip() and not line.startswith("#")}


def written(networks):
    hosts = sorted(networks, key=lambda network: (network.version, network))
    return ", ".join(str(host.network_address if host.num_addresses == 1 else host) for host in hosts)


def watch(writer):
    """Finds out about an end that is gone without a word; one that only says nothing may do so for ever."""
    connection = writer.get_extra_info("socket")
    if connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 6)


def way_to(place):
    """Returns which address of ours leads to another; nothing is sent for it."""
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as question:
        question.connect((place, 9))
        return question.getsockname()[0]


async def copy(reader, writer):
    """Passes on what comes until that side has said its last; the other side may still have much to say."""
    while True:
        chunk = await reader.read(CHUNK)
        if not chunk:
            writer.write_eof()
            return
        writer.write(chunk)
        await writer.drain()


async def pass_on(reader, writer, connect):
    """Passes everything on to what `connect` opens, both ways, until both have said their last or one is gone."""
    try:
        there_reader, there_writer = await asyncio.wait_for(connect(), PATIENCE)
    except (OSError, asyncio.TimeoutError) as error:
        say(f"Redis does not answer: {named(error)}")
        return
    try:
        watch(writer)
        watch(there_writer)
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        # What is still on its way arrives.
        writer.close()
        await writer.wait_closed()
    except OSError:
        # One end is gone, and the other one is told at once.
        pass
    finally:
        there_writer.transport.abort()


class Outside:
    def __init__(self, address, most):
        self.address, self.most = address, most
        self.allowed = listed()
        # The connections, and where each comes from.
        self.open = {}
        self.named = set()

    def say_once(self, key, text):
        if key not in self.named and len(self.named) < NAMED:
            self.named.add(key)
            say(text)

    def lets_in(self, source):
        return source == self.address or self.is_listed(source) or self.is_ours(source)

    def is_listed(self, source):
        source = ipaddress.ip_address(source.partition("%")[0])
        return any(source in network for network in self.allowed)

    def is_ours(self, source):
        """Returns whether it comes from a container of the project."""
        try:
            with open(INNER, encoding="ascii") as inner:
                network = way_to(inner.read().strip())
            # Were that the address which everybody comes to, nothing would tell them apart.
            return way_to(source) == network != self.address
        except OSError as error:
            self.say_once("", f"the inner end is not there: {named(error)}")
            return False

    async def arrive(self, reader, writer):
        source = writer.get_extra_info("peername")[0]
        if len(self.open) >= self.most:
            self.say_once("full", f"refused {source}: {self.most} connections are open, and no more are taken")
        elif not self.lets_in(source):
            self.say_once(source, f"refused {source}: it is none of the hosts that need Redis, {written(self.allowed)}")
        else:
            self.open[writer] = source
            try:
                await pass_on(reader, writer, lambda: asyncio.open_unix_connection(BETWEEN))
            finally:
                del self.open[writer]
        writer.transport.abort()

    def take_up(self):
        try:
            self.allowed = listed()
        except (OSError, ValueError) as error:
            say(f"the list stays as it was: {named(error)}")
            return
        self.named.clear()
        for writer, source in self.open.items():
            if not self.lets_in(source):
                writer.transport.abort()
        self.tell()

    def tell(self):
        say(f"open for this host, the containers of the project and {written(self.allowed)}")


def files():
    """Takes as many files as are needed or may be had; returns the connections that they are enough for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST + 100
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return (wanted - 100) // 2


async def serve(server):
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 0)
    async with server:
        await server.serve_forever()


async def outside(address, port):
    gate = Outside(address, files())
    server = await asyncio.start_server(gate.arrive, address, port, backlog=512)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, gate.take_up)
    gate.tell()
    await serve(server)


async def inside(host, port):
    files()

    async def arrive(reader, writer):
        await pass_on(reader, writer, lambda: asyncio.open_connection(host, port))
        writer.transport.abort()

    address = way_to(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    with open(INNER + ".part", "w", encoding="ascii") as inner:
        inner.write(address)
    os.replace(INNER + ".part", INNER)
    await serve(await asyncio.start_unix_server(arrive, BETWEEN, backlog=512))


def check(address, port):
    with socket.create_connection((address, port), PATIENCE) as connection:
        connection.sendall(b"PING\r\n")
        if not connection.makefile("rb").readline().startswith(b"+PONG"):
            raise OSError("Redis does not answer through the gate")


what, place, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    if what == "check":
        check(place, port)
    else:
        asyncio.run({"outside": outside, "inside": inside}[what](place, port))
except (OSError, ValueError) as error:
    sys.exit(f"{place}:{port}: {named(error)}")
