//! Stops a Compose project that somebody set up by hand, so that a stack of ours goes on with its data.
//!
//! Its containers stay as they are, but for their restart policy: otherwise they would come back with the host and take ports and data from what runs then.
//! Its folder, networks and volumes are left alone, so it can be brought back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, Context, Materials, Rights};
use crate::engine::compose::PROJECT_LABEL;
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::shell_quoted;
use crate::transport::{Command, ContainerFilter};

/// Limit for stopping; each container has ten seconds of its own.
const LIMIT: Duration = Duration::from_mins(5);

/// Stops a project of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RetireProject {
    /// The stack that takes its place.
    pub stack: StackId,
    /// The Compose project.
    pub project: String,
    /// The folder that it was started from.
    pub folder: String,
    /// Whose rights it needs.
    pub rights: Rights,
}

impl RetireProject {
    /// Returns the containers that run, by id.
    fn running(&self, cx: &Context<'_>) -> Result<Vec<String>, ActionError> {
        let filter = ContainerFilter {
            labels: vec![format!("{PROJECT_LABEL}={}", self.project)],
        };
        let all = cx.host.docker()?.containers(&filter)?;
        let runs = |container: &&ContainerFacts| {
            matches!(
                container.state.as_str(),
                "running" | "restarting" | "paused"
            )
        };
        Ok(all.iter().filter(runs).map(|c| c.id.clone()).collect())
    }

    /// Returns the command that starts it again as it was.
    pub(in crate::engine) fn way_back(&self) -> String {
        format!(
            "cd {} && {}docker compose --project-name {} up --detach --force-recreate",
            shell_quoted(&self.folder),
            self.rights.typed(),
            shell_quoted(&self.project)
        )
    }
}

impl Action for RetireProject {
    fn describe(&self) -> Description {
        Description {
            summary: format!(
                "stop the Compose project `{}`, whose place `{}` takes",
                self.project, self.stack
            ),
            reasons: vec![
                "its containers, volumes and folder stay".to_owned(),
                format!(
                    "once `{}` is stopped, this brings it back: {}",
                    self.stack,
                    self.way_back()
                ),
            ],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("leave the Compose project `{}` stopped", self.project),
            reasons: vec![format!("this brings it back: {}", self.way_back())],
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let sudo = self.rights.typed();
        let label = shell_quoted(&format!("label={PROJECT_LABEL}={}", self.project));
        let list = format!("$({sudo}docker ps --quiet --filter {label})");
        vec![
            ByHand::Run(format!(
                "{sudo}docker update --restart no {list} && {sudo}docker stop {list}"
            )),
            ByHand::Say(format!("This brings it back: `{}`.", self.way_back())),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.running(cx)?.is_empty() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let mut list = String::new();
        for id in self.running(cx)? {
            list.push(' ');
            list.push_str(&quote(&id)?);
        }
        if list.is_empty() {
            return Ok(());
        }
        let script = format!("docker update --restart no{list} && docker stop{list}");
        let command = Command::sh(script)
            .with_privilege(self.rights.privilege())
            .within(LIMIT);
        let output = cx.host.run(&command)?;
        if output.ok() {
            return Ok(());
        }
        let message = format!("the Compose project `{}` does not stop", self.project);
        Err(ActionError::ended_badly(message, &output))
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::{Machine, container};

    #[test]
    fn what_runs_is_stopped_for_good_and_nothing_is_removed() {
        let machine = Machine::new();
        let mut action = RetireProject {
            stack: "ui".parse().unwrap(),
            project: "by-hand".to_owned(),
            folder: "/home/ops/app".to_owned(),
            rights: Rights::Login,
        };
        let mut ended = container("by-hand", "once");
        ended.state = "exited".to_owned();
        let other = container("shop", "web");
        machine.engine.world().containers = vec![container("by-hand", "db"), ended, other];
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
        action.execute(&machine.cx()).unwrap();
        let called = machine.engine.world().called.join("\n");
        assert!(
            called.contains("update --restart no by-hand-db"),
            "{called}"
        );
        assert!(called.contains("stop by-hand-db"), "{called}");
        assert!(
            !called.contains("shop") && !called.contains("rm"),
            "{called}"
        );
        machine.engine.world().containers[0].state = "exited".to_owned();
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    }
}
