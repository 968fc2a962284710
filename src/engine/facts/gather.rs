//! Puts the parts together: one host, and all hosts at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use super::script::{Part, Told, ask};
use super::{FactsError, engine_limits, listeners, machine, network};
use crate::engine::fan_out::fan_out;
use crate::model::event::{Event, Listener};
use crate::model::facts::{Disk, DockerFacts, HostFacts, RootAccess};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::transport::{ContainerFilter, Docker, Host, TransportError};

/// What came of looking at all hosts.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The hosts that told what they are.
    pub facts: BTreeMap<HostName, HostFacts>,
    /// The hosts that could not be looked at, and why.
    pub lost: BTreeMap<HostName, Failure>,
}

/// Looks at all hosts, at most `concurrency` at once, and tells of each as soon as it answered. One that fails stops no other.
pub fn gather_all(
    hosts: &BTreeMap<HostName, Arc<dyn Host>>,
    base_folder: &str,
    concurrency: usize,
    listener: &dyn Listener,
) -> Gathered {
    let outcomes = fan_out(hosts.values().collect(), concurrency, |host| {
        let outcome = gather(host.as_ref(), base_folder)
            .map_err(|error| Failure::from_error(&error).on(host.name()));
        listener.hear(match &outcome {
            Ok(facts) => Event::FactsGathered {
                facts: Box::new(facts.clone()),
            },
            Err(failure) => Event::HostLost {
                host: host.name().clone(),
                failure: failure.clone(),
            },
        });
        (host.name().clone(), outcome)
    });
    let mut gathered = Gathered::default();
    for (host, outcome) in outcomes {
        match outcome {
            Ok(facts) => drop(gathered.facts.insert(host, facts)),
            Err(failure) => drop(gathered.lost.insert(host, failure)),
        }
    }
    gathered
}

/// Looks at one host.
///
/// # Errors
/// When the host cannot be worked on, or does not answer like a Linux host. A Docker that does not answer is a fact and no error.
pub fn gather(host: &dyn Host, base_folder: &str) -> Result<HostFacts, FactsError> {
    let (told, seen_by_root, docker) = thread::scope(|scope| {
        let docker = scope.spawn(|| ask_docker(host));
        let privileged = scope.spawn(|| match host.root_access() {
            RootAccess::Passwordless | RootAccess::Password => {
                ask(host, Part::Root, base_folder).ok()
            }
            RootAccess::IsRoot | RootAccess::PasswordMissing | RootAccess::None => None,
        });
        let told = ask(host, Part::Login, base_folder);
        (told, privileged.join().ok().flatten(), answered(docker))
    });
    let told = told?;
    assemble(host, &told, seen_by_root.as_ref(), docker)
}

/// Puts together what the script told the login and root, and what Docker said.
fn assemble(
    host: &dyn Host,
    told: &Told,
    seen_by_root: Option<&Told>,
    docker: Result<DockerFacts, TransportError>,
) -> Result<HostFacts, FactsError> {
    let fullest = seen_by_root.unwrap_or(told);
    let root = host.root_access();
    let system = machine::system(told)?;
    let (memory, memory_available) = machine::memory(told)?;
    let network = network::network(told);
    let as_user = told.one("docker-socket") == Some("writable");
    let (docker, docker_problem) = match docker {
        Ok(docker) => (Some(DockerFacts { as_user, ..docker }), None),
        Err(refusal) => (
            None,
            Some(engine_limits::problem(told, fullest, root, &refusal)),
        ),
    };
    let disks = match &docker {
        Some(docker) => with_root(host, machine::disks(told), &docker.engine.root),
        None => machine::disks(told),
    };
    Ok(HostFacts {
        host: host.name().clone(),
        os: system.os,
        os_id: system.os_id,
        os_version: system.os_version,
        kernel: system.kernel,
        architecture: system.architecture,
        cpus: told
            .must("cpus", "CPUs")?
            .parse()
            .map_err(|_| FactsError::Missing {
                what: "CPUs",
                stderr: told.complaint.clone(),
            })?,
        memory,
        memory_available,
        hostname: system.hostname,
        machine_id: told.one("machine-id").unwrap_or_default().to_owned(),
        addresses: network.addresses,
        routes: network.routes,
        default_address: network.default_address,
        clock_skew: told.clock_skew,
        disks,
        listeners: listeners::listeners(fullest),
        user: machine::user(told, root)?,
        docker,
        docker_problem,
        compose: engine_limits::compose(told),
        nofile_limit: engine_limits::nofile_limit(fullest),
        proxies: machine::proxies(told),
        tools: machine::tools(told),
        folders: fullest.all("folder").map(str::to_owned).collect(),
    })
}

/// Adds the file system under Docker's root, when the engine keeps its data elsewhere than the script guessed.
fn with_root(host: &dyn Host, mut disks: Vec<Disk>, root: &str) -> Vec<Disk> {
    if !disks.iter().any(|disk| disk.path == root)
        && let Ok(told) = ask(host, Part::Disk, root)
    {
        disks.splice(0..0, machine::disks(&told));
    }
    disks
}

/// Asks Docker everything at once; the calls share one connection to the host.
fn ask_docker(host: &dyn Host) -> Result<DockerFacts, TransportError> {
    let docker = host.docker()?;
    let docker: &dyn Docker = docker.as_ref();
    thread::scope(|scope| {
        let images = scope.spawn(|| docker.images());
        let containers = scope.spawn(|| docker.containers(&ContainerFilter::default()));
        let networks = scope.spawn(|| docker.networks());
        let volumes = scope.spawn(|| docker.volumes());
        let engine = docker.engine();
        Ok(DockerFacts {
            as_user: false,
            images: answered(images)?,
            containers: answered(containers)?,
            networks: answered(networks)?,
            volumes: answered(volumes)?,
            engine: engine?,
        })
    })
}

/// Waits for a call.
fn answered<T>(
    call: thread::ScopedJoinHandle<'_, Result<T, TransportError>>,
) -> Result<T, TransportError> {
    call.join().unwrap_or_else(|_| {
        Err(TransportError::Docker {
            action: "be asked".to_owned(),
            detail: "the call ended early".to_owned(),
            status: None,
        })
    })
}

#[cfg(test)]
mod tests;
