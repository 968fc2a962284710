//! Which deployment a command means: one that is known by its name, or one that an answers file describes.

use camino::{Utf8Path, Utf8PathBuf};
use directories::BaseDirs;
use jiff::Timestamp;

use super::Session;
use crate::cli::{Target, Telling};
use crate::model::deployment::Deployment;
use crate::model::failure::Failure;
use crate::model::ids::DeploymentName;
use crate::model::text::shell_quoted;
use crate::model::validate::WantedSecret;
use crate::report::usage;
use crate::settings::{self, Loaded, SettingsError, Surroundings};
use crate::ui::line::prompt;

/// Whether somebody may be asked for what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Yes, when somebody is there.
    Allowed,
    /// No: whoever reads the output is a program.
    Never,
}

impl Asking {
    /// Returns whether somebody may be asked when the output is JSON or not.
    pub(super) fn unless(json: bool) -> Self {
        if json { Self::Never } else { Self::Allowed }
    }
}

/// How what a command would change is seen, where no other command shows it.
pub(super) const SAME_COMMAND: &str = "see it with the same command on a terminal";

/// Refuses to go on where nobody said yes and nobody can be asked: `what` would be accepted, and `look` says how it is seen before.
///
/// # Errors
/// Fails then.
pub(super) fn need_yes(
    session: &Session,
    yes: bool,
    telling: Telling,
    what: &str,
    look: &str,
) -> Result<(), Failure> {
    if yes || (!telling.json && session.printer.can_ask()) {
        return Ok(());
    }
    Err(usage(
        format!("nobody is there to accept {what}"),
        format!("{look}, and give `--yes`"),
    ))
}

/// What a command works on.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The deployment; with every secret it needs, where it was asked for complete.
    pub(super) deployment: Deployment,
    /// The answers as they were written.
    pub(super) answers: Answers,
}

/// An answers file.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// What messages call it.
    pub(super) name: String,
    /// What it says.
    pub(super) text: String,
    /// Where its relative paths begin.
    pub(super) folder: Utf8PathBuf,
}

/// Returns what the command line means, complete.
///
/// # Errors
/// Fails when there is no such deployment or file, with every rule its answers break, and with the secrets nobody gave.
pub(super) fn choose(
    session: &Session,
    target: &Target,
    asking: Asking,
) -> Result<Chosen, Failure> {
    let answers = match (&target.name, &target.answers) {
        (Some(name), _) => known(session, name)?,
        (None, Some(file)) => read(file)?,
        (None, None) => {
            return Err(usage(
                "no deployment was named",
                "give its name, or its answers with `--answers FILE`",
            ));
        }
    };
    complete(session, answers, asking)
}

/// Returns what answers describe, complete.
///
/// # Errors
/// As [`choose`].
pub(super) fn complete(
    session: &Session,
    answers: Answers,
    asking: Asking,
) -> Result<Chosen, Failure> {
    let mut loaded = load(session, &answers)?;
    if let Ok(before) = known(session, &loaded.deployment().name) {
        // Answers that do not hold any more, such as of a file that is gone, tell nothing but that the deployment is there.
        let before = load(session, &before).map(|before| before.deployment().clone());
        let before = before.unwrap_or_else(|_| loaded.deployment().clone());
        loaded.leave_kept_to_hosts(&before);
    }
    supply_typed(session, &mut loaded);
    if asking == Asking::Allowed && session.printer.can_ask() {
        ask_for_missing(session, &mut loaded);
    }
    Ok(Chosen {
        deployment: loaded.complete()?,
        answers,
    })
}

/// Returns the target that is a deployment known by its name.
pub(super) fn by_name(name: &DeploymentName) -> Target {
    Target {
        name: Some(name.clone()),
        answers: None,
    }
}

/// Returns what other answers of a known deployment describe, with the secrets that are at hand for it.
///
/// # Errors
/// Fails with every rule that the answers break, and with the secrets that they need beside those.
pub(super) fn with_secrets_of(
    session: &Session,
    answers: &Answers,
    known: &Deployment,
) -> Result<Deployment, Failure> {
    let mut loaded = load(session, answers)?;
    loaded.leave_kept_to_hosts(known);
    for (id, value) in known.secrets.iter() {
        if let Err(fault) = loaded.supply(id, value) {
            tracing::debug!(%id, rule = fault.message, "left out");
        }
    }
    Ok(loaded.complete()?)
}

/// Returns a known deployment as far as it is known without asking anybody, which is enough to look at it.
///
/// # Errors
/// Fails when there is no such deployment, or its answers do not hold any more.
pub(super) fn look_at(session: &Session, name: &DeploymentName) -> Result<Chosen, Failure> {
    let answers = known(session, name)?;
    let mut loaded = load(session, &answers)?;
    supply_typed(session, &mut loaded);
    Ok(Chosen {
        deployment: loaded.deployment().clone(),
        answers,
    })
}

/// Returns the command line that does `verb` to the same target once more.
pub(super) fn again(verb: &str, target: &Target) -> String {
    let what = match (&target.name, &target.answers) {
        (Some(name), _) => name.to_string(),
        (None, Some(file)) => format!("--answers {}", shell_quoted(file.as_str())),
        (None, None) => String::new(),
    };
    format!("syntho-installer {verb} {what}")
}

/// Returns what an answers file describes, as far as it is known without asking.
///
/// # Errors
/// Fails with every rule that it breaks.
pub(super) fn load_file(session: &Session, file: &Utf8Path) -> Result<Loaded, Failure> {
    load(session, &read(file)?)
}

fn load(session: &Session, answers: &Answers) -> Result<Loaded, Failure> {
    let presets = session.presets();
    Ok(settings::load_text(
        &answers.name,
        &answers.text,
        &answers.folder,
        &presets,
        &surroundings(),
    )?)
}

/// Returns what answers are read in beside their own folder.
pub(super) fn surroundings() -> Surroundings<'static> {
    Surroundings {
        environment: &|name| std::env::var(name).ok(),
        home: operators_home(),
        now: Timestamp::now(),
    }
}

/// Returns the operator's home folder, for `~` and `~/.ssh`.
pub(super) fn operators_home() -> Option<Utf8PathBuf> {
    let dirs = BaseDirs::new()?;
    Utf8PathBuf::from_path_buf(dirs.home_dir().to_path_buf()).ok()
}

/// Reads an answers file.
pub(super) fn read(file: &Utf8Path) -> Result<Answers, Failure> {
    let text = fs_err::read_to_string(file).map_err(|source| SettingsError::Read {
        path: file.to_owned(),
        source,
    })?;
    let folder = file.parent().filter(|folder| !folder.as_str().is_empty());
    let folder = folder.unwrap_or(Utf8Path::new("."));
    Ok(Answers {
        name: file.to_string(),
        text,
        folder: folder
            .canonicalize_utf8()
            .unwrap_or_else(|_| folder.to_owned()),
    })
}

/// Returns the answers that were accepted for a deployment.
fn known(session: &Session, name: &DeploymentName) -> Result<Answers, Failure> {
    let kept = session.home.known(name)?;
    let answers = read(&kept.answers_path())?;
    // Relative paths in it begin where the file was when it was accepted.
    let folder = kept.state()?.and_then(|state| state.answers_folder);
    Ok(Answers {
        folder: folder.unwrap_or(answers.folder),
        ..answers
    })
}

/// Hands in the secrets that were typed before; one that breaks a rule is asked for again.
fn supply_typed(session: &Session, loaded: &mut Loaded) {
    for (id, value) in session.typed.iter() {
        if let Err(fault) = loaded.supply(id, value) {
            tracing::debug!(%id, rule = fault.message, "asked for again");
        }
    }
}

/// Asks for each secret that is missing until it is given or the operator leaves.
fn ask_for_missing(session: &Session, loaded: &mut Loaded) {
    let missing: Vec<WantedSecret> = loaded.missing().cloned().collect();
    let paint = session.printer.err_paint();
    for wanted in missing {
        session.printer.note(&wanted.help);
        while let Some(typed) = prompt::secret(&format!("{}:", wanted.prompt), paint) {
            match loaded.supply(&wanted.id, &typed) {
                Ok(()) => break,
                Err(fault) => session.printer.note(&format!("error: {}", fault.message)),
            }
        }
    }
}
