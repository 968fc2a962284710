//! Runs a program with a time limit and gives back all it printed; everything the rehearsal does goes through here.
//!
//! The limit is kept by coreutils' `timeout`, which also gives the program a process group of its own: Ctrl-C in the terminal
//! reaches us and not, half-way through, a `docker build`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::error::RehearsalError;

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status; 255 when a signal ended it.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Output {
    fn of(raw: &std::process::Output) -> Self {
        Self {
            status: raw.status.code().unwrap_or(255),
            stdout: String::from_utf8_lossy(&raw.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&raw.stderr).into_owned(),
        }
    }

    /// Returns whether the command ended with 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status == 0
    }

    /// Returns standard output without white space at its ends.
    #[must_use]
    pub fn text(&self) -> &str {
        self.stdout.trim()
    }

    /// Returns the last lines printed, for an error.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        lines[lines.len().saturating_sub(6)..].join("\n")
    }
}

/// `timeout`'s own status for a program that ran too long, and the one for a program it had to kill.
const TIMED_OUT: [i32; 2] = [124, 137];

/// A program about to be run.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    program: String,
    args: Vec<String>,
    envs: Vec<(String, String)>,
    input: Vec<u8>,
    limit: Duration,
}

impl Call {
    /// Starts describing a run of `program`, limited to a minute.
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
            input: Vec::new(),
            limit: Duration::from_mins(1),
        }
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    pub(crate) fn args<I>(mut self, args: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.envs.push((name.to_owned(), value.into()));
        self
    }

    /// Gives the program something to read.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Sets another time limit.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it and returns how it ended, also when that is an error.
    pub(crate) fn run(&self) -> Result<Output, RehearsalError> {
        let mut child = self
            .command()
            .stdin(if self.input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| self.not_started(source))?;
        let stdin = child.stdin.take();
        let raw = thread::scope(|scope| {
            if let Some(mut stdin) = stdin {
                // A program that does not read all of it has said why on its standard error.
                scope.spawn(move || stdin.write_all(&self.input).ok());
            }
            child.wait_with_output()
        })?;
        let output = Output::of(&raw);
        if TIMED_OUT.contains(&output.status) && output.stderr.is_empty() {
            return Err(RehearsalError::TimedOut {
                what: self.shown(),
                seconds: self.limit.as_secs(),
            });
        }
        if output.status == 127 && output.stderr.starts_with("timeout: ") {
            return Err(self.not_started(std::io::Error::from(std::io::ErrorKind::NotFound)));
        }
        Ok(output)
    }

    /// Runs it and returns what it printed; any other end than 0 is an error.
    pub(crate) fn output(&self) -> Result<String, RehearsalError> {
        let output = self.run()?;
        if output.ok() {
            Ok(output.text().to_owned())
        } else {
            Err(self.failed(&output))
        }
    }

    /// Runs it with its standard output going into `reader`, and returns what that printed.
    pub(crate) fn pipe_into(&self, reader: &Call) -> Result<String, RehearsalError> {
        let mut first = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| self.not_started(source))?;
        let (pipe, said) = (first.stdout.take(), first.stderr.take());
        let (read, said) = thread::scope(|scope| {
            let said = scope.spawn(|| said.map(std::io::read_to_string).transpose());
            let mut second = reader.command();
            second.stdin(pipe.map_or_else(Stdio::null, Stdio::from));
            (second.output(), said.join().unwrap_or(Ok(None)))
        });
        let status = first.wait()?.code().unwrap_or(255);
        let raw = read.map_err(|source| reader.not_started(source))?;
        // The writer's failure comes first: the reader's is mostly only its echo. Except when the reader went away (SIGPIPE).
        if status != 0 && (status != 141 || raw.status.success()) {
            let stderr = said?.unwrap_or_default();
            return Err(self.failed(&Output {
                status,
                stdout: String::new(),
                stderr,
            }));
        }
        let output = Output::of(&raw);
        if output.ok() {
            Ok(output.text().to_owned())
        } else {
            Err(reader.failed(&output))
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("timeout");
        if self.program == "sudo" {
            // A background process group may not ask for a password on the terminal.
            command.arg("--foreground");
        }
        command
            .args([
                "--kill-after=5",
                &self.limit.as_secs().max(1).to_string(),
                &self.program,
            ])
            .args(&self.args);
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The program and its first words, short enough for a message; the rest may be long scripts.
    fn shown(&self) -> String {
        let words: Vec<&str> = std::iter::once(self.program.as_str())
            .chain(self.args.iter().map(String::as_str))
            .take(4)
            .map(|word| word.lines().next().unwrap_or_default())
            .collect();
        format!("`{}`", words.join(" "))
    }

    fn not_started(&self, source: std::io::Error) -> RehearsalError {
        RehearsalError::Start {
            program: self.program.clone(),
            source,
        }
    }

    fn failed(&self, output: &Output) -> RehearsalError {
        RehearsalError::Failed {
            what: self.shown(),
            status: output.status,
            tail: output.tail(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_back() {
        let output = Call::new("sh")
            .args(["-c", "cat; echo oh >&2; exit 3"])
            .input("hello")
            .run()
            .unwrap();
        assert_eq!(
            (output.status, output.text(), output.stderr.trim()),
            (3, "hello", "oh")
        );
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let error = Call::new("sleep")
            .arg("30")
            .limit(Duration::from_secs(1))
            .run()
            .unwrap_err();
        assert_eq!(error.to_string(), "`sleep 30` took longer than 1 s");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Call::new("no-such-program-here").run().unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program-here`");
    }

    #[test]
    fn two_programs_are_joined_by_a_pipe() {
        let made = Call::new("printf").arg("b\na\n");
        assert_eq!(made.pipe_into(&Call::new("sort")).unwrap(), "a\nb");
        let error = Call::new("false").pipe_into(&Call::new("cat")).unwrap_err();
        assert_eq!(error.to_string(), "`false` failed with status 1: ");
    }
}
