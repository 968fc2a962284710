//! A folder to run the binary in, with nothing of this machine's user around it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A temporary home and working folder.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// Makes an empty one.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Returns the working folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the program's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Writes a file in the working folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs_err::write(self.folder().join(name), text).expect("a file in a temporary folder");
    }

    /// Returns the command, ready to run with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("syntho-installer").expect("the binary was built");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder())
            .env("SYNTHO_INSTALLER_HOME", self.home())
            .env("SYNTHO_INSTALLER_OFFLINE", "1")
            .current_dir(self.folder())
            .args(arguments)
            .timeout(std::time::Duration::from_mins(1));
        command
    }

    /// Runs it and returns exit code, standard output and standard error as one text; the folder's name is taken out.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.told(&mut self.command(arguments))
    }

    /// Runs a command and returns what it told.
    pub(crate) fn told(&self, command: &mut Command) -> String {
        let output = command.output().expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let told = format!(
            "exit {}\n--- stdout\n{}\n--- stderr\n{}",
            output
                .status
                .code()
                .map_or("none".to_owned(), |c| c.to_string()),
            text(&output.stdout),
            text(&output.stderr)
        );
        told.replace(&self.folder().display().to_string(), "[folder]")
    }
}
