"""kubectl and helm over a made-up cluster: the calls that the scripts make, and no others."""
import base64
import hashlib
import http.server
import json
import re
import sys
import time

from shim import State, fail, fault, jsonpath, parse, refuse

KUBERAY = "1.7.0"
CRD = "rayclusters.ray.io"
# The annotation of a client-side apply may have so many bytes; the kind has more.
TOO_LONG = 262144
INPUT = []


def kubectl(words):
    _, kept = split_common(words)
    verb, rest = kept[0], kept[1:]
    verbs = {
        "version": version, "auth": auth, "get": get, "apply": apply, "diff": diff, "wait": wait, "annotate": annotate, "rollout": rollout, "create": create,
        "label": label, "delete": delete, "exec": execute, "port-forward": port_forward, "logs": logs, "drain": drain,
    }
    if verb not in verbs:
        refuse(f"unknown command {verb}")
    # Before the state is anybody's alone: who writes it may need the state, too.
    if "-" in rest:
        INPUT.append(sys.stdin.read())
    with State() as state:
        return verbs[verb](state, options_of(words), rest)


def split_common(words):
    """Options that stand before the verb."""
    words = list(words)
    common = []
    while words and words[0].startswith("-"):
        word = words.pop(0)
        name = word.partition("=")[0]
        if name not in ("--request-timeout", "--namespace", "-n", "--kubeconfig"):
            refuse(f"unknown option {word}")
        common.append(word)
        if "=" not in word:
            common.append(words.pop(0))
    return common, words


def options_of(words):
    common, _ = split_common(words)
    _, options = parse(common, valued=("--request-timeout", "--namespace", "-n", "--kubeconfig"))
    if options.get("--request-timeout", "60s") != "60s":
        refuse("a time limit of another kind")
    return options


def namespace_of(common):
    return common.get("--namespace") or common.get("-n") or "default"


def show(document, output):
    if output.startswith("jsonpath="):
        print(jsonpath(output[len("jsonpath="):], document), end="")
    elif output == "json":
        print(json.dumps(document))
    elif output == "name":
        items = document.get("items", [document])
        for item in items:
            print(f"{item['kind'].lower()}/{item['metadata']['name']}")
    else:
        refuse(f"unknown output {output}")


def version(_state, _common, words):
    parse(words, valued=("-o",))
    if fault("api-server"):
        fail("The connection to the server 127.0.0.1:16443 was refused - did you specify the right host or port?")
    told = {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64"}
    print(json.dumps({"clientVersion": told, "kustomizeVersion": "v5.5.0", "serverVersion": told}, indent=2))


def auth(_state, _common, words):
    alone, _ = parse(words)
    if alone != ["can-i", "create", "customresourcedefinitions.apiextensions.k8s.io"]:
        refuse("unknown question")
    print("no" if fault("forbidden") else "yes")
    sys.exit(1 if fault("forbidden") else 0)


def key(kind, name, namespace="-"):
    return f"{kind}/{namespace}/{name}"


SINGULAR = {"pods": "Pod", "secrets": "Secret", "namespace": "Namespace", "nodes": "Node", "node": "Node", "deployments": "Deployment", "events": "Event",
            "crd": "CustomResourceDefinition", CRD: "RayCluster"}
EVERYWHERE = ("Namespace", "Node", "CustomResourceDefinition")


def fits(item, selector):
    labels = item["metadata"].get("labels", {})
    return all(labels.get(name) == value for name, _, value in (part.partition("=") for part in selector.split(",")))


def get(state, common, words):
    if words == ["--raw", "/version"]:
        return version(state, common, ["-o", "json"])
    alone, options = parse(words, valued=("-o", "-l", "--field-selector", "--sort-by"), plain=("--all-namespaces",))
    kind = SINGULAR.get(alone[0]) or refuse(f"unknown kind {alone[0]}")
    if kind == "RayCluster" and key("CustomResourceDefinition", CRD) not in state["objects"]:
        fail(f'error: the server doesn\'t have a resource type "{alone[0]}"')
    advance(state)
    found = [item for name, item in sorted(state["objects"].items()) if name.startswith(f"{kind}/")]
    if kind not in EVERYWHERE and "--all-namespaces" not in options:
        found = [item for item in found if item["metadata"]["namespace"] == namespace_of(common)]
    if "-l" in options:
        found = [item for item in found if fits(item, options["-l"])]
    for part in filter(None, options.get("--field-selector", "").split(",")):
        name, _, value = part.partition("=")
        where = {"status.phase": lambda i: i["status"]["phase"], "involvedObject.name": lambda i: i["involvedObject"]["name"], "type": lambda i: i["type"]}
        found = [item for item in found if where[name](item) == value]
    if len(alone) > 1:
        named = [item for item in found if item["metadata"]["name"] == alone[1]]
        if not named:
            fail(f'Error from server (NotFound): {alone[0]} "{alone[1]}" not found')
        return show(named[0], options["-o"])
    if "-o" in options:
        show({"kind": "List", "items": found}, options["-o"])
    return None


def put(state, kind, name, namespace="-", **more):
    item = state["objects"].setdefault(key(kind, name, namespace), {"kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": {}}})
    item.update(more)
    return item


def read(name):
    if name == "-":
        return INPUT[0]
    with open(name, encoding="utf-8") as file:
        return file.read()


def apply(state, _common, words):
    _, options = parse(words, valued=("--field-manager", "-f"), plain=("--server-side", "--force-conflicts"))
    text = read(options["-f"])
    if "kind: CustomResourceDefinition" in text:
        if "--server-side" not in options and len(text) > TOO_LONG:
            fail(f'The CustomResourceDefinition "{CRD}" is invalid: metadata.annotations: Too long: must have at most {TOO_LONG} bytes')
        item = put(state, "CustomResourceDefinition", CRD, spec={"versions": [{"name": "v1", "served": True}, {"name": "v1alpha1", "served": True}]},
                   status={"conditions": [{"type": "Established", "status": "True"}]})
        item["metadata"].setdefault("annotations", {})
        print(f"customresourcedefinition.apiextensions.k8s.io/{CRD} serverside-applied")
    elif "kind: Secret" in text:
        name, namespace = re.search(r"^  name: (\S+)$", text, re.M)[1], re.search(r"^  namespace: (\S+)$", text, re.M)[1]
        put(state, "Secret", name, namespace, text=text)
        print(f"secret/{name} serverside-applied")
    else:
        ray_cluster(state, text, options)


def ray_cluster(state, text, options):
    if "--server-side" not in options or options.get("--field-manager") != "syntho-installer":
        refuse("a cluster that is not ours alone")
    if key("CustomResourceDefinition", CRD) not in state["objects"]:
        fail('error: resource mapping not found for name: "ray" namespace: "ray" from "raycluster.yaml": no matches for kind "RayCluster" in version "ray.io/v1"')
    name, namespace = (re.search(rf'^  {field}: "([^"]+)"$', text, re.M)[1] for field in ("name", "namespace"))
    if key("Namespace", namespace) not in state["objects"]:
        fail(f'Error from server (NotFound): namespaces "{namespace}" not found')
    before = state["objects"].get(key("RayCluster", name, namespace))
    generation = before["metadata"]["generation"] + (before["text"] != text) if before else 1
    item = put(state, "RayCluster", name, namespace, text=text)
    item["metadata"]["generation"] = generation
    if not before or before.get("text") != text or "status" not in item:
        item["status"] = {}
    state["looks"] = 0
    print(f"raycluster.ray.io/{name} serverside-applied")


def number(text, field):
    return int(re.search(rf"{field}: (\d+)", text)[1])


def advance(state):
    """What an operator does meanwhile: with each look a little."""
    state["looks"] += 1
    for item in [i for i in state["objects"].values() if i["kind"] == "RayCluster"]:
        workers = number(item["text"], "minReplicas")
        if not any(i["kind"] == "Deployment" for i in state["objects"].values()) or state["looks"] < 2:
            continue
        trouble = "ImagePullBackOff" if fault("image-pull") else None
        pods(state, item, workers, trouble)
        if trouble:
            item["status"] = {"observedGeneration": item["metadata"]["generation"], "desiredWorkerReplicas": workers}
        elif state["looks"] >= 4:
            item["status"] = {"state": "ready", "observedGeneration": item["metadata"]["generation"], "desiredWorkerReplicas": workers, "readyWorkerReplicas": workers}


def pods(state, item, workers, trouble):
    name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
    for path in [path for path, i in state["objects"].items() if i["kind"] in ("Pod", "Event") and fits(i, f"ray.io/cluster={name}")]:
        del state["objects"][path]
    for number_, kind in enumerate(["head"] + ["worker"] * workers):
        pod = f"{name}-{kind}-{number_}"
        waiting = {"waiting": {"reason": trouble}} if trouble else {"running": {}}
        made = put(state, "Pod", pod, namespace, status={
            "phase": "Pending" if trouble else "Running", "initContainerStatuses": [], "containerStatuses": [{"state": waiting}],
            "conditions": [{"type": "Ready", "status": "False" if trouble else "True", "reason": "ContainersNotReady"}]})
        made["metadata"]["labels"] = {"ray.io/cluster": name, "ray.io/node-type": kind}
        if trouble:
            event = put(state, "Event", f"{pod}.1", namespace, type="Warning", involvedObject={"name": pod}, message='Back-off pulling image "localhost:32000/nothing:1"')
            event["metadata"]["labels"] = {"ray.io/cluster": name}


def diff(state, _common, words):
    _, options = parse(words, valued=("--field-manager", "-f"), plain=("--server-side", "--force-conflicts"))
    text = read(options["-f"])
    name, namespace = (re.search(rf'^  {field}: "([^"]+)"$', text, re.M)[1] for field in ("name", "namespace"))
    there = state["objects"].get(key("RayCluster", name, namespace))
    sys.exit(0 if there and there["text"] == text else 1)


def wait(state, _common, words):
    alone, options = parse(words, valued=("--for", "--timeout"))
    if options.get("--for") != "condition=Established" or alone != [f"crd/{CRD}"]:
        refuse("waits for something else")
    if key("CustomResourceDefinition", CRD) not in state["objects"]:
        fail(f'Error from server (NotFound): customresourcedefinitions.apiextensions.k8s.io "{CRD}" not found')
    print(f"customresourcedefinition.apiextensions.k8s.io/{CRD} condition met")


def annotate(state, _common, words):
    alone, _ = parse(words, valued=("--field-manager",), plain=("--overwrite",))
    kind, name, setting = alone
    item = state["objects"][key(SINGULAR[kind], name)]
    left, _, right = setting.partition("=")
    item["metadata"]["annotations"][left] = right


def label(state, common, words):
    alone, options = parse(words, plain=("--overwrite",))
    kind, name, setting = alone
    kind = {"namespace": "Namespace", "secret": "Secret", "node": "Node"}[kind]
    where = "-" if kind in EVERYWHERE else namespace_of(common)
    item = state["objects"].get(key(kind, name, where))
    if item is None:
        fail(f'Error from server (NotFound): {kind.lower()}s "{name}" not found')
    if setting.endswith("-"):
        item["metadata"]["labels"].pop(setting[:-1], None)
        return
    left, _, right = setting.partition("=")
    if left in item["metadata"]["labels"] and "--overwrite" not in options:
        fail("error: 'x' already has a value (y), and --overwrite is false")
    item["metadata"]["labels"][left] = right


def create(state, common, words):
    alone, options = parse(words, valued=("--type", "--from-file", "--dry-run", "-o"))
    if alone[:1] == ["namespace"] and not options:
        if key("Namespace", alone[1]) in state["objects"]:
            fail(f'Error from server (AlreadyExists): namespaces "{alone[1]}" already exists')
        put(state, "Namespace", alone[1])
        print(f"namespace/{alone[1]} created")
    elif alone[:2] == ["secret", "generic"] and options.get("--dry-run") == "client" and options.get("-o") == "yaml":
        left, _, right = options["--from-file"].partition("=")
        with open(right, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        print(f"apiVersion: v1\ndata:\n  {left}: {data}\nkind: Secret\nmetadata:\n  name: {alone[2]}\n  namespace: {namespace_of(common)}")
    else:
        refuse("creates something else")


def delete(state, common, words):
    alone, options = parse(words, valued=("-l", "--timeout"), plain=("--ignore-not-found",))
    if alone == ["namespace"]:
        for path in [path for path, i in state["objects"].items() if i["kind"] == "Namespace" and fits(i, options["-l"])]:
            name = state["objects"].pop(path)["metadata"]["name"]
            for inside in [p for p in state["objects"] if p.split("/")[1] == name]:
                del state["objects"][inside]
        return
    if len(alone) == 1:
        kind, name = alone[0].split("/")
        state["objects"].pop(key(kind.capitalize(), name, namespace_of(common)), None)
        return
    if alone[0] != CRD:
        refuse("deletes something else")
    if state["objects"].pop(key("RayCluster", alone[1], namespace_of(common)), None) is None and "--ignore-not-found" not in options:
        fail("Error from server (NotFound)")
    for path in [path for path, i in state["objects"].items() if i["kind"] == "Pod"]:
        del state["objects"][path]


def rollout(state, common, words):
    alone, _ = parse(words, valued=("--timeout",))
    if alone[0] != "status" or not alone[1].startswith("deployment/"):
        refuse("rolls out something else")
    print(f'deployment "{alone[1].split("/")[1]}" successfully rolled out')


def execute(state, common, words):
    alone, options = parse(words, valued=("-c",))
    program = options["--"]
    if key("Pod", alone[0], namespace_of(common)) not in state["objects"] or program[:2] != ["python", "-c"] or options.get("-c") != "ray-head":
        refuse("runs something else")
    if "ray.__version__" in program[2]:
        print("release", "2.9.3" if fault("other-ray") else "2.36.0")
    else:
        print(len([i for i in state["objects"].values() if i["kind"] == "Pod"]))


def port_forward(_state, _common, words):
    alone, options = parse(words, valued=("--address",))
    local, remote = alone[1].split(":")
    if options.get("--address") != "127.0.0.1" or not alone[0].startswith("service/") or remote != "8265":
        refuse("forwards something else")
    return forward, int(local)


def forward(port):
    class Dashboard(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"version": "4", "ray_version": "2.36.0"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.HTTPServer.allow_reuse_address = True
    server = http.server.HTTPServer(("127.0.0.1", port), Dashboard)
    print(f"Forwarding from 127.0.0.1:{port} -> 8265", flush=True)
    server.serve_forever()


def logs(_state, _common, words):
    parse(words, valued=("--tail",), plain=("--timestamps", "--all-containers", "--prefix"))
    print("2026-01-01T00:00:00Z something was said")


def drain(state, _common, words):
    alone, options = parse(words, valued=("--timeout",), plain=("--ignore-daemonsets", "--delete-emptydir-data", "--force"))
    if "--ignore-daemonsets" not in options or key("Node", alone[0]) not in state["objects"]:
        fail(f"error: unable to drain node {alone[0]}")
    print(f"node/{alone[0]} drained")


def chart(alone, options):
    if alone != ["kuberay-operator"] or options.get("--repo") != "https://ray-project.github.io/kuberay-helm/" or options.get("--version") != KUBERAY:
        fail(f'Error: looks like "{options.get("--repo")}" is not a valid chart repository or cannot be reached')
    if fault("no-internet"):
        fail('Error: failed to download "kuberay-operator" at version "1.7.0"')


def helm(words):
    words = list(words)
    if words[:1] == ["--kubeconfig"]:
        words = words[2:]
    where = ("--repo", "--version")
    if words[0] == "version":
        parse(words[1:], valued=("--template",))
        print("v3.18.6", end="")
    elif words[:2] == ["show", "crds"]:
        chart(*parse(words[2:], valued=where))
        for name in (CRD, "rayjobs.ray.io"):
            print(f"---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {name}\n# {'x' * 500000}")
    elif words[0] == "upgrade":
        alone, options = parse(words[1:], valued=(*where, "--namespace", "--values", "--timeout"), plain=("--install", "--create-namespace", "--skip-crds", "--wait"))
        if alone[0] != "kuberay-operator" or not {"--install", "--skip-crds", "--wait", "--create-namespace"} <= set(options):
            refuse("installs something else")
        chart(alone[1:], options)
        image = dict(re.findall(r'^  (repository|tag): "([^"]+)"$', read(options["--values"]), re.M))
        with State() as state:
            ready = 0 if fault("operator") else 1
            made = put(state, "Deployment", "kuberay-operator", options["--namespace"], status={"availableReplicas": ready},
                       spec={"template": {"spec": {"containers": [{"image": f"{image['repository']}:{image['tag']}"}]}}})
            made["metadata"]["labels"] = {"app.kubernetes.io/name": "kuberay-operator"}
            state["releases"]["kuberay-operator"] = options["--namespace"]
        if fault("operator"):
            fail("Error: UPGRADE FAILED: context deadline exceeded")
        print('Release "kuberay-operator" has been upgraded. Happy Helming!')
    elif words[0] == "list":
        _, options = parse(words[1:], valued=("--namespace", "--filter"), plain=("--short",))
        with State() as state:
            print("\n".join(name for name, where in state["releases"].items() if where == options["--namespace"]))
    elif words[0] == "uninstall":
        alone, options = parse(words[1:], valued=("--namespace", "--timeout"), plain=("--wait",))
        with State() as state:
            if state["releases"].pop(alone[0], None) is None:
                fail(f"Error: uninstall: Release not loaded: {alone[0]}: release: not found")
            state["objects"].pop(key("Deployment", "kuberay-operator", options["--namespace"]), None)
    else:
        refuse("unknown command")
