//! What will be done, as data: an ordered set of steps with their dependencies, grouped for the screen by host and phase.

use serde::{Deserialize, Serialize};

use super::ids::{HostName, StepId};

/// The columns of the live matrix, in the order they happen on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Reaching the host.
    Connect,
    /// Folders and files.
    Files,
    /// Images delivered and compared.
    Images,
    /// Containers created and started.
    Stack,
    /// Judged to work.
    Health,
}

/// What a step will change, for the review screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// One line, imperative, such as ``start stack `ray-head` ``.
    pub summary: String,
    /// Why, and what exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// A file's difference to what stands there, with secrets masked; unified format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

impl Description {
    /// What is said of taking back a step that changes nothing.
    #[must_use]
    pub fn nothing_to_undo() -> Self {
        Self {
            summary: "nothing to undo".to_owned(),
            reasons: Vec::new(),
            difference: None,
        }
    }
}

/// One step as front ends see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepSummary {
    /// Its id.
    pub id: StepId,
    /// The host it happens on.
    pub host: HostName,
    /// Its column.
    pub phase: Phase,
    /// What it does.
    pub description: Description,
    /// Steps that must have ended well before it begins.
    pub after: Vec<StepId>,
    /// What the look at the host said.
    pub probe: Probe,
    /// Whether the operator may go on without it when it fails: it only judges, and nothing comes after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_skip: bool,
}

/// What a look at the host said about an action, without writing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "probe", content = "why")]
pub enum Probe {
    /// Nothing to do.
    AlreadySo,
    /// The action will change something.
    Needed,
    /// Something stands in the way; the text says what.
    Conflict(String),
}

/// What somebody does by hand instead of a step; secrets stand as their names in `‹›`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByHand {
    /// Commands for a shell on the host.
    Run(String),
    /// What to see to, in words.
    Say(String),
}
