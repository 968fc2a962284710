#!/bin/sh
# The key by which Ray's launcher and the cluster's head log in to the hosts of the cluster. Written by syntho-installer.
#
#   sh key.sh probe     ends with 0 when it is there
#   sh key.sh run       makes it, with the programs of Ray's image
#
# The private half, `id`, leaves this host only for the head, to which Ray carries it. The public half is `id.pub`.
set -eu
cd "$(dirname "$0")"
image={{ image('ray') }}
name={{ 'syntho-installer:' ~ deployment }}
{% raw %}
case "${1:-}" in
probe)
    [ -s id ] && [ -s id.pub ] || {
        echo "there is no key yet"
        exit 1
    }
    ;;
run)
    rm -f id id.pub
    docker run --rm --network none --user 0:0 --entrypoint sh --volume "$PWD:/key" "$image" -c '
        command -v ssh-keygen > /dev/null || { echo "the Ray image has no ssh-keygen"; exit 1; }
        ssh-keygen -q -t ed25519 -N "" -C "$0" -f /key/id
    ' "$name"
    ;;
*)
    sed -n '4,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
