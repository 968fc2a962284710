//! What a stack does by command-line tools: steps that are looked at, run, repeated where they must be, and taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::ids::{QuestionId, StackId, StepName};

/// A program on every host of a stack that brings something about which Compose does not.
///
/// It runs in the stack's folder, where administrators can run it, too, after the files and images are there and after the containers, when the stack has
/// any, are healthy. `COMPOSE` says how Compose is called for this project. What it prints is shown as it comes. It goes on when the connection or the
/// installer dies, and the next run finds it; so it must be right to run it again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ToolStep {
    /// Its id, unique in the stack.
    pub id: StepName,
    /// What is so afterwards, such as "The cluster is up".
    pub title: String,
    /// Only when this *expression*, which sees `host`, is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Ends with 0 when it is so already, and changes nothing; otherwise the last line it prints says what is lacking. `status` and `verify` ask it, too.
    pub probe: Vec<String>,
    /// Brings it about; *templates*, and no secret among them. It runs when `probe` says no, and when files of the stack or this line have changed since.
    pub run: Vec<String>,
    /// Takes it back when the deployment is destroyed; left out where there is nothing to take back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revert: Vec<String>,
    /// Files and folders that `run` makes in the stack's folder, by name; when the step is taken back, what is left of them goes after `revert`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub makes: Vec<String>,
    /// What `revert` does not take away; a *template*, shown before anybody agrees to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves: Option<String>,
    /// Seconds that `run` or `revert` may take; then it is ended.
    #[serde(default = "default_within")]
    pub within: u64,
    /// What to do when it fails in a way that nobody has described; a *template*.
    pub remedy: String,
    /// Ways in which it is known to fail; the first that fits what was printed counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fails: Vec<KnownFailure>,
    /// What its lines say of how far it is, in the order in which they come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<StepPhase>,
    /// Values that are taken from other stacks' hosts when it runs, by the names of the variables in which `run` finds them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub takes: BTreeMap<String, Take>,
}

fn default_within() -> u64 {
    600
}

/// A way in which a program is known to fail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownFailure {
    /// A regular expression for a line that it prints then, without colours.
    pub says: String,
    /// What is wrong, in a sentence; a *template* that also sees `found`, the first group or else all of the match.
    pub message: String,
    /// What to do; a *template* that sees `found`, too.
    pub remedy: String,
    /// The question whose answer it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<QuestionId>,
}

/// A line that says how far a program is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepPhase {
    /// A regular expression for the line, without colours.
    pub says: String,
    /// What is going on from then on.
    pub title: String,
}

/// A value that another stack's host gives when it is needed, and that is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Take {
    /// The stack; its first host is asked, in the stack's folder there. This stack must come `after` it.
    pub from: StackId,
    /// Prints the value as its last line; *templates*.
    pub run: Vec<String>,
    /// Whether it is a secret: then nothing shows it.
    #[serde(default)]
    pub secret: bool,
}
