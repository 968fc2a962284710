//! Keeps secrets out of whatever a host says: each is replaced by its name, in every encoding in which software prints them.
//!
//! The last line of defence for events, failures, receipts, logs and archives; nothing may rely on it to print a secret.
//!
//! - [`forms`]: how a value may be written; [`spans`]: where any of them stands in a text.
//! - [`stream`]: the same over text that comes in pieces, line by line or byte by byte.
//! - [`patterns`]: what is a secret by its look, whoever it belongs to.
//! - [`kept`]: the secrets that hosts keep in their own `.env` files.

mod forms;
pub(in crate::engine) mod kept;
mod patterns;
mod spans;
mod stream;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::model::check::CheckResult;
use crate::model::failure::Failure;
use crate::model::secret::Secrets;
use spans::Finder;
pub use stream::{Part, Sieve, Washer};

/// Shorter secrets would match half of every log.
const LEAST: usize = 4;

/// How often each secret was replaced, by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts one more.
    fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    /// Returns names with their counts.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.0
    }
}

/// Replaces the secrets of one deployment by their names. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    finder: Arc<Finder>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} needles)", self.finder.len())
    }
}

impl Redactor {
    /// Returns a redactor that knows these secrets.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let mut needles = Vec::new();
        for (id, secret) in secrets.iter() {
            let value = secret.expose_secret();
            if value.len() >= LEAST {
                needles.extend(forms::of(value, id.as_str()));
            }
        }
        Self {
            finder: Arc::new(Finder::new(needles)),
        }
    }

    /// Returns `text` with every secret replaced by its name.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.values(text, &mut Tally::default()).into_owned()
    }

    /// Returns `text` with every known secret, and everything that looks like one, replaced by its name, and counts what was replaced.
    #[must_use]
    pub fn clean<'t>(&self, text: &'t str, tally: &mut Tally) -> Cow<'t, str> {
        match self.values(text, tally) {
            Cow::Borrowed(text) => patterns::mask(text, tally),
            Cow::Owned(text) => Cow::Owned(patterns::mask(&text, tally).into_owned()),
        }
    }

    /// Returns the name of a secret that is in these bytes, when there is one.
    #[must_use]
    pub fn finds(&self, bytes: &[u8]) -> Option<&str> {
        let groups = self.finder.groups(bytes);
        groups.first().map(|group| group.name)
    }

    fn values<'t>(&self, text: &'t str, tally: &mut Tally) -> Cow<'t, str> {
        let groups = self.finder.groups(text.as_bytes());
        if groups.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for group in groups {
            clean.push_str(&text[at..group.start]);
            push_mask(&mut clean, group.name);
            tally.add(group.name);
            at = group.end;
        }
        clean.push_str(&text[at..]);
        Cow::Owned(clean)
    }

    /// Cleans every text of a failure.
    pub fn failure(&self, failure: &mut Failure) {
        failure.message = self.text(&failure.message);
        for cause in &mut failure.causes {
            *cause = self.text(cause);
        }
        failure.hint = failure.hint.as_deref().map(|hint| self.text(hint));
    }

    /// Cleans every text of a check.
    pub fn check(&self, check: &mut CheckResult) {
        check.found = self.text(&check.found);
        for text in [&mut check.cause, &mut check.remedy, &mut check.command]
            .into_iter()
            .flatten()
        {
            *text = self.text(text);
        }
    }
}

/// Appends what stands for a secret: its name, whatever its length.
fn push_mask(text: &mut String, name: &str) {
    text.push('‹');
    text.push_str(name);
    text.push('›');
}

#[cfg(test)]
mod tests;
