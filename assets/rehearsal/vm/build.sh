#!/bin/sh
# Installs a VM's packages; runs inside the image build.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
engine=$1

apt-get -qq update
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | head -n 1)
printf 'deb %s trixie main\n' "$mirror" > /etc/apt/sources.list.d/trixie.list
printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' > /etc/apt/preferences.d/trixie

case $engine in
current) docker='docker.io/trixie docker-cli/trixie docker-compose/trixie' ;;
distro) docker='docker.io docker-compose' ;;
*) echo "unknown engine $engine" >&2; exit 2 ;;
esac

apt-get -qq update
# shellcheck disable=SC2086 # a list of words
apt-get -qq -y install systemd systemd-sysv dbus libpam-systemd openssh-server sudo python3 \
    $docker iproute2 iputils-ping nftables iptables e2fsprogs procps curl ca-certificates jq netcat-openbsd socat

# sudo-rs is in Debian 13 only and wants its libc. Its own loader and libraries lie beside it under /opt/sudo-rs,
# so that the rest of the VM stays Debian 12. A VM switches to it when it is asked to.
work=$(mktemp -d)
cd "$work"
apt-get -qq -y install patchelf
apt-get -qq download sudo-rs/trixie libc6/trixie libgcc-s1/trixie libpam0g/trixie libaudit1/trixie libcap-ng0/trixie
for deb in *.deb; do dpkg-deb -x "$deb" root; done
mkdir -p /opt/sudo-rs
find root -name '*.so*' -path '*linux-gnu*' \( -name 'ld-linux*' -o -name 'libc.so*' -o -name 'libgcc_s*' -o -name 'libpam.so*' \
    -o -name 'libaudit.so*' -o -name 'libcap-ng.so*' -o -name 'libm.so*' -o -name 'libdl.so*' -o -name 'libpthread.so*' \) \
    -exec cp -a {} /opt/sudo-rs/ \;
loader=$(find /opt/sudo-rs -name 'ld-linux*' | head -n 1)
for name in sudo su visudo; do
    found=$(find root -type f \( -name "$name-rs" -o -path "*/cargo/bin/$name" \) | head -n 1)
    [ -n "$found" ] || continue
    cp "$found" "/opt/sudo-rs/$name"
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath /opt/sudo-rs "/opt/sudo-rs/$name"
done
chown -R root:root /opt/sudo-rs
chmod 4755 /opt/sudo-rs/sudo
cd /
rm -rf "$work"
apt-get -qq -y purge --auto-remove patchelf
rm -f /etc/apt/sources.list.d/trixie.list
rm -rf /var/lib/apt/lists/* /var/cache/apt/*
