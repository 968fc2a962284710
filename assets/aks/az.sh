#!/bin/sh
# Leads this host to a Kubernetes cluster of Azure, by az. Written by syntho-installer.
#
#   sh az.sh probe|run|revert login      az is logged in at the tenant, and sees the subscription
#   sh az.sh probe|run|revert access     `kubeconfig` beside this script leads to the cluster
#   sh az.sh probe|run registry          the cluster's nodes may fetch from the registry, which has the image
#
# A probe ends with 0 when it is so already. az keeps what it remembers in the folder `azure` beside this script: whoever uses az on this host otherwise notices nothing.
# By hand: AZURE_CONFIG_DIR=azure az ...
set -eu
cd "$(dirname "$0")"
tenant={{ tenant }}
subscription={{ subscription }}
group={{ resource_group }}
cluster={{ aks_cluster }}
login={{ login }}
client={{ login_client_id or '' }}
admin={{ 'yes' if cluster_admin else '' }}
registry={{ acr or '' }}
image={{ ray_image }}
{% raw %}
# Nothing is asked, installed on the way, coloured or reported to anybody.
export AZURE_CONFIG_DIR="$PWD/azure" AZURE_CORE_NO_COLOR=true AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no AZURE_CORE_COLLECT_TELEMETRY=no \
    AZURE_CORE_LOGIN_EXPERIENCE_V2=off AZURE_CORE_DISABLE_CONFIRM_PROMPT=true

fail() {
    echo "$*"
    exit 1
}

# Secrets come by its input; where there is none, whatever asks finds the end of it.
az() {
    umask 077
    command az "$@" --only-show-errors
}

# One value of what az says in JSON, by a query.
value() {
    query=$1
    shift
    text=$(az "$@" --query "$query" --output json < /dev/null) || return
    printf '%s' "$text" | tr -d '"\n'
}

# The last line of what az complains of.
complaint() {
    echo "$1" | grep . | tail -n 1 | sed 's/^ERROR: //'
}

is_recent() {
    version=$(value '"azure-cli"' version) || fail "az does not answer"
    major=${version%%.*}
    minor=$(echo "$version" | cut -d . -f 2)
    [ "$major" -gt 2 ] || [ "$minor" -ge 50 ] || fail "az is $version, and 2.50 is the oldest that will do"
}

# Asks Azure and not only what az remembers: a login may have expired.
probe_login() {
    is_recent
    said=$(az account show --subscription "$subscription" --output json 2>&1 < /dev/null) || fail "az is not logged in: $(complaint "$said")"
    found=$(value tenantId account show --subscription "$subscription")
    [ "$found" = "$tenant" ] || fail "the subscription $subscription belongs to the tenant $found"
    said=$(az account get-access-token --subscription "$subscription" --query expiresOn --output json 2>&1 < /dev/null) || fail "the login has expired: $(complaint "$said")"
    echo "az is logged in"
}

run_login() {
    is_recent
    case $login in
    service-principal) az login --service-principal --username "$client" --password @login-secret --tenant "$tenant" --output none < /dev/null ;;
    managed-identity) az login --identity --output none < /dev/null ;;
    existing) ;;
    esac
    az account set --subscription "$subscription" < /dev/null || true
    probe_login
}

revert_login() {
    rm -rf azure
}

probe_access() {
    [ -s kubeconfig ] || fail "there is no kubeconfig"
    said=$(kubectl --kubeconfig kubeconfig --request-timeout=60s get --raw /version 2>&1 < /dev/null) || fail "the cluster does not answer: $(complaint "$said")"
    echo "the cluster answers"
}

run_access() {
    state=$(value provisioningState aks show --subscription "$subscription" --resource-group "$group" --name "$cluster") || fail "there is no cluster $cluster in the resource group $group"
    echo "the cluster $cluster is $state"
    rm -f kubeconfig.new
    az aks get-credentials --subscription "$subscription" --resource-group "$group" --name "$cluster" --file kubeconfig.new ${admin:+--admin} < /dev/null
    chmod 0600 kubeconfig.new
    # A cluster with Entra's logins is reached by kubelogin, which by itself would ask somebody.
    if grep -q 'command: kubelogin' kubeconfig.new; then
        command -v kubelogin > /dev/null || fail "this cluster wants logins by Entra, and there is no kubelogin on this host"
        kubelogin convert-kubeconfig --login azurecli --kubeconfig kubeconfig.new < /dev/null
    fi
    mv kubeconfig.new kubeconfig
    probe_access
}

probe_registry() {
    path=${image#*/}
    said=$(az acr repository show --subscription "$subscription" --name "$registry" --image "$path" --output json 2>&1 < /dev/null) || fail "the registry $registry does not have $path: $(complaint "$said")"
    said=$(az aks check-acr --subscription "$subscription" --resource-group "$group" --name "$cluster" --acr "$registry.azurecr.io" 2>&1 < /dev/null) || fail "the nodes may not fetch from $registry: $(complaint "$said")"
    echo "the nodes may fetch $path from $registry"
}

case "${1:-} ${2:-}" in
"probe login" | "probe access" | "probe registry") "probe_$2" ;;
"run login" | "run access") "run_$2" ;;
"run registry") probe_registry ;;
"revert login") revert_login ;;
"revert access") rm -f kubeconfig kubeconfig.new ;;
*)
    sed -n '4,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
{% endraw %}
