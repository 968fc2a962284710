//! What is known of a deployment by now, folded from what was seen. Knows no screen.

use jiff::{SignedDuration, Timestamp};

use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::watch::{Fitness, MachineReading, ServiceReading, Watched};

/// What was read longer ago than this is old, whatever the reason.
const OLD: SignedDuration = SignedDuration::from_secs(12);

/// Why a host is not reached.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    pub(super) failure: Failure,
    /// When it is tried again by itself.
    pub(super) again: Option<Timestamp>,
}

/// A host.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HostState {
    pub(super) name: HostName,
    pub(super) address: String,
    pub(super) machine: MachineReading,
    /// When the machine was read last.
    pub(super) read: Option<Timestamp>,
    pub(super) services: Vec<ServiceReading>,
    /// When its services were read last.
    pub(super) services_read: Option<Timestamp>,
    /// Why its Docker does not answer.
    pub(super) docker: Option<Failure>,
    pub(super) lost: Option<Lost>,
}

/// How a host stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostMark {
    /// It was not read yet.
    Waiting,
    /// It is reached, and all on it is as it must be.
    Good,
    /// Something on it is on its way.
    Coming,
    /// Something on it is not as it must be.
    Bad,
    /// It is not reached, or says nothing.
    Lost,
}

impl HostState {
    fn new(name: HostName, address: String) -> Self {
        Self {
            name,
            address,
            machine: MachineReading::default(),
            read: None,
            services: Vec::new(),
            services_read: None,
            docker: None,
            lost: None,
        }
    }

    /// Returns whether what is known of its machine is old.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        self.lost.is_some() || self.read.is_some_and(|read| now.duration_since(read) > OLD)
    }

    /// Returns whether what is known of its services is old.
    pub(super) fn services_are_old(&self, now: Timestamp) -> bool {
        let old = self
            .services_read
            .is_some_and(|read| now.duration_since(read) > OLD);
        self.is_old(now) || self.docker.is_some() || old
    }

    /// Returns how it stands.
    pub(super) fn mark(&self, now: Timestamp) -> HostMark {
        if self.lost.is_some() || self.docker.is_some() {
            return HostMark::Lost;
        }
        if self.read.is_none() {
            return HostMark::Waiting;
        }
        if self.is_old(now) {
            return HostMark::Lost;
        }
        let any = |wanted: fn(&Fitness) -> bool| self.services.iter().any(|s| wanted(&s.fitness));
        if any(|fitness| matches!(fitness, Fitness::Bad(_))) {
            HostMark::Bad
        } else if any(|fitness| matches!(fitness, Fitness::Coming(_))) {
            HostMark::Coming
        } else {
            HostMark::Good
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// A host, by its place.
    Host(usize),
    /// A service: its host's place, and its own.
    Service(usize, usize),
}

/// A deployment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeploymentView {
    pub(super) hosts: Vec<HostState>,
}

impl DeploymentView {
    pub(super) fn new(hosts: impl IntoIterator<Item = (HostName, String)>) -> Self {
        let hosts = hosts.into_iter();
        Self {
            hosts: hosts
                .map(|(name, address)| HostState::new(name, address))
                .collect(),
        }
    }

    /// Takes in what was seen of a host; lines of logs are none of its affairs.
    pub(super) fn apply(&mut self, watched: &Watched) {
        let (Watched::Connecting { host: name }
        | Watched::Read { host: name, .. }
        | Watched::Lost { host: name, .. }) = watched
        else {
            return;
        };
        let Some(state) = self.hosts.iter_mut().find(|state| state.name == *name) else {
            return;
        };
        match watched {
            Watched::Read { reading, .. } => {
                state.lost = None;
                state.machine = reading.machine.clone();
                state.read = Some(reading.time);
                match &reading.services {
                    Ok(services) => {
                        state.services.clone_from(services);
                        state.services_read = Some(reading.time);
                        state.docker = None;
                    }
                    Err(failure) => state.docker = Some(failure.clone()),
                }
            }
            Watched::Lost { failure, again, .. } => {
                state.lost = Some(Lost {
                    failure: failure.clone(),
                    again: *again,
                });
            }
            // A host that was lost stays so until it was read again; the reason stays to be seen meanwhile.
            _ => {
                if let Some(lost) = &mut state.lost {
                    lost.again = None;
                }
            }
        }
    }

    /// Returns the rows of the table.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, host) in self.hosts.iter().enumerate() {
            rows.push(Row::Host(at));
            rows.extend((0..host.services.len()).map(|service| Row::Service(at, service)));
        }
        rows
    }

    /// Returns the sum of it in a few words.
    pub(super) fn sum(&self, now: Timestamp) -> String {
        use crate::ui::amounts::count;
        let marks = || self.hosts.iter().map(|host| host.mark(now));
        let with = |wanted: HostMark| marks().filter(|mark| *mark == wanted).count();
        let fresh = self.hosts.iter().filter(|host| !host.services_are_old(now));
        let bad = fresh
            .flat_map(|host| &host.services)
            .filter(|service| matches!(service.fitness, Fitness::Bad(_)))
            .count();
        let services = self.hosts.iter().map(|host| host.services.len()).sum();
        let mut words = vec![count(self.hosts.len(), "host"), count(services, "service")];
        if bad > 0 {
            words.push(format!("{bad} not as it must be"));
        }
        match with(HostMark::Lost) {
            0 => {}
            lost => words.push(format!("{} not read", count(lost, "host"))),
        }
        if with(HostMark::Waiting) > 0 {
            words.push("reading".to_owned());
        } else if marks().all(|mark| mark == HostMark::Good) {
            words.push("all well".to_owned());
        }
        words.join(", ")
    }
}
