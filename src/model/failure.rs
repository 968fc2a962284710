//! What went wrong, in the three parts every front end shows: the message, its causes, and what to do next.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ids::HostName;
use super::text::visible_lines;

/// An error that can tell the operator what to try next.
pub trait Hinted: std::error::Error {
    /// Returns one concrete next step, or `None` when there is no good advice.
    fn hint(&self) -> Option<String>;

    /// Returns what shows it: the ways that were tried, the words of a command or an engine. A front end shows them as causes.
    fn evidence(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns a command for the host that mends it, when there is one that is complete, asks nothing and deletes no data.
    fn command(&self) -> Option<String> {
        None
    }

    /// Returns whose fault it is; it decides the exit code.
    fn kind(&self) -> FailureKind {
        FailureKind::Situation
    }
}

/// Whose fault a failure is; each kind has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureKind {
    /// Something at the site that the operator can act on (exit 1).
    Situation,
    /// The command line or the answers are invalid (exit 2).
    Usage,
    /// A preflight check failed (exit 3).
    Preflight,
    /// Our bug (exit 70).
    Bug,
    /// The operator cancelled (exit 130).
    Cancelled,
}

impl FailureKind {
    /// Returns the process exit code of this kind.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Situation => 1,
            Self::Usage => 2,
            Self::Preflight => 3,
            Self::Bug => 70,
            Self::Cancelled => 130,
        }
    }
}

/// A failure as front ends show it and receipts keep it; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// The host it happened on, when it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// What failed, in one sentence without a full stop.
    pub message: String,
    /// Why, outermost first; the last lines of a remote command's stderr come here too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// A command for the host that mends it: complete, asking nothing, deleting no data. What calls it may offer to run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Failure {
    /// Builds a failure from an error, its sources, its evidence and its hint.
    #[must_use]
    pub fn from_error(error: &dyn Hinted) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        for words in error.evidence() {
            causes.extend(visible_lines(&words).map(Cow::into_owned));
        }
        Self {
            kind: error.kind(),
            host: None,
            message: error.to_string(),
            causes,
            hint: error.hint(),
            command: error.command(),
        }
    }

    /// Returns the same failure, said of `host`.
    #[must_use]
    pub fn on(mut self, host: &HostName) -> Self {
        self.host = Some(host.clone());
        self
    }
}
