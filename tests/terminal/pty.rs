//! The built program on a pseudo terminal: keys in, screen out, and whether the terminal is as it was found.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

/// How long something may take to be seen that takes no work.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a terminal.
pub struct OnTerminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    enough: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl OnTerminal {
    /// Starts a program with exactly the environment it was given, on a terminal of 24 rows of 80 columns.
    pub fn start(program: &Command) -> Self {
        Self::start_at(program, (80, 24))
    }

    /// Starts it on a terminal of so many columns and rows.
    pub fn start_at(program: &Command, (cols, rows): (u16, u16)) -> Self {
        let size = PtySize {
            rows,
            cols,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program.get_program());
        command.args(program.get_args());
        command.env_clear();
        for (name, value) in program.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        if let Some(folder) = program.get_current_dir() {
            command.cwd(folder);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(cols), 0)));
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
        }
    }

    /// Types keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Returns the program's process.
    pub fn pid(&self) -> Pid {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        Pid::from_raw(pid).unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Returns what is to be seen.
    pub fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Looks at what is to be seen, with its colours.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.screen.lock().unwrap().screen())
    }

    /// Waits until `seen` holds, which takes no work.
    pub fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        self.within(PATIENCE, what, seen);
    }

    /// Waits until `seen` holds.
    pub fn within(&self, limit: Duration, what: &str, seen: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !seen(self) {
            assert!(began.elapsed() < limit, "not seen: {what}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns whether the whole terminal is taken.
    pub fn is_taken(&self) -> bool {
        self.look(vt100::Screen::alternate_screen)
    }

    /// Returns the letter by which the system tells how the process is.
    pub fn state(&self) -> char {
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    /// Waits for the end and returns the exit code.
    pub fn wait(&mut self) -> u32 {
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
    pub fn assert_sane(&self) {
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

    /// Returns the settings of the terminal.
    pub fn modes(&self) -> LocalModes {
        let name = self.master.tty_name().unwrap();
        let terminal = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        tcgetattr(&terminal).unwrap().local_modes
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols,
            ..PtySize::default()
        };
        let mut screen = self.screen.lock().unwrap();
        screen.screen_mut().set_size(cells(rows), cells(cols));
        drop(screen);
        self.master.resize(size).unwrap();
    }

    /// Takes the terminal away, as when its window is closed, and returns the program.
    pub fn hang_up(mut self) -> Box<dyn Child + Send + Sync> {
        self.enough.store(true, Ordering::SeqCst);
        // Something must be drawn for the reader to notice.
        self.press("\u{c}");
        self.reading.take().unwrap().join().unwrap();
        self.child
    }
}
