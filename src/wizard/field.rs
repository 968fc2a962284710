//! One field of a page, with everything a front end shows of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hosts::HostPart;
use super::look::Trouble;
use crate::model::ids::QuestionId;
use crate::model::secret::SecretSource;
use crate::model::validate::Proposal;

/// Names a field by the key it becomes in the answers file: `answers.tls`, `images.tag`, `hosts[1].address`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Names a field.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Names the field of an answer.
    #[must_use]
    pub fn answer(id: &QuestionId) -> Self {
        Self(format!("answers.{id}"))
    }

    /// Names the field of a secret.
    #[must_use]
    pub fn secret(id: &QuestionId) -> Self {
        Self(format!("secrets.{id}"))
    }

    /// Names a part of host number `number`, counted from 0.
    #[must_use]
    pub fn host(number: usize, part: HostPart) -> Self {
        Self(format!("hosts[{number}].{}", part.key()))
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the secret that this is the field of.
    #[must_use]
    pub fn as_secret(&self) -> Option<QuestionId> {
        self.0.strip_prefix("secrets.")?.parse().ok()
    }

    /// Returns the number of the host and the part that this names.
    #[must_use]
    pub fn host_part(&self) -> Option<(usize, HostPart)> {
        let (number, part) = self.0.strip_prefix("hosts[")?.split_once("].")?;
        Some((number.parse().ok()?, HostPart::of_key(part)?))
    }

    /// Returns the last word, as it stands left of `=`.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One field as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its key in the answers file.
    pub key: Key,
    /// How it is filled in.
    pub kind: FieldKind,
    /// Its label.
    pub prompt: String,
    /// What it is and what it is used for.
    pub help: String,
    /// A valid example.
    pub example: String,
    /// The value when it is left alone.
    pub default: Option<String>,
    /// What was accepted.
    pub value: Option<String>,
    /// Whether it may be left empty.
    pub optional: bool,
    /// What the hosts let us propose.
    pub proposal: Option<Proposal>,
    /// The rule that it breaks.
    pub trouble: Option<Trouble>,
}

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// One line of text; also ports, sizes, host names.
    Text,
    /// One of these.
    Choice(Vec<Choice>),
    /// The path of a file.
    Path(PathUse),
    /// Several texts, parted by commas.
    List,
    /// A secret.
    Secret(SecretState),
}

/// What a file is for; it decides what is told of it once it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathUse {
    /// Any file.
    File,
    /// A certificate, leaf first.
    Certificate,
    /// The private key of a certificate.
    PrivateKey,
}

/// One value of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// What it means, when that can be told.
    pub meaning: Option<String>,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretState {
    /// Nothing was said; it must be given before anything is deployed.
    Missing,
    /// Nothing was said, and nothing need be.
    Optional,
    /// Nothing was said: one is made on the first deployment and kept on the host.
    Made,
    /// It was typed and is in memory, nowhere else; so many characters.
    Typed(usize),
    /// It was typed before the program ended, and must be typed again.
    Forgotten,
    /// It comes from somewhere.
    From(SecretSource),
    /// Nothing was said, and the environment variable that stands in is set.
    InEnvironment(String),
}

impl SecretState {
    /// Returns whether something must still be done before deploying.
    #[must_use]
    pub fn is_wanting(&self) -> bool {
        matches!(self, Self::Missing | Self::Forgotten)
    }
}

impl Field {
    /// Returns what holds now: what was accepted, or the default.
    #[must_use]
    pub fn effective(&self) -> Option<&str> {
        self.value.as_deref().or(self.default.as_deref())
    }

    /// Returns whether something must still be said here.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match &self.kind {
            FieldKind::Secret(state) => state.is_wanting(),
            _ => self.effective().is_none() && self.trouble.is_some(),
        }
    }
}
