//! Long steps that survive us: a script runs on the host in a session of its own and is followed by offset into its log.
//!
//! The link may break, this program may be killed, the host may restart: the next run finds the step by its id, still running, ended, or
//! interrupted, and goes on from there. Everything is kept under `<folder>/.run/<id>/`, which only its owner may read:
//! `script`, `log`, `pid` (who runs it: process, its start time, the host's boot), `exit` once it ended. Which scripts those are and whether an
//! interrupted one is run again is the caller's to decide.

use std::ops::ControlFlow;
use std::time::Duration;

use super::{Command, Exit, Host, Input, Output, Privilege, TransportError};

mod scripts;
#[cfg(test)]
mod tests;

/// Most bytes of a log that come with one question.
const PORTION: usize = 1 << 20;
/// Limit for one question; the host itself answers within some five seconds.
const QUESTION: Duration = Duration::from_mins(1);
/// Limit for ending a step, which is asked to end before it is made to.
const ENDING: Duration = Duration::from_mins(1);

/// One long step on one host.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The folder of the deployment; must exist.
    pub folder: &'a str,
    /// Names the step in that folder, the same in every run; a `/` is taken for a `.`.
    pub id: &'a str,
    /// Whose rights it runs with. All questions about it need the same.
    pub privilege: Privilege,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was never started, or was cleaned.
    Absent,
    /// It runs.
    Running,
    /// It is over.
    Ended(End),
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Code(i32),
    /// By [`cancel`].
    Cancelled,
    /// Nobody knows: it is gone without having said how, as after a restart of the host.
    Interrupted,
}

/// What starting a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It runs now.
    New,
    /// It was there already, and stands so.
    Already(State),
}

/// Starts a step, or finds it; a step that ended stays ended until [`clean`].
///
/// `input` becomes the script's standard input. On the host it lies in a file that only the owner may read, until the script is started.
///
/// # Errors
/// Fails when the folder is missing or full, or the host cannot be asked.
pub fn start(
    host: &dyn Host,
    step: &Step<'_>,
    script: &str,
    input: &Input,
) -> Result<Started, TransportError> {
    let mut sent = script.as_bytes().to_vec();
    sent.extend_from_slice(input.bytes());
    // With the script before it, what was a secret is one still.
    let sent = match (input, String::from_utf8(sent)) {
        (Input::Secret(_), Ok(text)) => Input::Secret(text.into()),
        (_, Ok(text)) => Input::Bytes(text.into_bytes()),
        (_, Err(error)) => Input::Bytes(error.into_bytes()),
    };
    let settings = format!(
        "script={}\ninput={}\nrunner={}\n",
        script.len(),
        input.bytes().len(),
        quoted(scripts::RUNNER)?
    );
    let output = ask(host, step, &settings, scripts::START, sent, QUESTION)?;
    match output.text().as_str() {
        "new" => Ok(Started::New),
        word => Ok(Started::Already(state(step, word)?)),
    }
}

/// Returns where a step stands.
///
/// # Errors
/// Fails when the host cannot be asked.
pub fn status(host: &dyn Host, step: &Step<'_>) -> Result<State, TransportError> {
    let output = ask(host, step, "", scripts::STATUS, Input::Empty, QUESTION)?;
    state(step, &output.text())
}

/// Returns the names of all steps that are kept in a folder, as [`file_name`] gives them: with none of them there is nothing to ask about.
///
/// # Errors
/// Fails when the host cannot be asked.
pub fn kept(
    host: &dyn Host,
    folder: &str,
    privilege: Privilege,
) -> Result<Vec<String>, TransportError> {
    let script = format!("ls -A {}/.run 2>/dev/null || :", quoted(folder)?);
    let command = Command::sh(script)
        .with_privilege(privilege)
        .within(QUESTION);
    let output = host.must(&command)?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Hands over what a step prints, from `offset` on, until it is over; `None` when the sink had enough before.
///
/// A step that is silent hands over nothing every five seconds or so, so that the sink can have enough then too.
///
/// `offset` moves with what was handed over, so after a fault of the link the same call on a new connection goes on without gap or repetition.
///
/// # Errors
/// Fails when the host cannot be asked or the step was never started.
pub fn follow(
    host: &dyn Host,
    step: &Step<'_>,
    offset: &mut u64,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<Option<End>, TransportError> {
    loop {
        let settings = format!("offset={offset}\nportion={PORTION}\n");
        let output = ask(
            host,
            step,
            &settings,
            scripts::FOLLOW,
            Input::Empty,
            QUESTION,
        )?;
        let heading = output.stdout.iter().position(|byte| *byte == b'\n');
        let (heading, printed) = output
            .stdout
            .split_at(heading.unwrap_or(output.stdout.len()));
        let printed = printed.get(1..).unwrap_or_default();
        let heading = String::from_utf8_lossy(heading);
        let (word, size) = heading.rsplit_once(' ').unwrap_or((&heading, ""));
        let state = state(step, word)?;
        let size: u64 = size.parse().map_err(|_| unexpected(step, &heading))?;
        *offset += printed.len() as u64;
        if sink(printed).is_break() {
            return Ok(None);
        }
        match state {
            State::Ended(end) if *offset >= size => return Ok(Some(end)),
            State::Absent => return Err(unexpected(step, "it was never started")),
            State::Ended(_) | State::Running => {}
        }
    }
}

/// Ends a step that runs: asks its processes to, and after ten seconds makes them. Returns where it stands then.
///
/// # Errors
/// Fails when the host cannot be asked.
pub fn cancel(host: &dyn Host, step: &Step<'_>) -> Result<State, TransportError> {
    let output = ask(host, step, "", scripts::CANCEL, Input::Empty, ENDING)?;
    state(step, &output.text())
}

/// Forgets a step that is over, with its log; one that was never there is forgotten already.
///
/// # Errors
/// Fails when it still runs or the host cannot be asked.
pub fn clean(host: &dyn Host, step: &Step<'_>) -> Result<(), TransportError> {
    ask(host, step, "", scripts::CLEAN, Input::Empty, QUESTION).map(drop)
}

fn ask(
    host: &dyn Host,
    step: &Step<'_>,
    settings: &str,
    script: &str,
    input: Input,
    limit: Duration,
) -> Result<Output, TransportError> {
    let script = format!(
        "{}folder={}\nid={}\n{settings}{script}",
        scripts::SHARED,
        quoted(step.folder)?,
        quoted(&file_name(step.id))?
    );
    let command = Command::sh(script)
        .with_input(input)
        .with_privilege(step.privilege)
        .within(limit);
    let output = host.run(&command)?;
    match output.exit {
        Exit::Code(0) => Ok(output),
        Exit::Code(scripts::NO_FOLDER) => Err(error(step, "the folder does not exist")),
        Exit::Code(scripts::RUNS) => Err(error(step, "the step still runs")),
        _ => {
            let complaint = output.complaint();
            let last = complaint.lines().last().unwrap_or("no reason given");
            Err(error(step, last))
        }
    }
}

fn quoted(text: &str) -> Result<String, TransportError> {
    let quoted = shlex::try_quote(text).map_err(|_| TransportError::Unquotable)?;
    Ok(quoted.into_owned())
}

/// Returns the name of a step's folder; ids are made of slugs and slashes. It never is a hidden one, nor one above.
#[must_use]
pub fn file_name(id: &str) -> String {
    let name: String = id
        .trim_start_matches(['.', '/'])
        .chars()
        .map(|c| match c {
            '/' => '.',
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') => c,
            _ => '_',
        })
        .collect();
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}

fn state(step: &Step<'_>, word: &str) -> Result<State, TransportError> {
    Ok(match word {
        "absent" => State::Absent,
        "running" => State::Running,
        "interrupted" => State::Ended(End::Interrupted),
        "cancelled" => State::Ended(End::Cancelled),
        other => {
            let code = other.strip_prefix("exit ").map(str::trim);
            match code.and_then(|code| code.parse().ok()) {
                Some(code) => State::Ended(End::Code(code)),
                None => return Err(unexpected(step, other)),
            }
        }
    })
}

fn unexpected(step: &Step<'_>, words: &str) -> TransportError {
    error(step, &format!("the host answers `{words}`"))
}

fn error(step: &Step<'_>, detail: &str) -> TransportError {
    TransportError::File {
        action: format!("run the step `{}` in", step.id),
        path: step.folder.to_owned(),
        detail: detail.to_owned(),
    }
}
