//! A host over SSH: commands, byte streams and Docker on one connection, with ssh2.
//!
//! - `aliases`: what `~/.ssh/config` names.
//! - `target` and `connector`: where to, through which jump hosts, and again when the connection broke.
//! - `socket`, `gate`, `session`, `known_hosts`: a TCP stream, its turn at the server, ciphers and the host key.
//! - `login`, `key`: proving who we are.
//! - `link`: the thread that owns the session, and all that runs over it.
//! - `dial`: the way to the host's Docker.
//! - `forward`: a port of the host whose connections come to us.
//!
//! Files are not uploaded by SFTP, which is slow; they go through a command's standard input.

mod aliases;
mod connector;
mod dial;
mod forward;
mod gate;
mod key;
mod known_hosts;
mod link;
mod login;
mod quote;
mod run;
mod session;
mod socket;
mod target;

use std::fmt;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::docker::EngineClient;
use super::sudo::{self, Root};
use super::{Command, ConnectSpec, Docker, Exit, Forward, Host, Output, Stream, TransportError};
use crate::model::facts::RootAccess;
use crate::model::ids::HostName;
use crate::model::operator::{Nobody, Operator};
pub use aliases::{SshAlias, aliases};
use connector::Connector;
use link::{Far, Fault, Link};
pub use socket::Tuning;

/// How long a stream may take to open.
const OPEN: Duration = Duration::from_secs(30);

/// A host reached over SSH.
#[derive(Debug)]
pub struct SshHost {
    name: HostName,
    access: Arc<Access>,
    root: Root,
    /// The client of Docker's API; it finds out once how to speak with it.
    engine: OnceLock<Arc<EngineClient>>,
}

/// Connects and logs in; whatever is missing is asked of `operator`.
///
/// # Errors
/// When the host cannot be reached, shows a key that nobody vouches for, or does not let us in.
pub fn connect(spec: &ConnectSpec, operator: &dyn Operator) -> Result<SshHost, TransportError> {
    connect_tuned(spec, operator, Tuning::default())
}

/// Connects as [`connect`] does, with the kernel's part of the connection set as told.
///
/// # Errors
/// As [`connect`].
pub fn connect_tuned(
    spec: &ConnectSpec,
    operator: &dyn Operator,
    tuning: Tuning,
) -> Result<SshHost, TransportError> {
    let route = target::route(spec, &operators_login())?;
    let mut connector = Connector::new(spec, route, tuning);
    let link = connector.connect(operator)?;
    let user = connector.user();
    let access = Arc::new(Access::new(connector, link));
    let mut run = |command: &Command| access.run_as_user(command);
    let root = Root::find(&mut run, spec, &user, operator)?;
    Ok(SshHost {
        name: spec.host.clone(),
        access,
        root,
        engine: OnceLock::new(),
    })
}

/// Returns the name of whoever runs us.
fn operators_login() -> String {
    let of = |name| std::env::var(name).ok().filter(|user| !user.is_empty());
    of("USER")
        .or_else(|| of("LOGNAME"))
        .unwrap_or_else(|| "root".to_owned())
}

/// The connection as it is now, and how to make it anew.
struct Access {
    description: String,
    state: Mutex<State>,
}

struct State {
    connector: Connector,
    link: Arc<Link>,
    retired: bool,
    failed: Option<(Instant, String)>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

impl Access {
    fn new(connector: Connector, link: Arc<Link>) -> Self {
        Self {
            description: connector.describe(),
            state: Mutex::new(State {
                connector,
                link,
                retired: false,
                failed: None,
            }),
        }
    }

    /// Returns a connection that lives, as far as is known; a broken one is made anew, once, with the same key and secrets.
    fn link(&self) -> Result<Arc<Link>, TransportError> {
        let asked = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = state.link.ended().map(str::to_owned);
        if ended.is_none() && !state.retired {
            return Ok(Arc::clone(&state.link));
        }
        // Those who waited while somebody else tried need not each wait for the same failure.
        if let Some((when, why)) = &state.failed
            && *when > asked
        {
            return Err(TransportError::Lost {
                detail: why.clone(),
            });
        }
        tracing::info!(host = %self.description, why = ended, "connecting again");
        match state.connector.connect(&Nobody) {
            Ok(link) => {
                state.link = link;
                state.retired = false;
                Ok(Arc::clone(&state.link))
            }
            Err(error) => {
                let why = format!("connecting again failed: {error}");
                state.failed = Some((Instant::now(), why));
                Err(error)
            }
        }
    }

    /// Has a new connection made for whatever comes next; what runs on the old one goes on there.
    fn retire(&self, link: &Arc<Link>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.retired |= Arc::ptr_eq(link, &state.link);
    }

    /// Runs a command with the login's own rights, before it is known whether there are others.
    fn run_as_user(&self, command: &Command) -> Result<Output, TransportError> {
        let wrapped = sudo::wrap(command, RootAccess::None, None, &nonce())?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let exit = run::run(self, wrapped, command, &mut |stream, bytes| {
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

    /// Opens a stream; `what` is what the host would refuse.
    fn open(&self, far: &Far, what: &str) -> Result<UnixStream, TransportError> {
        let link = self.link()?;
        let opened = match link.stream(far.clone(), OPEN) {
            Err(Fault::Full) => {
                self.retire(&link);
                self.link()?.stream(far.clone(), OPEN)
            }
            opened => opened,
        };
        opened.map_err(|fault| run::error(fault, what, OPEN))
    }
}

impl SshHost {
    /// Opens a stream to a Unix socket on the host, with the login's own rights. Like all streams it ends with the host that it came from.
    ///
    /// # Errors
    /// When the host refuses, or nothing listens there.
    pub fn dial_socket(&self, path: &str) -> Result<UnixStream, TransportError> {
        self.access
            .open(&Far::Unix(path.to_owned()), &format!("the socket {path}"))
    }

    /// Opens a stream to a TCP port as seen from the host.
    ///
    /// # Errors
    /// When the host refuses, or nothing listens there.
    pub fn dial_port(&self, address: &str, port: u16) -> Result<UnixStream, TransportError> {
        let what = format!("forwarding to {}", socket::name(address, port));
        self.access.open(&Far::Tcp(address.to_owned(), port), &what)
    }

    /// Starts a command and returns its standard input and output as one stream, which begins behind the command's own input; its
    /// time limit does not count.
    ///
    /// # Errors
    /// When the host refuses, or root's rights are wanted and cannot be had.
    pub fn dial_command(&self, command: &Command) -> Result<UnixStream, TransportError> {
        let wrapped = self.root.wrap(command, &nonce())?;
        let (line, input) = run::parts(wrapped, &command.input);
        self.access
            .open(&Far::Command(line, input), "another session")
    }
}

impl Host for SshHost {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn describe(&self) -> String {
        self.access.description.clone()
    }

    fn root_access(&self) -> RootAccess {
        self.root.access
    }

    /// As [`Host::stream`]; a command ended early by `Break` counts as ended by `PIPE`, like one whose reader is gone.
    fn stream(
        &self,
        command: &Command,
        sink: &mut dyn FnMut(Stream, &[u8]) -> ControlFlow<()>,
    ) -> Result<Exit, TransportError> {
        let wrapped = self.root.wrap(command, &nonce())?;
        run::run(&self.access, wrapped, command, sink)
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        // Asked every time, since only this can say why Docker does not answer any more.
        let dial = dial::docker(self)?;
        let engine = self
            .engine
            .get_or_init(|| Arc::new(EngineClient::new(dial)));
        Ok(Arc::clone(engine) as Arc<dyn Docker>)
    }

    fn dial(&self, address: &str, port: u16) -> Result<UnixStream, TransportError> {
        self.dial_port(address, port)
    }

    fn forward(&self, port: u16) -> Result<Box<dyn Forward>, TransportError> {
        Ok(Box::new(forward::open(&self.access, port)?))
    }
}

/// Returns a mark that no input holds by chance.
fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}
