#!/bin/sh
# Brings MicroK8s to this host and this host into its cluster, and out of it again. Written by syntho-installer.
#
#   sh microk8s.sh probe|run|revert names           the lines of `hosts` beside this script stand in /etc/hosts
#   sh microk8s.sh probe|run|revert snap            MicroK8s is installed from its channel, and is not updated by itself
#   sh microk8s.sh probe|run ready                  Kubernetes runs on this host
#   sh microk8s.sh probe|run|revert trust           a registry that speaks plain http is trusted by the nodes, and `docker-trust`: by Docker
#   sh microk8s.sh probe|run addons                 the add-ons, on the control plane
#   sh microk8s.sh probe|run image                  the registry has the image that Docker has here
#   sh microk8s.sh token                            prints where and by what a host joins, on the control plane
#   sh microk8s.sh probe|run|revert join            joins as a worker by the variable JOIN; `revert` leaves
#
# A probe ends with 0 when it is so already, and changes nothing.
set -eu
cd "$(dirname "$0")"
PATH=$PATH:/snap/bin
deployment={{ deployment }}
own={{ host.private_address }}
leader={{ hosts('control-plane')[0].private_address }}
channel={{ channel }}
snap_folder={{ snap_folder or '' }}
addons={{ 'dns hostpath-storage ' ~ ('' if registry_address else 'registry ') ~ (addons or [])|join(' ') }}
gigabytes={{ registry_gigabytes or 0 }}
registry={{ registry_host }}
image={{ image('ray') }}
pod_image={{ pod_image }}
{% raw %}
hosts=${HOSTS_FILE:-/etc/hosts}
certs=/var/snap/microk8s/current/args/certs.d
daemon=/etc/docker/daemon.json
beginning="# BEGIN $deployment, written by syntho-installer"
ending="# END $deployment"

fail() {
    echo "$*"
    exit 1
}

# The lines of /etc/hosts between our marks.
block() {
    sed -n "/^$beginning\$/,/^$ending\$/p" "$hosts" | sed '1d;$d'
}

probe_names() {
    [ "$(block)" = "$(cat hosts)" ] || fail "the nodes' names are not in $hosts"
}

# The file may be a mount of its own, so that it is written and not replaced.
write_names() {
    rest=$(sed "/^$beginning\$/,/^$ending\$/d" "$hosts")
    {
        printf '%s\n' "$rest"
        [ "$1" = without ] || { echo "$beginning" && cat hosts && echo "$ending"; }
    } > hosts.new
    cat hosts.new > "$hosts"
    rm -f hosts.new
}

run_names() {
    if grep -rqs '^ *manage_etc_hosts: *\(true\|localhost\)' /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d; then
        fail "cloud-init writes $hosts anew whenever this host starts: set manage_etc_hosts: false in /etc/cloud/cloud.cfg.d"
    fi
    write_names with
}

# The channel from which it is installed; nothing when it is not.
installed() {
    snap list microk8s 2> /dev/null < /dev/null | awk '$1 == "microk8s" { print $4 }'
}

probe_snap() {
    found=$(installed)
    case $found in
    "") fail "MicroK8s is not installed" ;;
    "$channel") echo "MicroK8s is installed from $found" ;;
    # What was installed from files follows no channel.
    -) [ -n "$snap_folder" ] || fail "MicroK8s was installed from a file"; echo "MicroK8s is installed from a file" ;;
    *) fail "MicroK8s is here from another channel: $found" ;;
    esac
}

run_snap() {
    found=$(installed)
    [ -z "$found" ] || { probe_snap; return; }
    echo "installing MicroK8s"
    if [ -n "$snap_folder" ]; then
        # What it rests on comes first.
        for assert in "$snap_folder"/*.assert; do snap ack "$assert" < /dev/null; done
        for file in "$snap_folder"/*.snap; do
            case $(basename "$file") in microk8s_*) ;; *) snap install "$file" < /dev/null ;; esac
        done
        snap install "$(ls "$snap_folder"/microk8s_*.snap | tail -n 1)" --classic < /dev/null
    else
        snap install microk8s --classic --channel="$channel" < /dev/null
    fi
    # Before 2.58 nothing can be held for ever.
    snap refresh --hold microk8s < /dev/null || echo "this snapd cannot hold back updates of one snap"
}

revert_snap() {
    [ -z "$(installed)" ] || snap remove microk8s --purge < /dev/null
}

is_worker_only() {
    [ -e /var/snap/microk8s/current/var/lock/clustered.lock ] && [ ! -e /var/snap/microk8s/current/var/kubernetes/backend/cluster.yaml ]
}

probe_ready() {
    said=$(timeout 60 microk8s status --wait-ready --timeout 20 2>&1 < /dev/null) || fail "MicroK8s does not run: $(echo "$said" | tail -n 1)"
    case $said in
    "microk8s is running"* | *"acting as a node in a cluster"*) echo "MicroK8s runs" ;;
    *) fail "MicroK8s does not run: $(echo "$said" | head -n 1)" ;;
    esac
}

run_ready() {
    microk8s status --wait-ready --timeout 360 > /dev/null < /dev/null || true
    probe_ready
}

lacking() {
    for addon in $addons; do
        [ "$(microk8s status --addon "$addon" 2> /dev/null < /dev/null)" = enabled ] || echo "$addon"
    done
}

probe_addons() {
    found=$(lacking | tr '\n' ' ')
    [ -z "$found" ] || fail "add-ons are not there: $found"
}

# One with each call: MicroK8s refuses several at once.
run_addons() {
    for addon in $(lacking); do
        case $addon in
        registry) microk8s enable registry --size "${gigabytes}Gi" < /dev/null ;;
        *) microk8s enable "$addon" < /dev/null ;;
        esac
    done
    for addon in $addons; do
        case $addon in
        registry) microk8s kubectl --namespace container-registry rollout status deployment/registry --timeout=300s < /dev/null ;;
        dns) microk8s kubectl --namespace kube-system rollout status deployment/coredns --timeout=300s < /dev/null ;;
        esac
    done
}

probe_trust() {
    cmp -s hosts.toml "$certs/$registry/hosts.toml" || fail "containerd does not trust $registry"
}

# Read at each fetch: nothing is started anew.
run_trust() {
    mkdir -p "$certs/$registry"
    cp hosts.toml "$certs/$registry/hosts.toml"
    chmod 0644 "$certs/$registry/hosts.toml"
}

revert_trust() {
    [ ! -e "$certs/$registry/hosts.toml" ] || rm "$certs/$registry/hosts.toml"
    rmdir "$certs/$registry" 2> /dev/null || true
}

docker_trusts() {
    docker info --format '{{json .RegistryConfig.IndexConfigs}}' < /dev/null | grep -q "\"Name\":\"$registry\",[^}]*\"Secure\":false"
}

probe_docker() {
    python3 daemon_json.py has "$daemon" "$registry" || fail "$daemon does not name $registry"
    docker_trusts || fail "Docker has not read $daemon"
}

# Docker reads it anew without a container being touched.
reload_docker() {
    systemctl reload docker < /dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        "$@" && return
        sleep 1
    done
    fail "Docker has not taken up $daemon: \`journalctl -u docker\` says why"
}

run_docker() {
    python3 daemon_json.py add "$daemon" "$registry"
    reload_docker docker_trusts
}

does_not_trust() {
    ! docker_trusts
}

revert_docker() {
    python3 daemon_json.py remove "$daemon" "$registry"
    reload_docker does_not_trust
}

# The id under which the image was pushed last is what Docker here has now; and the registry still knows it.
pushed() {
    docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image" 2> /dev/null < /dev/null | grep "^${pod_image%:*}@sha256:" | tail -n 1
}

probe_image() {
    found=$(pushed) || fail "$pod_image was not pushed"
    # shellcheck disable=SC2016 # python knows
    python3 -c 'import sys, urllib.request, urllib.error
host, path = sys.argv[1].split("/", 1)
name, digest = path.split("@")
for scheme in ("http", "https"):
    request = urllib.request.Request(f"{scheme}://{host}/v2/{name}/manifests/{digest}", method="HEAD")
    request.add_header("Accept", "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json")
    try:
        urllib.request.urlopen(request, timeout=10)
        sys.exit(0)
    except urllib.error.HTTPError as error:
        # One that wants a login is there.
        sys.exit(0 if error.code == 401 else 1)
    except OSError:
        pass
sys.exit(1)' "$found" || fail "the registry $registry does not have $found"
    echo "$registry has the image"
}

run_image() {
    docker tag "$image" "$pod_image" < /dev/null
    docker push "$pod_image" < /dev/null
}

# Good for ten minutes. By an address and not by a name, which would be written into the cluster's own settings.
token() {
    microk8s add-node --format json --token-ttl 600 < /dev/null | sed -n "s|.*\"\($own:25000/[0-9a-f]*/[0-9a-f]*\)\".*|\1|p" | head -n 1 | grep .
}

# A node of this control plane, and nothing that leads by itself.
probe_join() {
    said=$(microk8s status 2>&1 < /dev/null) || fail "MicroK8s does not run: $(echo "$said" | tail -n 1)"
    case $said in
    *"acting as a node in a cluster"*) ;;
    *) fail "this host is no node of the cluster" ;;
    esac
    grep -q "$leader:16443" /var/snap/microk8s/current/args/traefik/provider.yaml 2> /dev/null || fail "this host is a node of another cluster"
    echo "this host is a node of $leader"
}

run_join() {
    if (probe_join) > /dev/null; then return; fi
    said=$(microk8s status 2>&1 < /dev/null || true)
    case $said in
    *"acting as a node in a cluster"*) fail "this host is a node of another cluster: \`microk8s leave\` takes it out of it" ;;
    esac
    microk8s join "${JOIN:?}" --worker < /dev/null
}

revert_join() {
    said=$(microk8s status 2>&1 < /dev/null || true)
    case $said in
    *"acting as a node in a cluster"*) microk8s leave < /dev/null ;;
    esac
}

case "${1:-} ${2:-}" in
"probe names" | "probe snap" | "probe ready" | "probe addons" | "probe trust" | "probe image" | "probe join") "probe_$2" ;;
"run names" | "run snap" | "run ready" | "run addons" | "run trust" | "run image" | "run join") "run_$2" ;;
"revert names") write_names without ;;
"revert snap" | "revert trust" | "revert join") "revert_$2" ;;
"probe docker-trust") probe_docker ;;
"run docker-trust") run_docker ;;
"revert docker-trust") revert_docker ;;
"token ") token ;;
*)
    sed -n '4,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
