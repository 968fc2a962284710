# Starts both providers with certificates of an authority of their own for the address ADDRESS; the authority stands in /certs/ca.crt.
set -eu
mkdir -p /certs /var/lib/ldap /run/slapd
cd /certs
if [ ! -e ca.crt ]; then
    openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj '/CN=Authority of the identity provider' -keyout ca.key -out ca.crt 2> /dev/null
    openssl req -newkey rsa:2048 -noenc -subj "/CN=$ADDRESS" -addext "subjectAltName=IP:$ADDRESS" -keyout server.key -out server.csr 2> /dev/null
    openssl x509 -req -days 30 -in server.csr -CA ca.crt -CAkey ca.key -copy_extensions copy -out server.crt 2> /dev/null
    cat > slapd.conf <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile /certs/ca.crt
TLSCertificateFile /certs/server.crt
TLSCertificateKeyFile /certs/server.key
# A password never travels readable.
security simple_bind=128
database mdb
suffix "dc=acme,dc=example"
rootdn "cn=admin,dc=acme,dc=example"
directory /var/lib/ldap
# Whoever has not logged in sees nothing.
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
CONF
    slapadd -q -f slapd.conf -l /opt/people.ldif
fi
slapd -f slapd.conf -h 'ldap:/// ldaps:///' -d 256 &
exec python3 /opt/provider.py
