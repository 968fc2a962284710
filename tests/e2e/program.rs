//! The program under test as a process: what it printed, how it ended, and what it tells while it runs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::trouble;

/// No command of a test takes longer than this; one that does is a failure by itself.
const LIMIT: Duration = Duration::from_mins(10);

/// How a finished command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ended {
    /// Returns the events of a `--json` command.
    pub fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|_| panic!("not an event: {line}"))
            })
            .collect()
    }

    /// Ends the test unless the exit code is `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        let events = self.stdout.lines().map(serde_json::from_str);
        let events: Vec<Value> = events.filter_map(Result::ok).collect();
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}\n--- troubles\n{:#?}",
            tail(&self.stdout),
            tail(&self.stderr),
            trouble::of(&events)
        );
        self
    }

    /// Returns everything it printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Ends the test unless each of `parts` was printed.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        let all = self.all();
        for part in parts {
            assert!(all.contains(part), "`{part}` was not said:\n{}", tail(&all));
        }
        self
    }
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(1500);
    let start = (start..text.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0);
    &text[start..]
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Ended {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let code = wait(&mut child, began);
    Ended {
        code,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        took: began.elapsed(),
    }
}

fn wait(child: &mut Child, began: Instant) -> Option<i32> {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the program did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A `--json` command that runs, telling its events as they come.
pub struct Running {
    child: Child,
    events: Receiver<Value>,
    stderr: Option<thread::JoinHandle<String>>,
    pub seen: Vec<Value>,
    began: Instant,
}

impl Running {
    /// Starts a command whose standard output is one event a line.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, events) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line)
                    && send.send(event).is_err()
                {
                    break;
                }
            }
        });
        let stderr = Some(collect(child.stderr.take().unwrap()));
        Self {
            child,
            events,
            stderr,
            seen: Vec::new(),
            began: Instant::now(),
        }
    }

    /// Waits for an event that fits; `None` when the program ends before.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        loop {
            match self
                .events
                .recv_timeout(LIMIT.saturating_sub(self.began.elapsed()))
            {
                Ok(event) => {
                    self.seen.push(event.clone());
                    if fits(&event) {
                        return Some(event);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().unwrap();
                    panic!("waited in vain for {what}; last: {:?}", self.seen.last());
                }
            }
        }
    }

    /// Waits for an event that fits, and ends the test with what the program said when it ends before.
    #[track_caller]
    pub fn must_see(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(what, fits).unwrap_or_else(|| {
            let stderr = self.stderr.take().map(|stderr| stderr.join().unwrap());
            let last: Vec<_> = self.seen.iter().rev().take(3).collect();
            panic!("the program ended without {what}: {last:#?}\n{stderr:?}");
        })
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) -> Vec<Value> {
        self.end();
        let mut seen = std::mem::take(&mut self.seen);
        seen.extend(self.events.iter());
        seen
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns the most memory that it has held so far, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().split(' ').next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }

    /// Sends it the signal of Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Ended {
        let code = wait(&mut self.child, self.began);
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let mut seen = std::mem::take(&mut self.seen);
        seen.extend(self.events.iter());
        let lines: Vec<String> = seen.iter().map(Value::to_string).collect();
        Ended {
            code,
            stdout: lines.join("\n"),
            stderr,
            took: self.began.elapsed(),
        }
    }
}

/// A test that ends early leaves no program behind that goes on working on its site.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.end();
        }
    }
}

/// Returns whether an event has this name.
pub fn is(event: &Value, name: &str) -> bool {
    event["event"] == name
}
