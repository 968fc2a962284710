//! One reading of a host: its machine by a small command, its services by their containers.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::machine::{self, DOCKER_ROOT};
use super::usage::Shares;
use crate::engine::compose::PROJECT_LABEL;
use crate::engine::judge::{self, Standing};
use crate::model::docker::{ContainerFacts, ContainerUsage};
use crate::model::failure::Failure;
use crate::model::log::LogSource;
use crate::model::preset::{Service, ServiceState};
use crate::model::resolve::ExpectedStack;
use crate::model::watch::{
    ContainerReading, Fitness, HostReading, MachineReading, ServiceReading, Share,
};
use crate::transport::{ContainerFilter, Docker, Host, TransportError};

/// A container whose output can be read, and when it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) source: Arc<LogSource>,
    pub(super) started: Option<String>,
}

/// Looks at one host over one connection.
pub(super) struct Eye {
    host: Arc<dyn Host>,
    engine: Option<Engine>,
    shares: Shares,
}

struct Engine {
    docker: Arc<dyn Docker>,
    root: String,
}

/// What Docker told of a host.
struct Told {
    stacks: Vec<Vec<ContainerFacts>>,
    usage: Vec<ContainerUsage>,
}

impl Eye {
    pub(super) fn new(host: Arc<dyn Host>) -> Self {
        Self {
            host,
            engine: None,
            shares: Shares::default(),
        }
    }

    /// Returns the host's Docker, when it answered at the last look.
    pub(super) fn docker(&self) -> Option<Arc<dyn Docker>> {
        self.engine.as_ref().map(|e| Arc::clone(&e.docker))
    }

    /// Takes a reading; the containers are `None` when Docker did not answer.
    ///
    /// # Errors
    /// When the connection is broken, or the host hangs.
    pub(super) fn look(
        &mut self,
        stacks: &[ExpectedStack],
    ) -> Result<(HostReading, Option<Vec<Found>>), TransportError> {
        let root = self.engine.as_ref().map_or(DOCKER_ROOT, |e| &e.root);
        let machine = machine::ask(self.host.as_ref(), root)?;
        let told = match self.ask(stacks) {
            Ok(told) => Ok(told),
            Err(error @ TransportError::Lost { .. }) => return Err(error),
            Err(error) => {
                // Docker may come back on another way, such as a socket made anew.
                self.engine = None;
                Err(Failure::from_error(&error).on(self.host.name()))
            }
        };
        let found = told.as_ref().ok().map(|told| self.found(stacks, told));
        let services = told.map(|told| {
            let shares = self.shares.of(&told.usage);
            services(stacks, &told, &machine, &shares)
        });
        let reading = HostReading {
            time: Timestamp::now(),
            machine,
            services,
        };
        Ok((reading, found))
    }

    fn ask(&mut self, stacks: &[ExpectedStack]) -> Result<Told, TransportError> {
        let docker = self.engine()?;
        let mut told = Vec::new();
        for stack in stacks {
            let mut containers = docker.containers(&ContainerFilter {
                labels: vec![format!("{PROJECT_LABEL}={}", stack.project)],
            })?;
            containers.retain(|container| !container.is_over());
            told.push(containers);
        }
        let running: Vec<String> = told
            .iter()
            .flatten()
            .filter(|container| container.state == "running")
            .map(|container| container.id.clone())
            .collect();
        let usage = if running.is_empty() {
            Vec::new()
        } else {
            docker.usage(&running)?
        };
        Ok(Told {
            stacks: told,
            usage,
        })
    }

    /// Returns the host's Docker; where it keeps its data is asked once.
    fn engine(&mut self) -> Result<Arc<dyn Docker>, TransportError> {
        if let Some(engine) = &self.engine {
            return Ok(Arc::clone(&engine.docker));
        }
        let docker = self.host.docker()?;
        let root = docker.engine()?.root;
        self.engine = Some(Engine {
            docker: Arc::clone(&docker),
            root,
        });
        Ok(docker)
    }

    fn found(&self, stacks: &[ExpectedStack], told: &Told) -> Vec<Found> {
        let mut found = Vec::new();
        for (stack, containers) in stacks.iter().zip(&told.stacks) {
            found.extend(containers.iter().map(|container| Found {
                source: Arc::new(LogSource {
                    host: self.host.name().clone(),
                    stack: stack.stack.to_string(),
                    service: container.service().unwrap_or(&container.name).to_owned(),
                    container: container.id.clone(),
                }),
                started: container.started_at.clone(),
            }));
        }
        found.sort_by(|a, b| a.source.cmp(&b.source));
        found
    }
}

fn services(
    stacks: &[ExpectedStack],
    told: &Told,
    machine: &MachineReading,
    shares: &HashMap<String, u32>,
) -> Vec<ServiceReading> {
    let mut readings = Vec::new();
    for (stack, containers) in stacks.iter().zip(&told.stacks) {
        let mut add = |service: &str, fitness, container| {
            readings.push(ServiceReading {
                stack: stack.stack.to_string(),
                service: service.to_owned(),
                fitness,
                container,
            });
        };
        let read = |container: &ContainerFacts| {
            let usage = told.usage.iter().find(|usage| usage.id == container.id);
            let share = shares.get(&container.id).copied();
            reading(container, usage, share, machine.clock)
        };
        for wanted in &stack.services {
            let mut own = containers
                .iter()
                .filter(|c| is_of(c, &wanted.name))
                .peekable();
            if own.peek().is_none() {
                let why = format!("`{}` has no container", wanted.name);
                add(&wanted.name, Fitness::Bad(why), None);
            }
            for container in own {
                add(
                    &wanted.name,
                    fitness(wanted, container),
                    Some(read(container)),
                );
            }
        }
        // What nobody asked for is shown too: somebody started it.
        for container in containers {
            if !stack
                .services
                .iter()
                .any(|wanted| is_of(container, &wanted.name))
            {
                let name = container.service().unwrap_or(&container.name);
                add(
                    name,
                    fitness(&unasked(name, container), container),
                    Some(read(container)),
                );
            }
        }
    }
    readings
}

fn is_of(container: &ContainerFacts, service: &str) -> bool {
    container.service() == Some(service)
}

/// Returns what may be asked of a service of which nothing is known.
fn unasked(name: &str, container: &ContainerFacts) -> Service {
    let state = match container.exit_code {
        Some(0) if container.state == "exited" => ServiceState::Completed,
        _ => ServiceState::Running,
    };
    Service {
        name: name.to_owned(),
        when: None,
        state,
        within: 0,
        reload: Vec::new(),
    }
}

/// Judges a container at one look: what a deployment would still wait for may be trouble once it has run.
fn fitness(service: &Service, container: &ContainerFacts) -> Fitness {
    // One of several is judged alone.
    match judge::service(service, std::slice::from_ref(container)) {
        Standing::Good => Fitness::Good,
        Standing::Bad(why) => Fitness::Bad(why),
        Standing::Waiting(why) => {
            let broken =
                container.state == "restarting" || container.health.as_deref() == Some("unhealthy");
            if broken {
                Fitness::Bad(why)
            } else {
                Fitness::Coming(why)
            }
        }
    }
}

fn reading(
    container: &ContainerFacts,
    usage: Option<&ContainerUsage>,
    cpu: Option<u32>,
    clock: Option<Timestamp>,
) -> ContainerReading {
    let runs = container.state == "running";
    let started: Option<Timestamp> = container.started_at.as_ref().and_then(|at| at.parse().ok());
    let age = started.zip(clock).filter(|_| runs).map(|(started, clock)| {
        clock
            .duration_since(started)
            .as_secs()
            .max(0)
            .unsigned_abs()
    });
    ContainerReading {
        id: container.id.clone(),
        name: container.name.clone(),
        state: container.state.clone(),
        health: container.health.clone(),
        restarts: container.restarts,
        age,
        cpu,
        memory: usage.map(|usage| Share {
            used: usage.memory,
            total: usage.memory_limit,
        }),
        image: container.image.clone(),
        published: container.published.clone(),
    }
}
