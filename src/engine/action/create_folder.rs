//! Creates one folder with its mode.

use serde::{Deserialize, Serialize};

use super::place::{self, Place, quote};
use super::{Action, ActionError, Context, Materials, Rights};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::model::text::shell_quoted;
use crate::transport::{Command, Host};

/// Creates a folder; its parents come with mode 0755 when they are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CreateFolder {
    /// Its path.
    pub path: String,
    /// Its mode.
    pub mode: u32,
    /// Whose rights create and own it.
    pub rights: Rights,
    /// Whether it was not there, or held nothing, before us.
    #[serde(default)]
    pub created: bool,
}

impl CreateFolder {
    fn look(&self, cx: &Context<'_>) -> Result<Place, ActionError> {
        place::look(cx.host, &self.path, self.rights)
    }

    /// Returns the names of what is in it, without what the installer itself keeps there while it works; none when it is not there.
    ///
    /// # Errors
    /// Fails when the host cannot be asked.
    pub fn entries(&self, host: &dyn Host) -> Result<Vec<String>, ActionError> {
        let script = format!(
            "p={}\n[ ! -d \"$p\" ] || find \"$p\" -mindepth 1 -maxdepth 1 ! -name '.lock*' ! -name .run",
            quote(&self.path)?
        );
        let command = Command::sh(script).with_privilege(self.rights.privilege());
        let text = host.must(&command)?.text();
        let name = |line: &str| line.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(text.lines().map(name).collect())
    }

    fn run(&self, cx: &Context<'_>, script: String) -> Result<(), ActionError> {
        cx.host
            .must(&Command::sh(script).with_privilege(self.rights.privilege()))?;
        Ok(())
    }
}

impl Action for CreateFolder {
    fn describe(&self) -> Description {
        Description {
            summary: format!("create folder {}", self.path),
            reasons: vec![format!("mode {:04o}", self.mode)],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: if self.created {
                format!("remove folder {} when it is empty", self.path)
            } else {
                format!("leave folder {}, which was there before", self.path)
            },
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![ByHand::Run(format!(
            "{}install -d -m {:04o} {}",
            self.rights.typed(),
            self.mode,
            shell_quoted(&self.path)
        ))]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(match self.look(cx)? {
            Place::Folder { mode, ours, .. } if mode == self.mode && ours => Probe::AlreadySo,
            Place::Folder { .. } | Place::Absent => Probe::Needed,
            Place::File { .. } => Probe::Conflict(format!(
                "{} is a file and must be a folder: move it away",
                self.path
            )),
            Place::Other(what) => Probe::Conflict(format!(
                "{} is a {what} and must be a folder: move it away",
                self.path
            )),
        })
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        // The lock of this very run may have made the folder a moment ago.
        self.created = matches!(
            self.look(cx)?,
            Place::Absent | Place::Folder { empty: true, .. }
        );
        Ok(())
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        let path = quote(&self.path)?;
        self.run(
            cx,
            format!(
                "umask 022 && mkdir -p {path} && chown \"$(id -u)\" {path} && chmod {:o} {path}",
                self.mode
            ),
        )
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(match self.look(cx)? {
            Place::Folder { .. } if self.created => Probe::Needed,
            _ => Probe::AlreadySo,
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if !self.created {
            return Ok(());
        }
        match self.look(cx)? {
            Place::Absent => {}
            Place::Folder { empty: true, .. } => {
                // The lock, while we hold it, keeps the folder; whoever gives the lock back removes it then.
                let path = quote(&self.path)?;
                self.run(
                    cx,
                    format!("rm -rf {path}/.run; rmdir {path} 2>/dev/null || [ -e {path}/.lock ]"),
                )?;
            }
            _ => {
                return Err(ActionError::Situation {
                    message: format!("{} is not empty", self.path),
                    evidence: Vec::new(),
                    remedy: Some(format!(
                        "look with `ls -la {}` and remove what nobody needs",
                        self.path
                    )),
                    command: None,
                });
            }
        }
        self.created = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
