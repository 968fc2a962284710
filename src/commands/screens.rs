//! A deployment on full screens: the engine on its own thread, the screens on this one, and the same once more as often as the operator asks.

mod before;
mod shell;

pub(super) use shell::shells;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::crossterm::terminal;

use super::drive::{Show, bug, manner};
use super::{Session, log_file};
use crate::engine::cancel::Cancel;
use crate::engine::helm::{Helm, Wish};
use crate::engine::session::{self, Job};
use crate::engine::store::{DeploymentFolder, Records};
use crate::model::event::Record;
use crate::model::failure::Failure;
use crate::report::Volume;
use crate::ui::channel::{Line, Message, open};
use crate::ui::line::{self, Wanted};
use crate::ui::tui::frame::LEAST;
use crate::ui::tui::run::{Heard, RunScreen, Setup, Source};
use crate::ui::tui::{self, Left, Look, TuiError};
use crate::wizard::Mending;

/// The exit code of a run that was left.
const CANCELLED: u8 = 130;

/// Whether a run was left to itself. It goes on until the program ends, so nothing else may begin in between.
static LEFT_AT_ONCE: AtomicBool = AtomicBool::new(false);

/// Returns whether the operator has left a run at once, and with it the program.
pub(super) fn left_at_once() -> bool {
    LEFT_AT_ONCE.load(Ordering::SeqCst)
}

/// Returns whether screens can be shown: on a terminal that is large enough, unless little is to be said.
pub(super) fn fit(session: &Session) -> bool {
    session.printer.screens()
        && session.printer.volume() != Volume::Quiet
        && terminal::size()
            .is_ok_and(|(width, height)| width >= LEAST.width && height >= LEAST.height)
}

/// Returns how things look on this terminal.
pub(super) fn look(session: &Session) -> Look {
    let colour = session.printer.out_paint().is_on();
    Look::of(colour, session.global.ascii, &|name| {
        std::env::var(name).ok()
    })
}

/// What the engine does behind the screens.
type Work = fn(&Job, &Line) -> Result<(), Failure>;

/// Deploys on the screens; `job` is the work but for who listens. Returns the exit code.
///
/// # Errors
/// Returns what ended the engine before a run began, or why the terminal cannot be used.
pub(super) fn deploy(session: &Session, show: &Show, job: Job) -> Result<u8, Failure> {
    run(session, show, job, |job, line| {
        session::deploy(job, &|steps| line.review(steps))
    })
}

/// Judges a deployment on the screens, as [`deploy`].
///
/// # Errors
/// As [`deploy`].
pub(super) fn verify(session: &Session, show: &Show, job: Job) -> Result<u8, Failure> {
    run(session, show, job, |job, _| session::verify(job))
}

fn run(session: &Session, show: &Show, job: Job, work: Work) -> Result<u8, Failure> {
    log_file::begin(session);
    let setup = setup(session, show, &job);
    let engine = Engine::new(job, work);
    let shared = Arc::clone(&engine.current);
    let shown = tui::show(RunScreen::new(Box::new(engine), setup), look(session));
    let (screen, left) = match shown {
        Ok(shown) => shown,
        Err(error) => {
            // Without a terminal nobody can go on; the run ends at its next safe point.
            let ended = end(&shared, true);
            if matches!((&error, &ended), (TuiError::Gone, Ok(()))) {
                return Ok(CANCELLED);
            }
            return Err(ended.err().unwrap_or_else(|| Failure::from_error(&error)));
        }
    };
    if left == Left::AtOnce || screen.left_at_once() {
        LEFT_AT_ONCE.store(true, Ordering::SeqCst);
        let again = &show.again;
        session
            .printer
            .note(&format!("left at once; `{again}` goes on from there"));
        return Ok(CANCELLED);
    }
    let ended = end(&shared, false);
    let Some(outcome) = screen.view().outcome.clone() else {
        return Err(ended
            .err()
            .unwrap_or_else(|| bug("the run ended without saying how")));
    };
    line::say_how_it_ended(screen.view(), &manner(session, show), &session.printer);
    Ok(outcome.exit_code())
}

/// Shows what the hosts are like, or the plan, to somebody who goes back to the wizard from there; returns where he wants to mend something.
///
/// # Errors
/// As [`deploy`].
pub(super) fn look_for_wizard(
    session: &Session,
    show: &Show,
    job: Job,
) -> Result<Option<Mending>, Failure> {
    let setup = Setup {
        for_wizard: true,
        place: None,
        ..setup(session, show, &job)
    };
    let work: Work = match show.wanted {
        Wanted::Checks => |job, _| session::check(job),
        _ => |job, _| session::plan(job),
    };
    let mut engine = Engine::new(job, work);
    // An interrupted run is of no interest to whoever only looks.
    engine.earlier = None;
    let shared = Arc::clone(&engine.current);
    let shown = tui::show(RunScreen::new(Box::new(engine), setup), look(session));
    let (screen, _) = shown.map_err(|error| Failure::from_error(&error))?;
    if screen.view().outcome.is_none() && screen.has_ended() {
        end(&shared, false)?;
    }
    Ok(screen.mending().cloned())
}

fn setup(session: &Session, show: &Show, job: &Job) -> Setup {
    Setup {
        again: show.again.clone(),
        shells: shells(&job.deployment, &job.answers.folder),
        host_keys: shell::host_keys(job),
        save_folder: save_folder(session),
        zone: TimeZone::system(),
        recorded: false,
        for_wizard: false,
        expected: before::times(job),
        place: Some(folder(job).root().join("chosen-host")),
    }
}

/// Waits for the engine, which is told to stop first where that is wanted.
fn end(current: &Mutex<Current>, stop: bool) -> Result<(), Failure> {
    let thread = {
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if stop {
            current.cancel.raise();
        }
        current.thread.take()
    };
    match thread.map(JoinHandle::join) {
        Some(Ok(ended)) => ended,
        Some(Err(_)) => Err(bug("the engine stopped in the middle of its work")),
        None => Ok(()),
    }
}

fn folder(job: &Job) -> DeploymentFolder {
    job.home.deployment(&job.deployment.name)
}

/// The run that goes on now.
#[derive(Debug, Default)]
struct Current {
    cancel: Cancel,
    helm: Helm,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

/// The engine as a source of the screens.
#[derive(Debug)]
struct Engine {
    job: Job,
    work: Work,
    messages: Receiver<Message>,
    current: Arc<Mutex<Current>>,
    earlier: Option<Records>,
}

impl Engine {
    /// Begins the work.
    fn new(job: Job, work: Work) -> Self {
        // Before this run is known as the last one.
        let earlier = before::interrupted(&job);
        let (messages, current) = begin(&job, work);
        Self {
            job,
            work,
            messages,
            current: Arc::new(Mutex::new(current)),
            earlier,
        }
    }
}

/// Starts the engine's thread. It is not waited for when the operator leaves at once.
fn begin(job: &Job, work: Work) -> (Receiver<Message>, Current) {
    let (line, messages) = open();
    let (cancel, helm) = (Cancel::new(), Helm::attended());
    let job = heard_by(job, &line, &cancel, &helm);
    let thread = thread::spawn(move || {
        let _last = line.last_word();
        let ended = work(&job, &line);
        if let Err(failure) = &ended {
            tracing::error!(message = %failure.message, causes = ?failure.causes, "ended");
        }
        ended
    });
    let thread = Some(thread);
    let current = Current {
        cancel,
        helm,
        thread,
    };
    (messages, current)
}

/// Returns the same job, told to `line` and steered by `cancel` and `helm`.
fn heard_by(job: &Job, line: &Line, cancel: &Cancel, helm: &Helm) -> Job {
    Job {
        operator: Arc::new(line.clone()),
        listener: Arc::new(line.clone()),
        cancel: cancel.clone(),
        helm: helm.clone(),
        ..job.clone()
    }
}

impl Source for Engine {
    fn next(&mut self, _now: Timestamp) -> Heard {
        match self.messages.try_recv() {
            Ok(message) => Heard::Message(message),
            Err(TryRecvError::Empty) => Heard::Nothing,
            Err(TryRecvError::Disconnected) => Heard::Over,
        }
    }

    fn stop(&mut self) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.cancel.raise();
    }

    fn pause(&mut self, paused: bool) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.helm.pause(paused);
        true
    }

    fn wish(&mut self, wish: Wish) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.helm.wish(wish);
        true
    }

    fn earlier(&mut self) -> Option<Record> {
        self.earlier.as_mut()?.next()
    }

    fn again(&mut self) -> bool {
        let (messages, current) = begin(&self.job, self.work);
        self.messages = messages;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
        true
    }
}

/// Returns where logs are saved: the folder the program was started in.
pub(super) fn save_folder(session: &Session) -> camino::Utf8PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|folder| camino::Utf8PathBuf::from_path_buf(folder).ok())
        .unwrap_or_else(|| session.home.root().to_owned())
}
