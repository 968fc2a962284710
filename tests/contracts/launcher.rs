//! The cluster's file for Ray's own launcher: what is rendered for every provider, what is refused before Ray sees it, and what the real Ray says of it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{Variant, file, placed};
use rstest::rstest;
use secrecy::ExposeSecret;

/// The two presets that have a launcher.
const PRESETS: [&str; 2] = ["syntho-app-ray-autoscale", "jupyterhub-ray-autoscale"];

/// Answers that go together, by provider.
fn base(provider: &str) -> Vec<(&'static str, &'static str)> {
    match provider {
        "aws" => vec![
            ("provider", "aws"),
            ("region", "eu-central-1"),
            ("machine-image", "ami-0123456789abcdef0"),
            ("head-type", "m5.2xlarge"),
            ("worker-type", "m5.8xlarge"),
        ],
        "azure" => vec![
            ("provider", "azure"),
            ("region", "westeurope"),
            (
                "machine-image",
                "microsoft-dsvm:ubuntu-2204:2204-gen2:latest",
            ),
            ("head-type", "Standard_D8s_v5"),
            ("worker-type", "Standard_D32s_v5"),
        ],
        "gcp" => vec![
            ("provider", "gcp"),
            ("region", "europe-west4"),
            ("zones", "europe-west4-a"),
            (
                "machine-image",
                "projects/deeplearning-platform-release/global/images/family/common-cpu",
            ),
            ("head-type", "n2-standard-8"),
            ("worker-type", "n2-standard-32"),
        ],
        _ => vec![("provider", "local")],
    }
}

/// What can be answered otherwise, and changes the cluster's file.
fn others(provider: &str) -> Vec<Vec<(&'static str, &'static str)>> {
    let mut ways = vec![
        vec![],
        vec![("min-workers", "0"), ("max-workers", "0")],
        vec![("min-workers", "2"), ("max-workers", "2")],
        vec![("idle-timeout", "1"), ("ray-shm", "12gb")],
    ];
    if provider != "local" {
        ways.extend([
            vec![("keep-stopped", "true")],
            vec![("use-private-addresses", "false")],
            vec![("cloud-sdk", "install")],
            vec![("disk-gb", "16000")],
            vec![("spot", "true")],
            vec![("node-registry-user", "acme-pull")],
            vec![("cloud-credentials", "given")],
        ]);
    }
    match provider {
        "aws" => ways.extend([
            vec![("zones", "eu-central-1a, eu-central-1b")],
            vec![("subnets", "subnet-0123456789abcdef0")],
            vec![("spot", "true"), ("spot-price", "0.40")],
        ]),
        "azure" => ways.extend([
            vec![("zones", "1, 3")],
            vec![("spot", "true"), ("spot-price", "0.40")],
        ]),
        _ => {}
    }
    ways
}

/// Every pair of ways to answer otherwise, in both presets.
fn variants(provider: &str) -> Vec<Variant> {
    let ways = others(provider);
    let mut all = Vec::new();
    for preset in PRESETS {
        for (number, one) in ways.iter().enumerate() {
            for other in &ways[number..] {
                let choices = [base(provider), one.clone(), other.clone()].concat();
                all.push(Variant::chosen(preset, &choices));
            }
        }
    }
    all
}

fn cluster(variant: &Variant) -> String {
    let resolved = variant.resolve();
    let stack = placed(&resolved, "launcher", "control");
    let file = file(stack, "cluster.yaml");
    assert!(
        !file.secret,
        "{}: a secret in the cluster's file",
        variant.name
    );
    file.content.expose_secret().to_owned()
}

#[rstest]
fn the_files_of_each_provider(#[values("local", "aws", "azure", "gcp")] provider: &str) {
    let variant = Variant::chosen(PRESETS[0], &base(provider));
    insta::assert_snapshot!(format!("cluster@{provider}"), cluster(&variant));
}

#[test]
fn both_presets_have_the_same_cluster() {
    for provider in ["local", "aws", "azure", "gcp"] {
        let [one, other] = PRESETS.map(|preset| cluster(&Variant::chosen(preset, &base(provider))));
        let of_head = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        assert_eq!(of_head(&one), of_head(&other));
    }
}

/// Spot machines are workers only, and a limit is what was answered.
#[rstest]
fn what_costs_is_what_was_answered(#[values("aws", "azure", "gcp")] provider: &str) {
    let choices = [
        base(provider),
        vec![("spot", "true"), ("min-workers", "1"), ("max-workers", "7")],
    ];
    let text = cluster(&Variant::chosen(PRESETS[0], &choices.concat()));
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    let types = &yaml["available_node_types"];
    let spot = |kind: &str| {
        let text = serde_yaml_ng::to_string(&types[kind]).unwrap();
        ["spot", "Spot", "preemptible"]
            .iter()
            .any(|word| text.contains(word))
    };
    assert!(!spot("head") && spot("worker"));
    assert_eq!(yaml["max_workers"].as_u64(), Some(7));
    assert_eq!(types["worker"]["min_workers"].as_u64(), Some(1));
    assert_eq!(types["worker"]["max_workers"].as_u64(), Some(7));
    assert_eq!(types["head"]["max_workers"].as_u64(), Some(0));
    assert_eq!(
        yaml["provider"]["cache_stopped_nodes"].as_bool(),
        Some(false)
    );
}

/// The Python that has Ray; `SYNTHO_RAY_PYTHON` names it, and without one this part says that it did not run.
fn python() -> Option<String> {
    let named = std::env::var("SYNTHO_RAY_PYTHON").ok();
    assert!(
        named.is_some() || std::env::var_os("SYNTHO_REQUIRE_RAY").is_none(),
        "SYNTHO_RAY_PYTHON names no Python with `ray[default]`"
    );
    named
}

/// Judges every file as `ray up` does before it does anything, and tells which defaults Ray would add.
const JUDGE: &str = r#"
import contextlib, io, json, logging, sys
import yaml
logging.disable(logging.CRITICAL)
from ray.autoscaler._private.providers import _get_default_config
from ray.autoscaler._private.util import prepare_config, validate_config
for number, text in enumerate(json.load(sys.stdin)):
    config = yaml.safe_load(text)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            validate_config(prepare_config(config))
        own = {"available_node_types", "head_node_type"} if config["provider"]["type"] == "local" else set()
        added = sorted(set(_get_default_config(config["provider"])) - set(config) - own)
        print(number, "added " + ",".join(added) if added else "accepted")
    except BaseException as error:
        print(number, "refused", repr(error)[:300])
"#;

#[rstest]
fn ray_itself_accepts_every_file(#[values("local", "aws", "azure", "gcp")] provider: &str) {
    let Some(python) = python() else {
        eprintln!("DID NOT RUN: SYNTHO_RAY_PYTHON names no Python with `ray[default]`");
        return;
    };
    let files: BTreeSet<String> = variants(provider).iter().map(cluster).collect();
    let files: Vec<&String> = files.iter().collect();
    let mut child = Command::new(python)
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(&serde_json::to_vec(&files).unwrap())
        .unwrap();
    drop(input);
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let verdicts: Vec<&str> = said.lines().collect();
    assert_eq!(verdicts.len(), files.len(), "{said}");
    for (verdict, text) in verdicts.iter().zip(&files) {
        assert!(verdict.ends_with(" accepted"), "{verdict}\n{text}");
    }
    eprintln!("{provider}: Ray accepts {} different files", files.len());
}
