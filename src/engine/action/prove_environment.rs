//! Proves on the host that its Compose reads every variable of `.env` exactly as it was meant, before anything starts.
//!
//! Parsers differ between releases in what they make of quotes, `$`, `#` and backslashes. The proof feeds Compose a file of our own on standard input whose
//! only service takes every variable, and compares what comes out. The output holds secrets: it is compared and forgotten.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials};
use crate::engine::compose::Compose;
use crate::model::dotenv::{compare, proof_file};
use crate::model::ids::{HostName, StackId};
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::Input;

const LIMIT: Duration = Duration::from_secs(30);

/// Proves one stack's `.env`; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProveEnvironment {
    /// The stack.
    pub stack: StackId,
    /// Its project on the host.
    pub compose: Compose,
}

/// What the proof said.
enum Proof {
    /// Every variable came out as meant.
    Holds,
    /// Compose would not read the files.
    Refused(Vec<String>),
    /// Variables came out otherwise; names and lengths only.
    Differs(Vec<String>),
}

impl ProveEnvironment {
    fn prove(&self, cx: &Context<'_>) -> Result<Proof, ActionError> {
        let meant = cx
            .materials
            .environment(cx.host.name(), &self.stack)
            .ok_or_else(|| {
                ActionError::Bug(format!("stack `{}` has no environment", self.stack))
            })?;
        let whole = self
            .compose
            .run(cx.host, &["config", "--quiet"], Input::Empty, LIMIT)?;
        if !whole.ok() {
            return Ok(Proof::Refused(lines(&whole.complaint())));
        }
        let names: Vec<&str> = meant.iter().map(|(name, _)| name.as_str()).collect();
        let file = Input::Bytes(proof_file(&names).into_bytes());
        let arguments = [
            "--env-file",
            ".env",
            "-f",
            "-",
            "config",
            "--format",
            "json",
        ];
        let answer = self.compose.run(cx.host, &arguments, file, LIMIT)?;
        if !answer.ok() {
            return Ok(Proof::Refused(lines(&answer.complaint())));
        }
        let mismatches = compare(&String::from_utf8_lossy(&answer.stdout), &meant);
        Ok(if mismatches.is_empty() {
            Proof::Holds
        } else {
            Proof::Differs(mismatches.iter().map(ToString::to_string).collect())
        })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Action for ProveEnvironment {
    fn describe(&self) -> Description {
        Description {
            summary: format!("prove the environment of `{}`", self.stack),
            reasons: vec![
                "`docker compose config` on the host must read every value exactly as meant"
                    .to_owned(),
            ],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description::nothing_to_undo()
    }

    fn by_hand(&self, _host: &HostName, _materials: &dyn Materials) -> Vec<ByHand> {
        vec![
            ByHand::Run(self.compose.typed("config --quiet")),
            ByHand::Say(
                "It must say nothing. `config` without `--quiet` shows every value as Compose reads it, secrets included: compare them with `.env`."
                    .to_owned(),
            ),
        ]
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(match self.prove(cx)? {
            Proof::Holds => Probe::AlreadySo,
            Proof::Refused(_) | Proof::Differs(_) => Probe::Needed,
        })
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        match self.prove(cx)? {
            Proof::Holds => Ok(()),
            Proof::Refused(evidence) => Err(ActionError::Situation {
                message: format!("Compose on the host does not accept the files of `{}`", self.stack),
                evidence,
                remedy: Some("see `docker compose version`; 2.24 or newer reads every value".to_owned()),
command: None,
}),
            Proof::Differs(evidence) => Err(ActionError::Situation {
                message: format!("Compose on the host reads the environment of `{}` otherwise than meant", self.stack),
                evidence,
                remedy: Some("choose a value without quotes, backslashes and `$`, or install Compose 2.24 or newer".to_owned()),
command: None,
}),
        }
    }

    fn revert(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
