//! What every wizard's front end works on: the draft with where it is kept, the presets to choose from, and the hosts being tried.
//!
//! It decides nothing about looks. The rule that matters stands here once: after every accepted answer the draft is on disk before the next key is taken
//! ([`Desk::save`]).

mod reading;
mod trying;
pub mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::engine::session::Connector;
use crate::engine::store::{DraftId, DraftStore, StoreError};
use crate::engine::trial::{self, Archives, Paths, Report, Shopping, Trials};
use crate::model::failure::Failure;
use crate::model::ids::{PresetId, QuestionId};
use crate::model::preset::Preset;
use crate::model::rules::{CertificateDetails, CertificateProblem, Files, read_certificate};
use crate::model::secret::Secrets;
use crate::model::template::Assets;
use crate::settings::FolderFiles;
use crate::wizard::{Around, Draft, Field, HostPart, Key, Look, Pasted, Trouble, Wizard, slug};

pub use trying::Attempt;

/// A host that `~/.ssh/config` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importable {
    /// The host as it would be added.
    pub host: Pasted,
    /// Where the file says that it leads.
    pub leads_to: String,
}

/// What a desk is set up with.
pub struct Outfit {
    /// Where drafts are kept.
    pub store: DraftStore,
    /// Where image archives are read into.
    pub images: Utf8PathBuf,
    /// The presets to choose from.
    pub presets: Vec<Arc<Preset>>,
    /// Their templates.
    pub assets: Arc<dyn Assets>,
    /// Whether registries may be asked from this machine.
    pub asks_registries: bool,
    /// How hosts are reached.
    pub connector: Arc<dyn Connector>,
    /// The operator's home folder.
    pub home: Option<Utf8PathBuf>,
    /// Returns whether an environment variable holds something.
    pub is_set: fn(&str) -> bool,
    /// Returns the time.
    pub clock: fn() -> Timestamp,
}

/// The draft and everything around it.
pub struct Desk {
    /// The draft with its preset.
    pub wizard: Wizard,
    /// What came of trying hosts, by slot.
    pub attempts: BTreeMap<u64, Attempt>,
    heard: u64,
    outfit: Outfit,
    id: DraftId,
    saved: Option<u64>,
    /// Whether something may be on disk that says more than an empty draft.
    kept: bool,
    trials: Trials,
    reports: Receiver<Report>,
    archives: Archives,
    paths: Paths,
    shopping: Shopping,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.id)
    }
}

impl Desk {
    /// Sets up a desk for a draft; its preset is loaded when it names one that can be.
    #[must_use]
    pub fn new(outfit: Outfit, id: DraftId, draft: Draft) -> Self {
        let kept = !draft.is_empty();
        let preset = draft.preset.as_ref();
        let preset = preset.and_then(|id| find(&outfit.presets, id));
        let ssh_folder = outfit.home.as_ref().map(|home| home.join(".ssh"));
        let (trials, reports) = Trials::new(Arc::clone(&outfit.connector), ssh_folder.clone());
        let paths = Paths::new(Arc::clone(&outfit.connector), ssh_folder);
        Self {
            wizard: Wizard::new(draft, preset),
            attempts: BTreeMap::new(),
            heard: 0,
            archives: Archives::new(outfit.images.clone()),
            paths,
            shopping: Shopping::default(),
            outfit,
            id,
            saved: None,
            kept,
            trials,
            reports,
        }
    }

    /// Returns the draft's name.
    #[must_use]
    pub fn id(&self) -> &DraftId {
        &self.id
    }

    /// Returns where the draft is kept.
    #[must_use]
    pub fn draft_path(&self) -> Utf8PathBuf {
        self.outfit.store.path(&self.id)
    }

    fn files(&self) -> FolderFiles {
        FolderFiles::new(&self.wizard.draft().folder, self.outfit.home.as_deref())
    }

    fn with_around<T>(&self, work: impl FnOnce(&Around<'_>) -> T) -> T {
        let files = self.files();
        work(&Around {
            files: &files,
            now: (self.outfit.clock)(),
            is_set: &self.outfit.is_set,
        })
    }

    /// Looks at the draft.
    #[must_use]
    pub fn look(&self) -> Look {
        self.with_around(|around| self.wizard.look(around))
    }

    /// Returns what would be wrong with a field if this were accepted.
    #[must_use]
    pub fn trouble_with(&self, field: &Field, text: &str) -> Option<Trouble> {
        self.with_around(|around| self.wizard.trouble_with(field, text, around))
    }

    /// Goes to the next page on which something is asked.
    pub fn next_page(&mut self) {
        let place = self.wizard.place().page;
        let next = self.with_around(|around| self.wizard.page_after(place, around));
        self.wizard.go(next);
    }

    /// Goes back to the last page on which something is asked.
    pub fn previous_page(&mut self) {
        let place = self.wizard.place().page;
        let previous = self.with_around(|around| self.wizard.page_before(place, around));
        self.wizard.go(previous);
    }

    /// Keeps the draft on disk, when it changed since the last time.
    ///
    /// # Errors
    /// Fails when it cannot be written; the answers are still here then, and in the file as it was.
    pub fn save(&mut self) -> Result<(), Failure> {
        let nothing = self.wizard.draft().is_empty() && !self.kept;
        if nothing || self.saved == Some(self.wizard.revision()) {
            return Ok(());
        }
        let text = self.wizard.draft().to_text();
        let text = text.map_err(|error| Failure::from_error(&error))?;
        let kept: Result<(), StoreError> = self.outfit.store.save(&self.id, &text);
        kept.map_err(|error| Failure::from_error(&error))?;
        self.saved = Some(self.wizard.revision());
        self.kept = true;
        Ok(())
    }

    /// Throws the draft away; what it led to is kept elsewhere.
    ///
    /// # Errors
    /// Fails when its file cannot be removed.
    pub fn discard(&self) -> Result<(), Failure> {
        let removed = self.outfit.store.remove(&self.id);
        removed.map_err(|error| Failure::from_error(&error))
    }

    /// Returns what can be deployed.
    #[must_use]
    pub fn presets(&self) -> &[Arc<Preset>] {
        &self.outfit.presets
    }

    /// Chooses what to deploy; returns whether there is such a preset.
    pub fn choose(&mut self, id: &PresetId) -> bool {
        let preset = self.preset(id);
        if let Some(preset) = &preset {
            self.paths.forget();
            self.wizard.choose(Arc::clone(preset));
        }
        preset.is_some()
    }

    fn preset(&self, id: &PresetId) -> Option<Arc<Preset>> {
        find(&self.outfit.presets, id)
    }

    /// Accepts a text for a field; a host that leads elsewhere now is tried anew.
    pub fn accept(&mut self, field: &Field, text: &str) {
        self.wizard.accept(field, text);
        match field.key.host_part() {
            Some((number, part)) if part.leads_elsewhere() => self.retry(number),
            _ => {}
        }
    }

    /// Returns the secrets that were typed, for whoever connects or deploys.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        for (id, value) in self.wizard.typed_secrets() {
            secrets.insert(id.clone(), value.clone());
        }
        secrets
    }

    /// Returns the hosts that `~/.ssh/config` names, as a list to choose from.
    ///
    /// # Errors
    /// Fails when the file is there and cannot be read.
    pub fn ssh_hosts(&self) -> Result<Vec<Importable>, Failure> {
        let folder = self.outfit.home.as_ref().map(|home| home.join(".ssh"));
        let aliases = trial::aliases(folder.as_deref())?;
        // The alias is the address: whatever the file says of it goes on to hold.
        let listed = aliases.into_iter().map(|alias| {
            let user = alias
                .user
                .map_or_else(String::new, |user| format!("{user}@"));
            let by = match alias.jumps.as_slice() {
                [] => String::new(),
                jumps => format!(" by way of {}", jumps.join(", ")),
            };
            Importable {
                leads_to: format!("{user}{}{by}", alias.host_name),
                host: Pasted {
                    name: slug(&alias.alias),
                    address: alias.alias,
                    ..Pasted::default()
                },
            }
        });
        Ok(listed.collect())
    }

    /// Returns the draft as an answers file that stands at `path`.
    #[must_use]
    pub fn answers_for(&self, path: &Utf8Path) -> String {
        let own = &self.wizard.draft().folder;
        let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
        let there = parent.map_or_else(|| Utf8PathBuf::from("."), Utf8Path::to_owned);
        let same = there.canonicalize_utf8().unwrap_or(there)
            == own.canonicalize_utf8().unwrap_or_else(|_| own.clone());
        self.with_around(|around| {
            if same {
                self.wizard.answers_text(around)
            } else {
                self.wizard.answers_text_elsewhere(around, own)
            }
        })
    }

    /// Returns where the answers file is proposed to be written.
    #[must_use]
    pub fn proposed_path(&self) -> Utf8PathBuf {
        let name = self.wizard.draft().name().unwrap_or("answers");
        self.wizard.draft().folder.join(format!("{name}.toml"))
    }

    /// Reads the certificate that a field names; `None` when it names no file.
    #[must_use]
    pub fn certificate(
        &self,
        path: &str,
    ) -> Option<Result<CertificateDetails, CertificateProblem>> {
        let files = self.files();
        let bytes = files.read(&files.locate(path)).ok()?;
        Some(read_certificate(&bytes, (self.outfit.clock)()))
    }

    /// Returns where a path as typed really is.
    #[must_use]
    pub fn locate(&self, path: &str) -> String {
        self.files().locate(path)
    }

    /// Returns the key of a part of the host with this slot.
    #[must_use]
    pub fn key_of(&self, slot: u64, part: HostPart) -> Option<Key> {
        let number = self.number_of(slot)?;
        Some(Key::host(number, part))
    }

    /// Returns the number of the host with this slot.
    #[must_use]
    pub fn number_of(&self, slot: u64) -> Option<usize> {
        let mut hosts = self.wizard.draft().hosts.iter();
        hosts.position(|host| host.slot == slot)
    }

    /// Keeps a password that was typed while hosts were tried, so that it is not asked for again.
    pub fn remember(&mut self, id: &str, value: &secrecy::SecretString) {
        if let Ok(id) = id.parse::<QuestionId>()
            && let Err(broken) = self.wizard.accept_secret(&id, value)
        {
            tracing::debug!(%id, rule = broken.rule, "not remembered");
        }
    }
}

fn find(presets: &[Arc<Preset>], id: &PresetId) -> Option<Arc<Preset>> {
    presets.iter().find(|preset| preset.id == *id).cloned()
}

/// Writes an answers file whole or not at all.
///
/// # Errors
/// Fails with what the system said.
pub fn write_answers(path: &Utf8Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(parent.unwrap_or(Utf8Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod sample;
