# Prepares an empty data folder, as the official image does, then runs PostgreSQL as the user postgres.
#
# POSTGRES_PASSWORD (needed), POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD; each may come from
# a file named by the variable with _FILE behind it. Files in /docker-entrypoint-initdb.d run once, against a server that
# only the local socket reaches: to the outside the database exists when it is complete.
set -euo pipefail

initdb_folder=/docker-entrypoint-initdb.d

say() {
    echo "docker-entrypoint: $*"
}

from_file() {
    local name=$1 file_name=${1}_FILE
    if [ -n "${!file_name:-}" ]; then
        if [ -n "${!name:-}" ]; then
            say "both $name and $file_name are set" >&2
            exit 1
        fi
        export "$name=$(<"${!file_name}")"
    fi
}

read_settings() {
    local name
    for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do
        from_file "$name"
    done
    export POSTGRES_USER=${POSTGRES_USER:-postgres}
    export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
    auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$auth" != trust ]; then
        say "the database is uninitialised and the superuser password is not specified: set POSTGRES_PASSWORD to a non-empty value" >&2
        exit 1
    fi
}

local_psql() {
    PGHOST=/var/run/postgresql PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"
}

create_cluster() {
    # The password goes through a descriptor, never through an argument. As in the original, the container itself is trusted.
    # shellcheck disable=SC2086
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") --auth=trust ${POSTGRES_INITDB_ARGS:-}
    {
        echo
        echo "host all all all $auth"
    } >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
}

create_database() {
    if [ "$POSTGRES_DB" != postgres ]; then
        local_psql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
}

run_init_files() {
    local file
    for file in "$initdb_folder"/*; do
        case $file in
        *.sh)
            if [ -x "$file" ]; then
                say "running $file"
                "$file"
            else
                say "sourcing $file"
                # shellcheck disable=SC1090
                . "$file"
            fi
            ;;
        *.sql)
            say "running $file"
            local_psql --dbname "$POSTGRES_DB" -f "$file"
            ;;
        *.sql.gz)
            say "running $file"
            gunzip -c "$file" | local_psql --dbname "$POSTGRES_DB"
            ;;
        "$initdb_folder/*") ;;
        *) say "ignoring $file" ;;
        esac
    done
}

first_start() {
    read_settings
    create_cluster
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start
    create_database
    run_init_files
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset POSTGRES_PASSWORD
    say "PostgreSQL init process complete; ready for start up."
}

if [ "${1:-}" = "" ] || [ "${1#-}" != "$1" ]; then
    set -- postgres "$@"
fi

if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    # HOME of the new user; the rest of the environment stays, as init files read it.
    HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups bash "$0" "$@"
fi

if [ "$1" = postgres ]; then
    if [ -s "$PGDATA/PG_VERSION" ]; then
        say "PostgreSQL Database directory appears to contain a database; Skipping initialization"
    else
        first_start
    fi
fi

exec "$@"
