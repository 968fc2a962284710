#!/bin/sh
# Makes the two databases of the application. Runs once, on an empty data volume, as part of PostgreSQL's first start.
# The names hold hyphens, so they are quoted as identifiers by PostgreSQL itself.
set -eu

for database in syntho-core syntho-backend; do
    psql --set=ON_ERROR_STOP=1 --set=name="$database" --set=owner="$POSTGRES_USER" \
        --username="$POSTGRES_USER" --dbname="$POSTGRES_USER" --no-password --quiet <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')
\gexec
SQL
done
