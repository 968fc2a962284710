# Says whether a user may start containers without sudo: root, a member of Docker's group, or who is asking and gets an answer. Reads only.
id "$0" > /dev/null 2>&1 || { echo "this host has no user $0"; exit 1; }
if [ "$(id -u "$0")" = 0 ] || id -nG "$0" | tr ' ' '\n' | grep -qx docker; then
    echo "$0 is in Docker's group"
elif [ "$(id -un)" = "$0" ] && docker version > /dev/null 2>&1; then
    echo "$0 reaches Docker"
else
    echo "$0 may not use Docker: it is not in the group docker"
    exit 1
fi
