//! Secrets by question id, and where each comes from; the values themselves are never printed, compared by `Debug`, or serialised.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::ids::QuestionId;

/// Where the value of a secret comes from, as the answers file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable of the operator's shell.
    Env(String),
    /// A file readable only by its owner; one trailing line break is not part of the secret.
    File(Utf8PathBuf),
    /// A command whose standard output is the secret; run without a shell when given as a list.
    Command(CommandLine),
}

/// A command given as one shell line or as a list of arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// Run by `sh -c`.
    Line(String),
    /// Run as it is.
    Arguments(Vec<String>),
}

/// Returns the environment variable that gives the secret `id` when the answers file says nothing: `SYNTHO_SECRET_<ID>`.
#[must_use]
pub fn variable_of(id: &QuestionId) -> String {
    format!("SYNTHO_SECRET_{}", id.variable().to_uppercase())
}

/// The secrets of one run, by question id (and the fixed ids `registry-password`, `ssh-password`, `ssh-passphrase`, `sudo-password`).
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    values: BTreeMap<QuestionId, SecretString>,
}

impl Secrets {
    /// Returns the secret with this id.
    #[must_use]
    pub fn get(&self, id: &QuestionId) -> Option<&SecretString> {
        self.values.get(id)
    }

    /// Keeps a secret under its id, replacing an earlier one.
    pub fn insert(&mut self, id: QuestionId, value: SecretString) {
        self.values.insert(id, value);
    }

    /// Returns the ids of all secrets held.
    pub fn ids(&self) -> impl Iterator<Item = &QuestionId> {
        self.values.keys()
    }

    /// Returns each id with its secret, for rendering and redaction only.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &SecretString)> {
        self.values.iter()
    }

    /// Returns whether `text` contains any of the secrets; used to refuse output that would leak one.
    #[must_use]
    pub fn appear_in(&self, text: &str) -> bool {
        self.values.values().any(|secret| {
            let value = secret.expose_secret();
            !value.is_empty() && text.contains(value)
        })
    }
}
