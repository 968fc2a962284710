# Starts what the container's command says; `ray start` only with a licence, as the vendor's image does.
set -eu

release=$(cat /app/release)

if [ -e /app/broken ]; then
    echo "syntho-ray $release: cannot start: this release is broken" >&2
    exit 1
fi

if [ "${1:-} ${2:-}" = "ray start" ]; then
    case " $* " in
    *" --help "*) ;;
    *)
        if [ -z "${LICENSE_KEY_SIGNED:-}" ]; then
            echo "syntho-ray $release: LICENSE_KEY_SIGNED is empty: a licence key is needed" >&2
            exit 1
        fi
        echo "syntho-ray $release: licence key present, starting Ray on $(hostname)"
        ;;
    esac
fi

exec "$@"
