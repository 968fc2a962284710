//! A made-up deployment as it fares, as far as each test needs it.

use std::sync::Arc;

use super::*;
use crate::model::failure::{Failure, FailureKind};
use crate::model::log::{LogRecord, LogSource, Voice};
use crate::model::watch::{
    ContainerReading, Fitness, HostReading, MachineReading, ServiceReading, Share,
};

pub(super) fn now() -> Timestamp {
    "2026-11-20T12:30:00Z".parse().unwrap()
}

pub(super) fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

pub(super) fn access() -> Access {
    Access {
        endpoints: vec![
            ("Application".to_owned(), "https://acme.example".to_owned()),
            ("Cluster".to_owned(), "http://10.0.0.12:8265".to_owned()),
        ],
        record: Some(Record {
            path: "/home/op/hand-over.md".to_owned(),
            text: "# acme-prod\n\n## Accounts\n\nadmin, password given by the operator\n"
                .to_owned(),
        }),
    }
}

fn machine() -> MachineReading {
    MachineReading {
        load: Some(42),
        cpus: Some(4),
        memory: Some(Share {
            used: 3_100_000_000,
            total: 16_000_000_000,
        }),
        disk: Some(Share {
            used: 41_000_000_000,
            total: 100_000_000_000,
        }),
        clock: Some(now()),
    }
}

fn container(service: &str) -> ContainerReading {
    ContainerReading {
        id: format!("id-of-{service}"),
        name: format!("acme-prod-application-{service}-1"),
        state: "running".to_owned(),
        health: Some("healthy".to_owned()),
        restarts: 0,
        age: Some(273_600),
        cpu: Some(12),
        memory: Some(Share {
            used: 512_000_000,
            total: 16_000_000_000,
        }),
        image: format!("registry.example/some/{service}:1.9.0"),
        published: vec!["0.0.0.0:8080".to_owned()],
    }
}

fn service(name: &str) -> ServiceReading {
    ServiceReading {
        stack: "application".to_owned(),
        service: name.to_owned(),
        fitness: Fitness::Good,
        container: Some(container(name)),
    }
}

pub(super) fn well(host: &str) -> Vec<ServiceReading> {
    if host == "ui" {
        let mut store = service("store");
        let its = store.container.as_mut().unwrap();
        its.health = None;
        its.image = "store:6.2-alpine".to_owned();
        its.published.clear();
        let mut migrate = service("migrate");
        let its = migrate.container.as_mut().unwrap();
        its.state = "exited".to_owned();
        (its.health, its.age, its.cpu, its.memory) = (None, None, None, None);
        vec![service("web"), store, migrate]
    } else {
        vec![service("worker")]
    }
}

pub(super) fn troubled() -> Vec<ServiceReading> {
    let mut services = well("ui");
    services[0].fitness = Fitness::Bad("the health check of `web` says unhealthy".to_owned());
    services[0].container.as_mut().unwrap().health = Some("unhealthy".to_owned());
    services[1].fitness = Fitness::Bad(
        "`store` keeps restarting: it ended with exit code 137: it was killed, 7 restarts so far"
            .to_owned(),
    );
    let its = services[1].container.as_mut().unwrap();
    its.state = "restarting".to_owned();
    (its.restarts, its.age, its.cpu, its.memory) = (7, None, None, None);
    services[2].fitness = Fitness::Bad("`migrate` has no container".to_owned());
    services[2].container = None;
    let mut fresh = service("cache");
    fresh.fitness = Fitness::Coming("the health check of `cache` says starting".to_owned());
    let its = fresh.container.as_mut().unwrap();
    its.health = Some("starting".to_owned());
    (its.age, its.cpu) = (Some(4), None);
    services.push(fresh);
    services
}

/// Names as only somebody hostile gives them.
pub(super) fn spoiled() -> Vec<ServiceReading> {
    let mut service = service("we\u{1b}[2Jb\u{202e}x");
    service.fitness = Fitness::Bad("\u{1b}]0;owned\u{7} says so".to_owned());
    let its = service.container.as_mut().unwrap();
    its.image = format!("im\u{9b}31mage:{}", "9".repeat(300));
    its.name = "a\nb\rc".to_owned();
    its.state = "run\tning".to_owned();
    vec![service]
}

pub(super) fn read_at(name: &str, services: Vec<ServiceReading>, time: Timestamp) -> Watched {
    Watched::Read {
        host: host(name),
        reading: Box::new(HostReading {
            time,
            machine: machine(),
            services: Ok(services),
        }),
    }
}

pub(super) fn read(name: &str, services: Vec<ServiceReading>) -> Watched {
    read_at(name, services, now() - SignedDuration::from_secs(2))
}

pub(super) fn all_well() -> Vec<Watched> {
    THREE.iter().map(|name| read(name, well(name))).collect()
}

pub(super) fn lost(name: &str, again: Option<Timestamp>) -> Watched {
    Watched::Lost {
        host: host(name),
        failure: Failure {
            kind: FailureKind::Situation,
            host: Some(host(name)),
            message: "cannot connect to 10.0.0.12:22".to_owned(),
            causes: vec!["No route to host (os error 113)".to_owned()],
            hint: Some("check that the host is on and that 10.0.0.12:22 is reachable from here: `nc -vz 10.0.0.12 22`".to_owned()),
            command: None,
        },
        again,
    }
}

pub(super) fn without_docker(name: &str) -> Watched {
    Watched::Read {
        host: host(name),
        reading: Box::new(HostReading {
            time: now(),
            machine: machine(),
            services: Err(Failure {
                kind: FailureKind::Situation,
                host: Some(host(name)),
                message: "Docker cannot answer".to_owned(),
                causes: vec!["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?".to_owned()],
                hint: Some("see `journalctl -u docker` on the host".to_owned()),
                command: None,
            }),
        }),
    }
}

fn line(host_name: &str, service: &str, second: i64, text: String) -> Watched {
    Watched::Logged(LogRecord {
        time: now() + SignedDuration::from_secs(second),
        source: Arc::new(LogSource {
            host: host(host_name),
            stack: "application".to_owned(),
            service: service.to_owned(),
            container: service.to_owned(),
        }),
        voice: Voice::Out,
        text,
    })
}

pub(super) fn lines(count: i64) -> Vec<Watched> {
    (0..count)
        .map(|number| {
            let (host, service) = [("ui", "web"), ("ui", "store"), ("node-1", "worker")]
                [usize::try_from(number % 3).unwrap()];
            let status = if number % 7 == 0 { 500 } else { 200 };
            line(
                host,
                service,
                number,
                format!("request {number} GET /some/path status {status}"),
            )
        })
        .collect()
}

pub(super) fn hostile() -> Vec<Watched> {
    [
        "\u{1b}[2J\u{1b}[Hthe screen is cleared".to_owned(),
        "\u{1b}]0;the window is renamed\u{7}".to_owned(),
        "\u{1b}[31mred\u{1b}[0m and \u{9b}5mblinking".to_owned(),
        "overwritten\rwhat is kept".to_owned(),
        "right \u{202e}to left".to_owned(),
        format!("very {}long", "very ".repeat(2000)),
        "漢字 and e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}marks"
            .to_owned(),
        "broken \u{fffd}\u{fffd} bytes\t and a tab".to_owned(),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, text)| line("ui", "web", i64::try_from(at).unwrap(), text))
    .collect()
}
