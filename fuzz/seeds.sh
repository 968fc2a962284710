#!/bin/sh
# Makes small sound archives of every form into a folder: what the fuzzer begins from.   seeds.sh FOLDER
set -eu
to=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

sum() { sha256sum "$1" | cut -d' ' -f1; }
# No owner, no time: the same seeds on every machine.
pack() { tar --format gnu --sort name --owner 0 --group 0 --mtime @0 -cf "$@"; }

mkdir rootfs
echo content > rootfs/file
pack layer.tar -C rootfs .
layer=$(sum layer.tar)
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" > config
config=$(sum config)

# As `docker save` wrote it for ten years.
mkdir -p "legacy/$layer"
cp layer.tar "legacy/$layer/layer.tar"
cp config "legacy/$config.json"
printf '[{"Config":"%s.json","RepoTags":["app:1"],"Layers":["%s/layer.tar"]}]' "$config" "$layer" > legacy/manifest.json
pack "$to/legacy.tar" -C legacy .

# The OCI layout, its layer packed.
mkdir -p oci/blobs/sha256
gzip -n < layer.tar > layer.tar.gz
packed=$(sum layer.tar.gz)
cp layer.tar.gz "oci/blobs/sha256/$packed"
cp config "oci/blobs/sha256/$config"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' \
    "$config" "$(wc -c < config)" "$packed" "$(wc -c < layer.tar.gz)" > manifest
manifest=$(sum manifest)
cp manifest "oci/blobs/sha256/$manifest"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"docker.io/library/app:1"}}]}' \
    "$manifest" "$(wc -c < manifest)" > oci/index.json
printf '{"imageLayoutVersion":"1.0.0"}' > oci/oci-layout
pack "$to/oci.tar" -C oci .

# Packed as a whole, and a tar of archives.
gzip -n < "$to/legacy.tar" > "$to/legacy.tar.gz"
if command -v zstd > /dev/null; then zstd --quiet --force "$to/oci.tar" -o "$to/oci.tar.zst"; fi
mkdir nested
cp "$to/legacy.tar" "$to/oci.tar" nested/
pack "$to/nested.tar" -C nested .
