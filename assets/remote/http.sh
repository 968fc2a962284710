# Asks one address over HTTP and prints the body, a line break and `status<TAB>code`. Runs under dash and busybox sh.
#
# The caller puts assignments before it: `url`, `method`, `name` (what to be asked by, where the address is another; or nothing),
# `limit` (seconds), `judged` (yes, or no where any certificate will do) and `authorities` (to trust, in PEM; those that the host trusts when empty). It ends
# with 127 where the host has no program for it. The body to send, when there is one, is JSON on standard input.

has() { command -v "$1" >/dev/null 2>&1; }

if has curl; then
    set -- --silent --show-error --max-time "$limit" --request "$method" --write-out '\nstatus\t%{http_code}\n'
    if [ "$method" != GET ]; then set -- "$@" --header 'Content-Type: application/json' --data-binary @-; fi
    if [ -n "$name" ]; then set -- "$@" --header "Host: $name"; fi
    if [ "$judged" = no ]; then set -- "$@" --insecure; fi
    if [ -n "$authorities" ]; then set -- "$@" --cacert /dev/fd/3; fi
    # No file: nothing is written on a host that is only looked at.
    exec curl "$@" "$url" 3<<AUTHORITIES
$authorities
AUTHORITIES
fi

for binary in python3 platform-python; do
    has "$binary" && authorities=$authorities exec "$binary" -c '
import os, ssl, sys, urllib.error, urllib.request
url, method, limit, name, judged = sys.argv[1:6]
body = sys.stdin.buffer.read() if method != "GET" else None
request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"} if body is not None else {})
if name:
    request.add_header("Host", name)
authorities = os.environ["authorities"] or None
trusting = ssl.create_default_context(cadata=authorities) if judged == "yes" else ssl._create_unverified_context()
try:
    answer = urllib.request.urlopen(request, timeout=float(limit), context=trusting)
except urllib.error.HTTPError as error:
    answer = error
except Exception as error:
    sys.exit(str(error))
sys.stdout.buffer.write(answer.read(1 << 20))
sys.stdout.write("\nstatus\t%d\n" % (answer.getcode() if hasattr(answer, "getcode") else answer.code))
' "$url" "$method" "$limit" "$name" "$judged"
done

if has wget && [ "$method" = GET ] && [ "$judged" = no ]; then
    said=$(mktemp) || exit 1
    if [ -n "$name" ]; then set -- --header "Host: $name"; else set --; fi
    wget -q -S -T "$limit" -O - "$@" --no-check-certificate "$url" 2>"$said"
    printf '\nstatus\t%s\n' "$(sed -n 's/^ *HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$said" | tail -n 1)"
    rm -f "$said"
    exit 0
fi
echo "neither curl nor python3 is on the host" >&2
exit 127
