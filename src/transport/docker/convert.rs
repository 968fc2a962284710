//! What the engine says, reduced to the model's facts.

use std::collections::BTreeMap;

use bollard::models;

use crate::model::docker::{ContainerFacts, EngineFacts, ImageFacts, NetworkFacts, VolumeFacts};

/// Docker's way of writing "never" into a time.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn engine(info: models::SystemInfo) -> EngineFacts {
    let containerd_store = info.driver_status.iter().flatten().any(|pair| {
        matches!(pair.as_slice(), [name, value] if name == "driver-type" && value.starts_with("io.containerd.snapshotter"))
    });
    let proxies = [
        ("http_proxy", info.http_proxy),
        ("https_proxy", info.https_proxy),
        ("no_proxy", info.no_proxy),
    ];
    EngineFacts {
        version: info.server_version.unwrap_or_default(),
        root: info.docker_root_dir.unwrap_or_default(),
        storage_driver: info.driver.unwrap_or_default(),
        containerd_store,
        proxies: proxies
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), without_login(&value?))))
            .filter(|(_, value)| !value.is_empty())
            .collect(),
    }
}

/// Returns a proxy's address without user and password; engines of before 20.10.8 do not hide them themselves.
fn without_login(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => address.to_owned(),
    }
}

pub(super) fn image(found: models::ImageInspect) -> ImageFacts {
    ImageFacts {
        id: found.id.unwrap_or_default(),
        tags: found.repo_tags.unwrap_or_default(),
        digests: found.repo_digests.unwrap_or_default(),
        architecture: found.architecture.unwrap_or_default(),
        os: found.os.unwrap_or_default(),
        size: found
            .size
            .and_then(|size| size.try_into().ok())
            .unwrap_or(0),
        layers: found.root_fs.and_then(|fs| fs.layers).unwrap_or_default(),
        created: found.created,
    }
}

pub(super) fn container(found: models::ContainerInspectResponse) -> ContainerFacts {
    let state = found.state.unwrap_or_default();
    let word = state.status.map(|status| status.to_string());
    let started = state.started_at.filter(|time| time != NEVER);
    let config = found.config.unwrap_or_default();
    let ports = found.network_settings.and_then(|network| network.ports);
    ContainerFacts {
        id: found.id.unwrap_or_default(),
        name: found
            .name
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        health_check: check(config.healthcheck.and_then(|check| check.test)),
        image: config.image.unwrap_or_default(),
        image_id: found.image.unwrap_or_default(),
        labels: sorted(config.labels.unwrap_or_default()),
        health: state
            .health
            .and_then(|health| health.status)
            .map(|status| status.to_string())
            .filter(|status| !matches!(status.as_str(), "" | "none")),
        // The engine says 0 of a container that never ran or still runs.
        exit_code: state
            .exit_code
            .filter(|_| matches!(word.as_deref(), Some("exited" | "dead" | "restarting"))),
        state: word.unwrap_or_default(),
        restarts: found.restart_count.unwrap_or(0),
        started_at: started,
        oom_killed: state.oom_killed.unwrap_or(false),
        published: published(ports.unwrap_or_default()),
    }
}

/// Returns what runs inside the container for `CMD` and `CMD-SHELL`, the two forms of the engine's API.
fn check(test: Option<Vec<String>>) -> Vec<String> {
    let mut words = test.unwrap_or_default().into_iter();
    let form = words.next();
    let rest = words;
    match form.as_deref() {
        Some("CMD") => rest.collect(),
        Some("CMD-SHELL") => ["/bin/sh".to_owned(), "-c".to_owned()]
            .into_iter()
            .chain(rest)
            .collect(),
        _ => Vec::new(),
    }
}

fn published(ports: models::PortMap) -> Vec<String> {
    let mut all: Vec<String> = ports
        .into_values()
        .flatten()
        .flatten()
        .filter_map(|binding| {
            let port = binding.host_port.filter(|port| !port.is_empty())?;
            let address = binding.host_ip.unwrap_or_default();
            Some(match address.as_str() {
                "" => format!("0.0.0.0:{port}"),
                v6 if v6.contains(':') => format!("[{v6}]:{port}"),
                v4 => format!("{v4}:{port}"),
            })
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

pub(super) fn network(found: models::Network) -> NetworkFacts {
    let subnets = found.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    NetworkFacts {
        name: found.name.unwrap_or_default(),
        subnets: subnets
            .into_iter()
            .filter_map(|config| config.subnet)
            .collect(),
        labels: sorted(found.labels.unwrap_or_default()),
    }
}

pub(super) fn volume(found: models::Volume) -> VolumeFacts {
    VolumeFacts {
        name: found.name,
        labels: sorted(found.labels),
    }
}

fn sorted(labels: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    labels.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("http://user:pw@proxy:3128", "http://proxy:3128")]
    #[case("http://proxy:3128", "http://proxy:3128")]
    #[case("user:pw@proxy", "proxy")]
    #[case("localhost,.example", "localhost,.example")]
    fn a_proxy_is_told_without_its_login(#[case] address: &str, #[case] told: &str) {
        assert_eq!(without_login(address), told);
    }

    #[rstest]
    #[case(json!(["CMD", "redis-cli", "ping"]), &["redis-cli", "ping"])]
    #[case(json!(["CMD-SHELL", "a | b"]), &["/bin/sh", "-c", "a | b"])]
    #[case(json!(["NONE"]), &[])]
    #[case(json!([]), &[])]
    #[case(json!(null), &[])]
    fn a_health_check_is_what_runs_inside(#[case] test: serde_json::Value, #[case] runs: &[&str]) {
        let facts = container_from(json!({"Config": {"Healthcheck": {"Test": test}}}));
        assert_eq!(facts.health_check, runs);
    }

    fn container_from(value: serde_json::Value) -> ContainerFacts {
        container(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_crash_loop_keeps_its_exit_code_restarts_and_cause() {
        let facts = container_from(json!({
            "Id": "abc", "Name": "/ray-head-1", "RestartCount": 7, "Image": "sha256:1",
            "State": {"Status": "restarting", "ExitCode": 137, "OOMKilled": true, "StartedAt": "2026-01-02T03:04:05Z"},
            "Config": {"Image": "syntho-ray:1.9.0", "Labels": {"com.docker.compose.service": "ray-head"}},
        }));
        assert_eq!((facts.name.as_str(), facts.restarts), ("ray-head-1", 7));
        assert_eq!(facts.exit_code, Some(137));
        assert!(facts.oom_killed);
        assert_eq!(facts.service(), Some("ray-head"));
        assert_eq!(facts.health, None);
    }

    #[test]
    fn a_running_container_has_no_exit_code_and_a_created_one_no_start() {
        let running = container_from(json!({"State": {"Status": "running", "ExitCode": 0,
            "Health": {"Status": "starting"}, "StartedAt": "2026-01-02T03:04:05Z"}}));
        assert_eq!(running.exit_code, None);
        assert_eq!(running.health.as_deref(), Some("starting"));
        let created = container_from(json!({"State": {"Status": "created", "StartedAt": NEVER}}));
        assert_eq!(created.started_at, None);
    }

    #[test]
    fn published_ports_are_those_of_the_host() {
        let facts = container_from(json!({"NetworkSettings": {"Ports": {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
            "443/tcp": null}}}));
        assert_eq!(facts.published, ["0.0.0.0:8080", "[::]:8080"]);
    }

    #[test]
    fn the_containerd_store_is_told_by_its_driver_type() {
        let info = |status: serde_json::Value| {
            engine(serde_json::from_value(json!({"ServerVersion": "29.0.0", "Driver": "overlayfs", "DriverStatus": status})).unwrap())
        };
        assert!(info(json!([["driver-type", "io.containerd.snapshotter.v1"]])).containerd_store);
        assert!(!info(json!([["Backing Filesystem", "extfs"]])).containerd_store);
    }
}
