//! Traps of JupyterHub's files: what is restarted, TLS, who gets in, mounts and networks, libraries.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde_yaml_ng::Value;
use syntho_installer::model::resolved::PlacedStack;

use super::{published, services, stacks};
use crate::support::{Variant, file, placed};

/// The hub's stack of every variant.
fn hubs() -> impl Iterator<Item = (String, PlacedStack, Value)> {
    let all = stacks().into_iter();
    all.filter(|(_, stack, _)| stack.id.as_str() == "hub")
}

fn text<'s>(stack: &'s PlacedStack, path: &str) -> &'s str {
    file(stack, path).content.expose_secret()
}

#[test]
fn t14_nobody_is_told_to_restart_what_must_be_made_anew() {
    for (name, stack, _) in hubs() {
        let readme = text(&stack, "README");
        assert!(!readme.contains("compose restart"), "{name}");
        assert!(readme.contains("docker compose up -d"), "{name}");
    }
}

#[test]
fn t15_every_variable_that_the_configuration_reads_reaches_the_container() {
    let read = regex::Regex::new(r#"(?:os\.environ\[|given\()"([A-Z_]+)""#).unwrap();
    for (name, stack, yaml) in hubs() {
        let mut given: BTreeSet<&str> = yaml["services"]["hub"]["environment"]
            .as_mapping()
            .unwrap()
            .keys()
            .filter_map(Value::as_str)
            .collect();
        // Where the cluster's head is only known once it is up, a file made then says it.
        if let Some(file) = yaml["services"]["hub"]["env_file"][0]["path"].as_str() {
            assert_eq!(file, "../ray-address/client.env", "{name}");
            given.insert("RAY_ADDRESS");
        }
        for path in ["jupyterhub_config.py", "authenticator.py"] {
            for found in read.captures_iter(text(&stack, path)) {
                let variable = found.get(1).unwrap().as_str();
                assert!(given.contains(variable), "{name} {path}: {variable}");
            }
        }
    }
}

#[test]
fn t15_what_browsers_are_told_is_what_they_get() {
    for (tls, scheme, open) in [
        ("none", "http://", true),
        ("self-signed", "https://", false),
    ] {
        let resolved = Variant::chosen("jupyterhub-ray", &[("tls", tls)]).resolve();
        let hub = placed(&resolved, "hub", "hub");
        let python = text(hub, "jupyterhub_config.py");
        assert!(
            python.contains(&format!("public_url = \"{scheme}")),
            "{tls}"
        );
        assert_eq!(python.contains("\"secure\": True"), !open, "{tls}");
        // Behind the proxy nobody but this host reaches the hub's own plain port.
        let compose = text(hub, "docker-compose.yaml");
        assert_eq!(
            compose.contains("\"127.0.0.1:${HUB_PORT:?}:8000\""),
            !open,
            "{tls}"
        );
    }
}

#[test]
fn t16_nobody_gets_in_by_typing_a_name() {
    for (name, stack, _) in hubs() {
        let python = text(&stack, "authenticator.py").to_lowercase();
        assert!(
            !python.contains("dummy") && !python.contains("userlist"),
            "{name}"
        );
        assert!(python.contains("authenticator_class"), "{name}");
    }
}

#[test]
fn t17_t40_notebooks_reach_neither_the_database_nor_the_hubs_files_nor_a_registry_login() {
    for (name, stack, yaml) in hubs() {
        let mounts = yaml["services"]["hub"]["volumes"].as_sequence().unwrap();
        for mount in mounts.iter().filter_map(Value::as_str) {
            let (from, _) = mount.split_once(':').unwrap();
            let is_file = stack
                .files
                .iter()
                .any(|file| from == format!("./{}", file.path));
            let known = ["/var/run/docker.sock", "hub-data"].contains(&from);
            assert!(
                known || is_file && mount.ends_with(":ro"),
                "{name}: {mount}"
            );
        }
        for (service, what) in services(&yaml) {
            assert!(what["network_mode"].is_null(), "{name} {service}");
        }
        assert_eq!(published(&yaml["services"]["hub-db"]).len(), 0, "{name}");
        assert_eq!(yaml["networks"]["database"]["internal"], true, "{name}");
        let network = "DOCKER_NETWORK_NAME";
        let notebooks = yaml["networks"]["notebooks"]["name"].as_str().unwrap();
        assert_eq!(
            crate::support::variable(&stack, network),
            notebooks,
            "{name}"
        );
        let networks = yaml["services"]["hub-db"]["networks"]
            .as_sequence()
            .unwrap();
        assert_eq!(networks.as_slice(), ["database"], "{name}");
    }
}

#[test]
fn t19_entras_tokens_are_read_by_a_library_that_can() {
    let choices = [
        ("authenticator", "azuread"),
        ("allow-all", "true"),
        ("tls", "external"),
    ];
    let resolved = Variant::chosen("jupyterhub-ray", &choices).resolve();
    let python = text(placed(&resolved, "hub", "hub"), "authenticator.py");
    assert!(python.contains("hasattr(jwt, \"decode\")"), "{python}");
}
