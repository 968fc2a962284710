#!/bin/sh
# An SSH server that introduces itself and then never says another word; one per connection.
printf 'SSH-2.0-OpenSSH_9.2p1\r\n'
exec sleep infinity
