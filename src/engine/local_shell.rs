//! A host for the engine's unit tests that really runs its commands, in a shell of this machine, so that remote scripts are proved and not only read.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;

use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::transport::{Command, Docker, Exit, Host, Stream, TransportError};

/// This machine by one of its shells.
#[derive(Debug)]
pub(crate) struct LocalShell {
    name: HostName,
    shell: &'static [&'static str],
}

impl LocalShell {
    /// Returns this machine under a name, with commands run by `shell`.
    pub(crate) fn new(name: &str, shell: &'static [&'static str]) -> Self {
        Self {
            name: name.parse().unwrap(),
            shell,
        }
    }
}

impl Host for LocalShell {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn describe(&self) -> String {
        "this machine".to_owned()
    }

    fn root_access(&self) -> RootAccess {
        RootAccess::None
    }

    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        let lost = |error: std::io::Error| TransportError::Lost {
            detail: error.to_string(),
        };
        let mut process = Process::new(self.shell[0])
            .args(&self.shell[1..])
            .args(["-c", &command.script])
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(lost)?;
        if let Some(mut stdin) = process.stdin.take() {
            stdin.write_all(command.input.bytes()).map_err(lost)?;
        }
        let output = process.wait_with_output().map_err(lost)?;
        let _ = sink(Stream::Out, &output.stdout);
        let _ = sink(Stream::Err, &output.stderr);
        Ok(Exit::Code(output.status.code().unwrap_or(-1)))
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        Err(TransportError::Docker {
            action: "answer".to_owned(),
            detail: "not for this test".to_owned(),
            status: None,
        })
    }
}
