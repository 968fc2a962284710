#!/bin/sh
# PID 1 of a VM until systemd takes over: writes down what the fleet said on the command line, and stays off after a power off.
set -eu
# The engine below restarts a VM whenever its init ends, which is right for `reboot`. A power off leaves this mark:
# ending with 0 is the one end that is not followed by a restart.
if [ -e /var/lib/vm/off ]; then
    rm /var/lib/vm/off
    exit 0
fi
if [ -n "${VM_CONFIG-}" ]; then
    mkdir -p /etc/vm
    printf '%s\n' "$VM_CONFIG" > /etc/vm/config
    printf '%s\n' "$VM_KEYS" > /etc/vm/authorized_keys
fi
exec env -i container=docker PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
