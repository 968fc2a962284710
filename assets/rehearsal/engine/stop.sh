#!/bin/sh
# Ends the second Docker Engine by its pid file and waits until it is gone:  stop.sh STATE
set -eu
pid=$(cat "$1/docker.pid" 2>/dev/null || true)
[ -n "$pid" ] || exit 0
# The number may have been given to somebody else since; only a dockerd with this very pid file is ours.
tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "$1/docker.pid" || exit 0
kill "$pid"
for _ in $(seq 300); do
    if ! kill -0 "$pid" 2>/dev/null; then
        # A dockerd leaves these mounts behind, and nobody could remove the folder.
        for mount in "$1"/exec/netns/*; do umount "$mount" 2>/dev/null || true; done
        ip link delete "rh-$(printf %s "$1" | cksum | cut -d ' ' -f 1)" 2>/dev/null || true
        exit 0
    fi
    sleep 0.1
done
echo "the second engine, process $pid, does not end" >&2
exit 1
