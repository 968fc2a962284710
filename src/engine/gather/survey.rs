//! What there is to read on a host: containers of its stacks, containers that services started by themselves, folders of files, the engine's journal; and the
//! secrets it keeps, without which no line may be written.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{Order, in_one_line};
use crate::engine::redact::kept::{self, Found};
use crate::model::deployment::Deployment;
use crate::model::docker::ContainerFacts;
use crate::model::ids::HostName;
use crate::model::log::LogSource;
use crate::model::preset;
use crate::model::resolve::{ExpectedStack, expected};
use crate::transport::{ContainerFilter, Docker, Host, TransportError};

/// A host that does not say within so long what is on it hangs.
const LIMIT: Duration = Duration::from_secs(45);

/// The name under which the journal of a host's engine stands.
pub(super) const DAEMON: (&str, &str) = ("docker", "daemon");

/// How a source is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Kind {
    /// A container's output.
    Container,
    /// Files in a folder of a container.
    Folder {
        /// The folder.
        path: String,
    },
    /// The journal of the engine.
    Daemon,
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Source {
    pub(in crate::engine) log: Arc<LogSource>,
    pub(in crate::engine) kind: Kind,
}

/// What was found on a host.
#[derive(Default)]
pub(in crate::engine) struct Survey {
    pub(in crate::engine) secrets: Vec<Found>,
    pub(in crate::engine) docker: Option<Arc<dyn Docker>>,
    pub(in crate::engine) containers: Vec<ContainerFacts>,
    pub(in crate::engine) sources: Vec<Source>,
    /// What should be there and is not: its name and why.
    pub(in crate::engine) missing: Vec<(String, String)>,
}

/// What is looked for on one host.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Search {
    host: HostName,
    stacks: Vec<ExpectedStack>,
    logs: Vec<preset::LogSource>,
    order: Order,
}

impl Search {
    pub(in crate::engine) fn new(deployment: &Deployment, host: &HostName, order: &Order) -> Self {
        let stacks = expected(deployment).into_iter();
        Self {
            host: host.clone(),
            stacks: stacks.filter(|stack| stack.host == *host).collect(),
            logs: deployment.preset.parts.logs.clone(),
            order: order.clone(),
        }
    }

    /// Looks at a host; `None` when it does not say in time.
    pub(in crate::engine) fn survey(&self, host: &Arc<dyn Host>) -> Option<Survey> {
        let (host, search) = (Arc::clone(host), self.clone());
        within(LIMIT, move || search.look(&host))
    }

    fn look(&self, host: &Arc<dyn Host>) -> Survey {
        let mut survey = Survey {
            secrets: kept::read(host.as_ref(), &self.stacks),
            ..Survey::default()
        };
        match containers(host) {
            Ok((docker, containers)) => {
                survey.docker = Some(docker);
                survey.containers = containers;
                self.find(&mut survey);
            }
            Err(error) => {
                let why = format!("its containers cannot be read: {}", in_one_line(&error));
                survey.missing.push((self.host.to_string(), why));
            }
        }
        if self.order.daemon && self.order.wants(DAEMON.0, DAEMON.1) {
            survey
                .sources
                .push(self.source(DAEMON.0, DAEMON.1, "", Kind::Daemon));
        }
        survey
    }

    fn source(&self, stack: &str, service: &str, container: &str, kind: Kind) -> Source {
        Source {
            log: Arc::new(LogSource {
                host: self.host.clone(),
                stack: stack.to_owned(),
                service: service.to_owned(),
                container: container.to_owned(),
            }),
            kind,
        }
    }

    fn find(&self, survey: &mut Survey) {
        let containers = survey.containers.clone();
        for stack in &self.stacks {
            let name = stack.stack.as_str();
            let own = containers
                .iter()
                .filter(|c| c.project() == Some(stack.project.as_str()));
            let own: Vec<&ContainerFacts> = own.collect();
            for (at, container) in own.iter().enumerate() {
                let service = container.service().unwrap_or(&container.name);
                let twins = own.iter().filter(|c| c.service() == Some(service)).count();
                let before = own[..at].iter().filter(|c| c.service() == Some(service));
                let service = match before.count() {
                    // One of several of a service stands under its number.
                    number if twins > 1 => format!("{service}-{}", number + 1),
                    _ => service.to_owned(),
                };
                if self
                    .order
                    .wants(name, container.service().unwrap_or(&container.name))
                {
                    let source = self.source(name, &service, &container.id, Kind::Container);
                    survey.sources.push(source);
                }
            }
            for service in &stack.services {
                let there = own.iter().any(|c| c.service() == Some(&service.name));
                if !there && self.order.wants(name, &service.name) {
                    let label = format!("{}/{name}/{}", self.host, service.name);
                    survey
                        .missing
                        .push((label, "it has no container".to_owned()));
                }
            }
            self.beside(stack, &own, survey);
        }
    }

    /// Finds what the preset names beside the containers of a stack.
    fn beside(&self, stack: &ExpectedStack, own: &[&ContainerFacts], survey: &mut Survey) {
        let name = stack.stack.as_str();
        let all = survey.containers.clone();
        for log in self.logs.iter().filter(|log| log.stack == stack.stack) {
            let mut holders = own.iter().filter(|c| c.service() == Some(&log.service));
            let Some(holder) = holders.next() else {
                continue;
            };
            if let Some(path) = &log.path
                && self.order.wants(name, &log.service)
            {
                let kind = Kind::Folder { path: path.clone() };
                survey
                    .sources
                    .push(self.source(name, &log.service, &holder.id, kind));
            }
            for container in all.iter().filter(|c| is_started(log, stack, c)) {
                let wanted =
                    self.order.wants(name, &container.name) || self.order.wants(name, &log.service);
                if container.project().is_none() && wanted {
                    let source = self.source(name, &container.name, &container.id, Kind::Container);
                    survey.sources.push(source);
                }
            }
        }
    }
}

/// Returns whether a container is one of those that a service starts by itself.
fn is_started(log: &preset::LogSource, stack: &ExpectedStack, container: &ContainerFacts) -> bool {
    let named = |pattern: &String| {
        let pattern = pattern.replace("{{ project }}", &stack.project);
        fits(&pattern, &container.name)
    };
    let labelled = |label: &String| match label.split_once('=') {
        Some((name, value)) => container.labels.get(name).is_some_and(|v| v == value),
        None => container.labels.contains_key(label),
    };
    log.containers.as_ref().is_some_and(named) || log.label.as_ref().is_some_and(labelled)
}

/// Returns whether a name fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len())
                .filter(|at| tail.is_char_boundary(*at))
                .any(|at| fits(rest, &tail[at..]))
        }),
    }
}

/// An engine and all its containers.
type Told = (Arc<dyn Docker>, Vec<ContainerFacts>);

fn containers(host: &Arc<dyn Host>) -> Result<Told, TransportError> {
    let docker = host.docker()?;
    let containers = docker.containers(&ContainerFilter::default())?;
    Ok((docker, containers))
}

/// Does something on a thread of its own and waits so long for it; one that hangs is left to itself, since all it does is read.
pub(in crate::engine) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (send, done) = channel();
    thread::spawn(move || {
        // Nobody waits any more when this fails.
        let _ = send.send(work());
    });
    done.recv_timeout(limit).ok()
}

/// Looks again at a host that is followed, for containers that came meanwhile.
pub(super) struct Again {
    pub(super) host: Arc<dyn Host>,
    search: Search,
    known: Vec<String>,
}

impl Again {
    pub(super) fn new(
        host: &Arc<dyn Host>,
        survey: &Survey,
        deployment: &Deployment,
        order: &Order,
    ) -> Self {
        let known = survey.sources.iter().map(|source| &source.log.container);
        Self {
            host: Arc::clone(host),
            search: Search::new(deployment, host.name(), order),
            known: known.cloned().collect(),
        }
    }

    /// Returns the containers that came since the last look, with what reads them.
    pub(super) fn look(&mut self) -> Option<Survey> {
        let mut survey = self.search.survey(&self.host)?;
        survey.sources.retain(|source| {
            source.kind == Kind::Container && !self.known.contains(&source.log.container)
        });
        let new = survey.sources.iter();
        self.known
            .extend(new.map(|source| source.log.container.clone()));
        Some(survey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("user-*", "user-anna", true)]
    #[case("user-*", "other-anna", false)]
    #[case("*-x-*", "a-x-b", true)]
    #[case("*-x-*", "a-xb", false)]
    #[case("exact", "exact", true)]
    #[case("exact", "exactly", false)]
    fn names_fit(#[case] pattern: &str, #[case] name: &str, #[case] fit: bool) {
        assert_eq!(fits(pattern, name), fit);
    }

    #[test]
    fn what_hangs_is_not_waited_for() {
        let forever = || thread::sleep(Duration::from_mins(10));
        assert!(within(Duration::from_millis(10), forever).is_none());
        assert_eq!(within(Duration::from_mins(1), || 7), Some(7));
    }
}
