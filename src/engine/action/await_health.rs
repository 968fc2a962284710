//! Waits until every service of a stack is as it must be, and stays so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::PROJECT_LABEL;
use crate::engine::judge::looping::Looping;
use crate::engine::judge::{self, Standing, starting};
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::preset::{Service, ServiceState};
use crate::model::text::{shell_quoted, visible_lines};
use crate::transport::ContainerFilter;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// Log lines kept as evidence.
const LINES: usize = 20;

/// Waits for a stack's services; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AwaitHealth {
    /// The stack.
    pub stack: StackId,
    /// Its Compose project.
    pub project: String,
    /// What its services must look like.
    pub services: Vec<Service>,
    /// Milliseconds for which nothing may restart before it counts as healthy.
    pub settle_ms: u64,
}

/// What a container looked like: when any of this changes, it has restarted.
type Starts = BTreeMap<String, (i64, Option<String>)>;

impl AwaitHealth {
    fn containers(&self, cx: &Context<'_>) -> Result<Vec<ContainerFacts>, ActionError> {
        let filter = ContainerFilter {
            labels: vec![format!("{PROJECT_LABEL}={}", self.project)],
        };
        let docker = cx.host.docker()?;
        let containers = docker.containers(&filter)?;
        Ok(starting::asked(docker.as_ref(), containers))
    }

    /// Returns the first service that is not good, with how it stands.
    fn first_lacking(&self, containers: &[ContainerFacts]) -> Option<(&Service, Standing)> {
        let standings: Vec<_> = self
            .services
            .iter()
            .map(|service| (service, judge::service(service, containers)))
            .filter(|(_, standing)| *standing != Standing::Good)
            .collect();
        let worst = standings
            .iter()
            .position(|(_, standing)| matches!(standing, Standing::Bad(_)))
            .unwrap_or(0);
        standings.into_iter().nth(worst)
    }

    fn good(&self, containers: &[ContainerFacts]) -> usize {
        self.services
            .iter()
            .filter(|service| judge::service(service, containers) == Standing::Good)
            .count()
    }

    /// Returns the time after which a stack that looks good and never settles is given up.
    fn longest(&self) -> Duration {
        let within = self.services.iter().map(|service| service.within).max();
        Duration::from_secs(within.unwrap_or_default()) + Duration::from_millis(self.settle_ms)
    }

    /// Says which service restarts again and again although it runs at each look.
    fn restless(&self, containers: &[ContainerFacts], cx: &Context<'_>) -> ActionError {
        let most = containers.iter().max_by_key(|container| container.restarts);
        let service = most.and_then(|container| {
            self.services
                .iter()
                .find(|service| container.service() == Some(&service.name))
        });
        match (most, service) {
            (Some(container), Some(service)) => {
                let why = format!(
                    "`{}` keeps restarting: {} times so far",
                    service.name, container.restarts
                );
                self.failed(cx, service, why)
            }
            _ => ActionError::Bug(format!("no service of `{}` to wait for", self.stack)),
        }
    }

    /// Gives up as soon as it is sure that a service will not come.
    pub(super) fn refuse_looping(
        &self,
        looping: &mut Looping,
        containers: &[ContainerFacts],
        cx: &Context<'_>,
    ) -> Result<(), ActionError> {
        let Some((name, why)) = looping.look(containers, Instant::now()) else {
            return Ok(());
        };
        let service = self.services.iter().find(|service| service.name == name);
        service.map_or(Ok(()), |service| Err(self.failed(cx, service, why)))
    }

    fn failed(&self, cx: &Context<'_>, service: &Service, why: String) -> ActionError {
        ActionError::Situation {
            message: why,
            evidence: self.evidence(cx, service),
            remedy: Some(format!(
                "see the whole log on the host with `docker compose -p {} logs {}`, mend the cause and run the same command again",
                self.project, service.name
            )),
            command: Some(format!(
                "sudo docker restart $(sudo docker ps -aq --filter label=com.docker.compose.project={} --filter label=com.docker.compose.service={})",
                self.project, service.name
            )),
        }
    }

    /// Returns the last lines of the service's log; none when they cannot be had, since the failure itself is worth more.
    fn evidence(&self, cx: &Context<'_>, service: &Service) -> Vec<String> {
        let logs = self.containers(cx).and_then(|containers| {
            let container = containers
                .iter()
                .find(|container| container.service() == Some(&service.name))
                .map(|container| container.id.clone());
            match container {
                Some(id) => Ok(cx.host.docker()?.logs(&id, LINES)?),
                None => Ok(String::new()),
            }
        });
        match logs {
            Ok(text) => visible_lines(&text)
                .filter(|line| !line.trim().is_empty())
                .map(std::borrow::Cow::into_owned)
                .collect(),
            Err(error) => vec![format!("its log cannot be read: {error}")],
        }
    }
}

fn starts(containers: &[ContainerFacts]) -> Starts {
    containers
        .iter()
        .map(|container| {
            let start = (container.restarts, container.started_at.clone());
            (container.id.clone(), start)
        })
        .collect()
}

/// Returns whether every container has run longer than `settle`; a clock that disagrees counts as no.
fn settled(containers: &[ContainerFacts], settle: Duration, now: jiff::Timestamp) -> bool {
    containers.iter().all(|container| {
        container
            .started_at
            .as_deref()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .and_then(|start| Duration::try_from(now.duration_since(start)).ok())
            .is_some_and(|ran| ran > settle)
    })
}

impl Action for AwaitHealth {
    fn describe(&self) -> Description {
        Description {
            summary: format!("wait until `{}` is healthy", self.stack),
            reasons: self
                .services
                .iter()
                .map(|service| format!("`{}` within {} s", service.name, service.within))
                .collect(),
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description::nothing_to_undo()
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let services = self.services.iter().map(|service| {
            let state = match service.state {
                ServiceState::Running => "runs, and is healthy where it has a health check",
                ServiceState::Completed => "has ended with code 0",
            };
            format!("`{}` {state}, within {} s", service.name, service.within)
        });
        let services: Vec<String> = services.collect();
        vec![
            ByHand::Run(format!(
                "docker compose --project-name {} ps --all",
                shell_quoted(&self.project)
            )),
            ByHand::Say(format!("Repeat it until {}.", services.join("; "))),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let containers = self.containers(cx)?;
        let settle = Duration::from_millis(self.settle_ms);
        let healthy = self.first_lacking(&containers).is_none()
            && settled(&containers, settle, jiff::Timestamp::now());
        Ok(if healthy {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let began = Instant::now();
        let total = u64::try_from(self.services.len()).ok();
        let mut seen = Starts::new();
        let mut calm = Instant::now();
        let mut said = String::new();
        let mut looping = Looping::default();
        loop {
            let containers = self.containers(cx)?;
            self.refuse_looping(&mut looping, &containers, cx)?;
            let now = starts(&containers);
            if now != seen {
                seen = now;
                calm = Instant::now();
            }
            cx.progress.at(self.good(&containers) as u64, total);
            match self.first_lacking(&containers) {
                None if calm.elapsed() >= Duration::from_millis(self.settle_ms) => return Ok(()),
                None if began.elapsed() >= self.longest() => {
                    return Err(self.restless(&containers, cx));
                }
                None | Some((_, Standing::Good)) => {}
                Some((service, Standing::Bad(why))) => return Err(self.failed(cx, service, why)),
                Some((service, Standing::Waiting(why))) => {
                    if began.elapsed() >= Duration::from_secs(service.within) {
                        let why = format!("{why}, after {} s", service.within);
                        return Err(self.failed(cx, service, why));
                    }
                    if why != said {
                        cx.progress.line(&why);
                        said = why;
                    }
                }
            }
            if cx.progress.wait(LOOK) {
                return Err(ActionError::Cancelled);
            }
        }
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
