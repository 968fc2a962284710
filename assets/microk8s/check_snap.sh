# Says whether MicroK8s can be installed from a channel (the name by which this is called, as `sh -c` gives it), from the store or from a folder. Reads only.
channel=$0
folder=$1
PATH=$PATH:/snap/bin
command -v snap > /dev/null || { echo "there is no snap"; exit 1; }
version=$(snap version | sed -n 's/^snapd *//p' | head -n 1)
minor=$(echo "$version" | cut -d . -f 2 | sed 's/[^0-9].*//')
[ "${version%%.*}" -gt 2 ] || [ "${minor:-0}" -ge 52 ] || { echo "snapd is $version"; exit 1; }
if snap list microk8s > /dev/null 2>&1; then
    echo "MicroK8s is here already, snapd is $version"
elif [ -n "$folder" ]; then
    ls "$folder"/microk8s_*.snap > /dev/null 2>&1 || { echo "there is no microk8s_*.snap in $folder"; exit 1; }
    ls "$folder"/microk8s_*.assert > /dev/null 2>&1 || { echo "there is no microk8s_*.assert in $folder"; exit 1; }
    echo "the snaps are in $folder, snapd is $version"
else
    said=$(timeout 90 snap info microk8s 2>&1 < /dev/null) || { echo "the snap store is not reached: $(echo "$said" | tail -n 1)"; exit 1; }
    echo "$said" | grep -q "^  *$channel: *[0-9v]" || { echo "there is no channel $channel"; exit 1; }
    echo "the store has $channel, snapd is $version"
fi
