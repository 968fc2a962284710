//! The built program on a terminal of its own: what is to be seen on it, and that it is left as it was found, whatever ends the program.
//!
//! A recorded run is played, so that no machine is needed. A panic cannot be brought about in the program from outside; for it this test starts itself again
//! with the same library and a screen that panics.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets a surprise must fail"
)]

#[path = "terminal/pty.rs"]
#[expect(unreachable_pub, reason = "shared with the end-to-end tests")]
mod pty;

use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pty::{OnTerminal, PATIENCE};
use ratatui::Frame;
use ratatui::layout::Rect;
use rustix::process::Signal;
use rustix::termios::LocalModes;
use syntho_installer::model::event::{Event, Record, Stage};
use syntho_installer::model::ids::RunId;
use syntho_installer::ui::tui::keys::Binding;
use syntho_installer::ui::tui::screen::{Interrupted, Title, Turned};
use syntho_installer::ui::tui::{self, Flow, Look, Screen};

/// What is to be seen on the recorded run's first page.
const FIRST: &str = "acme-prod";

/// Tells this test, started again by itself, to be the program that panics.
const PANICKING: &str = "SYNTHO_TEST_PANICS";

/// A screen that panics once it was drawn.
#[derive(Debug)]
struct Panics;

impl Screen for Panics {
    type Action = ();

    fn title(&self, _now: Timestamp) -> Title {
        Title::default()
    }

    fn draw(&self, _frame: &mut Frame<'_>, _page: Rect, _look: Look, _now: Timestamp) {
        panic!("a screen that panics");
    }

    fn bindings(&self) -> Vec<Binding<()>> {
        Vec::new()
    }

    fn act(&mut self, (): ()) -> Flow<()> {
        Flow::Stay
    }

    fn turn(&mut self, _now: Timestamp) -> Turned {
        Turned::Changed
    }

    fn interrupt(&mut self, _how: Interrupted) -> Flow<()> {
        Flow::Leave
    }
}

/// The program at work on a recorded run.
struct Replay {
    program: OnTerminal,
    _folder: tempfile::TempDir,
}

/// Starts the built program on a recorded run and waits until it is seen.
fn replay() -> Replay {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run.jsonl");
    fs_err::write(&run, recording()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_syntho-installer"));
    command
        .args(["replay", run.to_str().unwrap(), "--speed", "0"])
        .env("HOME", folder.path())
        .env("SYNTHO_INSTALLER_HOME", folder.path().join("home"))
        .env("SYNTHO_INSTALLER_OFFLINE", "1");
    let program = OnTerminal::start(&command);
    program.until("the run", |p| p.text().contains(FIRST));
    Replay {
        program,
        _folder: folder,
    }
}

/// Returns a run that was recorded and never ended, as one line for each event.
fn recording() -> String {
    let hosts = ["ui", "node-1", "node-2"].map(|name| name.parse().unwrap());
    let mut events = vec![
        Event::RunStarted {
            run: RunId("20261120T123000Z-4f2a".to_owned()),
            deployment: "acme-prod".parse().unwrap(),
            title: "Some product".to_owned(),
            purpose: "deploy".to_owned(),
            hosts: hosts.to_vec(),
        },
        Event::StageStarted {
            stage: Stage::Connect,
        },
    ];
    events.extend(hosts.map(|host| Event::HostConnected { host, took_ms: 400 }));
    let time = "2026-11-20T12:30:00Z".parse().unwrap();
    let lines = events.into_iter().map(|event| {
        let record = Record { time, event };
        serde_json::to_string(&record).unwrap() + "\n"
    });
    lines.collect()
}

#[test]
fn leaving_gives_the_terminal_back() {
    let Replay {
        mut program,
        _folder,
    } = replay();
    assert!(program.is_taken());
    assert!(!program.modes().contains(LocalModes::ICANON));
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let Replay {
            mut program,
            _folder,
        } = replay();
        program.signal(signal);
        program.wait();
        program.assert_sane();
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_takes_it_again() {
    let Replay {
        mut program,
        _folder,
    } = replay();
    program.press("\u{1a}");
    program.until("the program at rest", |p| p.state() == 'T');
    program.assert_sane();
    program.signal(Signal::CONT);
    program.until("the run again", |p| {
        p.is_taken() && p.text().contains(FIRST)
    });
    assert!(!program.modes().contains(LocalModes::ICANON));
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn a_stop_from_outside_is_the_same_as_ctrl_z() {
    let Replay {
        mut program,
        _folder,
    } = replay();
    program.signal(Signal::TSTP);
    program.until("the program at rest", |p| p.state() == 'T');
    program.assert_sane();
    program.signal(Signal::CONT);
    program.until("the run again", |p| {
        p.is_taken() && p.text().contains(FIRST)
    });
    program.press("q");
    assert_eq!(program.wait(), 0);
}

#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    let Replay { program, _folder } = replay();
    let mut child = program.hang_up();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(
            began.elapsed() < PATIENCE,
            "the program goes on without a terminal"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_resize_is_followed_at_any_time() {
    let Replay {
        mut program,
        _folder,
    } = replay();
    for (rows, cols, seen) in [
        (10, 40, "Please enlarge"),
        (1, 1, ""),
        (40, 120, "syntho-installer"),
    ] {
        program.resize(cols, rows);
        program.until(seen, |p| p.text().contains(seen));
    }
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn help_is_there_and_a_paste_is_only_text() {
    let Replay {
        mut program,
        _folder,
    } = replay();
    program.press("?");
    program.until("the help", |p| p.text().contains("Everywhere"));
    // A pasted `q` is not the key `q`.
    program.press("\u{1b}[200~q\u{1b}[201~");
    program.press("\u{1b}");
    program.until("the run", |p| !p.text().contains("Everywhere"));
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    if std::env::var_os(PANICKING).is_some() {
        let _ = tui::show(Panics, Look::FULL);
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "a_panic_gives_the_terminal_back_and_is_told";
    command
        .args(["--exact", name, "--nocapture"])
        .env(PANICKING, "1");
    let mut program = OnTerminal::start(&command);
    program.wait();
    program.until("what went wrong", |p| {
        p.text().contains("a screen that panics")
    });
    program.assert_sane();
}
