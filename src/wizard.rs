//! The wizard without a terminal: which question comes next, what is wrong with an answer, and how far every page is.
//!
//! A [`Draft`] is what was accepted so far; it may be incomplete or wrong, and it is all that is kept on disk. A [`Wizard`] is a draft with its preset and
//! what is known only while the program runs: secrets that were typed and facts of hosts. [`Look`] is everything a front end shows. No question of a preset
//! is known here, and every rule comes from [`crate::model`]: the draft is written as the answers file it would become and judged as such a file is.
//!
//! Saving a draft, reaching hosts and drawing are the work of others.

mod answers;
mod draft;
mod field;
mod fixed;
mod hosts;
mod look;
mod mending;
mod pages;
mod paste;
mod prefill;
mod secrets;

pub use draft::{DRAFT_VERSION, Draft, DraftError, Place};
pub use field::{Choice, Field, FieldKind, Key, PathUse, SecretState};
pub use hosts::{HostDraft, HostPart};
pub use look::{Look, PageLook, PageState, RoleLook, Trouble};
pub use mending::Mending;
pub use pages::{PAGES, title};
pub use paste::{Pasted, Unread, read_list, slug};
pub use prefill::prefill;
pub use secrets::SourceKind;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use secrecy::SecretString;

use crate::model::deployment::{Deployment, HostSettings};
use crate::model::facts::HostFacts;
use crate::model::ids::QuestionId;
use crate::model::preset::{Page, Preset, RoleNeed};
use crate::model::rules::Files;
use crate::model::sizing;

/// What a draft is judged with beside itself.
pub struct Around<'a> {
    /// Reads files that answers name.
    pub files: &'a dyn Files,
    /// The time, for certificates.
    pub now: jiff::Timestamp,
    /// Returns whether an environment variable holds something.
    pub is_set: &'a dyn Fn(&str) -> bool,
}

/// A draft with its preset and what is known only while the program runs.
#[derive(Debug, Clone, Default)]
pub struct Wizard {
    draft: Draft,
    preset: Option<Arc<Preset>>,
    typed: BTreeMap<QuestionId, SecretString>,
    facts: BTreeMap<u64, HostFacts>,
    revision: u64,
}

impl Wizard {
    /// Goes on with a draft; `preset` is the one that the draft names.
    #[must_use]
    pub fn new(draft: Draft, preset: Option<Arc<Preset>>) -> Self {
        let mut wizard = Self {
            draft,
            preset,
            ..Self::default()
        };
        wizard.draft.number_hosts();
        wizard
    }

    /// Returns what is to be kept on disk.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Returns the preset that was chosen.
    #[must_use]
    pub fn preset(&self) -> Option<&Arc<Preset>> {
        self.preset.as_ref()
    }

    /// Returns a number that grows with every change; a draft is saved whenever it has.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Chooses what to deploy. Answers that were given for another preset stay, as far as the new one asks for them.
    pub fn choose(&mut self, preset: Arc<Preset>) {
        if self.draft.preset.as_ref() != Some(&preset.id) {
            self.draft.preset = Some(preset.id.clone());
            self.revision += 1;
        }
        // Roles of another preset mean nothing here, and no page would show them.
        let known = |role: &String| preset.roles.iter().any(|own| own.id.as_str() == role);
        for host in &mut self.draft.hosts {
            host.roles.retain(known);
        }
        self.preset = Some(preset);
    }

    /// Returns where the operator is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.draft.place
    }

    /// Goes to a page; the one that is left counts as visited.
    pub fn go(&mut self, page: Page) {
        let left = self.draft.place.page;
        if left != page {
            self.draft.visited.insert(left);
            self.draft.place = Place { page, field: None };
            self.revision += 1;
        }
    }

    /// Remembers the field the operator is at.
    pub fn stand_at(&mut self, field: &Key) {
        if self.draft.place.field.as_ref() != Some(field) {
            self.draft.place.field = Some(field.clone());
            self.revision += 1;
        }
    }

    /// Accepts what was typed into a field, right or wrong: it is kept until it is replaced. Blanks around it are cut off; nothing at all, or the
    /// default, means that the field was left alone.
    pub fn accept(&mut self, field: &Field, text: &str) {
        let text = text.trim();
        let stands_by_itself = text.is_empty() || field.default.as_deref() == Some(text);
        let kept = (!stands_by_itself).then(|| text.to_owned());
        if self.draft.text(&field.key) != kept.as_deref() {
            self.draft.set(&field.key, kept);
            self.revision += 1;
        }
    }

    /// Returns what would be wrong with a field if this were accepted.
    #[must_use]
    pub fn trouble_with(&self, field: &Field, text: &str, around: &Around<'_>) -> Option<Trouble> {
        let mut tried = self.clone();
        tried.accept(field, text);
        tried
            .look(around)
            .field(&field.key)
            .and_then(|field| field.trouble.clone())
    }

    /// Returns the first page after `page` on which something is asked.
    #[must_use]
    pub fn page_after(&self, page: Page, around: &Around<'_>) -> Page {
        let look = self.look(around);
        let mut later = PAGES.into_iter().skip_while(|other| *other <= page);
        later.find(|page| look.asks(*page)).unwrap_or(Page::Review)
    }

    /// Returns the last page before `page` on which something is asked.
    #[must_use]
    pub fn page_before(&self, page: Page, around: &Around<'_>) -> Page {
        let look = self.look(around);
        let mut earlier = PAGES.into_iter().rev().skip_while(|other| *other >= page);
        earlier
            .find(|page| look.asks(*page))
            .unwrap_or(Page::Option)
    }

    /// Returns how a host would be reached; `None` while that is not said, or said wrongly.
    #[must_use]
    pub fn host_settings(&self, number: usize, around: &Around<'_>) -> Option<HostSettings> {
        look::host_settings(self, number, around)
    }

    /// Returns the deployment as far as it is said, with the facts of its hosts; `None` until every host has told what it is.
    #[must_use]
    pub fn known_site(&self, around: &Around<'_>) -> Option<(Deployment, Vec<HostFacts>)> {
        let facts = self.all_facts();
        let deployment = look::deployment(self, around)?;
        let all = !facts.is_empty() && facts.len() == deployment.hosts.len();
        all.then_some((deployment, facts))
    }

    /// Returns everything a front end shows.
    #[must_use]
    pub fn look(&self, around: &Around<'_>) -> Look {
        look::look(self, around)
    }

    /// Returns the answers file; the same for the same answers, whichever front end they came from.
    #[must_use]
    pub fn answers_text(&self, around: &Around<'_>) -> String {
        answers::finished(self, around, None)
    }

    /// As [`Self::answers_text`], for a file in another folder than the draft's: relative paths are written out from `folder`, the draft's own.
    #[must_use]
    pub fn answers_text_elsewhere(&self, around: &Around<'_>, folder: &Utf8Path) -> String {
        answers::finished(self, around, Some(folder))
    }

    /// Keeps what a host told, until its address changes.
    pub fn learn(&mut self, host: u64, facts: HostFacts) {
        self.facts.insert(host, facts);
    }

    /// Forgets what a host told.
    pub fn forget(&mut self, host: u64) {
        self.facts.remove(&host);
    }

    /// Returns what a host told.
    #[must_use]
    pub fn facts(&self, host: u64) -> Option<&HostFacts> {
        self.facts.get(&host)
    }

    /// Returns what a host lacks for its roles, in words; nothing while it is unknown.
    #[must_use]
    pub fn shortfalls(&self, number: usize) -> Vec<String> {
        let (Some(preset), Some(host)) = (&self.preset, self.draft.hosts.get(number)) else {
            return Vec::new();
        };
        let own = |need: &&RoleNeed| host.roles.iter().any(|role| role == need.role.as_str());
        let needs: Vec<&RoleNeed> = preset.parts.needs_of_roles.iter().filter(own).collect();
        let facts = self.facts.get(&host.slot);
        facts.map_or_else(Vec::new, |facts| sizing::shortfalls(&needs, facts))
    }

    /// Returns the facts of all hosts that told theirs, under the names the hosts have now.
    fn all_facts(&self) -> Vec<HostFacts> {
        let named = self.draft.hosts.iter().enumerate();
        named
            .filter_map(|(number, host)| {
                let mut facts = self.facts.get(&host.slot)?.clone();
                facts.host = host.name_or_stand_in(number)?;
                Some(facts)
            })
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
