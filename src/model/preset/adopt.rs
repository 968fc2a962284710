//! How a stack is known that somebody set up by hand: by its services, with what its variables mean and what is known to be wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::ids::{ImageId, QuestionId, StackId};

/// A form in which a stack may stand on a host before this program came.
///
/// Its *expressions* see `env`, the variables of the project's `.env`; `services`, the names of its services; and `files`, the text of its Compose files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Adopt {
    /// Its id.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// The stack that it becomes.
    pub stack: StackId,
    /// Services that its project has, all of them.
    pub services: Vec<String>,
    /// Only when this *expression* is true; it sees the preset's values, too.
    #[serde(default)]
    pub fits: Option<String>,
    /// Answers, each an *expression*; one that gives nothing leaves the question to its default.
    #[serde(default)]
    pub answers: BTreeMap<QuestionId, String>,
    /// Secrets, each an *expression*; one that gives nothing is made, or asked for.
    #[serde(default)]
    pub secrets: BTreeMap<QuestionId, String>,
    /// The service that runs each image.
    #[serde(default)]
    pub images: BTreeMap<ImageId, String>,
    /// The Compose volume that becomes each volume of the stack.
    #[serde(default)]
    pub volumes: BTreeMap<String, String>,
    /// What is known to be wrong with it.
    #[serde(default, rename = "trap")]
    pub traps: Vec<Trap>,
}

/// Something that is known to be wrong at times.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trap {
    /// An *expression*: it is there.
    pub found: String,
    /// What it is, in a sentence without values.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What the takeover does about it, or what people have to.
    pub repair: String,
    /// The stack cannot be taken over as long as it is there.
    #[serde(default)]
    pub refuse: bool,
}
