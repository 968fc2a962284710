//! Undoes one action that an earlier run recorded, as a step of its own.
//!
//! What can go is what the record says is ours; what it says was there before stays. The action inside does the work, by its own `revert`.

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::{Action, ActionError, AnyAction, Context, Materials};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::Command;

/// Undoes an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Undo {
    /// The action, with what it noted when it was done.
    pub done: Box<AnyAction>,
    /// Files that go with it: the copies that later runs kept of what they replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<String>,
}

impl Undo {
    /// Runs a script that sets its arguments to the copies.
    fn with_copies(&self, cx: &Context<'_>, script: &str) -> Result<String, ActionError> {
        if self.copies.is_empty() {
            return Ok(String::new());
        }
        let mut all = "set --".to_owned();
        for copy in &self.copies {
            all.push(' ');
            all.push_str(&quote(copy)?);
        }
        let command = Command::sh(format!("{all}\n{script}"))
            .with_privilege(self.done.rights().unwrap_or_default().privilege());
        Ok(cx.host.must(&command)?.text())
    }
}

impl Action for Undo {
    fn describe(&self) -> Description {
        let mut description = self.done.describe_revert();
        if !self.copies.is_empty() {
            let count = self.copies.len();
            description
                .reasons
                .push(format!("copies of it that later runs kept go: {count}"));
        }
        description
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: "nothing to undo: deploy again".to_owned(),
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Say(self.done.describe_revert().summary)]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let there = self.with_copies(
            cx,
            "for copy; do if [ -e \"$copy\" ]; then echo yes; break; fi; done",
        )?;
        if there.is_empty() {
            self.done.probe_revert(cx)
        } else {
            Ok(Probe::Needed)
        }
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        // The receipt keeps the action as it was done, so that a second try knows what the first one knew.
        self.done.clone().revert(cx)?;
        self.with_copies(cx, "rm -f -- \"$@\"").map(drop)
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::action::{Before, PutFile, Rights};
    use crate::engine::machine::Machine;

    fn undo(machine: &Machine, before: Before) -> Undo {
        Undo {
            done: Box::new(AnyAction::PutFile(PutFile {
                stack: "ui".parse().unwrap(),
                folder: machine.path("opt"),
                path: "x.yaml".to_owned(),
                mode: 0o644,
                secret: false,
                rights: Rights::Login,
                backup: "x.yaml.before-1".to_owned(),
                before,
            })),
            copies: vec![machine.path("opt/x.yaml.before-2")],
        }
    }

    fn there(machine: &Machine) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(machine.path("opt"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_we_made_goes_with_every_copy_and_what_was_there_comes_back() {
        for (before, left) in [
            (Before::Absent, Vec::new()),
            (Before::File, vec!["x.yaml".to_owned()]),
        ] {
            let machine = Machine::new();
            fs_err::create_dir(machine.path("opt")).unwrap();
            for (name, text) in [
                ("x.yaml", "ours"),
                ("x.yaml.before-1", "theirs"),
                ("x.yaml.before-2", "ours, older"),
            ] {
                if before == Before::File || name != "x.yaml.before-1" {
                    fs_err::write(machine.path(&format!("opt/{name}")), text).unwrap();
                }
            }
            let mut undo = undo(&machine, before);
            assert_eq!(undo.probe(&machine.cx()).unwrap(), Probe::Needed);
            undo.execute(&machine.cx()).unwrap();
            assert_eq!(there(&machine), left);
            if before == Before::File {
                let text = fs_err::read_to_string(machine.path("opt/x.yaml")).unwrap();
                assert_eq!(text, "theirs");
            }
            // Again, as after a kill: nothing is left to do, and doing it harms nothing.
            assert_eq!(undo.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
            undo.execute(&machine.cx()).unwrap();
            assert_eq!(there(&machine), left);
        }
    }

    #[test]
    fn it_comes_back_from_a_receipt() {
        let machine = Machine::new();
        let action = AnyAction::Undo(undo(&machine, Before::Absent));
        let text = serde_json::to_string(&action).unwrap();
        assert!(text.starts_with(r#"{"action":"undo","done":{"action":"put-file""#));
        assert_eq!(serde_json::from_str::<AnyAction>(&text).unwrap(), action);
    }
}
