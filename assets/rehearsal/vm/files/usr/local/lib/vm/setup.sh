#!/bin/sh
# Runs on every boot of a VM, before sshd and Docker: keys, names, the air gap and the disk.
#
# /etc/vm/config, written before the first boot, says: subnet, gateway, airgap (yes, no), jump_only (yes, no),
# sudo (classic, rs), disk_mb (0: no disk of its own).
set -eu
export LC_ALL=C
. /etc/vm/config

# Host keys are made once and stay, as on a real machine.
for kind in ed25519 ecdsa; do
    [ -e "/etc/ssh/ssh_host_${kind}_key" ] || ssh-keygen -q -t "$kind" -N '' -C '' -f "/etc/ssh/ssh_host_${kind}_key"
done
for user in root deploy operator nobody2; do
    home=$(getent passwd "$user" | cut -d: -f6)
    group=$(id -gn "$user")
    [ -e "$home/.ssh/authorized_keys" ] && continue
    install -d -m 700 -o "$user" -g "$group" "$home/.ssh"
    install -m 600 -o "$user" -g "$group" /etc/vm/authorized_keys "$home/.ssh/authorized_keys"
done
if [ "$sudo" = rs ]; then ln -sf /opt/sudo-rs/sudo /usr/bin/sudo; fi

# Nobody answers names outside the fleet, and at once.
printf 'nameserver %s\n' "$gateway" > /etc/resolv.conf

# The site's firewall. It stands in the VM, so that nothing of it can be left behind on the machine below.
link=$(ip -o -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
link=${link:-eth0}
nft delete table inet site 2>/dev/null || true
{
    echo 'table inet site {'
    if [ "$airgap" = yes ]; then
        for hook in output forward; do
            printf 'chain %s { type filter hook %s priority -10; oifname "%s" ip daddr != %s reject with icmpx admin-prohibited; }\n' \
                "$hook" "$hook" "$link" "$subnet"
        done
    fi
    if [ "$jump_only" = yes ]; then
        printf 'chain arriving { type filter hook prerouting priority -300; ip saddr %s drop; }\n' "$gateway"
    fi
    echo '}'
} | nft -f -

# A disk of a fixed size below /var/lib/docker, so that a full disk is a real one. What the volume held before comes along.
attach() {
    # VMs that boot at once take each other's free devices, again and again when they keep step: so each waits its own time.
    for _ in $(seq 20); do
        free=$(losetup -f)
        [ -e "$free" ] || mknod "$free" b 7 "${free#/dev/loop}"
        if mount -o loop "$1" "$2"; then return 0; fi
        sleep "0.$(shuf --input-range 10-50 --head-count 1)"
    done
    return 1
}
if [ "$disk_mb" -gt 0 ]; then
    image=/var/lib/vm/docker.img
    if [ ! -e "$image" ]; then
        # Not in /tmp: systemd empties that while this runs.
        disk=/var/lib/vm/disk
        mkdir -p "$disk"
        truncate -s "${disk_mb}M" "$image.new"
        mkfs.ext4 -q -m 0 "$image.new"
        attach "$image.new" "$disk"
        rmdir "$disk/lost+found"
        cp -a /var/lib/docker/. "$disk/"
        umount "$disk"
        rmdir "$disk"
        mv "$image.new" "$image"
    fi
    attach "$image" /var/lib/docker
fi
