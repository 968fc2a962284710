#!/usr/bin/env python3
"""Stands in for snap, microk8s, kubectl, helm and az, by the name by which it is called."""
import json
import os
import re
import secrets
import subprocess
import sys
import time

sys.path.insert(0, "/var/shims")
import kubernetes
from shim import HOST, State, fail, fault, note, parse, refuse

CURRENT = "/var/snap/microk8s/current"
KNOWN_ADDONS = ("dns", "hostpath-storage", "registry", "metrics-server", "gpu")
NODE = "This MicroK8s deployment is acting as a node in a cluster. Please use the control plane node."


def own_addresses():
    return subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()


def snap(words):
    if words == ["version"]:
        print("snap    2.63\nsnapd   2.63\nseries  16\nubuntu  22.04")
    elif words == ["info", "microk8s"]:
        if fault("store"):
            fail("error: unable to contact snap store")
        print("name:      microk8s\nchannels:\n  1.32/stable:           v1.32.3  2025-04-01 (7964) 177MB classic")
    elif words[0] == "list":
        with State() as state:
            channel = state["snaps"].get(HOST)
        if words[1:] != ["microk8s"]:
            refuse("lists something else")
        if not channel:
            fail("error: no matching snaps installed")
        print(f"Name      Version  Rev   Tracking     Publisher   Notes\nmicrok8s  v1.32.3  7964  {channel}  canonical✓  held,classic")
    elif words[0] == "install":
        alone, options = parse(words[1:], valued=("--channel",), plain=("--classic",))
        if alone != ["microk8s"]:
            refuse("installs something else")
        if "--classic" not in options:
            fail('error: This revision of snap "microk8s" was published using classic confinement and thus may perform\n       arbitrary system changes outside of the security sandbox')
        if fault("store"):
            fail('error: cannot install "microk8s": Post "https://api.snapcraft.io/v2/snaps/refresh": dial tcp: lookup api.snapcraft.io: no such host')
        with State() as state:
            state["snaps"][HOST] = options["--channel"]
            node(state, HOST)
        os.makedirs(f"{CURRENT}/args/certs.d", exist_ok=True)
        print("microk8s (1.32/stable) v1.32.3 from Canonical✓ installed")
    elif words == ["refresh", "--hold", "microk8s"]:
        print('General refreshes of "microk8s" held indefinitely')
    elif words == ["remove", "microk8s", "--purge"]:
        with State() as state:
            del state["snaps"][HOST]
            state["objects"].pop(f"Node/-/{HOST}", None)
            # The last one takes the cluster with it.
            if not state["snaps"]:
                state["objects"].clear()
                state["releases"].clear()
                state["addons"].clear()
        subprocess.run(["docker", "rm", "-fv", "shim-registry"], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "/var/snap"], check=True)
        print("microk8s removed")
    else:
        refuse("unknown command")


def node(state, name):
    made = kubernetes.put(state, "Node", name, status={"conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}]})
    made["metadata"]["labels"].setdefault("kubernetes.io/hostname", name)


def microk8s(words):
    with State() as state:
        installed, joined = state["snaps"].get(HOST), state["joined"].get(HOST)
    if not installed:
        fail("microk8s: command not found", 127)
    verb, rest = words[0], words[1:]
    if joined and verb in ("enable", "add-node", "kubectl", "helm", "remove-node", "config"):
        fail(NODE)
    if verb == "kubectl":
        return kubernetes.kubectl(rest)
    if verb == "helm":
        return kubernetes.helm(rest)
    verbs = {"status": status, "enable": enable, "add-node": add_node, "join": join, "leave": leave, "remove-node": remove_node}
    if verb not in verbs:
        refuse(f"unknown command {verb}")
    return verbs[verb](rest)


def status(words):
    alone, options = parse(words, valued=("--timeout", "--addon", "--format"), plain=("--wait-ready",))
    with State() as state:
        if state["joined"].get(HOST):
            print(NODE)
        elif "--addon" in options:
            print("enabled" if options["--addon"] in state["addons"] else "disabled")
        else:
            print("microk8s is running\nhigh-availability: no\n  datastore master nodes: 127.0.0.1:19001")


def enable(words):
    alone, options = parse(words, valued=("--size", "--storageclass"))
    if len(alone) != 1:
        fail("Usage: microk8s enable ADDON: one at a time")
    if alone[0] not in KNOWN_ADDONS:
        fail(f"Addon {alone[0]} was not found in any repository")
    if alone[0] == "registry":
        size = re.fullmatch(r"(\d+)Gi", options.get("--size", "20Gi"))
        if not size or int(size[1]) < 20:
            fail("The size of the registry should be higher or equal to 20Gi")
        subprocess.run(["docker", "run", "--detach", "--name", "shim-registry", "--publish", "32000:5000", "registry:2.8.2"], check=True, capture_output=True)
        time.sleep(1)
    with State() as state:
        state["addons"].append(alone[0])
    print(f"Infer repository core for addon {alone[0]}\n{alone[0]} is enabled")


def add_node(words):
    _, options = parse(words, valued=("--format", "--token-ttl"))
    if options.get("--format") != "json" or not 0 < int(options.get("--token-ttl", "-1")) <= 3600:
        refuse("no short-lived token in JSON")
    token, check = secrets.token_hex(16), secrets.token_hex(6)
    with open("/etc/hosts", encoding="utf-8") as file:
        known = [line.split() for line in file if line.strip() and not line.startswith("#")]
    addresses = own_addresses()
    with State() as state:
        state["tokens"][token] = {"until": time.time() + int(options["--token-ttl"]), "addresses": addresses, "hosts": known}
    print(json.dumps({"token": f"{token}/{check}", "urls": [f"{ip}:25000/{token}/{check}" for ip in addresses]}, indent=2))


def join(words):
    alone, options = parse(words, plain=("--worker",))
    found = re.fullmatch(r"([0-9.]+):25000/([0-9a-f]{32})/([0-9a-f]{12})", alone[0])
    if not found or "--worker" not in options:
        fail("Invalid connection string")
    with State() as state:
        token = state["tokens"].get(found[2])
        if not token or token["until"] < time.time():
            fail("Connection failed. Invalid token (500).", 6)
        if found[1] not in token["addresses"] or found[1].startswith("172."):
            refuse("joins by an address that is not the control plane's")
        if fault("join"):
            fail(f"Connection to {found[1]}:25000 failed: [Errno 111] Connection refused", 5)
        if not any(line[0] in own_addresses() and HOST in line[1:] for line in token["hosts"]):
            fail(f'Connection failed. The hostname ({HOST}) of the joining node does not resolve to the IP "{own_addresses()[0]}". Refusing join (400).', 6)
        state["joined"][HOST] = found[1]
        node(state, HOST)
    os.makedirs(f"{CURRENT}/args/traefik", exist_ok=True)
    with open(f"{CURRENT}/args/traefik/provider.yaml", "w", encoding="utf-8") as file:
        file.write(f"tcp:\n  services:\n    kube-apiserver:\n      loadBalancer:\n        servers:\n        - address: {found[1]}:16443\n")
    print(f"Contacting cluster at {found[1]}\n\nThe node has joined the cluster and will appear in the nodes list in a few seconds.\n\nSuccessfully joined the cluster.")


def leave(words):
    if words:
        refuse("unknown arguments")
    with State() as state:
        if not state["joined"].pop(HOST, None):
            fail("This node is not part of a cluster.")
    os.remove(f"{CURRENT}/args/traefik/provider.yaml")
    print("Stopped services.")


def remove_node(words):
    alone, _ = parse(words, plain=("--force",))
    with State() as state:
        if state["objects"].pop(f"Node/-/{alone[0]}", None) is None:
            fail(f"Node {alone[0]} does not exist in Kubernetes.")


def query(document, options):
    if options.get("--output") == "none":
        return
    if "--query" in options:
        document = document[options["--query"].strip('"')]
    print(json.dumps(document, indent=2))


TENANT = "11111111-2222-3333-4444-555555555555"


def az(words):
    alone, options = parse(words, valued=("--output", "--query", "--subscription", "--resource-group", "--name", "--file", "--username", "--password", "--tenant",
                                          "--image", "--acr"), plain=("--only-show-errors", "--service-principal", "--identity", "--admin"))
    command = " ".join(alone)
    profile = os.path.join(os.environ["AZURE_CONFIG_DIR"], "azureProfile.json")
    if "--only-show-errors" not in options:
        refuse("noise is not kept away")
    if command == "version":
        return query({"azure-cli": "2.91.0", "azure-cli-core": "2.91.0", "extensions": {}}, options)
    if command == "login":
        with open(options["--password"].removeprefix("@"), encoding="utf-8") as file:
            given = file.read().removesuffix("\n")
        if given != "right-SECRET-of-the-login":
            fail("ERROR: AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID")
        os.makedirs(os.path.dirname(profile), exist_ok=True)
        with open(profile, "w", encoding="utf-8") as file:
            file.write(options["--tenant"])
        return None
    if not os.path.exists(profile):
        fail("ERROR: Please run 'az login' to setup account.")
    if command == "account show":
        return query({"id": options["--subscription"], "tenantId": TENANT, "state": "Enabled"}, options)
    if command == "account set":
        return None
    if fault("expired-login"):
        fail("ERROR: AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026-01-01 and was inactive for 90.00:00:00.\nInteractive authentication is needed. Please run:\naz login")
    if command == "account get-access-token":
        return query({"accessToken": "eyJ0-SECRET-TOKEN", "expiresOn": "2026-12-01 00:00:00.000000"}, options)
    if command in ("aks show", "aks get-credentials", "aks check-acr") and options["--name"] != "syntho-aks":
        fail(f"ERROR: (ResourceNotFound) The Resource 'Microsoft.ContainerService/managedClusters/{options['--name']}' was not found.", 3)
    if command == "aks show":
        return query({"name": "syntho-aks", "provisioningState": "Succeeded"}, options)
    if command == "aks get-credentials":
        with open(options["--file"], "w", encoding="utf-8") as file:
            file.write("apiVersion: v1\nkind: Config\nusers:\n- user:\n    client-key-data: U0VDUkVU\n")
        return None
    if command in ("aks check-acr", "acr repository show"):
        return query({"ok": True}, options)
    return refuse("unknown command")


def main():
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    note({"name": name, "argv": words})
    if name in ("kubectl", "helm"):
        # On a host outside the cluster nothing is done without saying which.
        at = words.index("--kubeconfig") if "--kubeconfig" in words else refuse("no kubeconfig")
        if not os.path.getsize(words[at + 1]):
            fail("error: no configuration")
    tools = {"snap": snap, "microk8s": microk8s, "kubectl": kubernetes.kubectl, "helm": kubernetes.helm, "az": az}
    last = tools[name](words)
    if last:
        last[0](*last[1:])


main()
