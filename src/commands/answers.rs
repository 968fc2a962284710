//! `answers`: what can be said of an answers file without reaching any host.

use camino::Utf8Path;

use super::{Session, target};
use crate::cli::AnswersCommand;
use crate::model::failure::Failure;
use crate::presets::answers_example;
use crate::report::{Tone, Volume};
use crate::ui::amounts::count;

/// Checks a file or prints an example.
///
/// # Errors
/// Fails with every rule that the file breaks.
pub(super) fn run(session: &Session, command: &AnswersCommand) -> Result<u8, Failure> {
    match command {
        AnswersCommand::Validate { file } => validate(session, file),
        AnswersCommand::Example { id } => {
            let preset = session.presets().load(id)?;
            session.printer.raw(answers_example(&preset).as_bytes());
            Ok(0)
        }
    }
}

/// Checks a file; secrets that are asked for later are named, and are no fault.
fn validate(session: &Session, file: &Utf8Path) -> Result<u8, Failure> {
    let loaded = target::load_file(session, file)?;
    if session.printer.volume() == Volume::Quiet {
        return Ok(0);
    }
    let deployment = loaded.deployment();
    let paint = session.printer.out_paint();
    session.printer.data(&format!(
        "{} `{file}` is valid: {} with `{}` on {}",
        paint.tone(Tone::Good, "✔"),
        deployment.name,
        deployment.preset.id,
        count(deployment.hosts.len(), "host")
    ));
    for wanted in loaded.missing() {
        session.printer.note(&format!(
            "note: the secret `{}` has no value yet: {}",
            wanted.id, wanted.help
        ));
    }
    Ok(0)
}
