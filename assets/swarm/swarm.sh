#!/bin/sh
# Brings this host into the deployment's swarm, and out of it again. Written by syntho-installer.
#
#   sh swarm.sh probe|run|revert known     on the host that leads: who was in a swarm here before; `revert` removes from it those who came since and left
#   sh swarm.sh probe|run|revert init      begins a swarm here, unless this host leads one already; `revert` ends it
#   sh swarm.sh token worker|manager       prints the secret by which a host joins, on the host that leads
#   sh swarm.sh probe|run|revert join      joins with the secret in the variable TOKEN; `revert` leaves
#   sh swarm.sh probe|run tokens           makes every secret that was given out worthless, on the host that leads; not those of a swarm that was
#                                          there before, by which others may mean to join
#
# A probe ends with 0 when it is so already. The files `before`, `given` and `bridge` beside this script say who was there, which secrets were
# given out, and that Docker had no network for swarms.
set -eu
cd "$(dirname "$0")"
own={{ host.private_address }}
leader={{ hosts('hub')[0].private_address }}
label=io.syntho.installer.{{ deployment }}
{% raw %}
fail() {
    echo "$*"
    exit 1
}

wait_until() {
    for _ in $(seq 60); do
        "$@" && return
        sleep 0.5
    done
    return 1
}

# State of this host, such as `inactive` or `active`, and whether it is a manager.
state() {
    docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'
}

# The managers that this host knows, one address with its port a line.
managers() {
    docker info --format '{{range .Swarm.RemoteManagers}}{{.Addr}}{{"\n"}}{{end}}'
}

endpoint() {
    case $1 in *:*) echo "[$1]:2377" ;; *) echo "$1:2377" ;; esac
}

leads() {
    [ "$(state)" = "active true" ]
}

follows() {
    case "$(state)" in
    "active "*) managers | grep -Fxq "$(endpoint "$leader")" ;;
    *) return 1 ;;
    esac
}

# Whether this host could begin a swarm or join one.
is_free() {
    case "$(state)" in "inactive "*) ;; *) return 1 ;; esac
}

# Docker makes a network for every host of a swarm, and leaves it when the host leaves.
note_bridge() {
    docker network inspect docker_gwbridge > /dev/null 2>&1 || : > bridge
}

has_no_bridge() {
    docker network rm docker_gwbridge > /dev/null 2>&1 || true
    ! docker network inspect docker_gwbridge > /dev/null 2>&1
}

remove_bridge() {
    [ -e bridge ] || return 0
    wait_until has_no_bridge || true
    rm -f bridge
}

init() {
    leads && return
    is_free || fail "this host is in a swarm already and does not lead it ($(state)): \`docker swarm leave\` takes it out of it"
    note_bridge
    # What it prints holds a secret.
    docker swarm init --advertise-addr "$own" > /dev/null
}

# The command line would show the secret to everybody on this host, so that Docker is asked by its API.
join() {
    follows && return
    is_free || fail "this host is in another swarm ($(managers | tr '\n' ' ')): \`docker swarm leave\` takes it out of it"
    note_bridge
    body="{\"ListenAddr\":\"0.0.0.0:2377\",\"AdvertiseAddr\":\"$own\",\"RemoteAddrs\":[\"$(endpoint "$leader")\"],\"JoinToken\":\"${TOKEN:?}\"}"
    answer=$(printf 'POST /swarm/join HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
        "${#body}" "$body" | docker system dial-stdio)
    case $answer in
    "HTTP/1.1 200 "*) ;;
    *) fail "Docker does not join: $(printf '%s\n' "$answer" | tail -n 1)" ;;
    esac
    wait_until follows || fail "this host joined, and does not know the manager $(endpoint "$leader")"
}

is_worker() {
    [ "$(state)" = "active false" ]
}

leave() {
    is_free && return
    if ! is_worker; then
        # Those who stay must agree on who leads.
        docker node demote "$(docker info --format '{{.Swarm.NodeID}}')" > /dev/null && wait_until is_worker || true
    fi
    docker swarm leave > /dev/null 2>&1 || docker swarm leave --force > /dev/null
    remove_bridge
}

# The names of other nodes that are not gone.
others() {
    self=$(docker info --format '{{.Swarm.NodeID}}')
    docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}}' | while read -r id name status; do
        [ "$id" = "$self" ] || [ "$status" = Down ] || echo "$name"
    done
}

nobody_else() {
    [ -z "$(others)" ]
}

end() {
    leads || return 0
    wait_until nobody_else || fail "other hosts are still in the swarm ($(others | tr '\n' ' ')): \`docker swarm leave\` there, and then the same again"
    docker swarm leave --force > /dev/null
    remove_bridge
}

# In a swarm that was there before, those who came with this deployment.
came() {
    docker node ls -q --filter "node.label=$label" | grep -Fxv -f before || true
}

have_left() {
    for id in $(came); do
        [ "$(docker node inspect --format '{{.Status.State}}' "$id")" != ready ] || return 1
    done
}

forget() {
    if leads; then
        wait_until have_left || true
        for id in $(came); do docker node rm --force "$id" > /dev/null; done
        for id in $(docker node ls -q --filter "node.label=$label"); do docker node update --label-rm "$label" "$id" > /dev/null; done
    fi
    rm -f before given
}

known() {
    if leads; then docker node ls -q > before; else : > before; fi
}

tokens() {
    [ -s before ] || [ ! -e given ] || while read -r role; do docker swarm join-token --rotate -q "$role" > /dev/null; done < given
    rm -f given
}

case "${1:-} ${2:-}" in
"probe known") [ -e before ] || fail "who was in a swarm here before is not known yet" ;;
"run known") known ;;
"revert known") forget ;;
"probe init") leads || fail "this host leads no swarm: it is $(state)" ;;
"run init") init ;;
"revert init") end ;;
"token worker" | "token manager")
    echo "$2" >> given
    docker swarm join-token -q "$2"
    ;;
"probe join") follows || fail "this host is not in the swarm of $leader: it is $(state)" ;;
"run join") join ;;
"revert join") leave ;;
"probe tokens") [ ! -e given ] || fail "the secrets by which hosts joined are still good" ;;
"run tokens") tokens ;;
*)
    sed -n '4,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
