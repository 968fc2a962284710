#!/bin/sh
# Proves that the hub can start with what stands in this folder, before it does. It starts containers that go again, and changes nothing that lasts.
#
#   sh prove.sh database    the hub's JupyterHub can work with the database as it is, or bring it up to date
#   sh prove.sh config      JupyterHub accepts jupyterhub_config.py and authenticator.py, and knows every option in them
#   sh prove.sh versions    the notebook image has the hub's JupyterHub
#   sh prove.sh ray         the notebook image's Ray and Python are the cluster's
#
# The last line printed is the finding; where it ends with another status than 0, it does not hold.
set -eu
cd "$(dirname "$0")"
compose=${COMPOSE:-docker compose}
python='exec "$(command -v python || command -v python3)" -c "$0" "$@"'

# Runs a Python program in the hub's container as it would be started, with the arguments that follow.
in_hub() {
    program=$1
    shift
    # shellcheck disable=SC2086 # the command is several words
    $compose run --rm --no-deps -T --entrypoint sh hub -c "$python" "$program" "$@" < /dev/null
}

# Does so in a container of the notebook image, in the network of the notebooks.
in_notebook() {
    program=$1
    shift
    docker run --rm --pull never --network "$network" --entrypoint sh "$image" -c "$python" "$program" "$@" < /dev/null
}

# Tells what the hub would start notebooks with.
look() {
    variables=$(in_hub 'import os; print(*(os.environ[name] for name in ("DOCKER_NOTEBOOK_IMAGE", "DOCKER_NETWORK_NAME", "RAY_ADDRESS")))')
    # shellcheck disable=SC2086 # three words
    set -- $variables
    image=$1 network=$2 ray_address=$3
}

case "${1:-}" in
database)
    in_hub "$(cat prove_database.py)" postgresql://jupyterhub@hub-db:5432/jupyterhub
    ;;
config)
    in_hub "$(cat prove_config.py)" /srv/jupyterhub/jupyterhub_config.py
    ;;
versions)
    look
    hub=$(in_hub 'import jupyterhub; print(jupyterhub.__version__)')
    notebook=$(in_notebook 'import jupyterhub; print(jupyterhub.__version__)')
    if [ "$hub" != "$notebook" ]; then
        echo "the hub's image has JupyterHub $hub, and the notebook image $notebook: they must be the same"
        exit 1
    fi
    echo "hub and notebooks have JupyterHub $hub"
    ;;
ray)
    look
    in_notebook "$(cat prove_ray.py)" "$ray_address"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
