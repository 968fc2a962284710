# Serves the registry; REGISTRY_* variables override the configuration, as in the official image.
#
# REGISTRY_AUTH_HTPASSWD_PATH and REGISTRY_HTTP_TLS_CERTIFICATE/_KEY switch on logins and TLS. The image also has `htpasswd`
# and `openssl`, so a fleet can make both with it: any other command runs as it is.
set -eu

if [ -n "${REGISTRY_AUTH_HTPASSWD_PATH:-}" ]; then
    export REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM="${REGISTRY_AUTH_HTPASSWD_REALM:-Registry}"
fi

case ${1:-} in
"") set -- /etc/docker/registry/config.yml ;;
serve) shift ;;
*.yml | *.yaml) ;;
*) exec "$@" ;;
esac

echo "registry: serving $1, logins ${REGISTRY_AUTH:-off}, TLS $([ -n "${REGISTRY_HTTP_TLS_CERTIFICATE:-}" ] && echo on || echo off)"
exec docker-registry serve "$@"
