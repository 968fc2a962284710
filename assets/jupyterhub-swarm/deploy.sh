#!/bin/sh
# Brings what stands in this folder to the swarm, from a manager. Written by syntho-installer.
#
#   sh deploy.sh probe     ends with 0 when the swarm runs it as it stands here
#   sh deploy.sh run       makes it so, once prove.sh holds, and waits until every service runs
#   sh deploy.sh revert    removes it, people's notebooks with it; volumes and what people keep stay
set -eu
cd "$(dirname "$0")"
project={{ project }}
services={{ 'hub hub-db proxy' if tls in ['provided', 'self-signed'] else 'hub hub-db' }}
deployment={{ deployment }}
{% raw %}
fail() {
    echo "$*"
    exit 1
}

checksum() {
    sha256sum | cut -c 1-12
}

# Names each config and secret by its content: variables that stack.yaml reads.
names() {
    for file in jupyterhub_config.py authenticator.py with_secrets.py identity-ca.crt proxy/nginx.conf .env database-password; do
        [ -e "$file" ] || continue
        variable=$(basename "$file" | sed 's/^\.//; s/[.-]/_/g')
        name=$(printf '%s' "$project-" | cut -c 1-40)$(printf '%s' "$project/$file" | checksum | cut -c 1-4)-$(checksum < "$file")
        export "$variable=$name"
        current="${current:-} $name"
    done
    CONTENT=$(printf '%s' "$current $(cat stack.yaml)" | checksum)
    NODE=$(docker info --format '{{.Swarm.NodeID}}')
    export CONTENT NODE
}

# What keeps a service from running what stands here, with as many tasks as it should; nothing when it does.
lacks() {
    found=$(docker service inspect --format '{{index .Spec.Labels "io.syntho.installer.content"}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' \
        "${project}_$1" 2> /dev/null) || { echo "there is no service ${project}_$1"; return; }
    case "$found" in
    "$CONTENT updating" | "$CONTENT rollback"*) echo "$1 is being changed" ;;
    "$CONTENT"*)
        tasks=$(docker service ls --filter "name=${project}_$1" --format '{{.Name}} {{.Replicas}}' | sed -n "s/^${project}_$1 \([0-9/]*\).*/\1/p")
        [ "$tasks" = 1/1 ] || echo "$1 has $tasks tasks"
        ;;
    *) echo "$1 runs otherwise than it stands here" ;;
    esac
}

missing() {
    for service in $services; do lacks "$service"; done
}

runs() {
    [ -z "$(missing)" ]
}

# The last words of services that do not run.
words() {
    for service in $services; do
        [ -z "$(lacks "$service")" ] && continue
        docker service ps --no-trunc --format "$service is {{.CurrentState}} {{.Error}}" "${project}_$service" | head -n 2
        docker service logs --raw --tail 5 "${project}_$service" 2>&1 | tail -n 5
    done
}

wait_until() {
    seconds=$1
    shift
    for _ in $(seq "$seconds"); do
        "$@" && return
        sleep 1
    done
    return 1
}

run() {
    sh prove.sh 2> /dev/null || exit
    docker stack deploy --prune --resolve-image never --compose-file stack.yaml "$project"
    # The swarm takes a moment until it says that it updates.
    sleep 1
    if ! wait_until 240 runs; then
        words
        fail "not every service runs: $(missing | tr '\n' ' ')"
    fi
    take_up_certificate
    for kind in config secret; do
        docker "$kind" ls --filter "label=com.docker.stack.namespace=$project" --format '{{.Name}}' | while read -r name; do
            case "$current " in *" $name "*) ;; *) docker "$kind" rm "$name" > /dev/null 2>&1 || true ;; esac
        done
    done
}

# The folder of the certificate is mounted, so that no connection is cut for the next one.
take_up_certificate() {
    for id in $(docker ps -q --filter "label=com.docker.swarm.service.name=${project}_proxy"); do
        docker exec "$id" sh -c 'nginx -t -q && nginx -s reload'
    done
}

notebooks() {
    docker service ls -q --filter "label=io.syntho.installer.deployment=$deployment" --filter "name=$project-jupyter-"
}

containers() {
    docker ps -aq --filter "label=com.docker.stack.namespace=$project"
}

is_gone() {
    [ -z "$(containers)" ] && ! docker network inspect "${project}_notebooks" > /dev/null 2>&1
}

revert() {
    [ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ] || return 0
    # shellcheck disable=SC2046 # a list
    [ -z "$(notebooks)" ] || docker service rm $(notebooks) > /dev/null
    for _ in 1 2 3 4 5; do
        docker stack rm "$project" > /dev/null 2>&1 || true
        wait_until 15 is_gone && return
    done
    fail "something of $project is still there: $(docker stack ps "$project" 2>&1 | tail -n 3)"
}

case "${1:-}" in
probe)
    names
    runs || fail "$(missing | tr '\n' ' ')"
    ;;
run)
    names
    run
    ;;
revert) revert ;;
*)
    sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
