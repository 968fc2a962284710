#!/bin/sh
# Stands before the inner runc and lowers what the machine below does not grant: resource limits above the hard limit,
# capabilities outside the bounding set, out-of-memory scores below our own. Without it a stack that asks for
# `nofile 65536` could not start on a machine whose hard limit is lower. Where everything is granted it only steps aside.
set -eu
real=/usr/sbin/runc.real

effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
# Bit 24 is CAP_SYS_RESOURCE, which may raise any limit.
if [ $(((0x$effective >> 24) & 1)) -eq 1 ]; then exec "$real" "$@"; fi

# `create`, `run` and `restore` name a bundle, `exec` a process file; everything else passes.
spec=
previous=
verb=
for argument in "$@"; do
    case $argument in
    create | run | restore | exec) [ -n "$verb" ] || verb=$argument ;;
    esac
    case $previous in
    --bundle | -b) spec=$argument/config.json ;;
    --process | -p) spec=$argument ;;
    esac
    previous=$argument
done
if [ -z "$verb" ] || [ -z "$spec" ] || [ ! -f "$spec" ]; then exec "$real" "$@"; fi

limits=$(awk '
    BEGIN {
        split("CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK AS", names, " ")
        title["Max core file size"] = "CORE"; title["Max cpu time"] = "CPU"; title["Max data size"] = "DATA"
        title["Max file size"] = "FSIZE"; title["Max file locks"] = "LOCKS"; title["Max locked memory"] = "MEMLOCK"
        title["Max msgqueue size"] = "MSGQUEUE"; title["Max nice priority"] = "NICE"; title["Max open files"] = "NOFILE"
        title["Max processes"] = "NPROC"; title["Max resident set"] = "RSS"; title["Max realtime priority"] = "RTPRIO"
        title["Max realtime timeout"] = "RTTIME"; title["Max pending signals"] = "SIGPENDING"; title["Max stack size"] = "STACK"
        title["Max address space"] = "AS"
        printf "{"
    }
    NR > 1 {
        name = substr($0, 1, 25); sub(/ +$/, "", name)
        split(substr($0, 27), value, / +/)
        if (name in title && value[2] != "unlimited") { printf "%s\"RLIMIT_%s\":%s", comma, title[name], value[2]; comma = "," }
    }
    END { print "}" }' /proc/self/limits)
bounding=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
missing=$(awk -v hex="$bounding" '
    BEGIN {
        split("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " \
            "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " \
            "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " \
            "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE", names, " ")
        printf "["
        for (bit = 0; bit <= 40; bit++) {
            digit = index("0123456789abcdef", substr(hex, length(hex) - int(bit / 4), 1)) - 1
            if (int(digit / 2 ^ (bit % 4)) % 2 == 0) { printf "%s\"CAP_%s\"", comma, names[bit + 1]; comma = "," }
        }
        print "]"
    }')
score=$(cat /proc/self/oom_score_adj)

clamped=$(mktemp "$spec.XXXXXX")
jq --argjson limits "$limits" --argjson missing "$missing" --argjson score "$score" '
    def lowered: . as $p
        | .rlimits |= (if . then map($limits[.type] as $most
            | if $most then .hard = ([.hard, $most] | min) | .soft = ([.soft, $most] | min) else . end) else . end)
        | .capabilities |= (if . then map_values(. - $missing) else . end)
        | .oomScoreAdj |= (if . then ([., $score] | max) else . end);
    if .process then .process |= lowered else lowered end' "$spec" > "$clamped"
cat "$clamped" > "$spec"
rm -f "$clamped"
exec "$real" "$@"
