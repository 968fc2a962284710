#!/bin/sh
# Proves that the hub can start with what stands in this folder, before it does: JupyterHub accepts jupyterhub_config.py and authenticator.py, and knows every
# option in them. It starts a container that goes again, and changes nothing. The last line printed is the finding; another status than 0 says that it does not hold.
set -eu
cd "$(dirname "$0")"
mount() {
    echo "--volume=$PWD/$1:$2:ro"
}
set -- "$(mount .env /run/secrets/hub.env)" "$(mount jupyterhub_config.py /srv/jupyterhub/jupyterhub_config.py)" \
    "$(mount authenticator.py /srv/jupyterhub/authenticator.py)" "$(mount with_secrets.py /srv/jupyterhub/with_secrets.py)" \
    "$(mount prove_config.py /srv/jupyterhub/prove_config.py)"
[ ! -e identity-ca.crt ] || set -- "$@" "$(mount identity-ca.crt /srv/jupyterhub/identity-ca.crt)"
# The variables as stack.yaml gives them; with the deployment's own values, since some are numbers.
# shellcheck disable=SC2016 # the container's shell knows
docker run --rm --pull never --network none "$@" \
    --env DOCKER_NETWORK_NAME={{ project ~ '_notebooks' }} \
    --env DOCKER_NOTEBOOK_IMAGE={{ image('notebook') }} \
    --env DOCKER_NOTEBOOK_DIR={{ notebook_folder }} \
    --env DOCKER_SPAWN_CMD={{ notebook_command }} \
    --env NOTEBOOK_MEMORY={{ size(notebook_memory) }} \
    --env NOTEBOOK_CPUS={{ notebook_cpus }} \
    --entrypoint sh {{ image('hub') }} -c 'python=$(command -v python || command -v python3); exec "$python" "$0" "$python" "$@"' \
    /srv/jupyterhub/with_secrets.py /srv/jupyterhub/prove_config.py /srv/jupyterhub/jupyterhub_config.py < /dev/null
