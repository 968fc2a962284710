# Saves databases of the PostgreSQL server in whose container it runs, and brings them back. The first argument says what:
#   ready          is the server there?
#   save NAME      writes the database to standard output
#   prove          reads a saved one from standard input to its end and changes nothing
#   load NAME      reads a saved one from standard input into a new database beside NAME
#   swap NAME...   puts the new ones in the place of all of these, or of none
#   forget NAME... removes what load and swap have left
set -eu
export PGHOST=127.0.0.1 PGUSER="${POSTGRES_USER:-postgres}" PGPASSWORD="${POSTGRES_PASSWORD:-}" PGCONNECT_TIMEOUT=10

ask() {
    psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --quiet --no-align --tuples-only --dbname=postgres "$@"
}

# Prints the names of one database as variables of psql.
names() {
    printf '%s\n' "\\set name '$1'" "\\set new '$1.new'" "\\set old '$1.old'"
}

verb=$1
shift
case $verb in
ready)
    ask --command='SELECT 1' >/dev/null
    ;;
save)
    exec pg_dump --no-password --format=custom --dbname="$1"
    ;;
prove)
    # The table of contents stands at the beginning: only who reads it all knows that it is whole.
    exec pg_restore --file=/dev/null
    ;;
load)
    {
        names "$1"
        cat <<'SQL'
DROP DATABASE IF EXISTS :"new" WITH (FORCE);
SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L',
    :'new', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype)
FROM pg_database WHERE datname = :'name'
UNION ALL
SELECT format('CREATE DATABASE %I TEMPLATE template0', :'new')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')
\gexec
SQL
    } | ask
    exec pg_restore --no-password --exit-on-error --single-transaction --dbname="$1.new"
    ;;
swap)
    {
        for name; do
            names "$name"
            echo 'DROP DATABASE IF EXISTS :"old" WITH (FORCE);'
        done
        echo 'BEGIN;'
        for name; do
            names "$name"
            cat <<'SQL'
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (:'name', :'new');
SELECT count(*) AS there FROM pg_database WHERE datname = :'name' \gset
\if :there
ALTER DATABASE :"name" RENAME TO :"old";
\endif
ALTER DATABASE :"new" RENAME TO :"name";
SQL
        done
        echo 'COMMIT;'
    } | ask >/dev/null
    ;;
forget)
    {
        for name; do
            names "$name"
            echo 'DROP DATABASE IF EXISTS :"new" WITH (FORCE);'
            echo 'DROP DATABASE IF EXISTS :"old" WITH (FORCE);'
        done
    } | ask
    ;;
*)
    echo "unknown: $verb" >&2
    exit 2
    ;;
esac
