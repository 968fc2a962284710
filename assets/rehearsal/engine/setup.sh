#!/bin/sh
# Installs what the rehearsal and the end-to-end tests need on Debian or Ubuntu; does nothing when all is there.
#
# Docker comes from the distribution's own packages unless some Docker is installed already. Where the machine's Docker cannot
# start virtual machines, the rehearsal itself fetches and starts a second one beside it; nothing of that is installed.
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/sbin:/sbin

# command:package
needs='dockerd:docker.io docker:docker.io containerd:containerd runc:runc iptables:iptables debootstrap:debootstrap
    ssh:openssh-client ssh-keygen:openssh-client ip:iproute2 cc:gcc make:make perl:perl'
release=
[ ! -r /etc/os-release ] || release=$(. /etc/os-release && echo "${ID-} ${VERSION_ID-}")
# Debian 13 has the command line in a package of its own.
if [ "${release%% *}" = debian ] && [ "${release##* }" != 12 ]; then
    needs=$(echo "$needs" | sed 's/docker:docker\.io/docker:docker-cli/')
fi

missing=
for need in $needs; do
    command -v "${need%%:*}" > /dev/null 2>&1 && continue
    case " $missing " in *" ${need#*:} "*) ;; *) missing="$missing ${need#*:}" ;; esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null 2>&1; then
    echo "missing here, and this is not Debian or Ubuntu, so please install it yourself:$missing" >&2
    exit 1
fi
root=
if [ "$(id -u)" -ne 0 ]; then
    root=sudo
    if ! command -v sudo > /dev/null 2>&1; then
        echo "missing here:$missing; run as root: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "installing from this machine's package mirror:$missing" >&2
# shellcheck disable=SC2086 # lists of words
{
    $root apt-get -qq update
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing > /dev/null
} >&2
