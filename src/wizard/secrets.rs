//! Secrets: typed ones live in memory only, others are named by where they come from.

use secrecy::{ExposeSecret, SecretString};

use super::field::SecretState;
use super::{Around, Wizard};
use crate::model::ids::QuestionId;
use crate::model::rules::{self, Broken};
use crate::model::secret::{CommandLine, SecretSource, variable_of};
use crate::model::validate;

/// How a secret is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Typed now, kept in memory.
    Typed,
    /// Read from an environment variable.
    Env,
    /// Read from a file of its owner alone.
    File,
    /// Printed by a command.
    Command,
}

impl SourceKind {
    /// Every way, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Typed, Self::Env, Self::File, Self::Command];

    /// Returns what it means.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Typed => "typed now; kept in memory only, never written to a file",
            Self::Env => "from an environment variable",
            Self::File => "from a file that only you can read",
            Self::Command => "printed by a command, such as a password safe's",
        }
    }

    /// Returns a valid example of what is typed for it.
    #[must_use]
    pub fn example(self, id: &QuestionId) -> String {
        match self {
            Self::Typed => String::new(),
            Self::Env => variable_of(id),
            Self::File => format!("{id}.secret"),
            Self::Command => format!("pass show syntho/{id}"),
        }
    }

    /// Returns the way a source goes.
    #[must_use]
    pub fn of(source: &SecretSource) -> Self {
        match source {
            SecretSource::Env(_) => Self::Env,
            SecretSource::File(_) => Self::File,
            SecretSource::Command(_) => Self::Command,
        }
    }
}

/// Returns where a secret stands.
pub(super) fn state(
    wizard: &Wizard,
    id: &QuestionId,
    left_alone: SecretState,
    around: &Around<'_>,
) -> SecretState {
    if let Some(typed) = wizard.typed.get(id) {
        return SecretState::Typed(typed.expose_secret().chars().count());
    }
    if let Some(source) = wizard.draft.secrets.get(id) {
        return SecretState::From(source.clone());
    }
    if wizard.draft.typed.contains(id) {
        return SecretState::Forgotten;
    }
    let variable = variable_of(id);
    if (around.is_set)(&variable) {
        return SecretState::InEnvironment(variable);
    }
    left_alone
}

impl Wizard {
    /// Keeps a secret that was typed, in memory only; the draft remembers that it was.
    ///
    /// # Errors
    /// Fails with the rule that it breaks; nothing is kept then.
    pub fn accept_secret(&mut self, id: &QuestionId, value: &SecretString) -> Result<(), Broken> {
        let accepted = self.secret_as_used(id, value)?;
        self.typed.insert(id.clone(), accepted.into());
        self.draft.secrets.remove(id);
        self.draft.typed.insert(id.clone());
        self.revision += 1;
        Ok(())
    }

    /// Returns the rule that a secret would break, while it is typed.
    #[must_use]
    pub fn trouble_with_secret(&self, id: &QuestionId, value: &SecretString) -> Option<Broken> {
        self.secret_as_used(id, value).err()
    }

    fn secret_as_used(&self, id: &QuestionId, value: &SecretString) -> Result<String, Broken> {
        let text = value.expose_secret();
        match &self.preset {
            Some(preset) => validate::accept_secret(preset, id, text),
            None => rules::accept_plain_secret(text),
        }
    }

    /// Keeps where a secret comes from; the secret itself is fetched when it is used.
    pub fn accept_source(&mut self, id: &QuestionId, source: SecretSource) {
        self.typed.remove(id);
        self.draft.typed.remove(id);
        if self.draft.secrets.get(id) != Some(&source) {
            self.draft.secrets.insert(id.clone(), source);
        }
        self.revision += 1;
    }

    /// Leaves a secret alone again.
    pub fn clear_secret(&mut self, id: &QuestionId) {
        self.typed.remove(id);
        self.draft.typed.remove(id);
        self.draft.secrets.remove(id);
        self.revision += 1;
    }

    /// Returns the secrets that were typed, for the one who deploys.
    pub fn typed_secrets(&self) -> impl Iterator<Item = (&QuestionId, &SecretString)> {
        self.typed.iter()
    }

    /// Returns where a secret comes from, as somebody types it for a way; `None` for nothing at all.
    #[must_use]
    pub fn source_of(kind: SourceKind, text: &str) -> Option<SecretSource> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match kind {
            SourceKind::Typed => None,
            SourceKind::Env => Some(SecretSource::Env(text.trim_start_matches('$').to_owned())),
            SourceKind::File => Some(SecretSource::File(text.into())),
            SourceKind::Command => Some(SecretSource::Command(CommandLine::Line(text.to_owned()))),
        }
    }
}
