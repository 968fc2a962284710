//! What was accepted so far, as it is kept on disk. It never holds a secret.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::field::Key;
use super::hosts::HostDraft;
use crate::model::failure::Hinted;
use crate::model::ids::{PresetId, QuestionId};
use crate::model::preset::Page;
use crate::model::secret::SecretSource;

/// Format version of a draft.
pub const DRAFT_VERSION: u32 = 1;

/// Answers in the making: as typed, complete or not, right or wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Draft {
    /// Format version.
    pub version: u32,
    /// The preset that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<PresetId>,
    /// Where relative paths begin.
    #[serde(default)]
    pub folder: Utf8PathBuf,
    /// Where the operator is.
    pub place: Place,
    /// Pages that were left at least once.
    #[serde(default)]
    pub visited: BTreeSet<Page>,
    /// Secrets that were typed, by name only: they are asked for again after a restart.
    #[serde(default)]
    pub typed: BTreeSet<QuestionId>,
    /// Fields by key, as typed.
    #[serde(default)]
    pub fields: BTreeMap<Key, String>,
    /// Where secrets come from.
    #[serde(default)]
    pub secrets: BTreeMap<QuestionId, SecretSource>,
    /// Hosts, in order.
    #[serde(default)]
    pub hosts: Vec<HostDraft>,
}

/// A draft that cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the draft of a deployment cannot be understood: {detail}")]
pub struct DraftError {
    detail: String,
}

impl Hinted for DraftError {
    fn hint(&self) -> Option<String> {
        Some("begin anew with `syntho-installer new`; the draft stays where it is".to_owned())
    }
}

/// Where the operator is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Place {
    /// The page.
    pub page: Page,
    /// The field on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Key>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            version: DRAFT_VERSION,
            preset: None,
            folder: Utf8PathBuf::new(),
            place: Place {
                page: Page::Option,
                field: None,
            },
            visited: BTreeSet::new(),
            typed: BTreeSet::new(),
            fields: BTreeMap::new(),
            secrets: BTreeMap::new(),
            hosts: Vec::new(),
        }
    }
}

impl Draft {
    /// Begins with nothing but the folder that relative paths begin in.
    #[must_use]
    pub fn new(folder: impl Into<Utf8PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            ..Self::default()
        }
    }

    /// Returns the draft as text, to be kept on disk.
    ///
    /// # Errors
    /// Fails when it cannot be written as TOML, which would be a bug.
    pub fn to_text(&self) -> Result<String, DraftError> {
        toml::to_string(self).map_err(|error| DraftError {
            detail: error.to_string(),
        })
    }

    /// Reads a draft that was kept on disk.
    ///
    /// # Errors
    /// Fails when it is no draft, or one of another version of this program.
    pub fn from_text(text: &str) -> Result<Self, DraftError> {
        let draft: Self = toml::from_str(text).map_err(|error| DraftError {
            detail: error.message().to_owned(),
        })?;
        if draft.version == DRAFT_VERSION {
            Ok(draft)
        } else {
            Err(DraftError {
                detail: format!("its version is {}, not {DRAFT_VERSION}", draft.version),
            })
        }
    }

    /// Returns the deployment's name, as far as one was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.fields.get(&Key::new("name")).map(String::as_str)
    }

    /// Returns whether nothing was accepted yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.preset.is_none()
            && self.fields.is_empty()
            && self.hosts.is_empty()
            && self.secrets.is_empty()
    }

    /// Returns what was accepted for a field.
    #[must_use]
    pub fn text(&self, key: &Key) -> Option<&str> {
        match key.host_part() {
            Some((number, part)) => self.hosts.get(number)?.part(part),
            None => self.fields.get(key).map(String::as_str),
        }
    }

    /// Keeps or drops a field's text.
    pub(super) fn set(&mut self, key: &Key, text: Option<String>) {
        match (key.host_part(), text) {
            (Some((number, part)), text) => {
                if let Some(host) = self.hosts.get_mut(number) {
                    host.set(part, text);
                }
            }
            (None, Some(text)) => drop(self.fields.insert(key.clone(), text)),
            (None, None) => drop(self.fields.remove(key)),
        }
    }

    /// Gives every host a number of its own, which it keeps while the program runs.
    pub(super) fn number_hosts(&mut self) {
        let mut next = self.hosts.iter().map(|host| host.slot).max().unwrap_or(0) + 1;
        for host in &mut self.hosts {
            if host.slot == 0 {
                host.slot = next;
                next += 1;
            }
        }
    }
}
