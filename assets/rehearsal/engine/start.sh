#!/bin/sh
# Starts the second Docker Engine of the rehearsal, beside the machine's own.
#
#   start.sh SOFTWARE STATE GROUP      SOFTWARE as left by fetch.sh; STATE gets the data root, exec root, pid file, socket and log
#
# It touches nothing of the machine's engine: a default bridge of its own, no firewall rules, no forwarding switch, own containerd.
set -eu
export LC_ALL=C
software=$1
state=$2
group=$3

mkdir -p "$state"
chmod 711 "$state"
pid=$(cat "$state/docker.pid" 2>/dev/null || echo none)
if tr '\0' '\n' 2>/dev/null < "/proc/$pid/cmdline" | grep -qxF -e "$state/docker.pid"; then
    exit 0
fi
rm -f "$state/docker.pid" "$state/docker.sock"
echo '{}' > "$state/daemon.json"

# Without a default bridge of its own, or with `none`, a second engine takes over or deletes the machine's `docker0`.
bridge=rh-$(printf %s "$state" | cksum | cut -d ' ' -f 1)
if ! ip link show "$bridge" > /dev/null 2>&1; then
    for part in 0 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240; do
        ip route show root 10.77.255.0/24 | grep -q "^10\.77\.255\.$part/28 " || break
    done
    ip link add "$bridge" type bridge
    ip address add "10.77.255.$((part + 1))/28" dev "$bridge"
    ip link set "$bridge" up
fi

PATH=$software/root/usr/sbin:$software/root/usr/bin:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export PATH
setsid nohup dockerd \
    --config-file "$state/daemon.json" --host "unix://$state/docker.sock" --group "$group" \
    --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/docker.pid" \
    --storage-driver overlay2 --bridge "$bridge" --iptables=false --ip6tables=false --ip-forward=false \
    --userland-proxy=false --log-level warn > "$state/docker.log" 2>&1 < /dev/null &
