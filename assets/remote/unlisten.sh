# Ends the listeners that listen.sh left, if they are still there and still ours.
#
# The caller puts assignments before it: `pid` (may be empty) and `mark`, the word that is in their command line.

[ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- "$mark" && kill -TERM "-$pid" 2>/dev/null
[ -n "$pid" ] || docker rm -f "$mark" >/dev/null 2>&1
exit 0
