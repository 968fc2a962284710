//! A scripted host for the engine's unit tests: replies by what a command contains, and a record of what was run.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Command, Docker, Exit, Host, Stream, TransportError};
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;

/// Decides what a command prints and how it ends.
type Responder = Box<dyn Fn(&Command) -> Option<Reply> + Send + Sync>;

/// What a scripted command prints and how it ends.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit status.
    pub code: i32,
    /// Breaks the connection instead.
    pub lost: bool,
}

impl Reply {
    /// Returns a reply that prints `text` and ends well.
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self {
            stdout: text.into(),
            ..Self::default()
        }
    }

    /// Returns a reply that complains with `text` and ends with `code`.
    #[must_use]
    pub fn failed(code: i32, text: impl Into<String>) -> Self {
        Self {
            stderr: text.into(),
            code,
            ..Self::default()
        }
    }

    /// Returns a lost connection.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            lost: true,
            ..Self::default()
        }
    }
}

/// A host that answers from a script.
pub struct FakeHost {
    name: HostName,
    root: RootAccess,
    responders: Vec<Responder>,
    docker: Option<Arc<dyn Docker>>,
    ran: Mutex<Vec<Command>>,
}

impl std::fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FakeHost({})", self.name)
    }
}

impl FakeHost {
    /// Returns a host on which every command prints nothing and ends well.
    #[must_use]
    pub fn new(name: HostName) -> Self {
        Self {
            name,
            root: RootAccess::IsRoot,
            responders: Vec::new(),
            docker: None,
            ran: Mutex::new(Vec::new()),
        }
    }

    /// Answers commands whose script contains `part` with `reply`; the first rule that fits counts.
    #[must_use]
    pub fn on(self, part: &'static str, reply: Reply) -> Self {
        self.respond(move |command| command.script.contains(part).then(|| reply.clone()))
    }

    /// Answers commands by a function; `None` leaves it to later rules.
    #[must_use]
    pub fn respond(
        mut self,
        responder: impl Fn(&Command) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        self.responders.push(Box::new(responder));
        self
    }

    /// Gives the host this root access.
    #[must_use]
    pub fn with_root(mut self, root: RootAccess) -> Self {
        self.root = root;
        self
    }

    /// Gives the host this Docker.
    #[must_use]
    pub fn with_docker(mut self, docker: Arc<dyn Docker>) -> Self {
        self.docker = Some(docker);
        self
    }

    /// Returns every command run so far.
    #[must_use]
    pub fn ran(&self) -> Vec<Command> {
        self.ran
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Host for FakeHost {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn describe(&self) -> String {
        format!("fake {}", self.name)
    }

    fn root_access(&self) -> RootAccess {
        self.root
    }

    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        self.ran
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(command.clone());
        let reply = self
            .responders
            .iter()
            .find_map(|respond| respond(command))
            .unwrap_or_default();
        if reply.lost {
            return Err(TransportError::Lost {
                detail: "scripted".to_owned(),
            });
        }
        for (stream, text) in [(Stream::Out, &reply.stdout), (Stream::Err, &reply.stderr)] {
            if !text.is_empty() && sink(stream, text.as_bytes()).is_break() {
                break;
            }
        }
        Ok(Exit::Code(reply.code))
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        self.docker.clone().ok_or_else(|| TransportError::Docker {
            action: "answer".to_owned(),
            detail: "no engine".to_owned(),
            status: None,
        })
    }
}
