//! Flags, environment, answers file and preset merged once into one checked deployment.
//!
//! It reads the answers file, the files it names and the secrets' sources, and leaves the judging to the model. It asks nobody: secrets that are still
//! missing are listed, and a front end that has somebody to ask hands them in. Called by the commands and by the wizard's review.

mod certificate;
mod edit;
mod error;
mod files;
mod secrets;
mod takeover;

pub use certificate::{PairFiles, with_certificate, with_certificate_of};
pub use edit::{ReleaseChange, with_release};
pub use error::SettingsError;
pub use files::FolderFiles;
pub use takeover::{HostsAt, TakenParts, hosts_file, with_preset, with_takeover};

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use secrecy::SecretString;

use crate::model::answers::{self, AnswersFile, Reading};
use crate::model::deployment::Deployment;
use crate::model::fault::{Fault, Faults};
use crate::model::ids::QuestionId;
use crate::model::preset::Preset;
use crate::model::suggest;
use crate::model::validate::{self, WantedSecret};
use crate::presets::{PresetError, Presets};

/// What settings are made from beside the answers file.
pub struct Surroundings<'a> {
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The home folder, for `~`.
    pub home: Option<Utf8PathBuf>,
    /// The time, for certificates.
    pub now: jiff::Timestamp,
}

/// A checked deployment with what is still missing.
#[derive(Debug)]
pub struct Loaded {
    deployment: Deployment,
    wanted: Vec<WantedSecret>,
}

/// Reads an answers file and everything it names.
///
/// # Errors
/// Fails with every fault of the file, or with those of its secrets' sources.
pub fn load(
    path: &Utf8Path,
    presets: &Presets,
    around: &Surroundings<'_>,
) -> Result<Loaded, SettingsError> {
    let text = fs_err::read_to_string(path).map_err(|source| SettingsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let folder = path.parent().unwrap_or(Utf8Path::new("."));
    let folder = folder
        .canonicalize_utf8()
        .unwrap_or_else(|_| folder.to_owned());
    load_text(path.as_str(), &text, &folder, presets, around)
}

/// As [`load`], from the text of an answers file that messages call `name` and whose paths begin at `folder`.
///
/// # Errors
/// As [`load`].
pub fn load_text(
    name: &str,
    text: &str,
    folder: &Utf8Path,
    presets: &Presets,
    around: &Surroundings<'_>,
) -> Result<Loaded, SettingsError> {
    let Reading {
        source,
        file,
        mut faults,
    } = answers::read(name, text);
    let files = FolderFiles::new(folder, around.home.as_deref());
    let mut deployment = None;
    if let Some(file) = &file {
        match preset_of(file, presets)? {
            Ok(preset) => match check(file, &preset, &files, around) {
                Ok(checked) => deployment = Some(checked),
                Err(more) => add_new(&mut faults, more),
            },
            Err(fault) => faults.push(fault),
        }
    }
    let (Some(mut deployment), Some(file), true) = (deployment, file, faults.is_empty()) else {
        let placed = faults.into_iter().map(|fault| fault.placed_in(&source));
        return Err(invalid(name, placed.collect()));
    };
    let wanted = validate::wanted_secrets(&deployment);
    let faults = secrets::gather(&file, &mut deployment, &wanted, &files, around.environment);
    if faults.is_empty() {
        let mut loaded = Loaded { deployment, wanted };
        loaded.leave_adopted_to_hosts();
        return Ok(loaded);
    }
    let placed = faults.into_iter().map(|fault| fault.placed_in(&source));
    Err(invalid(name, placed.collect()))
}

fn check(
    file: &AnswersFile,
    preset: &Arc<Preset>,
    files: &FolderFiles,
    around: &Surroundings<'_>,
) -> Result<Deployment, Vec<Fault>> {
    let around = validate::Surroundings {
        files,
        now: around.now,
    };
    validate::validate(file, preset, &around)
}

/// Returns the preset, or the fault of the key that names it.
fn preset_of(
    file: &AnswersFile,
    presets: &Presets,
) -> Result<Result<Arc<Preset>, Fault>, SettingsError> {
    match presets.load(&file.preset) {
        Ok(preset) => Ok(Ok(preset)),
        Err(PresetError::Unknown { id, known }) => {
            let known: Vec<&str> = known
                .iter()
                .map(crate::model::ids::PresetId::as_str)
                .collect();
            let message = format!(
                "there is no preset `{id}`; {}",
                suggest::advice(&id, &known)
            );
            Ok(Err(Fault::new("preset", message)))
        }
        Err(error) => Err(SettingsError::Preset(error)),
    }
}

/// Adds faults that are no consequence of those already found.
fn add_new(faults: &mut Vec<Fault>, more: Vec<Fault>) {
    let hosts_known = !faults.iter().any(|fault| fault.at.starts_with("hosts"));
    for fault in more {
        let consequence = faults.iter().any(|known| known.at == fault.at);
        if !consequence && (hosts_known || fault.at != "hosts") {
            faults.push(fault);
        }
    }
}

fn invalid(name: &str, mut faults: Vec<Fault>) -> SettingsError {
    faults.sort_by_key(|fault| {
        fault
            .place
            .as_ref()
            .map_or((0, 0), |place| (place.line, place.column))
    });
    match Faults::gather(faults) {
        Some(faults) => SettingsError::Invalid {
            name: name.to_owned(),
            faults,
        },
        None => SettingsError::Unreadable {
            name: name.to_owned(),
        },
    }
}

impl Loaded {
    /// Returns the deployment as far as it is known.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Returns the secrets that must be given and are not, for a front end to ask.
    pub fn missing(&self) -> impl Iterator<Item = &WantedSecret> {
        let secrets = &self.deployment.secrets;
        self.wanted
            .iter()
            .filter(|wanted| wanted.required && secrets.get(&wanted.id).is_none())
    }

    /// Leaves secrets that hosts keep to the hosts: for a deployment that exists already, so that nothing is typed twice.
    ///
    /// They keep what its answers `before` asked for, and nothing that only these ones do.
    pub fn leave_kept_to_hosts(&mut self, before: &Deployment) {
        let asked = validate::wanted_secrets(before);
        let kept = |id: &QuestionId| {
            let question = before.preset.question(id);
            question.is_some_and(|question| !question.kept.is_empty())
                && asked.iter().any(|asked| asked.id == *id && asked.required)
        };
        self.wanted.retain(|wanted| !kept(&wanted.id));
    }

    /// Leaves secrets to the hosts that what was set up by hand there has used.
    fn leave_adopted_to_hosts(&mut self) {
        let preset = Arc::clone(&self.deployment.preset);
        let forms = self.deployment.adopted.iter();
        let forms: Vec<_> = forms
            .filter_map(|adopted| preset.adopt(&adopted.form))
            .collect();
        let theirs = |id: &QuestionId| forms.iter().any(|form| form.secrets.contains_key(id));
        self.wanted.retain(|wanted| !theirs(&wanted.id));
    }

    /// Takes a secret that somebody typed.
    ///
    /// # Errors
    /// Fails with the rule that it breaks; ask again.
    pub fn supply(&mut self, id: &QuestionId, value: &SecretString) -> Result<(), Fault> {
        let accepted = secrets::accept(&self.deployment, id, value)?;
        self.deployment.secrets.insert(id.clone(), accepted);
        Ok(())
    }

    /// Returns the deployment with every secret it needs.
    ///
    /// # Errors
    /// Fails with the secrets that are missing.
    pub fn complete(self) -> Result<Deployment, SettingsError> {
        let missing: Vec<WantedSecret> = self.missing().cloned().collect();
        if missing.is_empty() {
            Ok(self.deployment)
        } else {
            Err(SettingsError::SecretsMissing { missing })
        }
    }
}
