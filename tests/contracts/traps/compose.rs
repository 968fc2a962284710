//! Traps of the Compose files: keys, ports, restarts, order, health checks, mounts, names.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::{application, published, services, stacks};
use crate::support::{Variant, compose, file, placed, service, variable};

#[test]
fn t01_no_unknown_keys_at_the_top() {
    let known = [
        "name",
        "services",
        "networks",
        "volumes",
        "x-labels",
        "x-core-environment",
        "x-backend-environment",
        "x-redis-gate",
    ];
    for (name, _, yaml) in stacks() {
        for key in yaml.as_mapping().unwrap().keys() {
            assert!(known.contains(&key.as_str().unwrap()), "{name}: {key:?}");
        }
    }
}

#[test]
fn t03_no_ports_with_the_hosts_network() {
    for (name, _, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            assert!(
                what["network_mode"] != "host" || what["ports"].is_null(),
                "{name} {service}"
            );
        }
    }
}

#[test]
fn t05_database_names_are_quoted_by_postgres_itself() {
    let (stack, yaml) = application(&Variant::plain("syntho-app-ray"));
    assert!(service(&yaml, "postgres")["environment"]["POSTGRES_MULTIPLE_DATABASES"].is_null());
    let script = file(&stack, "postgres/init-databases.sh")
        .content
        .expose_secret();
    assert!(
        script.contains("%I") && script.contains("syntho-core syntho-backend"),
        "{script}"
    );
}

#[test]
fn t06_no_database_is_open_and_redis_only_through_its_gate_to_the_hosts_of_ray() {
    for (name, stack, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            match service {
                "postgres" | "redis" | "redis-relay" => {
                    assert!(published(what).is_empty(), "{name} {service}");
                }
                "redis-gate" => {
                    let place = ["CORE_REDIS_HOST", "CORE_REDIS_PORT"];
                    let place = place.map(|name| variable(&stack, name));
                    assert_eq!(what["command"][1], place[0], "{name}");
                    assert_eq!(what["command"][2], place[1], "{name}");
                    assert_ne!(place[0], "0.0.0.0", "{name}");
                }
                _ => {}
            }
        }
    }
    let allowed = |variant: &Variant| {
        let (stack, _) = application(variant);
        let list = file(&stack, "redis-gate/allowed").content.expose_secret();
        let hosts = list.lines().filter(|line| !line.starts_with('#'));
        hosts.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        allowed(&Variant::plain("syntho-app-ray")),
        ["10.0.0.12", "10.0.0.13", "10.0.0.14"]
    );
    assert_eq!(
        allowed(&Variant::shared_host()),
        ["10.0.0.11", "10.0.0.13", "10.0.0.14"]
    );
    let (_, one_node) = application(&Variant::plain("syntho-one-node"));
    assert!(one_node["services"]["redis-gate"].is_null());
    assert_eq!(
        published(service(&one_node, "head")),
        ["127.0.0.1:8265:8265"]
    );
}

#[test]
fn t07_t08_everything_comes_back_after_a_reboot() {
    for (name, _, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            assert_eq!(what["restart"], "unless-stopped", "{name} {service}");
        }
    }
}

#[test]
fn t08_the_backends_worker_waits_for_what_it_needs() {
    let (_, yaml) = application(&Variant::plain("syntho-app-ray"));
    assert_eq!(
        service(&yaml, "worker")["depends_on"]["backend"]["condition"],
        "service_healthy"
    );
    assert_eq!(
        service(&yaml, "backend")["depends_on"]["postgres"]["condition"],
        "service_healthy"
    );
}

#[test]
fn t09_redis_and_ray_do_not_fight_for_a_port_on_one_host() {
    let resolved = Variant::shared_host().resolve();
    let ray = placed(&resolved, "ray-head", "ui");
    let application = placed(&resolved, "application", "ui");
    let yaml = compose(application);
    assert_eq!(service(&yaml, "redis-gate")["command"][2], "6380");
    assert_eq!(variable(application, "CORE_REDIS_PORT"), "6380");
    assert_eq!(
        variable(application, "CORE_BROKER_URL"),
        "redis://redis:6379/0"
    );
    let taken: BTreeSet<u16> = ray.ports.iter().copied().collect();
    assert!(
        application.ports.iter().all(|port| !taken.contains(port)),
        "{:?}",
        application.ports
    );
    let split = Variant::plain("syntho-app-ray").resolve();
    assert_eq!(
        variable(placed(&split, "application", "ui"), "CORE_REDIS_PORT"),
        "6379"
    );
}

#[test]
fn t10_postgres_is_asked_over_tcp_and_for_the_database() {
    let (_, yaml) = application(&Variant::plain("syntho-app-ray"));
    let test = service(&yaml, "postgres")["healthcheck"]["test"][1]
        .as_str()
        .unwrap();
    assert!(
        test.contains("-h 127.0.0.1") && test.contains("-d syntho-backend"),
        "{test}"
    );
}

#[test]
fn t12_nothing_starts_before_what_it_needs_is_healthy() {
    for id in ["syntho-app-ray", "syntho-one-node"] {
        let (_, yaml) = application(&Variant::plain(id));
        for name in ["core", "core_worker", "backend"] {
            for need in ["postgres", "redis"] {
                assert_eq!(
                    service(&yaml, name)["depends_on"][need]["condition"],
                    "service_healthy",
                    "{id} {name}"
                );
            }
            // The Core API comes to Redis as Ray's tasks do.
            let gate = &service(&yaml, name)["depends_on"]["redis-gate"]["condition"];
            let through = id == "syntho-app-ray" && name != "backend";
            assert_eq!(
                gate.as_str(),
                through.then_some("service_healthy"),
                "{id} {name}"
            );
        }
        assert_eq!(
            service(&yaml, "frontend")["depends_on"]["backend"]["condition"],
            "service_healthy"
        );
    }
    let resolved = Variant::plain("syntho-app-ray").resolve();
    let after: Vec<&str> = placed(&resolved, "application", "ui")
        .after
        .iter()
        .map(syntho_installer::model::ids::StackId::as_str)
        .collect();
    assert_eq!(after, ["ray-head", "ray-worker"]);
}

#[test]
fn t13_no_health_check_needs_a_program_that_images_may_lack() {
    for (name, _, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            let test = serde_yaml_ng::to_string(&what["healthcheck"]).unwrap();
            for missing in ["curl", "wget", "/proc/net/tcp"] {
                assert!(!test.contains(missing), "{name} {service}: {test}");
            }
        }
    }
}

#[test]
fn t21_each_service_gets_only_what_it_needs() {
    for (name, _, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            let files = what["env_file"].as_sequence().into_iter().flatten();
            let files: Vec<&str> = files.filter_map(|file| file["path"].as_str()).collect();
            // The address of a cluster in a cloud, and nothing else.
            let only_addresses = files.iter().all(|path| path.starts_with("../ray-address/"));
            assert!(only_addresses, "{name} {service}: {files:?}");
            assert!(
                what["env_file"].is_null() || name.contains(" provider="),
                "{name} {service}"
            );
        }
    }
    let (_, yaml) = application(&Variant::plain("syntho-app-ray"));
    let frontend = serde_yaml_ng::to_string(&service(&yaml, "frontend")["environment"]).unwrap();
    for secret in ["PASSWORD", "SECRET", "LICENSE"] {
        assert!(!frontend.contains(secret), "{frontend}");
    }
}

#[test]
fn t22_volumes_hang_on_a_name_that_never_changes() {
    for (name, stack, yaml) in stacks() {
        assert_eq!(
            yaml["name"].as_str(),
            Some(stack.project.as_str()),
            "{name}"
        );
        let deployment = stack.project.strip_suffix(&format!("-{}", stack.id));
        assert!(
            deployment.is_some_and(|deployment| deployment == "sample"),
            "{name}: {}",
            stack.project
        );
    }
}

#[test]
fn t27_every_file_that_is_mounted_is_delivered() {
    for (name, stack, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            for volume in what["volumes"].as_sequence().into_iter().flatten() {
                let source = volume.as_str().unwrap().split(':').next().unwrap();
                if let Some(path) = source.strip_prefix("./") {
                    assert!(
                        stack
                            .files
                            .iter()
                            .any(|file| file.path == path
                                || file.path.starts_with(&format!("{path}/"))),
                        "{name} {service}: {path}"
                    );
                }
            }
        }
    }
    let resolved = Variant::plain("syntho-app-ray").resolve();
    assert!(
        resolved
            .health
            .iter()
            .any(|health| health.id == "databases"),
        "both databases are looked for"
    );
}

#[test]
fn t29_services_have_the_names_that_the_guide_operates_on() {
    let resolved = Variant::plain("syntho-app-ray").resolve();
    let head = compose(placed(&resolved, "ray-head", "ray-head"));
    let worker = compose(placed(&resolved, "ray-worker", "ray-worker-1"));
    assert_eq!(
        services(&head).map(|(name, _)| name).collect::<Vec<_>>(),
        ["head"]
    );
    assert_eq!(
        services(&worker).map(|(name, _)| name).collect::<Vec<_>>(),
        ["worker"]
    );
}

#[test]
fn t35_no_container_has_a_fixed_name() {
    for (name, _, yaml) in stacks() {
        for (service, what) in services(&yaml) {
            assert!(what["container_name"].is_null(), "{name} {service}");
        }
    }
}
