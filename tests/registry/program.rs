//! The program in a folder of its own, with nothing of this machine's user around it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A temporary home and working folder.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Returns a path in the working folder.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the command, ready to run with these arguments.
    pub(crate) fn command<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syntho-installer"));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.folder.path())
            .env("SYNTHO_INSTALLER_HOME", self.at("home"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .args(arguments.iter().map(AsRef::as_ref));
        command
    }

    /// Runs it.
    pub(crate) fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Told {
        self.told(&mut self.command(arguments))
    }

    /// Runs a command to its end.
    pub(crate) fn told(&self, command: &mut Command) -> Told {
        Told::of(&command.output().unwrap(), self.folder.path())
    }

    /// Starts it.
    pub(crate) fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Returns what a started one told.
    pub(crate) fn ended(&self, child: Child) -> Told {
        Told::of(&child.wait_with_output().unwrap(), self.folder.path())
    }
}

/// What a run told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: String,
}

impl Told {
    fn of(output: &Output, folder: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            folder: folder.display().to_string(),
        }
    }

    /// Expects this exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Returns everything, without what differs between runs: folders, ports, digests.
    pub(crate) fn plain(&self) -> String {
        let text = format!(
            "exit {}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        );
        let text = text.replace(&self.folder, "[folder]");
        let mut plain = text;
        for (pattern, with) in [
            (r"(?m)^(fetching|writing|pushing) \d+ %.*\n?", ""),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
            (r"[0-9a-f]{64}", "[digest]"),
            (r"\b[0-9a-f]{12}\b", "[id]"),
        ] {
            plain = regex::Regex::new(pattern)
                .unwrap()
                .replace_all(&plain, with)
                .into_owned();
        }
        plain
    }
}
