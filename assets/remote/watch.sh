# Tells how a machine fares, as `key<TAB>value` lines; writes nothing and starts as little as it can. Runs under dash and busybox sh.
#
# The caller puts an assignment before it: `root`, the folder in which Docker keeps its data.

say() { printf '%s\t%s\n' "$1" "$2"; }

now=$(date +%s.%N 2>/dev/null)
case $now in *[!0-9.]* | '' | *.) now=$(date +%s) ;; esac
say clock "$now"
IFS=' ' read -r load _ </proc/loadavg && say load "$load"
cpus=0
while read -r key value _; do
    case $key in
        MemTotal: | MemAvailable: | MemFree:) say "$key" "$value" ;;
        SwapTotal:) break ;;
    esac
done </proc/meminfo
while read -r key _; do
    case $key in
        cpu[0-9]*) cpus=$((cpus + 1)) ;;
        intr) break ;;
    esac
done </proc/stat
say cpus "$cpus"
df -Pk "$root" 2>/dev/null | {
    read -r _
    read -r _ total used free _ && say disk "$total $used $free"
}
