#!/bin/sh
# Keeps the nodes of the swarm as the file `wanted` beside it says, from the host that leads. Written by syntho-installer.
#
#   sh nodes.sh probe     ends with 0 when they are so
#   sh nodes.sh run       labels nodes, drains and takes back those that are said to be, and removes those of this deployment that are in `wanted` no more
#   sh nodes.sh revert    takes drained nodes back
#
# A line of `wanted` has a node's address, its name, `active` or `drain`, and whether people's notebooks may run there. A node that somebody drained
# by hand stays so.
set -eu
cd "$(dirname "$0")"
label=io.syntho.installer.{{ deployment }}
{% raw %}
fail() {
    echo "$*"
    exit 1
}

wait_until() {
    for _ in $(seq 120); do
        "$@" && return
        sleep 0.5
    done
    return 1
}

# Every node as id, address, state, availability, our label and whether we drained it, a line each.
nodes() {
    docker node inspect --format "{{.ID}} {{if .ManagerStatus}}{{.ManagerStatus.Addr}}{{else}}{{.Status.Addr}}{{end}} {{.Status.State}} {{.Spec.Availability}} {{with index .Spec.Labels \"$label\"}}{{.}}{{else}}-{{end}} {{with index .Spec.Labels \"$label.drained\"}}{{.}}{{else}}-{{end}}" \
        $(docker node ls -q) | sed 's/^\([^ ]*\) \[\{0,1\}\([^] ]*\)\]\{0,1\}:2377 /\1 \2 /'
}

# The line of the node with an address. One that left and came again has an old entry, too, which is down.
node() {
    nodes | awk -v address="$1" '$2 == address && $3 == "ready"'
}

is_ready() {
    [ -n "$(node "$1")" ]
}

# What is to be changed about a node, as options of `docker node update`: the first argument is its line, then what `wanted` says.
change() {
    echo "$1" | while read -r _ _ _ availability notebooks drained; do
        [ "$notebooks" = "$3" ] || printf -- '--label-add %s=%s ' "$label" "$3"
        case "$2 $availability $drained" in
        "drain active "*) printf -- '--availability drain --label-add %s.drained=yes ' "$label" ;;
        "active drain yes") printf -- '--availability active --label-rm %s.drained ' "$label" ;;
        esac
    done
}

# Nodes of this deployment that are in `wanted` no more.
unwanted() {
    nodes | while read -r id address _ _ notebooks _; do
        [ "$notebooks" = - ] || grep -q "^$address " wanted || echo "$id"
    done
    # What a host that left and came again has left behind.
    nodes | awk '$3 != "ready" && $5 != "-"' | while read -r id address _; do
        ! is_ready "$address" || echo "$id"
    done
}

probe() {
    while read -r address name availability notebooks; do
        line=$(node "$address")
        [ -n "$line" ] || fail "$name ($address) is no node that is ready"
        change=$(change "$line" "$availability" "$notebooks")
        [ -z "$change" ] || fail "of $name is to be changed: $change"
    done < wanted
    [ -z "$(unwanted)" ] || fail "a node is there that is not wanted any more"
    echo "$(wc -l < wanted) nodes are ready"
}

is_idle() {
    [ -z "$(docker node ps --filter desired-state=running -q "$1")" ]
}

run() {
    while read -r address name availability notebooks; do
        wait_until is_ready "$address" || fail "$name ($address) is no node that is ready: \`docker node ls\` shows all"
        line=$(node "$address")
        id=${line%% *}
        # shellcheck disable=SC2046 # several words
        set -- $(change "$line" "$availability" "$notebooks")
        if [ $# -gt 0 ]; then
            echo "$name: $*"
            docker node update "$@" "$id" > /dev/null
        fi
        [ "$availability" != drain ] || wait_until is_idle "$id" || fail "something still runs on $name: \`docker node ps $name\`"
    done < wanted
    for id in $(unwanted); do remove "$id"; done
}

remove() {
    echo "removing node $1"
    docker node update --availability drain "$1" > /dev/null
    wait_until is_idle "$1" || true
    docker node demote "$1" > /dev/null 2>&1 || true
    docker node rm --force "$1" > /dev/null
}

revert() {
    nodes | while read -r id _ _ _ _ drained; do
        [ "$drained" != yes ] || docker node update --availability active --label-rm "$label.drained" "$id" > /dev/null
    done
}

case "${1:-}" in
probe | run | revert) "$1" ;;
*)
    sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
