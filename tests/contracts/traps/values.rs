//! Traps of values: images, sizes, addresses, variables, flags.

use std::collections::BTreeSet;

use rstest::rstest;
use secrecy::ExposeSecret;
use syntho_installer::model::resolve::ResolveError;

use super::{application, stacks};
use crate::support::{Variant, file, placed, preset, service, variable};

#[test]
fn t18_t39_no_image_moves() {
    for (name, stack, _) in stacks() {
        for image in &stack.images {
            let tag = image
                .reference
                .tag()
                .unwrap_or_else(|| panic!("{name}: {} has no tag", image.reference));
            assert!(!tag.starts_with("latest"), "{name}: {}", image.reference);
        }
    }
}

#[rstest]
#[case(&[("ray-cpus", "12")], "`ray-cpus` is 12, and the host has 8")]
#[case(&[("ray-memory", "100G")], "`ray-memory` is 100G, and the host has 32768m")]
#[case(&[("ray-memory", "4gb"), ("ray-shm", "4gb")], "shared memory counts as part of Ray's 4gb")]
fn t23_ray_never_gets_more_than_the_host_has(
    #[case] choices: &[(&str, &str)],
    #[case] message: &str,
) {
    let error = Variant::chosen("syntho-one-node", choices)
        .try_resolve()
        .unwrap_err();
    let ResolveError::DoesNotFit(faults) = &error else {
        panic!("{error}")
    };
    assert!(faults.to_string().contains(message), "{faults}");
}

#[test]
fn t23_what_ray_gets_follows_the_host() {
    let mut variant = Variant::plain("syntho-one-node");
    variant.facts[0].cpus = 2;
    variant.facts[0].memory = 8 << 30;
    let (stack, yaml) = application(&variant);
    assert_eq!(variable(&stack, "RAY_CPUS"), "2");
    assert_eq!(variable(&stack, "RAY_MEMORY"), "4915m");
    assert_eq!(variable(&stack, "RAY_SHM"), "1572m");
    assert!(
        service(&yaml, "head")["deploy"].is_null(),
        "a reservation of CPUs is ignored outside a swarm"
    );
}

#[test]
fn t24_the_user_interface_runs_in_production_mode_unless_told() {
    let (stack, yaml) = application(&Variant::plain("syntho-app-ray"));
    assert!(
        service(&yaml, "frontend")["environment"]["NODE_ENV"]
            .as_str()
            .unwrap()
            .starts_with("${NODE_ENV")
    );
    assert_eq!(variable(&stack, "NODE_ENV"), "production");
    let (stack, _) = application(&Variant::chosen(
        "syntho-app-ray",
        &[("node-env", "development")],
    ));
    assert_eq!(variable(&stack, "NODE_ENV"), "development");
}

#[test]
fn t28_variables_of_the_env_file_are_those_that_the_compose_file_reads() {
    let wanted = regex::Regex::new(r"\$\{([A-Z_]+)").unwrap();
    for (name, stack, _) in stacks() {
        let text = file(&stack, "docker-compose.yaml").content.expose_secret();
        let read: BTreeSet<&str> = wanted
            .captures_iter(text)
            .map(|found| found.get(1).unwrap().as_str())
            .collect();
        for (variable, _) in &stack.environment {
            let for_people =
                ["RAY_HEAD_IP", "FRONTEND_DOMAIN", "CORE_RAY_ADDRESS"].contains(&variable.as_str());
            assert!(
                read.contains(variable.as_str()) || for_people,
                "{name}: nothing reads {variable}"
            );
        }
    }
}

#[test]
fn t31_ray_starts_with_flags_that_every_release_knows() {
    for (name, stack, _) in stacks() {
        let text = file(&stack, "docker-compose.yaml").content.expose_secret();
        for gone in [
            "--storage",
            "--disable-usage-stats",
            "--dashboard-grpc-port",
        ] {
            assert!(!text.contains(gone), "{name}: {gone}");
        }
    }
}

#[rstest]
#[case("66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%!and-more-of-it")]
#[case("it's \"both\" $HOME ${X:-y} #`id` a;touch x | > %s {{ license_key }} {0} \\n end")]
fn t32_values_reach_the_env_file_as_they_were_meant(#[case] value: &str) {
    let variant = Variant::chosen(
        "syntho-app-ray",
        &[("backend-secret-key", value), ("admin-password", value)],
    );
    let (stack, _) = application(&variant);
    assert_eq!(variable(&stack, "BACKEND_SECRET_KEY"), value);
    let text = file(&stack, ".env").content.expose_secret();
    let kept = syntho_installer::model::dotenv::kept(text, "ADMIN_PASSWORD").unwrap();
    assert_eq!(kept.expose_secret(), value);
}

#[rstest]
#[case("a@bcdefgh")]
#[case("a/bcdefgh")]
#[case("a%41bcdefgh")]
#[case("a:bcdefgh")]
#[case("a?bcdefgh")]
#[case("a#bcdefgh")]
fn t33_a_password_that_breaks_a_url_is_refused(#[case] value: &str) {
    let preset = preset("syntho-app-ray");
    let question = preset
        .question(&"database-password".parse().unwrap())
        .unwrap();
    let broken = syntho_installer::model::rules::accept_secret(question, value).unwrap_err();
    assert!(broken.rule.contains("URL"), "{}", broken.rule);
    assert!(!broken.to_string().contains(value));
}

#[test]
fn t34_the_address_of_ray_is_bare() {
    for (name, stack, _) in stacks() {
        // In a cloud it is known once the cluster is up, and in no file of ours.
        if stack.id.as_str() == "application" && !name.contains(" provider=") {
            let address = variable(&stack, "CORE_RAY_ADDRESS");
            assert!(
                !address.contains([':', '/']) && !address.is_empty(),
                "{name}: {address}"
            );
            assert_eq!(
                variable(&stack, "BACKEND_RAY_URL"),
                format!("http://{address}:8265")
            );
        }
    }
}

#[test]
fn t37_every_ray_node_is_told_its_address() {
    let resolved = Variant::plain("syntho-app-ray").resolve();
    let mut nodes = 0;
    for stack in resolved
        .stacks
        .iter()
        .filter(|stack| stack.id.as_str().starts_with("ray"))
    {
        let text = file(stack, "docker-compose.yaml").content.expose_secret();
        assert!(
            text.contains("--node-ip-address=${RAY_NODE_IP:?"),
            "{}",
            stack.host
        );
        let host = resolved
            .hosts
            .iter()
            .find(|host| host.name == stack.host)
            .unwrap();
        assert_eq!(
            variable(stack, "RAY_NODE_IP"),
            host.private_address.to_string()
        );
        assert_eq!(variable(stack, "RAY_HEAD_IP"), "10.0.0.12");
        nodes += 1;
    }
    assert_eq!(nodes, 3);
    assert_eq!(
        variable(placed(&resolved, "application", "ui"), "CORE_RAY_ADDRESS"),
        "10.0.0.12"
    );
}

#[test]
fn t38_a_missing_variable_stops_compose() {
    let reference = regex::Regex::new(r"\$\{[A-Z_]+(:\?)?").unwrap();
    for (name, stack, _) in stacks() {
        let text = file(&stack, "docker-compose.yaml").content.expose_secret();
        for found in reference.captures_iter(text) {
            assert!(found.get(1).is_some(), "{name}: {}", &found[0]);
        }
    }
}
