# Installs Python packages at a path and packs that path as /out/packages.tar, for an image build to unpack.
#
#   fetch venv PATH PACKAGE...   a virtual environment with packages and all they need
#   fetch more PATH PACKAGE...   packages for the environment at PATH, which has what they need
#   fetch lib  PATH PACKAGE...   packages and all they need, for PYTHONPATH
#
# What the machine knows about its package index was copied to /in: pip.conf, ca.pem where it has one, requirements.txt.
# It goes when this container does.
set -eu

kind=$1
path=$2
shift 2

cd /in
export PIP_CONFIG_FILE=/in/pip.conf PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
if [ -s ca.pem ]; then
    export PIP_CERT=/in/ca.pem
fi

# The environment itself stays without pip: pip 23.0 understands --python. Compiling comes last, after the trimming.
pip="/opt/pip/bin/pip --quiet"
case $kind in
venv)
    python3 -m venv --without-pip "$path"
    $pip --python "$path/bin/python" install --no-compile "$@"
    ;;
more)
    python3 -m venv --without-pip "$path"
    $pip --python "$path/bin/python" install --no-compile --no-deps "$@"
    ;;
lib)
    $pip install --no-compile --target "$path" "$@"
    ;;
*)
    echo "fetch: unknown kind $kind" >&2
    exit 2
    ;;
esac

# Java, reinforcement learning and the packages' own tests are most of the weight and none of what runs here.
find "$path" -type d \( -path '*/ray/jars' -o -path '*/ray/rllib' -o -name tests -o -name test \) -prune -exec rm -rf {} +
python3 -m compileall -q -j 2 "$path" || echo "fetch: some files do not compile for this Python; they are not used"

tar -C / --sort=name --owner=0 --group=0 --numeric-owner -cf /out/packages.tar "${path#/}"
