//! One process on this machine: its input sent, both outputs drained, its whole group ended at the limit.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use secrecy::ExposeSecret;

use super::super::sudo::Wrapped;
use super::super::{Command, Exit, Stream, TransportError};

/// What a login over SSH would have too, plus how Docker and a proxy are reached. Above all: no variable that holds one of our secrets.
const KEPT: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The environment that commands get, and how they get a session of their own.
#[derive(Debug)]
pub(in super::super) struct Environment {
    variables: BTreeMap<&'static str, String>,
    setsid: bool,
}

impl Environment {
    /// Returns what this process hands on.
    pub(in super::super) fn of_this_process() -> Self {
        let variables: BTreeMap<_, _> = KEPT
            .iter()
            .filter_map(|name| Some((*name, std::env::var(name).ok()?)))
            .collect();
        let path = variables.get("PATH").map(String::as_str);
        let setsid = path
            .unwrap_or("/usr/bin:/bin")
            .split(':')
            .any(|folder| std::path::Path::new(folder).join("setsid").is_file());
        Self { variables, setsid }
    }

    /// Returns the value of a variable that is handed on.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns a process that will run a wrapped command as leader of its own group, and where possible of its own session.
    pub(super) fn process(&self, wrapped: &Wrapped) -> Process {
        let mut process = if self.setsid {
            // Not a group's leader when it starts, so `setsid` does not fork and the process id stays the one we know.
            let mut process = Process::new("setsid");
            process.arg("sh");
            process
        } else {
            let mut process = Process::new("sh");
            process.process_group(0);
            process
        };
        process
            .arg("-c")
            .arg(&wrapped.script)
            .env_clear()
            .envs(&self.variables);
        process
    }
}

/// A command that did not come to its own end.
#[derive(Debug)]
pub(in super::super) struct Broken {
    /// Its process group when it ran at all, already signalled with our own rights.
    pub(super) group: Option<u32>,
    /// Why; nothing when the sink had enough.
    why: Option<Box<TransportError>>,
}

impl Broken {
    /// Returns what the caller of the command is told.
    pub(in super::super) fn into_result(self) -> Result<Exit, TransportError> {
        match self.why {
            Some(error) => Err(*error),
            None => Ok(Exit::Signal("KILL".to_owned())),
        }
    }
}

enum Event {
    Output(Stream, Vec<u8>),
    Closed,
    Ended(io::Result<ExitStatus>),
}

/// Runs a command to its end, or until its limit or the sink ends it.
pub(in super::super) fn run(
    environment: &Environment,
    wrapped: &Wrapped,
    command: &Command,
    sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
) -> Result<Exit, Broken> {
    let deadline = Instant::now() + command.limit;
    let mut child = environment
        .process(wrapped)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Broken {
            group: None,
            why: Some(Box::new(not_started(&error))),
        })?;
    let group = child.id();
    let events = watch(&mut child, wrapped, command);
    watch_end(child, events.0);
    match follow(&events.1, deadline, sink) {
        Ok(status) => Ok(exit(status)),
        Err(why) => {
            end_group(group);
            Err(Broken {
                group: Some(group),
                why: why.map(|fault| Box::new(fault.into_error(command))),
            })
        }
    }
}

enum Fault {
    TimedOut,
    Wait(io::Error),
}

impl Fault {
    fn into_error(self, command: &Command) -> TransportError {
        match self {
            Self::TimedOut => TransportError::TimedOut {
                what: command.title(),
                limit: command.limit,
            },
            Self::Wait(error) => not_started(&error),
        }
    }
}

/// Takes events until both outputs are closed and the end is known.
fn follow(
    events: &Receiver<Event>,
    deadline: Instant,
    sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
) -> Result<ExitStatus, Option<Fault>> {
    let mut open = 2;
    let mut status = None;
    loop {
        if let (0, Some(status)) = (open, status) {
            return Ok(status);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(Event::Output(stream, bytes)) => {
                if sink(stream, &bytes).is_break() {
                    return Err(None);
                }
            }
            Ok(Event::Closed) => open -= 1,
            Ok(Event::Ended(ended)) => {
                status = Some(ended.map_err(|error| Some(Fault::Wait(error)))?);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(Some(Fault::TimedOut));
            }
        }
    }
}

/// Starts the threads that feed and drain a process. They end when its pipes do, or when nobody listens any more.
fn watch(
    child: &mut Child,
    wrapped: &Wrapped,
    command: &Command,
) -> (SyncSender<Event>, Receiver<Event>) {
    let (sender, receiver) = sync_channel(64);
    if let Some(mut stdin) = child.stdin.take() {
        let prefix = wrapped.prefix.clone();
        let input = command.input.clone();
        thread::spawn(move || {
            let prefix = prefix.as_ref().map_or("", |prefix| prefix.expose_secret());
            // A program may end without reading; how it ended is what counts.
            if stdin.write_all(prefix.as_bytes()).is_ok() {
                let _ = stdin.write_all(input.bytes());
            }
        });
    }
    let pipes: [(Stream, Option<Box<dyn Read + Send>>); 2] = [
        (
            Stream::Out,
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
        ),
        (
            Stream::Err,
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ),
    ];
    for (stream, pipe) in pipes {
        let sender = sender.clone();
        thread::spawn(move || drain(stream, pipe, &sender));
    }
    (sender, receiver)
}

fn drain(stream: Stream, pipe: Option<Box<dyn Read + Send>>, sender: &SyncSender<Event>) {
    let mut buffer = vec![0; 64 << 10];
    if let Some(mut pipe) = pipe {
        loop {
            match pipe.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = buffer[..count].to_vec();
                    if sender.send(Event::Output(stream, bytes)).is_err() {
                        return;
                    }
                }
            }
        }
    }
    let _ = sender.send(Event::Closed);
}

fn watch_end(mut child: Child, sender: SyncSender<Event>) {
    thread::spawn(move || {
        let _ = sender.send(Event::Ended(child.wait()));
    });
}

/// Ends a process group at once; without the right to it nothing happens.
fn end_group(group: u32) {
    let group = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

fn not_started(error: &io::Error) -> TransportError {
    TransportError::Lost {
        detail: format!("no shell on this machine: {error}"),
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal_name(signal.unwrap_or(0))),
    }
}

/// Returns a signal's name as SSH would tell it.
fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        other => return other.to_string(),
    };
    name.to_owned()
}
