//! Runs the engine on its own thread and a front end on this one, until both are done.

use std::sync::Arc;

use super::{Session, log_file, signals::Signals};
use crate::engine::cancel::Cancel;
use crate::model::failure::{Failure, FailureKind};
use crate::ui::channel::{Line, open};
use crate::ui::json::JsonFront;
use crate::ui::line::{BarsVoice, LineFront, Manner, PlainVoice, Wanted};
use crate::ui::{FrontEnd, watch};

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As bars where they can be drawn.
    Bars,
    /// As plain lines.
    Plain,
    /// As JSON.
    Json,
}

impl Shown {
    /// Returns what the flags `--json` and `--plain` ask for.
    pub(super) fn of(json: bool, plain: bool) -> Self {
        match (json, plain) {
            (true, _) => Self::Json,
            (false, true) => Self::Plain,
            (false, false) => Self::Bars,
        }
    }
}

/// What a command says of the run it starts.
#[derive(Debug, Clone)]
pub(super) struct Show {
    /// How it is shown.
    pub(super) shown: Shown,
    /// What was asked for.
    pub(super) wanted: Wanted,
    /// The command that goes on after an interruption.
    pub(super) again: String,
}

/// Runs `work` and shows what it tells; returns the exit code.
///
/// # Errors
/// Returns what `work` returns when it ended before a run began, and a bug when it ended without saying how.
pub(super) fn drive<W>(session: &Session, show: &Show, work: W) -> Result<u8, Failure>
where
    W: FnOnce(&Line, &Cancel) -> Result<(), Failure> + Send,
{
    log_file::begin(session);
    let cancel = Cancel::new();
    let signals = Signals::catch(cancel.clone()).map_err(|error| no_signals(&error))?;
    let mut front = front(session, show);
    let (line, messages) = open();
    let worked = std::thread::scope(|scope| {
        let engine = scope.spawn(move || {
            let _last = line.last_word();
            work(&line, &cancel)
        });
        watch(&messages, front.as_mut(), &signals);
        engine.join()
    });
    let ended = worked.unwrap_or_else(|_| Err(bug("the engine stopped in the middle of its work")));
    if let Err(failure) = &ended {
        tracing::error!(message = %failure.message, causes = ?failure.causes, "ended");
    }
    match (front.outcome(), ended) {
        (Some(outcome), Ok(())) => Ok(outcome.exit_code()),
        // What ended the run was shown by the front end already.
        (Some(outcome), Err(_)) if outcome.exit_code() != 0 => Ok(outcome.exit_code()),
        (_, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(bug("the run ended without saying how")),
    }
}

/// Returns what a line-mode front end is set up with.
pub(super) fn manner(session: &Session, show: &Show) -> Manner {
    let printer = &session.printer;
    Manner {
        volume: printer.volume(),
        paint: printer.err_paint(),
        data_paint: printer.out_paint(),
        wanted: show.wanted,
        again: show.again.clone(),
        can_ask: printer.can_ask(),
    }
}

/// Builds the front end that was asked for, as far as the ground allows.
pub(super) fn front(session: &Session, show: &Show) -> Box<dyn FrontEnd> {
    let printer = Arc::clone(&session.printer);
    let manner = manner(session, show);
    match show.shown {
        Shown::Json => Box::new(JsonFront::new(printer)),
        Shown::Bars if printer.bars() => Box::new(LineFront::new(manner, BarsVoice::new(printer))),
        Shown::Bars | Shown::Plain => Box::new(LineFront::new(manner, PlainVoice::new(printer))),
    }
}

/// Returns a failure that is our fault.
pub(super) fn bug(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Bug,
        host: None,
        message: message.to_owned(),
        causes: Vec::new(),
        hint: None,
        command: None,
    }
}

/// Returns the failure of a system that lets no signals be caught.
pub(super) fn no_signals(error: &std::io::Error) -> Failure {
    Failure {
        causes: vec![error.to_string()],
        ..bug("cannot catch signals")
    }
}
