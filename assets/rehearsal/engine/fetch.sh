#!/bin/sh
# Unpacks a newer Docker Engine beside the machine's own, from the machine's own package mirror.
#
#   fetch.sh DIR      afterwards DIR/root/usr/{bin,sbin,libexec} hold docker, dockerd, docker-proxy and the Compose plugin
#
# Nothing is installed: the packages are downloaded through a private view of apt (own lists, own cache, the machine's
# proxies, keys and mirror) and unpacked. Running it again when DIR is complete does nothing.
set -eu
export LC_ALL=C
dir=$1
suite=trixie
packages='docker.io docker-cli docker-compose'

[ -e "$dir/complete" ] && exit 0

mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' | sed -n 's/^Debian Debian //p' | head -n 1)
if [ -z "$mirror" ]; then
    echo "no Debian package mirror is configured on this machine, so a newer Docker Engine cannot be fetched" >&2
    exit 1
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

apt=$dir/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
: > "$apt/status"
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" > "$apt/sources.list"
view() {
    apt-get -q \
        -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=- \
        -o "Dir::State::Lists=$apt/lists" -o "Dir::State::status=$apt/status" \
        -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
view update
# shellcheck disable=SC2086 # a list of words
(cd "$apt/debs" && view download $packages)

rm -rf "$dir/root"
mkdir -p "$dir/root"
for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/root"; done
"$dir/root/usr/sbin/dockerd" --version
rm -rf "$apt"
: > "$dir/complete"
