//! What each command does: loads settings, starts the engine, hands its events to a front end.
//!
//! Each command is a small file. They hold no product knowledge and no layout: what is decided is decided in the engine, what is shown in [`crate::ui`], and
//! whatever goes wrong comes back as a [`Failure`] that is printed once, here.

mod adopt;
mod answers;
mod backup;
mod bundle;
mod certificate;
mod completions;
mod dashboard;
mod demo;
mod destroy;
mod drive;
mod home;
mod log_file;
mod logs;
mod new;
mod overview;
mod presets;
mod replay;
mod run;
mod screens;
mod signals;
mod support;
mod target;
mod upgrade;

use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::{Cli, Command, Global};
use crate::engine::store::Home;
use crate::model::failure::Failure;
use crate::model::secret::Secrets;
use crate::presets::Presets;
use crate::report::{self, Ground, Printer};
use crate::ui::json;

/// What every command works with.
#[derive(Debug)]
struct Session {
    global: Global,
    printer: Arc<Printer>,
    home: Home,
    /// Secrets that were typed before the command began.
    typed: Secrets,
}

impl Session {
    /// Returns the same, with secrets that were typed meanwhile.
    fn with_typed(&self, typed: Secrets) -> Self {
        Self {
            global: self.global.clone(),
            printer: Arc::clone(&self.printer),
            home: self.home.clone(),
            typed,
        }
    }

    /// Returns the same in another home.
    fn at(&self, home: Home) -> Self {
        Self {
            global: self.global.clone(),
            printer: Arc::clone(&self.printer),
            home,
            typed: self.typed.clone(),
        }
    }

    /// Returns the presets at hand.
    fn presets(&self) -> Presets {
        Presets::new(self.global.presets.as_deref())
    }
}

/// Runs a command line and returns the exit code.
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    let printer = Arc::new(Printer::new(&cli.global, Ground::of_this_process()));
    let ended = home::find(&cli.global).and_then(|home| {
        let session = Session {
            global: cli.global.clone(),
            printer: Arc::clone(&printer),
            home,
            typed: Secrets::default(),
        };
        dispatch(&session, cli.command.as_ref())
    });
    let code = ended.unwrap_or_else(|failure| {
        tell(&printer, &failure, wants_json(cli.command.as_ref()));
        failure.kind.exit_code()
    });
    match printer.trouble() {
        Some(error) if code == 0 => {
            printer.note(&format!("error: cannot write the output: {error}"));
            1
        }
        _ => code,
    }
}

/// Starts the command that was asked for.
fn dispatch(session: &Session, command: Option<&Command>) -> Result<u8, Failure> {
    match command {
        None => overview::run(session),
        Some(Command::New(args)) => new::run(session, args),
        Some(Command::Presets(args)) => presets::run(session, args),
        Some(Command::Answers(command)) => answers::run(session, command),
        Some(Command::Completions(args)) => Ok(completions::run(session, args)),
        Some(Command::Check(args)) => run::check(session, args),
        Some(Command::Plan(args)) => run::plan(session, args),
        Some(Command::Deploy(args)) => run::deploy(session, args),
        Some(Command::Adopt(args)) => adopt::run(session, args),
        Some(Command::Verify(args)) => run::verify(session, args),
        Some(Command::Status(args)) => run::status(session, args),
        Some(Command::Logs(args)) => logs::run(session, args),
        Some(Command::Support(args)) => support::run(session, args),
        Some(Command::Upgrade(args)) => upgrade::upgrade(session, args),
        Some(Command::Rollback(args)) => upgrade::rollback(session, args),
        Some(Command::Backup(args)) => backup::backup(session, args),
        Some(Command::Restore(args)) => backup::restore(session, args),
        Some(Command::Certificate(args)) => certificate::run(session, args),
        Some(Command::Destroy(args)) => destroy::run(session, args),
        Some(Command::Replay(args)) => replay::run(session, args),
        Some(Command::Bundle(command)) => bundle::run(session, command),
        Some(Command::Demo(args)) => demo::run(session, args),
    }
}

/// Prints a failure: always for people on standard error, and as the last event where events were asked for.
fn tell(printer: &Printer, failure: &Failure, as_json: bool) {
    if as_json {
        json::print(printer, &report::for_machines(failure, Timestamp::now()));
    }
    for line in report::for_people(failure, printer.err_paint()) {
        printer.note(&line);
    }
}

/// Returns whether the command line asks for events on standard output.
fn wants_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Check(args)) => args.json,
        Some(Command::Plan(args)) => args.json,
        Some(Command::Deploy(args)) => args.telling.json,
        Some(Command::Status(args) | Command::Verify(args)) => args.json,
        Some(Command::Adopt(args)) => args.json,
        Some(Command::Logs(args)) => args.json,
        Some(Command::Support(args)) => args.json,
        Some(Command::Upgrade(args)) => args.telling.json,
        Some(Command::Rollback(args)) => args.telling.json,
        Some(Command::Backup(args)) => args.json,
        Some(Command::Restore(args)) => args.telling.json,
        Some(Command::Certificate(args)) => args.telling.json,
        Some(Command::Destroy(args)) => args.telling.json,
        _ => false,
    }
}
