#!/bin/sh
# Looks after a Ray cluster on Kubernetes, by kubectl and helm. Written by syntho-installer.
#
#   sh kube.sh probe|run reach                Kubernetes answers, lets us administer it, and the tools are recent enough
#   sh kube.sh probe|run kinds                the kinds (CRDs) of the operator's chart, as they are in this release of it
#   sh kube.sh probe|run|revert operator      the operator that turns a RayCluster into pods
#   sh kube.sh probe|run|revert cluster       what stands in raycluster.yaml, and its secrets
#   sh kube.sh probe|run|revert dashboard     a way to Ray's dashboard from this host
#   sh kube.sh logs FOLDER                    what operator and pods said, and Ray's log files
#
# A probe ends with 0 when it is so already, and changes nothing.
set -eu
cd "$(dirname "$0")"
kubectl_words={{ kubectl }}
helm_words={{ helm }}
namespace={{ namespace }}
cluster={{ cluster_name }}
deployment={{ deployment }}
operator_namespace={{ operator_namespace }}
operator_version={{ operator_version }}
operator_image={{ operator_image }}
chart={{ operator_chart }}
ray_version={{ ray_version }}
least={{ min_workers + 1 }}
port={{ dashboard_port }}
app_secret={{ app_secret or '' }}
app_secret_key={{ app_secret_key or '' }}
{% raw %}
manager=syntho-installer
kind=rayclusters.ray.io

fail() {
    echo "$*"
    exit 1
}

# Where snaps are, too. Whatever asks somebody finds the end of its input.
PATH=$PATH:/snap/bin

kubectl() {
    # shellcheck disable=SC2086 # several words
    command $kubectl_words "$@"
}

# A short call, which does not wait for an API server for ever.
ask() {
    kubectl --request-timeout=60s "$@" < /dev/null
}

helm() {
    # shellcheck disable=SC2086 # several words
    command $helm_words "$@"
}

# What reads secrets or manifests from its input.
apply() {
    kubectl --request-timeout=60s apply --server-side --field-manager="$manager" --force-conflicts "$@"
}

wait_until() {
    seconds=$1
    shift
    for _ in $(seq $((seconds / 2))); do
        "$@" && return
        sleep 2
    done
    return 1
}

# The number of a version at a place, such as 2 in "v1.32.4": `part 2 v1.32.4` is 32.
part() {
    echo "$2" | sed 's/^[^0-9]*//; s/[^0-9.].*//' | cut -d . -f "$1"
}

# A version in the JSON of `kubectl version`.
version() {
    echo "$1" | tr -d ' \n' | sed -n "s/.*\"$2\":{[^}]*\"gitVersion\":\"\([^\"]*\)\".*/\1/p"
}

reach() {
    versions=$(ask version -o json 2>&1) || fail "Kubernetes does not answer: $(echo "$versions" | tail -n 1)"
    client=$(version "$versions" clientVersion)
    server=$(version "$versions" serverVersion)
    [ -n "$client" ] && [ -n "$server" ] || fail "kubectl does not say which Kubernetes it is: $(echo "$versions" | tail -n 1)"
    case $(($(part 2 "$client") - $(part 2 "$server"))) in
    -1 | 0 | 1) ;;
    *) fail "kubectl is $client and Kubernetes $server: they may be one minor release apart" ;;
    esac
    helm=$(helm version --template '{{.Version}}' 2> /dev/null < /dev/null) || fail "helm does not answer"
    [ "$(part 1 "$helm")" -gt 3 ] || [ "$(part 2 "$helm")" -ge 8 ] || fail "helm is $helm, and 3.8 is the oldest that will do"
    allowed=$(ask auth can-i create customresourcedefinitions.apiextensions.k8s.io 2> /dev/null) || true
    [ "$allowed" = yes ] || fail "this login may not administer Kubernetes: it may not create CustomResourceDefinitions"
    echo "Kubernetes $server answers"
}

# The chart as arguments of helm: a file or folder on this host, or the name in a repository.
chart_words() {
    case $chart in
    https://* | http://*) echo "kuberay-operator --repo $chart --version $operator_version" ;;
    oci://*) echo "$chart --version $operator_version" ;;
    *) [ -e "$chart" ] || { echo "there is no chart $chart on this host" >&2; return 1; }; echo "$chart" ;;
    esac
}

established() {
    ask get crd "$kind" -o 'jsonpath={.status.conditions[?(@.type=="Established")].status} {.metadata.annotations.io\.syntho\.installer/kuberay} {range .spec.versions[?(@.served==true)]}{.name},{end}' 2> /dev/null || true
}

is_established() {
    case $(established) in "True "*) ;; *) return 1 ;; esac
}

probe_kinds() {
    found=$(established)
    case $found in
    "True $operator_version "*v1,*) echo "the kinds are those of KubeRay $operator_version" ;;
    "True "*) fail "the kinds of KubeRay are there, and not known to be those of $operator_version" ;;
    *) fail "Kubernetes does not know the kind RayCluster" ;;
    esac
}

# They are too large for what client-side `kubectl apply` notes on them, so that the server applies them.
run_kinds() {
    words=$(chart_words)
    # shellcheck disable=SC2086 # several words
    helm show crds $words > kinds.yaml < /dev/null
    grep -q "$kind" kinds.yaml || fail "the chart has no kind RayCluster: $words"
    apply -f kinds.yaml < /dev/null
    rm -f kinds.yaml
    # `kubectl wait` gives up on what has no condition yet.
    wait_until 60 is_established || fail "Kubernetes does not take up the kind: $(ask describe crd "$kind" | tail -n 5)"
    ask annotate --overwrite --field-manager="$manager" crd "$kind" "io.syntho.installer/kuberay=$operator_version"
}

# Every operator in the cluster, as namespace, image and how many of it are ready.
operators() {
    ask get deployments --all-namespaces -l app.kubernetes.io/name=kuberay-operator \
        -o 'jsonpath={range .items[*]}{.metadata.namespace} {.spec.template.spec.containers[0].image} {.status.availableReplicas}{"\n"}{end}' < /dev/null
}

probe_operator() {
    found=$(operators)
    [ -n "$found" ] || fail "there is no operator"
    echo "$found" | grep -q "^[^ ]* $operator_image:v$operator_version [1-9]" || fail "the operator is another, or not ready: $(echo "$found" | tr '\n' ';')"
    echo "the operator of KubeRay $operator_version is ready"
}

run_operator() {
    elsewhere=$(operators | grep -v "^$operator_namespace " || true)
    [ -z "$elsewhere" ] || fail "another operator looks after Ray clusters already: $elsewhere"
    words=$(chart_words)
    # shellcheck disable=SC2086 # several words
    if ! helm upgrade --install kuberay-operator $words --namespace "$operator_namespace" --create-namespace --skip-crds --values operator.yaml \
        --wait --timeout 5m < /dev/null; then
        troubles "$operator_namespace" app.kubernetes.io/name=kuberay-operator
        fail "the operator did not become ready"
    fi
    kubectl --namespace "$operator_namespace" rollout status deployment/kuberay-operator --timeout=180s < /dev/null
}

revert_operator() {
    left=$(ask get "$kind" --all-namespaces -o name 2> /dev/null || true)
    if [ -n "$left" ]; then
        echo "the operator stays: other Ray clusters need it ($(echo "$left" | tr '\n' ' '))"
        return
    fi
    [ -n "$(helm list --namespace "$operator_namespace" --filter '^kuberay-operator$' --short < /dev/null)" ] || return 0
    helm uninstall kuberay-operator --namespace "$operator_namespace" --wait --timeout 5m < /dev/null
}

# What keeps pods with a label from running, a line each, with what Kubernetes says of it.
troubles() {
    ask --namespace "$1" get pods -l "$2" -o 'jsonpath={range .items[*]}{.metadata.name} {range .status.initContainerStatuses[*]}{.state.waiting.reason} {end}{range .status.containerStatuses[*]}{.state.waiting.reason} {end}{range .status.conditions[?(@.status=="False")]}{.reason} {end}{"\n"}{end}' |
        while read -r pod reasons; do
            for reason in $reasons; do
                case $reason in
                ErrImagePull | ImagePullBackOff | InvalidImageName | ErrImageNeverPull | CrashLoopBackOff | CreateContainerConfigError | RunContainerError | Unschedulable)
                    why=$(ask --namespace "$1" get events --field-selector "involvedObject.name=$pod,type=Warning" -o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | tail -n 1)
                    echo "pod $pod: $reason${why:+: $why}"
                    break
                    ;;
                esac
            done
        done
}

# State, whether the operator has seen the newest description, how many workers should be there and how many are ready.
state() {
    ask --namespace "$namespace" get "$kind" "$cluster" \
        -o 'jsonpath={.status.state} {.metadata.generation}={.status.observedGeneration} {.status.desiredWorkerReplicas} {.status.readyWorkerReplicas} {.status.reason}' 2> /dev/null < /dev/null || true
}

# Tells what the cluster lacks; nothing when it runs.
lacks() {
    now=$(state)
    # shellcheck disable=SC2086 # several words
    set -- $now
    if [ $# = 0 ]; then
        echo "there is no RayCluster $cluster"
    elif [ "$1" = failed ]; then
        echo "the operator refuses the RayCluster: $now"
    elif [ "$1" != ready ] || [ "${2%=*}" != "${2#*=}" ]; then
        echo "the RayCluster is not ready: $now"
    elif [ "${4:-0}" -lt "${3:-0}" ]; then
        echo "${4:-0} of ${3:-0} workers are ready"
    fi
}

head_pod() {
    ask --namespace "$namespace" get pods -l "ray.io/cluster=$cluster,ray.io/node-type=head" --field-selector status.phase=Running \
        -o 'jsonpath={.items[0].metadata.name}' < /dev/null
}

in_head() {
    kubectl --namespace "$namespace" exec "$(head_pod)" -c ray-head -- "$@" < /dev/null
}

# Ray's own word: its release, and how many of its nodes are alive.
ray_says() {
    in_head python -c 'import ray; print("release", ray.__version__)' | tail -n 1
    in_head python -c "$(cat alive_nodes.py)" count | tail -n 1
}

probe_ray() {
    said=$(ray_says 2> /dev/null | tr '\n' ' ') || true
    case $said in
    "release $ray_version "*) ;;
    "release "*) fail "the image has Ray $(echo "$said" | cut -d ' ' -f 2), and \`ray-version\` says $ray_version" ;;
    *) fail "Ray does not answer in the head's pod" ;;
    esac
    alive=$(echo "$said" | cut -d ' ' -f 3)
    [ "${alive:-0}" -ge "$least" ] || fail "$alive Ray nodes are alive, and $least should be"
    echo "$alive Ray nodes are alive"
}

# 0: the server has it as it stands here.
is_as_described() {
    ask diff --server-side --field-manager="$manager" --force-conflicts -f raycluster.yaml > /dev/null 2>&1
}

probe_cluster() {
    missing=$(lacks)
    [ -z "$missing" ] || fail "$missing"
    is_as_described || fail "the RayCluster is otherwise than it stands here"
    probe_ray
}

make_secrets() {
    if [ -e pull-secret.json ]; then
        ask --namespace "$namespace" create secret generic "$cluster-pull" --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=pull-secret.json \
            --dry-run=client -o yaml < /dev/null | apply -f - > /dev/null
        ask --namespace "$namespace" label --overwrite secret "$cluster-pull" "io.syntho.installer/deployment=$deployment"
    fi
    [ -n "$app_secret" ] || return 0
    tr -d '\n' < app-secret | kubectl --namespace "$namespace" create secret generic "$app_secret" "--from-file=$app_secret_key=/dev/stdin" \
        --dry-run=client -o yaml | apply -f - > /dev/null
    ask --namespace "$namespace" label --overwrite secret "$app_secret" "io.syntho.installer/deployment=$deployment"
}

has_namespace() {
    ask get namespace "$namespace" -o name > /dev/null 2>&1
}

run_cluster() {
    if ! has_namespace; then
        ask create namespace "$namespace"
        ask label namespace "$namespace" "io.syntho.installer/deployment=$deployment"
    fi
    make_secrets
    apply -f raycluster.yaml < /dev/null
    await
    probe_ray
}

# Images that cannot be had and the like do not mend themselves: what is still so after half a minute is told, and not waited for.
await() {
    bad=0
    said=
    for _ in $(seq 180); do
        missing=$(lacks)
        [ -n "$missing" ] || return 0
        [ "$missing" = "$said" ] || echo "$missing"
        said=$missing
        found=$(troubles "$namespace" "ray.io/cluster=$cluster")
        case $found in
        "") bad=0 ;;
        *Unschedulable*) bad=$((bad + 1)) && [ $bad -lt 60 ] || fail "$found" ;;
        *) bad=$((bad + 1)) && [ $bad -lt 6 ] || fail "$found" ;;
        esac
        sleep "${PAUSE:-5}"
    done
    fail "$missing"
}

is_gone() {
    [ -z "$(state)" ] && [ -z "$(ask --namespace "$namespace" get pods -l "ray.io/cluster=$cluster" -o name)" ]
}

revert_cluster() {
    kubectl --namespace "$namespace" delete "$kind" "$cluster" --ignore-not-found --timeout=300s < /dev/null
    wait_until 120 is_gone || fail "pods of $cluster are still there"
    for secret in $(ask --namespace "$namespace" get secrets -l "io.syntho.installer/deployment=$deployment" -o name); do
        kubectl --namespace "$namespace" delete "$secret" --ignore-not-found < /dev/null
    done
    if [ -n "$(ask get namespace -l "io.syntho.installer/deployment=$deployment" -o name)" ]; then
        kubectl delete namespace -l "io.syntho.installer/deployment=$deployment" --timeout=120s < /dev/null
    fi
}

# After a restart of the host another program may have that number.
forwards() {
    [ -e forward.pid ] && grep -qs kube.sh "/proc/$(cat forward.pid)/cmdline"
}

# A forward ends with the pod that it leads to.
forward() {
    while :; do
        kubectl --namespace "$namespace" port-forward --address 127.0.0.1 "service/$cluster-head-svc" "$port:8265" < /dev/null || true
        sleep 2
    done
}

leads() {
    forwards && grep -q "^Forwarding from 127.0.0.1:$port" forward.log
}

run_dashboard() {
    if ! forwards; then
        : > forward.log
        setsid sh kube.sh forward > forward.log 2>&1 < /dev/null &
        echo $! > forward.pid
    fi
    wait_until 30 leads || fail "no way to the dashboard: $(tail -n 1 forward.log)"
    echo "the dashboard is at http://127.0.0.1:$port of this host"
}

revert_dashboard() {
    # It leads a session of its own, with all that it started.
    ! forwards || kill -- "-$(cat forward.pid)"
    rm -f forward.pid forward.log
}

# Each failure costs only its own part.
logs() {
    folder=${1:?a folder}
    mkdir -p "$folder"
    kubectl --namespace "$operator_namespace" logs deployment/kuberay-operator --timestamps --tail=5000 > "$folder/operator.log" 2>&1 < /dev/null || true
    ask --namespace "$namespace" get events --sort-by=.lastTimestamp > "$folder/events.txt" 2>&1 || true
    for pod in $(ask --namespace "$namespace" get pods -l "ray.io/cluster=$cluster" -o 'jsonpath={.items[*].metadata.name}'); do
        kubectl --namespace "$namespace" logs "$pod" --all-containers --prefix --timestamps --tail=5000 > "$folder/$pod.log" 2>&1 < /dev/null || true
        kubectl --namespace "$namespace" exec "$pod" -- tar -C /tmp/ray/session_latest -chf - logs > "$folder/$pod.tar" 2> /dev/null < /dev/null || true
    done
}

case "${1:-} ${2:-}" in
"probe reach" | "run reach") reach ;;
"probe dashboard") leads || fail "nothing leads to the dashboard" ;;
"probe kinds" | "probe operator" | "probe cluster") "probe_$2" ;;
"run kinds" | "run operator" | "run cluster" | "run dashboard") "run_$2" ;;
"revert operator" | "revert cluster" | "revert dashboard") "revert_$2" ;;
"forward "*) forward ;;
"logs "*) logs "${2:-}" ;;
*)
    sed -n '4,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
