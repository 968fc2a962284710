//! What stands in the manifests of a Ray cluster: fields that its kind has, of the right types, and the rules that the operator keeps after Kubernetes has taken them.

use std::fmt::Write as _;

use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_yaml_ng::Value;

use crate::support::{Variant, file};

/// The fields of a `RayCluster` (`ray.io/v1`) that we write, with their types. `*` stands for every entry of a list, `?` for every key of a map.
const FIELDS: &str = "
apiVersion text
kind text
metadata.name text
metadata.namespace text
metadata.labels.? text
spec.rayVersion text
spec.upgradeStrategy.type text
spec.enableInTreeAutoscaling truth
spec.autoscalerOptions.version text
spec.autoscalerOptions.upscalingMode text
spec.autoscalerOptions.idleTimeoutSeconds number
spec.autoscalerOptions.imagePullPolicy text
spec.headGroupSpec.serviceType text
spec.headGroupSpec.rayStartParams.? text
spec.headGroupSpec.template POD
spec.workerGroupSpecs.*.groupName text
spec.workerGroupSpecs.*.replicas number
spec.workerGroupSpecs.*.minReplicas number
spec.workerGroupSpecs.*.maxReplicas number
spec.workerGroupSpecs.*.numOfHosts number
spec.workerGroupSpecs.*.rayStartParams.? text
spec.workerGroupSpecs.*.template POD
";

/// The same of a pod's template.
const POD: &str = "
metadata.labels.? text
spec.imagePullSecrets.*.name text
spec.restartPolicy text
spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.*.weight number
spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.*.podAffinityTerm.labelSelector.matchLabels.? text
spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.*.podAffinityTerm.topologyKey text
spec.containers.*.name text
spec.containers.*.image text
spec.containers.*.imagePullPolicy text
spec.containers.*.ports.*.name text
spec.containers.*.ports.*.containerPort number
spec.containers.*.resources.limits.? text
spec.containers.*.resources.requests.? text
spec.containers.*.env.*.name text
spec.containers.*.env.*.valueFrom.secretKeyRef.name text
spec.containers.*.env.*.valueFrom.secretKeyRef.key text
spec.containers.*.volumeMounts.*.name text
spec.containers.*.volumeMounts.*.mountPath text
spec.volumes.*.name text
spec.volumes.*.emptyDir map
spec.volumes.*.emptyDir.medium text
";

/// Returns every field with its type.
fn fields() -> Vec<(String, &'static str)> {
    let split = |line: &'static str| line.split_once(' ');
    let pod: Vec<_> = POD.lines().filter_map(split).collect();
    let mut all = Vec::new();
    for (path, kind) in FIELDS.lines().filter_map(split) {
        if kind == "POD" {
            all.extend(
                pod.iter()
                    .map(|(below, kind)| (format!("{path}.{below}"), *kind)),
            );
        } else {
            all.push((path.to_owned(), kind));
        }
    }
    all
}

/// Adds every leaf of a document, as path and type.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, &'static str)>) {
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Mapping(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(value, &below(key.as_str().unwrap()), found);
            }
        }
        Value::Sequence(list) => {
            for value in list {
                leaves(value, &below("*"), found);
            }
        }
        Value::Mapping(_) => found.push((path.to_owned(), "map")),
        Value::String(_) => found.push((path.to_owned(), "text")),
        Value::Bool(_) => found.push((path.to_owned(), "truth")),
        Value::Number(number) if number.is_i64() => found.push((path.to_owned(), "number")),
        other => panic!("{path}: {other:?}"),
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix(".?") {
        // Keys of such maps hold full stops themselves.
        Some(map) => path
            .strip_prefix(map)
            .is_some_and(|key| key.len() > 1 && key.starts_with('.')),
        None => pattern == path,
    }
}

/// Returns what is wrong with a manifest.
fn faults(text: &str) -> Vec<String> {
    let document: Value = serde_yaml_ng::from_str(text).unwrap();
    let mut found = Vec::new();
    leaves(&document, "", &mut found);
    let fields = fields();
    let known = |(path, kind): &(String, &str)| {
        fields
            .iter()
            .any(|(pattern, wanted)| fits(pattern, path) && wanted == kind)
    };
    let unknown = found.iter().filter(|leaf| !known(leaf));
    let mut faults: Vec<String> = unknown
        .map(|(path, kind)| format!("{path} is no field of type {kind}"))
        .collect();
    faults.extend(rules(&document));
    faults
}

/// The rules that are broken.
#[derive(Default)]
struct Broken(Vec<String>);

impl Broken {
    fn unless(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.0.push(rule.to_owned());
        }
    }
}

/// Returns the rules of the operator that a manifest breaks; Kubernetes itself takes it all the same.
fn rules(document: &Value) -> Vec<String> {
    let mut broken = Broken::default();
    let name = document["metadata"]["name"].as_str().unwrap();
    let is_label = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    broken.unless(
        is_label && !name.ends_with('-') && name.len() <= 53,
        "the name is a DNS label of at most 53 characters",
    );
    let spec = &document["spec"];
    let scales = spec["enableInTreeAutoscaling"].as_bool().unwrap();
    broken.unless(
        scales == spec.get("autoscalerOptions").is_some(),
        "options of the autoscaler come with it",
    );
    let groups = spec["workerGroupSpecs"].as_sequence().unwrap();
    for group in std::iter::once(&spec["headGroupSpec"]).chain(groups) {
        rules_of_pods(&mut broken, group, scales);
    }
    for group in groups {
        rules_of_numbers(&mut broken, group, scales);
    }
    broken.0
}

fn rules_of_pods(broken: &mut Broken, group: &Value, scales: bool) {
    let pod = &group["template"]["spec"];
    broken.unless(
        !pod["containers"].as_sequence().unwrap().is_empty(),
        "a pod has a container",
    );
    broken.unless(
        !scales || pod["restartPolicy"] == "Never",
        "pods that come and go are never started anew by themselves",
    );
    let parameters = group["rayStartParams"].as_mapping().unwrap();
    let limits = ["memory", "resources", "labels", "num-gpus"];
    broken.unless(
        limits.iter().all(|key| !parameters.contains_key(*key)),
        "what a pod may take stands at one place",
    );
    let resources = &pod["containers"][0]["resources"];
    broken.unless(
        resources["limits"] == resources["requests"],
        "what is kept for a pod is what it may take",
    );
    let volumes: Vec<&Value> = pod["volumes"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|v| &v["name"])
        .collect();
    let mounts = pod["containers"][0]["volumeMounts"].as_sequence().unwrap();
    broken.unless(
        mounts.iter().all(|mount| volumes.contains(&&mount["name"])),
        "what is mounted is there",
    );
}

fn rules_of_numbers(broken: &mut Broken, group: &Value, scales: bool) {
    let (least, most) = (
        group["minReplicas"].as_i64().unwrap(),
        group["maxReplicas"].as_i64().unwrap(),
    );
    broken.unless(
        0 <= least && least <= most,
        "0 <= minReplicas <= maxReplicas",
    );
    // Else every deployment would undo what the autoscaler does.
    broken.unless(
        scales != group.get("replicas").is_some(),
        "how many there are now is the autoscaler's, where there is one",
    );
}

/// The manifest on hosts that have room for everything.
fn manifest(mut variant: Variant) -> String {
    for facts in &mut variant.facts {
        (facts.cpus, facts.memory) = (128, 4 << 40);
    }
    let resolved = variant.resolve();
    let stack = resolved
        .stacks
        .iter()
        .find(|stack| stack.id.as_str() == "ray-cluster")
        .unwrap();
    file(stack, "raycluster.yaml")
        .content
        .expose_secret()
        .to_owned()
}

#[rstest]
#[case("ray-microk8s", &[])]
#[case("ray-aks", &[("app-registration", "true"), ("pull-registry", "registry.acme.example:5000")])]
#[case("ray-aks", &[("app-registration", "false")])]
fn manifests_keep_the_rules_whatever_is_answered(
    #[case] preset: &str,
    #[case] fixed: &[(&str, &str)],
) {
    for (number, workers) in [0_u32, 1, 7, 1000].into_iter().enumerate() {
        for autoscaling in ["true", "false"] {
            for (cpus, memory) in [("0.5", "1gb"), ("4", "1500m"), ("64", "1tb")] {
                let most = (workers + u32::try_from(number).unwrap())
                    .clamp(1, 1000)
                    .to_string();
                let workers = workers.to_string();
                let mut choices = vec![
                    ("min-workers", workers.as_str()),
                    ("autoscaling", autoscaling),
                    ("max-workers", most.as_str()),
                    ("worker-cpus", cpus),
                    ("worker-memory", memory),
                    ("cluster-name", "a-9"),
                ];
                choices.extend(fixed);
                let text = manifest(Variant::chosen(preset, &choices));
                assert_eq!(faults(&text), Vec::<String>::new(), "{choices:?}\n{text}");
            }
        }
    }
}

#[rstest]
#[case(
    "serviceType:",
    "servicetype:",
    "spec.headGroupSpec.servicetype is no field of type text"
)]
#[case(
    "num-cpus: \"0\"",
    "num-cpus: 0",
    "spec.headGroupSpec.rayStartParams.num-cpus is no field of type number"
)]
#[case("minReplicas: 1", "minReplicas: 3", "0 <= minReplicas <= maxReplicas")]
#[case(
    "mountPath: /dev/shm",
    "mountPath: /dev/shm\n              - name: data\n                mountPath: /data",
    "what is mounted is there"
)]
#[case(
    "name: \"ray\"\n",
    "name: \"Ray\"\n",
    "the name is a DNS label of at most 53 characters"
)]
fn a_manifest_that_breaks_them_is_found(#[case] from: &str, #[case] to: &str, #[case] fault: &str) {
    let text = manifest(Variant::plain("ray-microk8s"));
    assert!(text.contains(from), "{text}");
    let found = faults(&text.replacen(from, to, 1));
    assert!(found.iter().any(|found| found == fault), "{found:?}");
}

/// Everything that tools do, in the order in which it is done, with the files that they read.
#[rstest]
#[case("ray-microk8s", &[])]
#[case("ray-microk8s", &[("registry-address", "registry.acme.example:5000"), ("registry-plain-http", "true")])]
#[case("ray-aks", &[("acr", "acmereg"), ("login", "service-principal")])]
fn what_the_tools_are_told(#[case] preset: &str, #[case] choices: &[(&str, &str)]) {
    let mut text = String::new();
    for stack in Variant::chosen(preset, choices).resolve().stacks {
        let files: Vec<_> = stack
            .files
            .iter()
            .map(|file| format!("{} {:04o}", file.path, file.mode))
            .collect();
        writeln!(text, "{} on {}: {}", stack.id, stack.host, files.join(", ")).unwrap();
        for step in &stack.steps {
            let revert = if step.revert.is_empty() {
                String::new()
            } else {
                format!(" · back: {}", step.revert.join(" "))
            };
            let takes = step
                .takes
                .iter()
                .map(|take| format!(" · {} from {}", take.name, take.stack));
            writeln!(
                text,
                "  {}: {}{revert}{}",
                step.title,
                step.run.join(" "),
                takes.collect::<String>()
            )
            .unwrap();
        }
    }
    let name = choices
        .iter()
        .fold(preset.to_owned(), |name, (id, _)| format!("{name}@{id}"));
    insta::assert_snapshot!(name, text);
}
