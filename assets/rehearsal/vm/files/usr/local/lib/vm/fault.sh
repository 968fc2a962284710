#!/bin/sh
# Inflicts and heals the faults that are made inside a VM:  fault.sh inflict|heal NAME [ARGUMENT...]
#
# Every fault leaves what is needed to heal it under /var/lib/vm/faults or in a unit of its own; healing what is not
# broken does nothing.
set -eu
export LC_ALL=C
. /etc/vm/config
verb=$1
name=$2
shift 2
kept=/var/lib/vm/faults
mkdir -p "$kept"

link=eth0
plugin=/usr/libexec/docker/cli-plugins/docker-compose

# hide FILE / show FILE: moves a file out of the way and back.
hide() { [ -e "$1" ] || [ -L "$1" ] || return 0; mv "$1" "$kept/$(basename "$(dirname "$1")")-$(basename "$1")"; }
show() {
    hidden=$kept/$(basename "$(dirname "$1")")-$(basename "$1")
    [ -e "$hidden" ] || [ -L "$hidden" ] || return 0
    mv "$hidden" "$1"
}
# listen UNIT PORT COMMAND: holds a port with a unit of its own.
listen() {
    systemctl reset-failed "$1.service" 2>/dev/null || true
    systemd-run --quiet --unit "$1" socat "TCP-LISTEN:$2,fork,reuseaddr" "$3"
    timeout 10 sh -c 'until ss -Hltn "sport = :$1" | grep -q .; do sleep 0.05; done' sh "$2"
}
docker_answers() { timeout 60 sh -c 'until docker info >/dev/null 2>&1; do sleep 0.1; done'; }
# The processes of logins: every sshd but the one that listens.
sessions() { pgrep -x sshd | grep -vx "$(systemctl show --property MainPID --value ssh.service)" || true; }

case $verb-$name in
inflict-link-down) ip link set "$link" down ;;
heal-link-down)
    ip link set "$link" up
    ip route replace default via "$gateway"
    ;;
inflict-partition)
    nft add table inet "partition_$1"
    nft add chain inet "partition_$1" arriving '{ type filter hook prerouting priority -300; }'
    nft add rule inet "partition_$1" arriving ip saddr "$2" drop
    nft add chain inet "partition_$1" leaving '{ type filter hook postrouting priority -300; }'
    nft add rule inet "partition_$1" leaving ip daddr "$2" drop
    ;;
heal-partition) nft delete table inet "partition_$1" 2>/dev/null || true ;;
inflict-sshd-stopped) systemctl stop ssh.service ;;
heal-sshd-stopped) systemctl start ssh.service ;;
inflict-ssh-dropped)
    # shellcheck disable=SC2046 # a list of numbers
    kill -KILL $(sessions) 2>/dev/null || true
    ;;
inflict-ssh-silent)
    systemctl stop ssh.service
    listen vm-fault-ssh-silent 22 EXEC:/usr/local/lib/vm/silent.sh
    ;;
heal-ssh-silent)
    systemctl stop vm-fault-ssh-silent.service 2>/dev/null || true
    systemctl start ssh.service
    ;;
inflict-docker-stopped) systemctl stop docker.socket docker.service ;;
heal-docker-stopped | heal-docker-killed)
    systemctl reset-failed docker.service docker.socket 2>/dev/null || true
    systemctl start docker.socket docker.service
    docker_answers
    ;;
inflict-docker-killed) systemctl kill --signal KILL --kill-whom main docker.service ;;
inflict-disk-full)
    # Anything but a disk of its own would be the machine's.
    case $(df --output=source /var/lib/docker | tail -n 1) in
    /dev/loop*) ;;
    *) echo "this VM has no disk of its own" >&2; exit 3 ;;
    esac
    free=$(df --output=avail --block-size=1K /var/lib/docker | tail -n 1)
    take=$((free - $1))
    [ "$take" -le 0 ] || fallocate --length "${take}KiB" /var/lib/docker/.filler
    ;;
heal-disk-full) rm -f /var/lib/docker/.filler ;;
inflict-port-taken) listen "vm-fault-port-$1" "$1" EXEC:/bin/cat ;;
heal-port-taken) systemctl stop "vm-fault-port-$1.service" 2>/dev/null || true ;;
inflict-rate-limit) tc qdisc replace dev "$link" root tbf rate "$1kbit" burst 32kbit latency 400ms ;;
heal-rate-limit) tc qdisc del dev "$link" root 2>/dev/null || true ;;
inflict-clock-skew)
    cat > /usr/local/bin/date <<DATE
#!/bin/sh
# A clock that is wrong by $1 seconds, for those who ask \`date\` for now.
for argument in "\$@"; do
    case \$argument in -d* | --date* | -f* | --file* | -r* | --reference* | -s* | --set*) exec /bin/date "\$@" ;; esac
done
exec /bin/date --date "@\$((\$(/bin/date +%s) + ($1)))" "\$@"
DATE
    chmod 755 /usr/local/bin/date
    ;;
heal-clock-skew) rm -f /usr/local/bin/date ;;
inflict-no-compose-plugin)
    # The plugin's own binary is also the standalone command; only that one is left.
    hide "$plugin"
    ln -sf "$kept/cli-plugins-docker-compose" /usr/local/bin/docker-compose
    ;;
heal-no-compose-plugin)
    rm -f /usr/local/bin/docker-compose
    show "$plugin"
    ;;
heal-no-compose)
    show "$plugin"
    show /usr/bin/docker-compose
    ;;
inflict-no-compose)
    hide "$plugin"
    hide /usr/bin/docker-compose
    ;;
inflict-no-docker)
    systemctl stop docker.socket docker.service
    hide /usr/bin/docker
    ;;
heal-no-docker)
    show /usr/bin/docker
    systemctl start docker.socket docker.service
    docker_answers
    ;;
inflict-machine-id)
    [ -e "$kept/machine-id" ] || cp /etc/machine-id "$kept/machine-id"
    echo "$1" > /etc/machine-id
    ;;
heal-machine-id) [ ! -e "$kept/machine-id" ] || mv "$kept/machine-id" /etc/machine-id ;;
*) echo "no fault $verb $name" >&2; exit 2 ;;
esac
