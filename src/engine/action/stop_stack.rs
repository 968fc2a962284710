//! Stops the services of one stack but for those that data is saved with; containers, networks and volumes stay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::Compose;
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::Input;

/// Limit for stopping; each service has ten seconds of its own.
const LIMIT: Duration = Duration::from_mins(5);

/// Stops a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StopStack {
    /// The stack.
    pub stack: StackId,
    /// Its project on the host.
    pub compose: Compose,
    /// Services that go on.
    pub keep: Vec<String>,
}

impl StopStack {
    /// Returns the services that run and shall not.
    fn running(&self, cx: &Context<'_>) -> Result<Vec<String>, ActionError> {
        let mut services: Vec<String> = cx
            .host
            .docker()?
            .containers(&self.compose.filter())?
            .iter()
            .filter(|c| matches!(c.state.as_str(), "running" | "restarting"))
            .filter_map(|container| container.service().map(str::to_owned))
            .filter(|service| !self.keep.contains(service))
            .collect();
        services.sort();
        services.dedup();
        Ok(services)
    }
}

impl Action for StopStack {
    fn describe(&self) -> Description {
        let mut reasons = Vec::new();
        if !self.keep.is_empty() {
            reasons.push(format!("{} goes on", self.keep.join(", ")));
        }
        Description {
            summary: format!("stop stack `{}`", self.stack),
            reasons,
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: format!("nothing to undo: start stack `{}` again", self.stack),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let mut parts = vec![ByHand::Run(self.compose.typed("stop"))];
        if !self.keep.is_empty() {
            parts.push(ByHand::Say(format!(
                "Start {} again, whose data is saved next.",
                self.keep.join(", ")
            )));
        }
        parts
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.running(cx)?.is_empty() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let running = self.running(cx)?;
        let mut arguments = vec!["stop"];
        arguments.extend(running.iter().map(String::as_str));
        let output = self.compose.run(cx.host, &arguments, Input::Empty, LIMIT)?;
        if output.ok() {
            return Ok(());
        }
        let message = format!("`docker compose stop` for `{}` failed", self.stack);
        Err(ActionError::ended_badly(message, &output))
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::action::Rights;
    use crate::engine::machine::{Machine, container};

    #[test]
    fn it_stops_what_runs_and_leaves_what_data_is_saved_with() {
        let machine = Machine::new();
        fs_err::create_dir(machine.path("opt")).unwrap();
        let mut action = StopStack {
            stack: "ui".parse().unwrap(),
            compose: Compose {
                project: "acme-ui".to_owned(),
                folder: machine.path("opt"),
                command: vec!["docker".to_owned(), "compose".to_owned()],
                rights: Rights::Login,
            },
            keep: vec!["db".to_owned()],
        };
        machine.engine.world().containers = ["db", "web"].map(|s| container("acme-ui", s)).into();
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
        action.execute(&machine.cx()).unwrap();
        let called = machine.engine.world().called.join("\n");
        assert!(
            called.ends_with("--project-name acme-ui stop web"),
            "{called}"
        );

        machine.engine.world().containers = vec![container("acme-ui", "db")];
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    }
}
