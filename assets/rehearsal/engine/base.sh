#!/bin/sh
# Makes the root file system of the Debian base image and writes it to stdout as a tar archive.
#
#   base.sh SUITE > base.tar        needs root and debootstrap; takes mirror and key from the machine's own apt
#
# Every image of the rehearsal stands on it, so nothing is pulled from an image registry.
set -eu
export LC_ALL=C
suite=$1

mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | head -n 1)
if [ -z "$mirror" ]; then
    echo "no Debian package mirror is configured on this machine" >&2
    exit 1
fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/rehearsal-base.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/root"

debootstrap --variant=minbase --include=ca-certificates \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$suite" "$work/root" "$mirror" >&2

cd "$work/root"
rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/doc usr/share/man usr/share/locale usr/share/info
# As in the official images: packages start no services while an image is built, and leave no downloads behind.
printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
echo force-unsafe-io > etc/dpkg/dpkg.cfg.d/unsafe-io
printf 'path-exclude /usr/share/%s/*\n' doc man locale info > etc/dpkg/dpkg.cfg.d/lean
cat > etc/apt/apt.conf.d/lean <<'APT'
APT::Install-Recommends "false";
APT::Install-Suggests "false";
Acquire::Languages "none";
APT
tar --numeric-owner --exclude=./dev/* --exclude=./proc/* --exclude=./sys/* -c .
