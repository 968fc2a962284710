//! How a host is reached: commands, files and Docker, over SSH or on this machine.
//!
//! [`Host`] and [`Docker`] are all the engine sees. `ssh` implements them over ssh2, `local` without SSH, `fake` for the engine's unit tests.
//! Nothing here decides what to do on a host.

use std::fmt;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::model::answers::SshSection;
use crate::model::docker::{
    ContainerFacts, ContainerUsage, EngineFacts, ImageFacts, LayerProgress, NetworkFacts,
    VolumeFacts,
};
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::model::image::ImageRef;

/// Whose rights a command runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Privilege {
    /// The login's own.
    #[default]
    User,
    /// Root's, by sudo where the login is not root.
    Root,
}

/// What goes to a command's standard input; its `Debug` shows lengths only.
#[derive(Clone, Default)]
pub enum Input {
    /// Nothing; the stream is closed at once.
    #[default]
    Empty,
    /// Bytes that are no secret.
    Bytes(Vec<u8>),
    /// Bytes that hold a secret.
    Secret(SecretString),
}

impl Input {
    /// Returns the bytes to send.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Bytes(bytes) => bytes,
            Self::Secret(secret) => secret.expose_secret().as_bytes(),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Secret(_) => f.write_str("Secret(…)"),
        }
    }
}

/// A command for a host: POSIX sh, run with `LC_ALL=C`. Secrets go into `input`, never into `script`.
#[derive(Debug, Clone)]
pub struct Command {
    /// The script; arguments in it are already quoted.
    pub script: String,
    /// Standard input.
    pub input: Input,
    /// Whose rights.
    pub privilege: Privilege,
    /// After this long without an end it is given up, and the error says so.
    pub limit: Duration,
}

impl Command {
    /// Builds a command from a script; 60 seconds, the login's own rights, no input.
    #[must_use]
    pub fn sh(script: impl Into<String>) -> Self {
        Self {
            script: script.into(),
            input: Input::Empty,
            privilege: Privilege::User,
            limit: Duration::from_mins(1),
        }
    }

    /// Builds a command from a program and its arguments, quoting each.
    ///
    /// # Errors
    /// Fails when an argument holds a NUL byte, which no shell can carry.
    pub fn program<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TransportError> {
        let script = shlex::try_join(arguments).map_err(|_| TransportError::Unquotable)?;
        Ok(Self::sh(script))
    }

    /// Returns its first line, shortened, as errors and logs show it.
    #[must_use]
    pub fn title(&self) -> String {
        let first = self.script.lines().next().unwrap_or_default();
        first.chars().take(120).collect()
    }

    /// Returns the command with this standard input.
    #[must_use]
    pub fn with_input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Returns the command run with these rights.
    #[must_use]
    pub fn with_privilege(mut self, privilege: Privilege) -> Self {
        self.privilege = privilege;
        self
    }

    /// Returns the command with this time limit.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// Which stream of a command bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Code(i32),
    /// By this signal.
    Signal(String),
}

/// What a command printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Returns whether it ended with status 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.exit == Exit::Code(0)
    }

    /// Returns standard output as text, broken bytes replaced, without the last line break.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout)
            .trim_end_matches(['\n', '\r'])
            .to_owned()
    }

    /// Returns standard error as text, broken bytes replaced.
    #[must_use]
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_end().to_owned()
    }
}

/// A host that can be worked on. Implementations may be shared between threads.
pub trait Host: Send + Sync + fmt::Debug {
    /// Returns its name in the deployment.
    fn name(&self) -> &HostName;

    /// Returns the login name and where the connection goes, for people.
    fn describe(&self) -> String;

    /// Returns how root's rights can be had; found out once, at the first question.
    fn root_access(&self) -> RootAccess;

    /// Runs a command and hands over what it prints as it comes; `Break` from the sink ends it early.
    ///
    /// # Errors
    /// Fails when the command could not be run to its end; a non-zero end is not an error here.
    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError>;

    /// Returns the Docker API of the host over the same connection, with root's rights when the login's do not suffice.
    ///
    /// # Errors
    /// Fails when no engine answers.
    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError>;

    /// Opens a stream to a TCP port as seen from the host.
    ///
    /// # Errors
    /// With [`TransportError::Refused`] when the host refuses, or nothing listens there; and where there is no other machine between.
    fn dial(&self, address: &str, port: u16) -> Result<UnixStream, TransportError> {
        Err(TransportError::Refused {
            what: format!("a way to {address} port {port}"),
        })
    }

    /// Has the host listen on a port of its own loopback and hands the connections over; 0 leaves the port to the host. Nothing listens on any
    /// network. It ends when the value is dropped or the connection ends; a new one may ask for the same port again.
    ///
    /// # Errors
    /// With [`TransportError::Refused`] when the host does not allow it or the port is taken; this machine needs no such port and has none.
    fn forward(&self, _port: u16) -> Result<Box<dyn Forward>, TransportError> {
        Err(TransportError::Refused {
            what: "forwarding of a port back to this machine".to_owned(),
        })
    }

    /// Runs a command and collects what it prints.
    ///
    /// # Errors
    /// As [`Host::stream`].
    fn run(&self, command: &Command) -> Result<Output, TransportError> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = self.stream(command, &mut |stream, bytes| {
            match stream {
                Stream::Out => stdout.extend_from_slice(bytes),
                Stream::Err => stderr.extend_from_slice(bytes),
            }
            ControlFlow::Continue(())
        })?;
        Ok(Output {
            exit,
            stdout,
            stderr,
        })
    }

    /// Runs a command that must end with status 0 and returns what it printed.
    ///
    /// # Errors
    /// As [`Host::stream`], and when it ends otherwise.
    fn must(&self, command: &Command) -> Result<Output, TransportError> {
        let output = self.run(command)?;
        if output.ok() {
            Ok(output)
        } else {
            Err(TransportError::from_output(command, &output))
        }
    }
}

/// A port of a host's loopback whose connections come to us.
pub trait Forward: Send + Sync {
    /// Returns the port on the host.
    fn port(&self) -> u16;

    /// Returns the next connection, or `None` when none came within `limit`.
    ///
    /// # Errors
    /// When the connection to the host has ended.
    fn accept(
        &self,
        limit: Duration,
    ) -> Result<Option<std::os::unix::net::UnixStream>, TransportError>;
}

/// Opens byte streams to a host's Docker socket, one for each HTTP connection.
pub trait Dial: Send + Sync {
    /// Returns a new stream to the engine.
    ///
    /// # Errors
    /// When the socket cannot be reached.
    fn dial(&self) -> Result<std::os::unix::net::UnixStream, TransportError>;

    /// Returns how many streams may be open at once.
    fn at_once(&self) -> usize {
        usize::MAX
    }
}

/// How a host is to be reached; made from settings, secrets and the operator's environment.
#[derive(Debug, Clone)]
pub struct ConnectSpec {
    /// Its name in the deployment.
    pub host: HostName,
    /// A name, an address, an alias of `~/.ssh/config`, or `local`.
    pub address: String,
    /// Login; what is missing comes from `~/.ssh/config` and then from the operator's login.
    pub login: SshSection,
    /// The fingerprint its key must have, `SHA256:…`; overrides `known_hosts`.
    pub host_key: Option<String>,
    /// Password for the login, when one was given.
    pub password: Option<SecretString>,
    /// Passphrase for the private key, when one was given.
    pub passphrase: Option<SecretString>,
    /// Password for sudo, when one was given.
    pub sudo_password: Option<SecretString>,
    /// The operator's `~/.ssh`; its `config`, `known_hosts` and default keys are used.
    pub ssh_folder: Option<camino::Utf8PathBuf>,
    /// Limit for each of name look-up, connection, handshake and login.
    pub limit: Duration,
}

/// Credentials for one registry, used for one pull and not kept.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// The registry's host.
    pub registry: String,
    /// The user.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// Which containers are meant.
#[derive(Debug, Clone, Default)]
pub struct ContainerFilter {
    /// Only with these labels, `name=value` or `name`.
    pub labels: Vec<String>,
}

/// What is wanted of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWanted {
    /// The container's id or name.
    pub container: String,
    /// Only what it printed from this second on.
    pub since: Option<jiff::Timestamp>,
    /// Only what it printed up to the end of this second.
    pub until: Option<jiff::Timestamp>,
    /// Only the last so many lines of it.
    pub tail: Option<usize>,
}

/// Whether an answer ends with what there is, or goes on with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It ends with what there is.
    Now,
    /// It goes on until the container ends.
    Ended,
}

/// What is heard of containers' output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogNews<'a> {
    /// A piece of the output of a container, which is named by its place among those wanted. It begins with its time; a line may come in several pieces,
    /// and only the last of them ends with a line break.
    Piece(usize, Stream, &'a [u8]),
    /// This one will say no more.
    Ended(usize),
    /// This one cannot be read, in the engine's words: it is gone, or its log driver keeps nothing. It will say no more.
    Unreadable(usize, &'a str),
    /// Nobody said anything for a while.
    Quiet,
}

/// The Docker API of one host, as far as it is used.
pub trait Docker: Send + Sync {
    /// Returns the engine's description.
    ///
    /// # Errors
    /// As every call here: when the engine does not answer or says no.
    fn engine(&self) -> Result<EngineFacts, TransportError>;

    /// Returns all images.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn images(&self) -> Result<Vec<ImageFacts>, TransportError>;

    /// Returns one image, or `None` when it is not there.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn image(&self, reference: &ImageRef) -> Result<Option<ImageFacts>, TransportError>;

    /// Returns containers, stopped ones too, with state, health and restarts.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn containers(&self, filter: &ContainerFilter) -> Result<Vec<ContainerFacts>, TransportError>;

    /// Returns what running containers take; one that has gone meanwhile is left out.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn usage(&self, containers: &[String]) -> Result<Vec<ContainerUsage>, TransportError>;

    /// Hands over what containers print, one stream for each, until all have ended or the sink breaks. While nothing comes, the sink is told so every
    /// second, and can break then.
    ///
    /// # Errors
    /// When the engine does not answer or says no; a container that is not there has ended.
    fn read_logs(
        &self,
        wanted: &[LogWanted],
        until: Until,
        sink: &mut dyn FnMut(LogNews<'_>) -> ControlFlow<()>,
    ) -> Result<(), TransportError>;

    /// Returns how many of its streams may be open at once.
    fn at_once(&self) -> usize {
        usize::MAX
    }

    /// Returns all networks.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn networks(&self) -> Result<Vec<NetworkFacts>, TransportError>;

    /// Returns all volumes.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn volumes(&self) -> Result<Vec<VolumeFacts>, TransportError>;

    /// Pulls an image, telling each layer's progress.
    ///
    /// # Errors
    /// When the engine does not answer or the registry says no; the detail holds the registry's words.
    fn pull(
        &self,
        reference: &ImageRef,
        login: Option<&RegistryLogin>,
        progress: &mut dyn FnMut(LayerProgress),
    ) -> Result<(), TransportError>;

    /// Gives an image one more name.
    ///
    /// # Errors
    /// When the image is not there, or the engine does not answer or says no.
    fn tag(&self, image: &str, name: &ImageRef) -> Result<(), TransportError>;

    /// Takes a name from an image; one that is not there is no error. An image whose last name it was goes unless something uses it.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn untag(&self, name: &ImageRef) -> Result<(), TransportError>;

    /// Loads an archive as `docker save` makes it, read from `archive` as it is sent.
    ///
    /// # Errors
    /// When the archive cannot be read, or the engine does not answer or says no.
    fn load(&self, archive: Box<dyn std::io::Read + Send>) -> Result<(), TransportError>;

    /// Returns the last lines of a container's output, both streams, as text.
    ///
    /// # Errors
    /// When the engine does not answer or says no.
    fn logs(&self, container: &str, tail: usize) -> Result<String, TransportError>;

    /// Hands over a file or folder of a container, running or not, as a tar archive, until the sink breaks.
    ///
    /// # Errors
    /// When the engine does not answer or says no, such as when there is no such path.
    fn copy_out(
        &self,
        container: &str,
        path: &str,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), TransportError>;

    /// Runs a program in a container with this standard input and returns what it printed.
    ///
    /// # Errors
    /// When the engine does not answer or says no, or after `limit`.
    fn exec(
        &self,
        container: &str,
        arguments: &[String],
        input: &Input,
        limit: Duration,
    ) -> Result<Output, TransportError>;
}

mod connect;
pub mod detached;
pub mod docker;
mod error;
pub mod fake;
pub mod files;
mod hint;
pub mod local;
#[cfg(test)]
#[cfg(feature = "e2e")]
mod rehearsed;
pub mod ssh;
mod sudo;

pub use connect::connect;
pub use error::TransportError;
