# Makes a certificate authority, a certificate and a login, then serves the registry; runs in the registry's container.
set -eu
mkdir -p /certs
cd /certs
if [ ! -e registry.crt ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Rehearsal CA' -keyout ca.key -out ca.crt 2> /dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$REGISTRY_NAME" -keyout registry.key -out registry.csr 2> /dev/null
    printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth\n' "$REGISTRY_NAME" "$REGISTRY_ADDRESS" > extensions
    openssl x509 -req -in registry.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
        -out registry.crt 2> /dev/null
    printf '%s\n' "$REGISTRY_PASSWORD" | htpasswd -i -B -c htpasswd "$REGISTRY_USER" 2> /dev/null
fi
export REGISTRY_AUTH_HTPASSWD_PATH=/certs/htpasswd
export REGISTRY_HTTP_TLS_CERTIFICATE=/certs/registry.crt REGISTRY_HTTP_TLS_KEY=/certs/registry.key
exec sh /usr/local/bin/docker-entrypoint.sh serve /etc/docker/registry/config.yml
