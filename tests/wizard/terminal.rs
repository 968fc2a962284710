//! The program on a pseudo terminal, read as a person sees it.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder for one test, with a home in it.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Starts the program on a terminal of this size.
    pub(crate) fn start(&self, arguments: &[&str], size: (u16, u16)) -> Terminal {
        self.start_with(arguments, size, &[])
    }

    /// Starts it with more variables in its environment.
    pub(crate) fn start_with(
        &self,
        arguments: &[&str],
        size: (u16, u16),
        variables: &[(&str, &str)],
    ) -> Terminal {
        let pair = native_pty_system()
            .openpty(PtySize {
                cols: size.0,
                rows: size.1,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut command = CommandBuilder::new(assert_cmd::cargo::cargo_bin!("syntho-installer"));
        command.env_clear();
        command.env("PATH", "/usr/bin:/bin");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", self.dir.path());
        command.env("SYNTHO_INSTALLER_HOME", self.path("home"));
        command.env("SYNTHO_INSTALLER_OFFLINE", "1");
        command.cwd(self.dir.path());
        for (name, value) in variables {
            command.env(name, value);
        }
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal {
            writer: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            output,
            screen: vt100::Parser::new(cells(size.1), cells(size.0), 2000),
            raw: Vec::new(),
        }
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

/// A terminal with the program on it.
pub(crate) struct Terminal {
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Types.
    pub(crate) fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Takes in what was printed within `time`; returns false when the program has gone.
    fn take_in(&mut self, time: Duration) -> bool {
        match self.output.recv_timeout(time) {
            Ok(bytes) => {
                // Programs ask where the cursor is and wait for the answer.
                if bytes.windows(4).any(|part| part == b"\x1b[6n") {
                    let (row, column) = self.screen.screen().cursor_position();
                    let answer = format!("\x1b[{};{}R", row + 1, column + 1);
                    self.send(&answer);
                }
                self.screen.process(&bytes);
                self.raw.extend_from_slice(&bytes);
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Returns what is to be seen, with its colours.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Returns what is to be seen.
    pub(crate) fn shown(&self) -> String {
        self.screen().contents()
    }

    /// Waits until `wanted` is to be seen.
    pub(crate) fn wait_for(&mut self, wanted: &str) {
        self.wait_until(wanted, |shown| shown.contains(wanted));
    }

    /// Waits until what is to be seen is as wanted.
    pub(crate) fn wait_until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.wait_within(PATIENCE, what, wanted);
    }

    /// Does so for something that takes work.
    pub(crate) fn wait_within(
        &mut self,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) {
        let began = Instant::now();
        while !wanted(&self.shown()) {
            let alive = self.take_in(Duration::from_millis(50));
            assert!(
                alive && began.elapsed() < limit,
                "waited in vain for {what}; to be seen is\n{}",
                self.shown()
            );
        }
    }

    /// Waits until nothing more is drawn for a moment.
    pub(crate) fn settle(&mut self) {
        let mut quiet = 0;
        let began = Instant::now();
        while quiet < 3 && began.elapsed() < PATIENCE {
            let before = self.shown();
            self.take_in(Duration::from_millis(60));
            quiet = if self.shown() == before { quiet + 1 } else { 0 };
        }
    }

    /// Waits until `prompt` is asked, and answers it.
    pub(crate) fn answer(&mut self, prompt: &str, answer: &str) {
        self.wait_until(prompt, |shown| {
            let asked = shown.trim_end().lines().last();
            asked.is_some_and(|line| line.starts_with("? ") && line.contains(prompt))
        });
        self.send(answer);
        self.wait_until(answer, |shown| {
            let asked = shown.trim_end().lines().last();
            asked.is_some_and(|line| line.trim_end().ends_with(answer) || line.contains('*'))
        });
        let typed = self.shown();
        self.send("\r");
        self.wait_until("the answer to be taken", |shown| shown != typed);
    }

    /// Waits until the program ends, and returns its exit code.
    pub(crate) fn ended(&mut self) -> u32 {
        let began = Instant::now();
        while self.take_in(Duration::from_millis(50)) && began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                while self.take_in(Duration::ZERO) && began.elapsed() < PATIENCE {
                    if self.output.recv_timeout(Duration::from_millis(20)).is_err() {
                        break;
                    }
                }
                return status.exit_code();
            }
        }
        self.child.wait().unwrap().exit_code()
    }

    /// Kills the program as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let pid = rustix::process::Pid::from_raw(
            i32::try_from(self.child.process_id().unwrap()).unwrap(),
        );
        rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Returns whether the terminal takes lines, echoes them and heeds Ctrl-C.
    pub(crate) fn is_cooked(&self) -> bool {
        use rustix::termios::{LocalModes, tcgetattr};
        let name = self.master.tty_name().unwrap();
        let file = fs_err::OpenOptions::new().read(true).write(true).open(name);
        let modes = tcgetattr(file.unwrap()).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Returns everything that was ever printed.
    pub(crate) fn printed(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.child.kill();
    }
}
