#!/bin/sh
# Starts the server of one user, by the name that the vendor's spawner calls.
if [ -e /app/broken ]; then
    echo "syntho-jupyterhub $(cat /app/release): cannot start: this release is broken" >&2
    exit 1
fi
exec jupyterhub-singleuser "$@"
