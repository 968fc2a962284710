#!/bin/sh
# The commands of the guide, one VM after another, as somebody would type them who makes no mistake and never waits longer than needed.
set -eu

on() {
    host=$1
    shift
    ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o "UserKnownHostsFile=$KNOWN" -i "$KEY" "deploy@$host" "$@"
}

copy() {
    on "$1" 'sudo mkdir -p /opt/syntho && sudo chown deploy /opt/syntho'
    tar -C "$FILES/$2" -cf - . | on "$1" 'tar -C /opt/syntho -xf -'
}

until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ]
        sleep 0.5
    done
}

copy "$HEAD" ray-1
on "$HEAD" 'cd /opt/syntho/acme/ray-head && docker compose up -d --quiet-pull' >/dev/null 2>&1
until_true on "$HEAD" 'cd /opt/syntho/acme/ray-head && docker compose logs head 2>&1 | grep -q "Ray runtime started"'

copy "$WORKER" ray-2
on "$WORKER" 'cd /opt/syntho/acme/ray-worker && docker compose up -d' >/dev/null 2>&1
until_true on "$HEAD" '[ "$(cd /opt/syntho/acme/ray-head && docker compose exec -T head ray status 2>/dev/null | grep -c "1 node_")" = 2 ]'

copy "$UI" ui
on "$UI" 'cd /opt/syntho/acme/application && docker compose up -d' >/dev/null 2>&1
until_true curl -fsS -o /dev/null "http://$UI:3000/"
until_true curl -fsS -o /dev/null "http://$UI:3000/api/docs/"
body=$(python3 -c 'import json, os; print(json.dumps({"email": "admin@acme.example", "password": os.environ["ADMIN_PASSWORD"]}))')
until_true curl -fsS -o /dev/null -H 'Content-Type: application/json' --data "$body" "http://$UI:3000/api/v1/auth/login/"
