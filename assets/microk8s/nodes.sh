#!/bin/sh
# Keeps the nodes of the cluster as the file `wanted` beside it says, from the control plane. Written by syntho-installer.
#
#   sh nodes.sh probe     ends with 0 when every node in `wanted` is ready, and none of this deployment is there beside them
#   sh nodes.sh run       waits until they are, marks them, and removes those of this deployment that are in `wanted` no more
#   sh nodes.sh revert    removes the nodes that have left
set -eu
cd "$(dirname "$0")"
PATH=$PATH:/snap/bin
deployment={{ deployment }}
own={{ host.name }}
{% raw %}
label=io.syntho.installer/$deployment

fail() {
    echo "$*"
    exit 1
}

kubectl() {
    microk8s kubectl --request-timeout=60s "$@" < /dev/null
}

# Every node as name, whether it is ready, and our label, a line each.
nodes() {
    kubectl get nodes -o "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Ready\")].status} {.metadata.labels.io\.syntho\.installer/$deployment}{\"\\n\"}{end}"
}

missing() {
    now=$(nodes) || { echo "Kubernetes does not answer"; return; }
    while read -r name; do
        echo "$now" | grep -q "^$name True " || echo "$name is no node that is ready"
    done < wanted
}

unmarked() {
    now=$(nodes)
    while read -r name; do
        echo "$now" | grep -q "^$name [^ ]* node\$" || echo "$name"
    done < wanted
}

unwanted() {
    nodes | while read -r name _ mark; do
        [ -z "$mark" ] || grep -qx "$name" wanted || echo "$name"
    done
}

probe() {
    found=$(missing)
    [ -z "$found" ] || fail "$(echo "$found" | tr '\n' ';')"
    [ -z "$(unwanted)" ] || fail "a node is there that is not wanted any more: $(unwanted | tr '\n' ' ')"
    [ -z "$(unmarked)" ] || fail "nodes are not marked as those of this deployment: $(unmarked | tr '\n' ' ')"
    echo "$(wc -l < wanted) nodes are ready"
}

# What runs there starts anew elsewhere. A host that is gone cannot be drained, and is removed all the same.
remove() {
    echo "removing node $1"
    microk8s kubectl drain "$1" --ignore-daemonsets --delete-emptydir-data --force --timeout=120s < /dev/null || true
    microk8s remove-node "$1" --force < /dev/null
}

run() {
    for _ in $(seq 60); do
        found=$(missing)
        [ -n "$found" ] || break
        sleep 5
    done
    [ -z "$found" ] || fail "$(echo "$found" | tr '\n' ';')"
    for name in $(unmarked); do kubectl label --overwrite node "$name" "$label=node"; done
    for name in $(unwanted); do remove "$name"; done
}

# By then the others have left, which Kubernetes notices late.
revert() {
    nodes | while read -r name _ mark; do
        [ -z "$mark" ] || [ "$name" = "$own" ] || microk8s remove-node "$name" --force < /dev/null || true
    done
    kubectl label node "$own" "$label-"
}

case "${1:-}" in
probe | run | revert) "$1" ;;
*)
    sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
