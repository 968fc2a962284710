#!/bin/sh
# Makes this host ready for Ray's launcher, which comes by SSH and starts a container. Written by syntho-installer.
#
#   sh node.sh probe     ends with 0 when it is ready
#   sh node.sh run       lets the key in the variable PUBLIC_KEY in, and puts `node.env` where the container takes it from
#   sh node.sh revert    removes the container, and everything that the launcher and this script left here
#
# The key may be used from the addresses of the control host and of the head only.
set -eu
cd "$(dirname "$0")"
user={{ ray_user }}
container={{ deployment ~ '-ray' }}
mounts={{ '/tmp/ray_tmp_mount/' ~ cluster_name }}
mark={{ 'syntho-installer:' ~ deployment }}
from={{ (hosts('control')|list + hosts('ray-head')|list)|map(attribute='private_address')|unique|join(',') }}
own={{ '.ray-' ~ deployment }}
{% raw %}
fail() {
    echo "$*"
    exit 1
}

home=$(getent passwd "$user" | cut -d: -f6)
[ -n "$home" ] || fail "this host has no user $user"
case "$(id -un)" in
root | "$user") ;;
*) fail "only root and $user itself may let a key of $user in, and this is $(id -un)" ;;
esac
keys=$home/.ssh/authorized_keys
options="from=\"$from\",no-agent-forwarding,no-port-forwarding,no-X11-forwarding"

# Asked as that user, since who is in Docker's group is so from the next login on.
user_reaches_docker() {
    if [ "$(id -un)" = "$user" ]; then docker version; else su -s /bin/sh "$user" -c "docker version"; fi > /dev/null 2>&1
}

belongs_to_user() {
    [ "$(id -u)" != 0 ] || chown "$user:$(id -gn "$user")" "$@"
}

# The lines of others.
others() {
    [ ! -e "$keys" ] || grep -v " $mark\$" "$keys" || true
}

# Puts standard input in place of the list of keys; who may read it stays as it is.
replace_keys() {
    new=$keys.$mark
    if [ -e "$keys" ]; then cp -p "$keys" "$new"; else (umask 077 && : > "$new"); fi
    cat > "$new"
    [ -e "$keys" ] || belongs_to_user "$new"
    mv -f "$new" "$keys"
}

let_in() {
    if [ ! -d "$home/.ssh" ]; then
        mkdir -m 700 "$home/.ssh"
        belongs_to_user "$home/.ssh"
        : > made-ssh
    fi
    [ -e "$keys" ] || : > made-keys
    {
        others
        echo "$options ${PUBLIC_KEY:?}"
    } | replace_keys
}

keep_out() {
    [ -e "$keys" ] && grep -q " $mark\$" "$keys" || return 0
    others | replace_keys
    [ ! -e made-keys ] || [ -s "$keys" ] || rm -f "$keys"
    [ ! -e made-ssh ] || rmdir "$home/.ssh" 2> /dev/null || true
    rm -f made-ssh made-keys
}

probe() {
    grep -F " $mark" "$keys" 2> /dev/null | grep -qF "$options " || fail "the launcher's key is not let in for $user"
    cmp -s node.env "$home/$own/node.env" || fail "$home/$own/node.env is not as it should be"
    echo "the launcher may come as $user"
}

run() {
    user_reaches_docker || fail "$user may not use Docker"
    let_in
    if ! cmp -s node.env "$home/$own/node.env"; then
        # Ray leaves a container alone that runs, whatever it was made from.
        docker rm -f "$container" > /dev/null 2>&1 || true
        (umask 077 && mkdir -p "$home/$own" && cat node.env > "$home/$own/node.env")
        belongs_to_user "$home/$own" "$home/$own/node.env"
    fi
}

revert() {
    docker rm -f "$container" > /dev/null 2>&1 || true
    keep_out
    rm -rf "${home:?}/$own" "$mounts"
    rmdir "$(dirname "$mounts")" 2> /dev/null || true
}

case "${1:-}" in
probe | run | revert) "$1" ;;
*)
    sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
