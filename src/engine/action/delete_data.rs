//! Deletes the data volumes of one stack, which were named in the plan. Nothing brings them back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, Context, Materials, Rights};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::shell_quoted;
use crate::transport::Command;

/// Deletes volumes by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeleteData {
    /// The volumes.
    pub volumes: Vec<String>,
    /// Whose rights it needs.
    pub rights: Rights,
}

impl DeleteData {
    fn left(&self, cx: &Context<'_>) -> Result<Vec<String>, ActionError> {
        let there = cx.host.docker()?.volumes()?;
        let there = |name: &&String| there.iter().any(|volume| volume.name == **name);
        Ok(self.volumes.iter().filter(there).cloned().collect())
    }
}

impl Action for DeleteData {
    fn describe(&self) -> Description {
        Description {
            summary: format!("DELETE THE DATA in volume {}", self.volumes.join(", ")),
            reasons: vec!["nothing brings it back but a backup".to_owned()],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: "nothing brings deleted data back but a backup".to_owned(),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        let names: Vec<String> = self.volumes.iter().map(|name| shell_quoted(name)).collect();
        vec![ByHand::Run(format!(
            "{}docker volume rm {}",
            self.rights.typed(),
            names.join(" ")
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.left(cx)?.is_empty() {
            Probe::AlreadySo
        } else {
            Probe::Needed
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let mut script = "docker volume rm --".to_owned();
        for name in self.left(cx)? {
            script.push(' ');
            script.push_str(&quote(&name)?);
        }
        let command = Command::sh(script)
            .with_privilege(self.rights.privilege())
            .within(Duration::from_mins(5));
        cx.host.must(&command)?;
        Ok(())
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::{Machine, volume};

    #[test]
    fn only_what_was_named_goes_and_only_once() {
        let machine = Machine::new();
        machine.engine.world().volumes = vec![volume("p", "p_data"), volume("q", "q_data")];
        let mut action = DeleteData {
            volumes: vec!["p_data".to_owned(), "p_gone".to_owned()],
            rights: Rights::Login,
        };
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
        action.execute(&machine.cx()).unwrap();
        assert_eq!(machine.engine.world().called, ["0 volume rm -- p_data"]);
        assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
        let world = machine.engine.world();
        let left: Vec<&str> = world.volumes.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(left, ["q_data"]);
    }
}
