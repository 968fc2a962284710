//! Data of one service and where it is saved on its host; what saving, loading and carrying it have in common.
//!
//! A folder `DEPLOYMENT/.saved/ID/STACK.SERVICE` holds one file for each part and [`SUMS`], which is there once all the others are whole.

use serde::{Deserialize, Serialize};

use super::place::quote;
use super::start_stack::follow;
use super::{ActionError, Context};
use crate::engine::compose::Compose;
use crate::model::ids::StackId;
use crate::model::plan::Probe;
use crate::transport::detached::{self, End, State, Step};
use crate::transport::{Command, Host, Input, TransportError};

/// Checksums of the parts, as `sha256sum` prints them.
pub(super) const SUMS: &str = "SHA256SUMS";
/// Says that what is saved has been loaded since.
pub(super) const LOADED: &str = "LOADED";

/// Data of one service on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DataSet {
    /// The stack.
    pub stack: StackId,
    /// Its project on the host.
    pub compose: Compose,
    /// The service.
    pub service: String,
    /// What it is, for people.
    pub title: String,
    /// The program in the service's container; what it shall do comes behind.
    pub program: Vec<String>,
    /// What is saved, each to a file of its own.
    pub parts: Vec<String>,
    /// The deployment's folder.
    pub deployment: String,
    /// What this time of saving is called.
    pub id: String,
}

impl DataSet {
    /// Returns the folder that holds what is saved.
    #[must_use]
    pub fn saved(&self) -> String {
        format!("{}/{}.{}", self.all(), self.stack, self.service)
    }

    /// Returns the folder of everything that is saved under this id.
    fn all(&self) -> String {
        format!("{}/.saved/{}", self.deployment, self.id)
    }

    /// Returns the file of a part.
    #[must_use]
    pub fn file(part: &str) -> String {
        format!("{part}.dump")
    }

    /// Returns the lines before a script that works on what is saved: where it is, the parts as arguments, and `program`, which runs in the container.
    pub(super) fn settings(&self) -> Result<String, TransportError> {
        let mut arguments = vec!["exec", "-T", self.service.as_str()];
        arguments.extend(self.program.iter().map(String::as_str));
        let mut parts = String::new();
        for part in &self.parts {
            parts.push(' ');
            parts.push_str(&quote(part)?);
        }
        Ok(format!(
            "set -eu\numask 077\nall={}\nsaved={}\nservice={}\nprogram() {{ ( {} \"$@\" ); }}\nset --{parts}\n",
            quote(&self.all())?,
            quote(&self.saved())?,
            quote(&self.service)?,
            self.compose.script(&arguments)?,
        ))
    }

    /// Runs a short script with `$saved` and `$all`.
    pub(super) fn ask(&self, cx: &Context<'_>, script: &str) -> Result<String, ActionError> {
        let script = format!(
            "umask 077\nall={}\nsaved={}\n{script}",
            quote(&self.all())?,
            quote(&self.saved())?
        );
        let command = Command::sh(script).with_privilege(self.compose.rights.privilege());
        Ok(cx.host.must(&command)?.text())
    }

    /// Returns whether it is saved on this host, whole.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub fn is_saved(&self, host: &dyn Host) -> Result<bool, TransportError> {
        let script = format!("[ ! -e {}/{SUMS} ] || echo yes", quote(&self.saved())?);
        let command = Command::sh(script).with_privilege(self.compose.rights.privilege());
        Ok(host.must(&command)?.text() == "yes")
    }

    /// Returns whether a file is there beside the parts.
    pub(super) fn has(&self, cx: &Context<'_>, name: &str) -> Result<bool, ActionError> {
        let text = self.ask(cx, &format!("[ ! -e \"$saved/{name}\" ] || echo yes"))?;
        Ok(text == "yes")
    }

    /// Removes everything that is saved here, and what is empty then.
    pub(super) fn remove(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let script =
            "rm -rf \"$saved\" \"$saved.part\"\nrmdir \"$all\" \"${all%/*}\" 2>/dev/null || :";
        self.ask(cx, script).map(drop)
    }

    /// Runs a script as a long step that goes on without us, unless the one that an earlier run began leaves the file `done` already.
    pub(super) fn run(
        &self,
        cx: &Context<'_>,
        verb: &str,
        script: &str,
        done: &str,
    ) -> Result<(), ActionError> {
        let id = format!("{verb}-{}.{}", self.stack, self.service);
        let step = Step {
            folder: &self.deployment,
            id: &id,
            privilege: self.compose.rights.privilege(),
        };
        if detached::status(cx.host, &step)? == State::Running {
            cx.progress
                .line("an earlier run began this: waiting for its end");
            follow::to_the_end(cx, &step)?;
            if self.has(cx, done)? {
                return Ok(detached::clean(cx.host, &step)?);
            }
        }
        detached::clean(cx.host, &step)?;
        detached::start(cx.host, &step, script, &Input::Empty)?;
        let (end, words) = follow::to_the_end(cx, &step)?;
        detached::clean(cx.host, &step)?;
        let how = match end {
            End::Code(0) => return Ok(()),
            End::Code(code) => format!("ended with status {code}"),
            End::Cancelled => "was ended by somebody".to_owned(),
            End::Interrupted => "was cut off: has the host restarted?".to_owned(),
        };
        let evidence = words.lines();
        let full = evidence.iter().any(|line| line.contains("No space left"));
        Err(ActionError::Situation {
            message: format!("to {verb} `{}` {how}", self.title),
            remedy: Some(if full {
                format!(
                    "free space under {} and run the same command again",
                    self.deployment
                )
            } else {
                format!(
                    "mend the cause and run the same command again; the log of the service: `{}`",
                    self.compose.typed(&format!("logs {}", self.service))
                )
            }),
            evidence,
            command: None,
        })
    }
}

/// Looks whether anything of what was saved is there.
pub(super) fn left(data: &DataSet, cx: &Context<'_>) -> Result<Probe, ActionError> {
    let text = data.ask(
        cx,
        "for it in \"$saved\" \"$saved.part\"; do [ ! -e \"$it\" ] || echo yes; done",
    )?;
    Ok(if text.is_empty() {
        Probe::AlreadySo
    } else {
        Probe::Needed
    })
}
