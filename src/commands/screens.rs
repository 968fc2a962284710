//! A deployment on full screens: the engine on its own thread, the screens on this one, and the same once more as often as the operator asks.

use std::collections::BTreeMap;
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
use crate::engine::planner;
use crate::engine::session::{self, Job};
use crate::engine::store::{DeploymentFolder, Records};
use crate::model::deployment::{Deployment, HostSettings};
use crate::model::event::{Outcome, Record};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::report::Volume;
use crate::ui::channel::{Line, Message, open};
use crate::ui::line::{self, Wanted};
use crate::ui::tui::frame::LEAST;
use crate::ui::tui::run::{Heard, RunScreen, Setup, Source};
use crate::ui::tui::{self, Left, Look, TuiError};
use crate::wizard::Mending;

/// The exit code of a run that was left.
const CANCELLED: u8 = 130;

/// An address that means this machine.
const LOCAL: &str = "local";

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
    log_file::begin(session);
    let setup = setup(session, show, &job);
    let engine = Engine::new(job, |job, line| {
        session::deploy(job, &|steps| line.review(steps))
    });
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
        shells: shells(job),
        host_keys: host_keys(job),
        save_folder: save_folder(session),
        zone: TimeZone::system(),
        recorded: false,
        for_wizard: false,
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
        let earlier = interrupted(&job);
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

/// Returns the records of the run before, when it did not come to a good end.
fn interrupted(job: &Job) -> Option<Records> {
    let folder = folder(job);
    let state = folder.state().ok().flatten()?;
    if matches!(state.outcome, Some(Outcome::Done | Outcome::NothingToDo)) {
        return None;
    }
    let records = Records::open(&folder.events_path(&state.last_run));
    records
        .inspect_err(|error| tracing::info!(%error, "the run before is not shown"))
        .ok()
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

/// Returns the fingerprints that the answers name.
fn host_keys(job: &Job) -> BTreeMap<HostName, String> {
    let hosts = job.deployment.hosts.iter();
    hosts
        .filter_map(|host| Some((host.name.clone(), host.host_key.clone()?)))
        .collect()
}

/// Returns the program that opens a shell on each host.
fn shells(job: &Job) -> BTreeMap<HostName, Vec<String>> {
    let deployment = &job.deployment;
    let folder = &job.answers.folder;
    deployment
        .hosts
        .iter()
        .map(|host| (host.name.clone(), shell(deployment, host, folder)))
        .collect()
}

/// Returns the program that opens a shell on a host, as the installer itself logs in there.
fn shell(deployment: &Deployment, host: &HostSettings, folder: &camino::Utf8Path) -> Vec<String> {
    let there = planner::folder(&deployment.base_folder, &deployment.name);
    let there =
        shlex::try_quote(&there).map_or_else(|_| ".".to_owned(), std::borrow::Cow::into_owned);
    // The folder is there only once something was deployed; the shell opens all the same.
    let enter = format!("cd {there} 2>/dev/null; exec \"${{SHELL:-/bin/sh}}\" -l");
    if host.address == LOCAL {
        return ["sh", "-c", &enter].map(str::to_owned).to_vec();
    }
    let login = &host.login;
    let mut command = vec!["ssh".to_owned(), "-t".to_owned()];
    if let Some(port) = login.port {
        command.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(key) = &login.key {
        let key = if key.as_str().starts_with('~') {
            key.clone()
        } else {
            folder.join(key)
        };
        command.extend(["-i".to_owned(), key.to_string()]);
    }
    if let Some(jump) = &login.jump {
        command.extend(["-J".to_owned(), jump.clone()]);
    }
    if let Some(user) = &login.user {
        command.extend(["-l".to_owned(), user.clone()]);
    }
    // No option may hide in an address.
    command.extend(["--".to_owned(), host.address.clone(), enter]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::answers::SshSection;
    use crate::model::sample;
    use crate::presets::Presets;

    fn shell_of(address: &str, login: SshSection) -> Vec<String> {
        let presets = Presets::new(None);
        let id = presets.ids().remove(0);
        let preset = presets.load(&id).unwrap();
        let deployment = sample::deployment(&preset, &BTreeMap::new()).unwrap();
        let host = HostSettings {
            name: "node-1".parse().unwrap(),
            address: address.to_owned(),
            private_address: None,
            roles: Vec::new(),
            host_key: None,
            login,
        };
        shell(&deployment, &host, camino::Utf8Path::new("/home/op/acme"))
    }

    #[test]
    fn a_shell_logs_in_as_the_installer_does() {
        let login = SshSection {
            user: Some("deploy".to_owned()),
            port: Some(2222),
            key: Some("keys/id".into()),
            jump: Some("ops@bastion:22".to_owned()),
            sudo: None,
        };
        let command = shell_of("10.0.0.12", login);
        let (last, options) = command.split_last().unwrap();
        assert_eq!(
            options.join(" "),
            "ssh -t -p 2222 -i /home/op/acme/keys/id -J ops@bastion:22 -l deploy -- 10.0.0.12"
        );
        assert!(
            last.starts_with("cd /opt/syntho/sample 2>/dev/null; exec"),
            "{last}"
        );
    }

    #[test]
    fn a_shell_on_this_machine_needs_no_login() {
        let command = shell_of("local", SshSection::default());
        assert_eq!(command[0], "sh");
    }
}
