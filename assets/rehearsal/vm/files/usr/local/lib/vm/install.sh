#!/bin/sh
# Makes users, services and the runc clamp of a VM; runs inside the image build, after the files are in place.
set -eu
export LC_ALL=C
lib=/usr/local/lib/vm
chmod 755 "$lib" "$lib"/*
mkdir -p /var/lib/vm

useradd --create-home --shell /bin/bash --groups docker deploy
useradd --create-home --shell /bin/bash --gid operator operator
useradd --create-home --shell /bin/bash nobody2
echo 'operator:operator-pw' | chpasswd
# Locked for passwords, open for keys: `*`, because sshd refuses every login of an account with `!`.
usermod --password '*' deploy
usermod --password '*' nobody2
printf 'deploy ALL=(ALL:ALL) NOPASSWD: ALL\n' > /etc/sudoers.d/deploy
printf 'operator ALL=(ALL:ALL) ALL\n' > /etc/sudoers.d/operator
chmod 440 /etc/sudoers.d/*

# Every start of a container goes through the clamp; see its own words.
dpkg-divert --quiet --rename --divert /usr/sbin/runc.real --add /usr/sbin/runc
ln -s "$lib/runc-clamp.sh" /usr/sbin/runc

# What makes one VM differ from another is made on its first boot.
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
rm -f /usr/sbin/policy-rc.d

systemctl --quiet enable vm-setup.service vm-ready.service vm-off.service ssh.service docker.service containerd.service
systemctl --quiet set-default multi-user.target
systemctl --quiet mask getty.target console-getty.service systemd-remount-fs.service apt-daily.timer apt-daily-upgrade.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer systemd-random-seed.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount \
    sys-fs-fuse-connections.mount systemd-modules-load.service systemd-logind-varlink.socket nftables.service
