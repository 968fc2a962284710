# Listens on ports for a moment, so that other hosts can try whether they get through. Writes nothing. Runs under dash and busybox sh.
#
# The caller puts assignments before it: `specs` (`address,port` each), `mark` (a word by which the process is known), `limit` (seconds after which it ends
# by itself, whatever happens to us), `images` (images on the host that may hold Python, the last resort) and `tools` (which to try, in this order).
# Every tool's process leads a process group of its own. Prints:
#   tool<TAB>name   pid<TAB>number   listening<TAB>address,port   busy<TAB>address,port<TAB>why

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/libexec
has() { command -v "$1" >/dev/null 2>&1; }

# Binds all it can, tells, and leaves a child behind that holds the sockets. Python 2 and 3. The first process of a container ends by a signal only
# when it handles it.
python='
import os, signal, socket, sys
limit, held = int(sys.argv[2]), []
for spec in sys.argv[3:]:
    address, port = spec.rsplit(",", 1)
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind((address, int(port)))
        s.listen(128)
        held.append(s)
        sys.stdout.write("listening\t%s\n" % spec)
    except EnvironmentError:
        sys.stdout.write("busy\t%s\t%s\n" % (spec, sys.exc_info()[1].strerror))
sys.stdout.flush()
if os.environ.get("STAY") != "1":
    pid = os.fork()
    if pid:
        sys.stdout.write("pid\t%d\n" % pid)
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in 0, 1, 2:
        os.dup2(null, fd)
signal.signal(signal.SIGALRM, lambda *ignored: os._exit(0))
signal.alarm(limit)
while True:
    signal.pause()
'

perl='
use strict; use Socket; use POSIX ();
$| = 1;
my ($mark, $limit, @specs) = @ARGV; my @held;
for my $spec (@specs) {
    my ($address, $port) = $spec =~ /^(.*),(\d+)$/;
    my $six = index($address, ":") >= 0;
    socket(my $s, $six ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or next;
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, pack("i", 1));
    my $name = $six ? pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $address)) : pack_sockaddr_in($port, inet_aton($address));
    if (bind($s, $name) and listen($s, 128)) { push @held, $s; print "listening\t$spec\n" }
    else { print "busy\t$spec\t$!\n" }
}
my $pid = fork();
if ($pid) { print "pid\t$pid\n"; POSIX::_exit(0) }
POSIX::setsid();
open(STDIN, "<", "/dev/null"); open(STDOUT, ">", "/dev/null"); open(STDERR, ">", "/dev/null");
alarm $limit;
POSIX::pause() while 1;
'

# Tells whether something listens on $1 (a port), by the kernel's own table.
stands() {
    sed -n "/^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$1") [0-9A-F]*:0000 0A /p" /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q .
}

# Waits up to two seconds until every port of the list is listened on, and tells which are.
tell_standing() {
    tries=20
    while [ "$tries" -gt 0 ]; do
        up=yes
        for spec in $specs; do stands "${spec##*,}" || up=no; done
        [ "$up" = yes ] && break
        tries=$((tries - 1))
        sleep 0.1
    done
    for spec in $specs; do
        if stands "${spec##*,}"; then printf 'listening\t%s\n' "$spec"; else printf 'busy\t%s\t%s\n' "$spec" 'did not start'; fi
    done
}

# Runs one listener for each port under one leader; $1 is the shell text that listens on $address $port.
each_port() {
    setsid sh -c '
        limit=$2; body=$3; shift 3
        for spec; do
            address=${spec%,*}; port=${spec##*,}
            eval "$body" &
        done
        sleep "$limit"
        kill 0
    ' sh "$mark" "$limit" "$1" $specs </dev/null >/dev/null 2>&1 &
    printf 'pid\t%s\n' "$!"
    tell_standing
}

dialect() {
    case $("$1" -h 2>&1 </dev/null | head -n 3) in
        *Ncat*) echo ncat ;;
        *BusyBox*) echo busybox ;;
        *OpenBSD*) echo openbsd ;;
        *) echo traditional ;;
    esac
}

# A traditional netcat ends after one connection, and who comes in between would be told a lie: it is not used. Busybox's takes no address.
netcat() {
    case $(dialect "$1") in
        ncat) each_port "$1 --recv-only -lk \$address \$port" ;;
        openbsd) each_port "$1 -dlk \$address \$port" ;;
        busybox) each_port "$1 -ll -p \$port -e true" ;;
        *) return 1 ;;
    esac
}

container() {
    for image in $images; do
        docker run -d --rm --pull never --name "$mark" --label io.syntho.installer.temporary=1 --network host -e STAY=1 \
            --entrypoint python3 "$image" -c "$python" "$mark" "$limit" $specs >/dev/null 2>&1 || continue
        printf 'tool\tcontainer\n'
        tell_standing
        return 0
    done
    return 1
}

for tool in $tools; do
    case $tool in
        python3)
            for binary in python3 platform-python python; do
                has "$binary" && said=$("$binary" -c "$python" "$mark" "$limit" $specs 2>/dev/null) && {
                    printf 'tool\t%s\n%s\n' "$binary" "$said"
                    exit 0
                }
            done
            ;;
        perl)
            has perl && said=$(perl -e "$perl" "$mark" "$limit" $specs 2>/dev/null) && {
                printf 'tool\tperl\n%s\n' "$said"
                exit 0
            }
            ;;
        socat)
            has socat && has setsid && {
                printf 'tool\tsocat\n'
                each_port 'case $address in *:*) family=6; address="[$address]" ;; *) family=4 ;; esac
                    socat "TCP$family-LISTEN:$port,bind=$address,reuseaddr,fork" /dev/null'
                exit 0
            }
            ;;
        nc | ncat)
            has "$tool" && has setsid && said=$(netcat "$tool") && {
                printf 'tool\t%s\n%s\n' "$tool" "$said"
                exit 0
            }
            ;;
        busybox)
            has busybox && has setsid && busybox nc --help >/dev/null 2>&1 && {
                printf 'tool\tbusybox\n'
                each_port 'busybox nc -ll -p $port -e true'
                exit 0
            }
            ;;
        container) has docker && container && exit 0 ;;
    esac
done
printf 'tool\tnone\n'
