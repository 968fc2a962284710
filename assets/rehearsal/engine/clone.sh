# Clones Docker data folders inside one file system:  clone.sh FROM TO...
#
# Layers never change once they are committed (Docker mounts them read-only and unlinks them as a whole), so their files are
# linked, not copied; databases and everything else that is written in place is copied.
set -eu
from=$1
shift
for to in "$@"; do
    find "$from" -mindepth 1 -maxdepth 1 ! -name overlay2 -exec cp -a {} "$to/" \;
    cp -a --link "$from/overlay2" "$to/"
done
