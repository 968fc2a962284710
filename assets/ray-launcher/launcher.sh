#!/bin/sh
# Drives Ray's cluster launcher, in the image that the cluster runs, so that both have one release. Written by syntho-installer.
#
#   sh launcher.sh check        whether Ray accepts cluster.yaml
#   sh launcher.sh probe        ends with 0 when the head leads the least number of nodes
#   sh launcher.sh up           brings the cluster up, or to what cluster.yaml says now; what runs on it goes on where it can
#   sh launcher.sh address      prints the head's address
#   sh launcher.sh down         stops the cluster
#   sh launcher.sh ray ...      any command of the launcher: sh launcher.sh ray exec cluster.yaml "ray status"
#
# `state` is what the launcher knows of the cluster: without it, it would begin another.
set -eu
cd "$(dirname "$0")"
image={{ image('ray') }}
name={{ project }}
deployment={{ deployment }}
stack={{ stack }}
nodes={{ least_nodes }}
known={{ known_head }}
provider={{ provider }}
# On hosts of one's own the second autoscaler starts the head and never a worker.
autoscaler_v2={{ '0' if provider == 'local' else '1' }}
sdk={{ cloud_sdk_modules }}
packages={{ cloud_sdk_packages }}
install={{ cloud_sdk or 'image' }}
{% raw %}
fail() {
    echo "$*"
    exit 1
}

# Runs a program in Ray's image with the cluster's file, the key and the launcher's own state; the first arguments, up to `--`, are Docker's.
in_image() {
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    mkdir -p state/ray state/ssh state/cloud state/sdk
    chmod 700 state state/ssh state/cloud
    [ ! -d ../launcher-key ] || options="$options --volume $PWD/../launcher-key:/key:ro"
    [ ! -e credentials.env ] || options="$options --env-file credentials.env"
    # shellcheck disable=SC2086 # several words
    docker run --rm --init --network host --user 0:0 $options \
        --label "io.syntho.installer.deployment=$deployment" --label "io.syntho.installer.stack=$stack" \
        --volume "$PWD:/cluster:ro" --volume "$PWD/state/ray:/tmp/ray" --volume "$PWD/state/ssh:/root/.ssh" \
        --volume "$PWD/state/cloud:/root/.azure" --volume "$PWD/state/sdk:/sdk" --workdir /cluster \
        --env HOME=/root --env PYTHONPATH=/sdk --env PYTHONUNBUFFERED=1 --env LC_ALL=C.UTF-8 --env RAY_USAGE_STATS_ENABLED=0 \
        --env RAY_UP_enable_autoscaler_v2="$autoscaler_v2" --env AUTOSCALER_NODE_START_WAIT_S="${WAIT:-900}" \
        --entrypoint "" "$image" "$@" < /dev/null
}

python() {
    in_image -- sh -c 'exec "$(command -v python || command -v python3)" "$@"' sh "$@"
}

# The launcher itself, under a name, so that one that was cut off is found.
launch() {
    docker rm -f "$name" > /dev/null 2>&1 || true
    in_image --name "$name" -- "$@"
}

address() {
    if [ -n "$known" ]; then
        echo "$known"
    else
        cat state/head 2> /dev/null || fail "the cluster has no head yet"
    fi
}

check() {
    in_image -- sh -c 'for program in bash ssh rsync ray; do command -v $program > /dev/null || { echo "the Ray image has no $program, which the launcher needs"; exit 1; }; done'
    python accept.py cluster.yaml
    has_sdk || [ "$install" != install ] || install_sdk
    for module in $sdk; do
        python -c "import $module" 2> /dev/null || fail "the Ray image has no Python package $module, by which Ray reaches $provider"
    done
    [ "$provider" != azure ] || log_in_to_azure
}

has_sdk() {
    for module in $sdk; do python -c "import $module" 2> /dev/null || return 1; done
}

install_sdk() {
    echo "Installing what Ray needs to reach $provider"
    # shellcheck disable=SC2086 # several packages
    python -m pip install --quiet --disable-pip-version-check --target /sdk $packages
}

# On Azure Ray asks the command-line program `az` who it is. The secret goes by a file, so that no list of processes shows it.
log_in_to_azure() {
    in_image -- sh -c 'command -v az > /dev/null || { echo "the Ray image has no az, which the launcher needs"; exit 1; }
        if [ -n "${AZURE_CLIENT_ID:-}" ]; then
            az login --output none --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" --password @/cluster/azure-secret
        else
            az login --output none --identity
        fi'
}

probe() {
    head=$(address) || fail "the cluster has no head yet"
    python alive.py "$head" "$nodes" 0
}

up() {
    check
    # A head that lives goes on, with all that runs on it; the new limits reach it without a new start.
    restart=
    if head=$(address) && python alive.py "$head" 1 0 > /dev/null 2>&1; then restart=--no-restart; fi
    # shellcheck disable=SC2086 # none or one
    launch ray up --yes --no-config-cache --log-style record --log-color false --disable-usage-stats $restart cluster.yaml
    head=$(in_image -- ray get-head-ip cluster.yaml 2> /dev/null | tail -n 1)
    case $head in
    *.*.*.* | *:*) ;;
    *) fail "the launcher does not say where the head is: $head" ;;
    esac
    [ -z "$known" ] || [ "$head" = "$known" ] || fail "the head is at $head, and was to be at $known"
    echo "$head" > state/head
    echo "The head is at $head"
    python alive.py "$head" "$nodes" 600
}

down() {
    [ -e state ] || return 0
    WAIT=60
    launch ray down --yes cluster.yaml || fail "the launcher could not stop the cluster"
    # Made as root, whoever this is.
    in_image -- sh -c 'find /tmp/ray /root/.ssh /root/.azure /sdk -mindepth 1 -delete'
    rm -rf state
}

case "${1:-}" in
check | probe | up | address | down) "$1" ;;
ray) in_image -- "$@" ;;
*)
    sed -n '4,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
