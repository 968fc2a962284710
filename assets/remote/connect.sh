# Tries to connect to many places at once. Writes nothing. Runs under dash and busybox sh.
#
# The caller puts assignments before it: `targets` (`address,port` each), `limit` (seconds for each) and `tools` (which to try, in this order). Prints:
#   tool<TAB>name   reach<TAB>address,port<TAB>open|refused|timeout|unreachable

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/libexec
has() { command -v "$1" >/dev/null 2>&1; }

# One process, every connection under way at the same time. Python 2 and 3.
python='
import errno, select, socket, sys, time
limit, waiting = float(sys.argv[1]), {}
def tell(spec, code):
    word = {0: "open", errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "timeout"}.get(code, "unreachable")
    sys.stdout.write("reach\t%s\t%s\n" % (spec, word))
poller = select.poll()
for spec in sys.argv[2:]:
    address, port = spec.rsplit(",", 1)
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    code = s.connect_ex((address, int(port)))
    if code == errno.EINPROGRESS:
        waiting[s.fileno()] = (s, spec)
        poller.register(s, select.POLLOUT)
    else:
        tell(spec, code)
end = time.time() + limit
while waiting and time.time() < end:
    for fd, event in poller.poll(max(1, int((end - time.time()) * 1000))):
        s, spec = waiting.pop(fd)
        poller.unregister(fd)
        tell(spec, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        s.close()
for s, spec in waiting.values():
    tell(spec, errno.ETIMEDOUT)
'

perl='
use strict; use Socket; use Errno (); use Fcntl; use Time::HiRes ();
my ($limit, @targets) = @ARGV; my %waiting;
sub tell_it { my ($spec, $code) = @_;
    my $word = $code == 0 ? "open" : $code == Errno::ECONNREFUSED() ? "refused" : $code == Errno::ETIMEDOUT() ? "timeout" : "unreachable";
    print "reach\t$spec\t$word\n" }
for my $spec (@targets) {
    my ($address, $port) = $spec =~ /^(.*),(\d+)$/;
    my $six = index($address, ":") >= 0;
    socket(my $s, $six ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or next;
    fcntl($s, F_SETFL, O_NONBLOCK);
    my $name = $six ? pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $address)) : pack_sockaddr_in($port, inet_aton($address));
    if (connect($s, $name)) { tell_it($spec, 0) }
    elsif ($! == Errno::EINPROGRESS()) { $waiting{fileno($s)} = [$s, $spec] }
    else { tell_it($spec, $! + 0) }
}
my $end = Time::HiRes::time() + $limit;
while (%waiting and (my $left = $end - Time::HiRes::time()) > 0) {
    my $write = ""; vec($write, $_, 1) = 1 for keys %waiting;
    next unless select(undef, $write, undef, $left) > 0;
    for my $fd (keys %waiting) {
        next unless vec($write, $fd, 1);
        my ($s, $spec) = @{delete $waiting{$fd}};
        tell_it($spec, unpack("i", getsockopt($s, SOL_SOCKET, SO_ERROR)));
    }
}
tell_it($_->[1], Errno::ETIMEDOUT()) for values %waiting;
'

# Turns the words of a shell or a netcat into an outcome.
outcome() {
    case $1:$2 in
        0:*) word=open ;;
        124:* | 143:* | *'imed out'*) word=timeout ;;
        *efused*) word=refused ;;
        *'o route'* | *nreachable*) word=unreachable ;;
        *) word=$3 ;;
    esac
    printf 'reach\t%s\t%s\n' "$spec" "$word"
}

by_bash() {
    said=$(timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${spec%,*}" "${spec##*,}" 2>&1)
    outcome "$?" "$said" unreachable
}

# Busybox's netcat cannot only look; it runs a program once connected. Netcats of some makes say nothing about why not: then it is told as a refusal.
by_nc() {
    case $nc in
        busybox*) said=$(limited $nc -w "$limit" "${spec%,*}" "${spec##*,}" -e true 2>&1 </dev/null) ;;
        *) said=$(limited $nc -z -v -w "$limit" "${spec%,*}" "${spec##*,}" 2>&1 </dev/null) ;;
    esac
    outcome "$?" "$said" refused
}

limited() { if has timeout; then timeout "$limit" "$@"; else "$@"; fi; }

for tool in $tools; do
    case $tool in
        python3)
            for binary in python3 platform-python python; do
                has "$binary" && said=$("$binary" -c "$python" "$limit" $targets 2>/dev/null) && {
                    printf 'tool\t%s\n%s\n' "$binary" "$said"
                    exit 0
                }
            done
            ;;
        perl)
            has perl && said=$(perl -e "$perl" "$limit" $targets 2>/dev/null) && {
                printf 'tool\tperl\n%s\n' "$said"
                exit 0
            }
            ;;
        bash)
            has bash && has timeout && {
                printf 'tool\tbash\n'
                for spec in $targets; do by_bash & done
                wait
                exit 0
            }
            ;;
        nc | ncat | busybox)
            nc=$tool
            [ "$tool" = busybox ] && nc='busybox nc'
            case $($nc -h 2>&1 </dev/null) in *BusyBox*) nc="busybox nc" ;; esac
            has "$tool" && {
                printf 'tool\t%s\n' "$tool"
                for spec in $targets; do by_nc & done
                wait
                exit 0
            }
            ;;
    esac
done
printf 'tool\tnone\n'
