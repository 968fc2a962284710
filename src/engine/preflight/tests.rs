//! Builds facts and deployments for the tests of checks: three healthy hosts to begin with, changed by each test.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::scene::{DEPLOYMENT_LABEL, Scene, Seat};
use crate::model::answers::ImageSource;
use crate::model::check::{CheckResult, Verdict};
use crate::model::docker::{ContainerFacts, EngineFacts, ImageFacts};
use crate::model::facts::{
    ComposeFacts, Disk, DockerFacts, HostFacts, InterfaceAddress, Listener, RootAccess, Route,
    UserFacts,
};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::preset::RoleNeed;
use crate::model::resolved::{
    PlacedImage, PlacedStack, ReachNeed, RenderedFile, Resolved, ResolvedHost,
};
use crate::model::secret::Secrets;

/// A deployment and what was found.
pub(in crate::engine) struct Sample {
    pub(in crate::engine) resolved: Resolved,
    pub(in crate::engine) facts: BTreeMap<HostName, HostFacts>,
}

/// The image of the Ray stacks.
pub(in crate::engine) const RAY: &str = "syntho.azurecr.io/syntho-ray:1.9.0";

/// Returns a host's name.
pub(in crate::engine) fn name(text: &str) -> HostName {
    text.parse().unwrap()
}

impl Sample {
    /// Returns `ui`, `ray-1` and `ray-2` at 10.0.0.11 to 13, with nothing of ours on them yet.
    pub(in crate::engine) fn three() -> Self {
        let hosts = vec![
            host("ui", "ui", "10.0.0.11"),
            host("ray-1", "ray-head", "10.0.0.12"),
            host("ray-2", "ray-worker", "10.0.0.13"),
        ];
        let facts = hosts
            .iter()
            .map(|host| (host.name.clone(), facts(host)))
            .collect();
        let resolved = Resolved {
            deployment: "acme".parse().unwrap(),
            preset: "syntho-app-ray".parse().unwrap(),
            title: "Syntho Application with Ray".into(),
            hosts,
            stacks: vec![
                stack("ray-head", "ray-1", RAY, &[6379, 8265, 10001]),
                stack("ray-worker", "ray-2", RAY, &[]),
                stack(
                    "application",
                    "ui",
                    "syntho.azurecr.io/syntho-core-backend:1.9.0",
                    &[3000],
                ),
            ],
            reach: vec![
                reach(Some("ray-2"), "ray-1", (6379, 6379), "Ray's address book"),
                reach(Some("ray-1"), "ray-2", (11000, 11999), "Ray workers"),
                reach(None, "ui", (3000, 3000), "the application's pages"),
            ],
            checks: Vec::new(),
            health: Vec::new(),
            endpoints: Vec::new(),
            authorities: Vec::new(),
            image_source: ImageSource::Present,
            bundled: Vec::new(),
            registry: None,
            keep_login: false,
            secrets: Secrets::default(),
        };
        Self { resolved, facts }
    }

    /// Returns what was found on a host, to be changed.
    pub(in crate::engine) fn on(&mut self, host: &str) -> &mut HostFacts {
        self.facts.get_mut(&name(host)).unwrap()
    }

    /// Returns what Docker told on a host, to be changed.
    pub(in crate::engine) fn docker(&mut self, host: &str) -> &mut DockerFacts {
        self.on(host).docker.as_mut().unwrap()
    }

    /// Returns a stack, to be changed.
    pub(in crate::engine) fn stack(&mut self, id: &str) -> &mut PlacedStack {
        self.resolved
            .stacks
            .iter_mut()
            .find(|stack| stack.id.as_str() == id)
            .unwrap()
    }

    /// Returns a host of the deployment, to be changed.
    pub(in crate::engine) fn host(&mut self, host: &str) -> &mut ResolvedHost {
        self.resolved
            .hosts
            .iter_mut()
            .find(|found| found.name.as_str() == host)
            .unwrap()
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            resolved: &self.resolved,
            facts: &self.facts,
        }
    }

    pub(super) fn seat(&self, host: &str) -> Seat<'_> {
        self.scene()
            .seats()
            .find(|seat| seat.host.name.as_str() == host)
            .unwrap()
    }
}

/// Writes results for comparison: verdict, id and host, and what was found.
pub(in crate::engine) fn told(results: &[CheckResult]) -> Vec<String> {
    results.iter().map(line).collect()
}

/// Writes the results that do not pass.
pub(in crate::engine) fn troubles(results: &[CheckResult]) -> Vec<String> {
    results
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .map(line)
        .collect()
}

fn line(check: &CheckResult) -> String {
    if check.verdict == Verdict::Fail {
        assert!(
            check.cause.is_some() && check.remedy.is_some(),
            "{} fails without cause or remedy",
            check.id
        );
    }
    let verdict = match check.verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
    };
    format!("{verdict} {}: {}", check.id, check.found)
}

fn host(name: &str, role: &str, address: &str) -> ResolvedHost {
    ResolvedHost {
        name: name.parse().unwrap(),
        roles: vec![role.parse().unwrap()],
        address: address.into(),
        private_address: address.parse().unwrap(),
        needs: vec![RoleNeed {
            role: role.parse().unwrap(),
            cpus: Some(2),
            cpus_recommended: Some(4),
            memory: Some("4gb".into()),
            memory_recommended: Some("8gb".into()),
            disk: Some("5gb".into()),
            docker: true,
        }],
    }
}

/// Returns a path that must be open.
pub(in crate::engine) fn reach(
    from: Option<&str>,
    to: &str,
    ports: (u16, u16),
    why: &str,
) -> ReachNeed {
    ReachNeed {
        from: from.map(name),
        to: name(to),
        ports,
        why: why.into(),
    }
}

fn stack(id: &str, host: &str, image: &str, ports: &[u16]) -> PlacedStack {
    PlacedStack {
        id: id.parse().unwrap(),
        title: id.into(),
        host: name(host),
        project: format!("acme-{id}"),
        folder: format!("/opt/syntho/acme/{id}"),
        after: Vec::new(),
        images: vec![PlacedImage {
            id: "part".parse().unwrap(),
            reference: ImageRef::parse(image).unwrap(),
            unpacked: 2 << 30,
            aliases: vec!["syntho-backend".into()],
            tag_endings: Vec::new(),
        }],
        files: vec![compose_file(
            "services:\n  head:\n    container_name: ray-head\n    ulimits:\n      nofile:\n        soft: 65536\n        hard: 65536\n",
        )],
        environment: Vec::new(),
        ports: ports.to_vec(),
        services: Vec::new(),
        proofs: Vec::new(),
        steps: Vec::new(),
        confirms: Vec::new(),
        backups: Vec::new(),
        adopted: None,
    }
}

/// Returns a Compose file.
pub(in crate::engine) fn compose_file(text: &str) -> RenderedFile {
    RenderedFile {
        path: "docker-compose.yaml".into(),
        mode: 0o644,
        content: text.to_owned().into(),
        masked: text.to_owned(),
        secret: false,
        reload: None,
    }
}

fn facts(host: &ResolvedHost) -> HostFacts {
    HostFacts {
        host: host.name.clone(),
        os: "Ubuntu 22.04.3 LTS".into(),
        os_id: "ubuntu".into(),
        os_version: "22.04".into(),
        kernel: "5.15.0-91-generic".into(),
        architecture: "x86_64".into(),
        cpus: 8,
        memory: 32 << 30,
        memory_available: 30 << 30,
        hostname: host.name.to_string(),
        machine_id: format!("id-of-{}", host.name),
        addresses: vec![InterfaceAddress {
            interface: "eth0".into(),
            address: host.private_address,
            prefix: 24,
        }],
        routes: vec![route("0.0.0.0/0", "eth0"), route("10.0.0.0/24", "eth0")],
        default_address: Some(host.private_address),
        clock_skew: 0.0,
        disks: vec![disk("/var/lib/docker"), disk("/opt/syntho")],
        listeners: vec![listener("0.0.0.0", 22, Some("sshd"))],
        user: UserFacts {
            name: "deploy".into(),
            uid: 1000,
            groups: vec!["deploy".into(), "docker".into()],
            root: RootAccess::Passwordless,
        },
        docker: Some(docker()),
        docker_problem: None,
        compose: Some(ComposeFacts {
            version: "2.26.1".into(),
            command: vec!["docker".into(), "compose".into()],
        }),
        nofile_limit: Some(1_048_576),
        proxies: BTreeMap::new(),
        tools: [("ufw".to_owned(), true)].into(),
        folders: Vec::new(),
    }
}

/// Returns a route.
pub(in crate::engine) fn route(destination: &str, interface: &str) -> Route {
    Route {
        destination: destination.into(),
        interface: interface.into(),
    }
}

fn disk(path: &str) -> Disk {
    Disk {
        path: path.into(),
        mount: "/".into(),
        total: 200 << 30,
        free: 100 << 30,
        free_inodes: 10_000_000,
    }
}

/// Returns somebody who listens.
pub(in crate::engine) fn listener(address: &str, port: u16, process: Option<&str>) -> Listener {
    Listener {
        address: address.into(),
        port,
        process: process.map(str::to_owned),
    }
}

fn docker() -> DockerFacts {
    DockerFacts {
        engine: EngineFacts {
            version: "26.1.5".into(),
            root: "/var/lib/docker".into(),
            storage_driver: "overlay2".into(),
            containerd_store: false,
            proxies: BTreeMap::new(),
        },
        as_user: true,
        images: vec![
            image(RAY, "amd64"),
            image("syntho.azurecr.io/syntho-core-backend:1.9.0", "amd64"),
        ],
        containers: Vec::new(),
        networks: Vec::new(),
        volumes: Vec::new(),
    }
}

/// Returns an image that an engine holds.
pub(in crate::engine) fn image(tag: &str, architecture: &str) -> ImageFacts {
    ImageFacts {
        id: "sha256:1".into(),
        tags: vec![tag.into()],
        digests: Vec::new(),
        architecture: architecture.into(),
        os: "linux".into(),
        size: 1 << 30,
        created: None,
        layers: Vec::new(),
    }
}

/// Returns a running container of a Compose project; `ours` puts the deployment's label on it.
pub(in crate::engine) fn container(name: &str, project: &str, ours: bool) -> ContainerFacts {
    let mut labels: BTreeMap<String, String> =
        [("com.docker.compose.project".to_owned(), project.to_owned())].into();
    if ours {
        labels.insert(DEPLOYMENT_LABEL.to_owned(), "acme".to_owned());
    }
    ContainerFacts {
        id: "c1".into(),
        name: name.into(),
        image: RAY.into(),
        image_id: "sha256:1".into(),
        labels,
        state: "running".into(),
        health: None,
        exit_code: None,
        restarts: 0,
        started_at: None,
        oom_killed: false,
        published: Vec::new(),
        health_check: Vec::new(),
    }
}

/// Reads an address.
pub(in crate::engine) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
