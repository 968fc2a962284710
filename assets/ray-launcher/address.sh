#!/bin/sh
# Keeps the address of the Ray cluster's head where the containers of this host take it from. Written by syntho-installer.
#
#   sh address.sh probe     ends with 0 when one is known
#   sh address.sh run       writes what the variable HEAD says into the files beside this one
set -eu
cd "$(dirname "$0")"
{% raw %}
fail() {
    echo "$*"
    exit 1
}

case "${1:-}" in
probe)
    [ -s address.env ] && [ -s dashboard.env ] && [ -s client.env ] || fail "the cluster's address is not known yet"
    sed -n 's/^RAY_ADDRESS=/the cluster is at /p' address.env
    ;;
run)
    case ${HEAD:?} in
    *[!0-9a-f.:]*) fail "\`$HEAD\` is no address" ;;
    *:*) url="[$HEAD]" ;;
    *) url=$HEAD ;;
    esac
    umask 022
    echo "RAY_ADDRESS=$HEAD" > address.env
    echo "RAY_URL=http://$url:8265" > dashboard.env
    echo "RAY_ADDRESS=ray://$url:10001" > client.env
    ;;
*)
    sed -n '4,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
