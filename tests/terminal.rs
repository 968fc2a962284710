//! The built program on a terminal of its own: what is to be seen on it, and that it is left as it was found, whatever ends the program.
//!
//! A recorded run is played, so that no machine is needed. A panic cannot be brought about in the program from outside; for it this test starts itself again
//! with the same library and a screen that panics.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets a surprise must fail"
)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use ratatui::Frame;
use ratatui::layout::Rect;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use syntho_installer::model::event::{Event, Record, Stage};
use syntho_installer::model::ids::RunId;
use syntho_installer::ui::tui::keys::Binding;
use syntho_installer::ui::tui::screen::{Interrupted, Title, Turned};
use syntho_installer::ui::tui::{self, Flow, Look, Screen};

/// How long something may take to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

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

/// A program on a terminal.
struct OnTerminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    enough: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
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

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl OnTerminal {
    /// Starts the built program on a recorded run.
    fn replay() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run.jsonl");
        fs_err::write(&run, recording()).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syntho-installer"));
        command.args(["replay", run.to_str().unwrap(), "--speed", "0"]);
        Self::start(command, folder)
    }

    fn start(mut command: CommandBuilder, folder: tempfile::TempDir) -> Self {
        let size = PtySize {
            rows: 24,
            cols: 80,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let profile = std::env::var_os("LLVM_PROFILE_FILE");
        let panicking = command.get_env(PANICKING).map(OsStr::to_owned);
        command.env_clear();
        if let Some(value) = panicking {
            command.env(PANICKING, value);
        }
        if let Some(profile) = profile {
            command.env("LLVM_PROFILE_FILE", profile);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", folder.path());
        command.env("PATH", "/usr/bin:/bin");
        command.env("SYNTHO_INSTALLER_HOME", folder.path().join("home"));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(24), cells(80), 0)));
        let drawn = Arc::clone(&screen);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let enough = Arc::new(AtomicBool::new(false));
        let seen_enough = Arc::clone(&enough);
        let reading = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if seen_enough.load(Ordering::SeqCst) {
                    break;
                }
                drawn.lock().unwrap().process(&bytes[..count]);
            }
        });
        Self {
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            screen,
            enough,
            reading: Some(reading),
            _folder: folder,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn pid(&self) -> Pid {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        Pid::from_raw(pid).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until `seen` holds.
    fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !seen(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "not seen: {what}\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn is_taken(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Returns the letter by which the system tells how the process is.
    fn state(&self) -> char {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    /// Waits for the end and returns the exit code.
    fn wait(&mut self) -> u32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(began.elapsed() < PATIENCE, "still running\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Fails when the terminal is not as it was found.
    fn assert_sane(&self) {
        self.until("the operator's own screen", |this| !this.is_taken());
        let screen = self.screen.lock().unwrap();
        let screen = screen.screen();
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "pastes are bracketed");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is taken"
        );
        let modes = self.modes();
        assert!(modes.contains(LocalModes::ICANON), "not line by line");
        assert!(modes.contains(LocalModes::ECHO), "no echo");
        assert!(modes.contains(LocalModes::ISIG), "Ctrl-C does nothing");
    }

    fn modes(&self) -> LocalModes {
        let name = self.master.tty_name().unwrap();
        let terminal = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        tcgetattr(&terminal).unwrap().local_modes
    }
}

#[test]
fn leaving_gives_the_terminal_back() {
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
    assert!(program.is_taken());
    assert!(!program.modes().contains(LocalModes::ICANON));
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut program = OnTerminal::replay();
        program.until("the run", |p| p.text().contains(FIRST));
        program.signal(signal);
        program.wait();
        program.assert_sane();
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_takes_it_again() {
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
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
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
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
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
    // Nobody reads any more, nobody types any more: the window was closed.
    program.enough.store(true, Ordering::SeqCst);
    program.press("\u{c}");
    program.reading.take().unwrap().join().unwrap();
    let OnTerminal {
        master,
        keys,
        mut child,
        ..
    } = program;
    drop(keys);
    drop(master);
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
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
    for (rows, cols, seen) in [
        (10, 40, "Please enlarge"),
        (1, 1, ""),
        (40, 120, "syntho-installer"),
    ] {
        let size = PtySize {
            rows,
            cols,
            ..PtySize::default()
        };
        program
            .screen
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(cells(rows), cells(cols));
        program.master.resize(size).unwrap();
        eprintln!(
            "STATUS {}",
            fs_err::read_to_string(format!("/proc/{}/status", program.pid())).unwrap()
        );
        eprintln!("SIZE {:?}", program.master.get_size());
        program.until(seen, |p| p.text().contains(seen));
    }
    program.press("q");
    assert_eq!(program.wait(), 0);
    program.assert_sane();
}

#[test]
fn help_is_there_and_a_paste_is_only_text() {
    let mut program = OnTerminal::replay();
    program.until("the run", |p| p.text().contains(FIRST));
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
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    let name = "a_panic_gives_the_terminal_back_and_is_told";
    command.args(["--exact", name, "--nocapture"]);
    command.env(PANICKING, "1");
    let mut program = OnTerminal::start(command, tempfile::tempdir().unwrap());
    program.wait();
    program.until("what went wrong", |p| {
        p.text().contains("a screen that panics")
    });
    program.assert_sane();
}
