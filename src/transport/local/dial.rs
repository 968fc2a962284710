//! Streams to this machine's Docker: its socket, or `docker system dial-stdio` by sudo where the login may not open the socket.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::super::sudo::Root;
use super::super::{Command, Dial, Host, Privilege, TransportError};
use super::LocalHost;
use super::process::Environment;

/// Where Docker listens when nothing else is said.
const SOCKET: &str = "/var/run/docker.sock";
/// Streams through `dial-stdio` at once; each is a sudo and a docker process.
const AT_ONCE: usize = 4;
/// How long to wait for one of those to end.
const TURN: Duration = Duration::from_secs(30);

/// Returns the socket's path from `DOCKER_HOST`.
pub(super) fn socket(docker_host: Option<&str>) -> Result<String, TransportError> {
    match docker_host.filter(|value| !value.is_empty()) {
        None => Ok(SOCKET.to_owned()),
        Some(value) => match value.strip_prefix("unix://") {
            Some(path) => Ok(path.to_owned()),
            None => Err(no_answer(format!(
                "DOCKER_HOST is `{value}`; only `unix://` is this machine"
            ))),
        },
    }
}

/// Tries the socket once.
pub(super) fn reach(socket: &str) -> io::Result<()> {
    UnixStream::connect(socket).map(drop)
}

/// Returns the error of a socket that cannot be reached.
pub(super) fn unreachable(socket: &str, error: &io::Error) -> TransportError {
    no_answer(format!("{socket}: {error}"))
}

fn no_answer(detail: String) -> TransportError {
    TransportError::Docker {
        action: "answer".to_owned(),
        detail,
        status: None,
    }
}

/// Makes sure that sudo, docker's command and the engine are all there, since a stream could not say which is not.
pub(super) fn check_by_sudo(host: &LocalHost, socket: &str) -> Result<(), TransportError> {
    let script = format!(
        "exec docker -H {} version --format '{{{{.Server.Version}}}}'",
        quoted_address(socket)?
    );
    let output = host.run(
        &Command::sh(script)
            .with_privilege(Privilege::Root)
            .within(TURN),
    )?;
    if output.ok() {
        return Ok(());
    }
    let complaint = output.complaint();
    let last = complaint.lines().last().unwrap_or("no reason given");
    Err(no_answer(format!(
        "the login may not open {socket}, and by sudo: {last}"
    )))
}

fn quoted_address(socket: &str) -> Result<String, TransportError> {
    let address = format!("unix://{socket}");
    Ok(shlex::try_quote(&address)
        .map_err(|_| TransportError::Unquotable)?
        .into_owned())
}

/// Opens the socket.
pub(super) struct Direct {
    pub(super) socket: String,
}

impl Dial for Direct {
    fn dial(&self) -> Result<UnixStream, TransportError> {
        UnixStream::connect(&self.socket).map_err(|error| unreachable(&self.socket, &error))
    }
}

/// Opens streams through `docker system dial-stdio` with root's rights.
pub(super) struct BySudo {
    environment: Arc<Environment>,
    root: Root,
    socket: String,
    turns: Arc<Turns>,
}

impl BySudo {
    pub(super) fn new(environment: Arc<Environment>, root: Root, socket: String) -> Self {
        Self {
            environment,
            root,
            socket,
            turns: Arc::default(),
        }
    }
}

impl Dial for BySudo {
    fn dial(&self) -> Result<UnixStream, TransportError> {
        let script = format!(
            "exec docker -H {} system dial-stdio",
            quoted_address(&self.socket)?
        );
        let command = Command::sh(script).with_privilege(Privilege::Root);
        let wrapped = self.root.wrap(&command, &super::nonce())?;
        let turn = Turns::take(&self.turns)?;
        let broken = |error: io::Error| unreachable(&self.socket, &error);
        let (mut ours, theirs) = UnixStream::pair().map_err(broken)?;
        let output = theirs.try_clone().map_err(broken)?;
        if let Some(prefix) = &wrapped.prefix {
            // Fits the socket's buffer, so nobody needs to read yet.
            let line = prefix.expose_secret().as_bytes();
            ours.write_all(line).map_err(broken)?;
        }
        let mut child = self
            .environment
            .process(&wrapped)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(Stdio::null())
            .spawn()
            .map_err(broken)?;
        thread::spawn(move || {
            let ended = child.wait();
            tracing::trace!(?ended, "dial-stdio ended");
            drop(turn);
        });
        Ok(ours)
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }
}

/// How many streams are open, and who waits for one.
#[derive(Default)]
struct Turns {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The right to one stream, given back when dropped.
struct Turn(Arc<Turns>);

impl Turns {
    fn take(turns: &Arc<Self>) -> Result<Turn, TransportError> {
        let taken = turns.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, waited) = turns
            .freed
            .wait_timeout_while(taken, TURN, |taken| *taken >= AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(TransportError::TimedOut {
                what: "a free stream to Docker".to_owned(),
                limit: TURN,
            });
        }
        *taken += 1;
        Ok(Turn(Arc::clone(turns)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, Some(SOCKET))]
    #[case(Some(""), Some(SOCKET))]
    #[case(
        Some("unix:///run/user/1000/docker.sock"),
        Some("/run/user/1000/docker.sock")
    )]
    #[case(Some("tcp://10.0.0.1:2376"), None)]
    #[case(Some("ssh://other"), None)]
    fn the_socket_is_this_machines(#[case] value: Option<&str>, #[case] path: Option<&str>) {
        assert_eq!(socket(value).ok().as_deref(), path);
    }

    #[test]
    fn a_fifth_stream_waits_for_one_to_end() {
        let turns = Arc::new(Turns::default());
        let mut held: Vec<Turn> = (0..AT_ONCE).map(|_| Turns::take(&turns).unwrap()).collect();
        let waiting = {
            let turns = Arc::clone(&turns);
            thread::spawn(move || Turns::take(&turns).is_ok())
        };
        held.pop();
        assert!(waiting.join().unwrap());
    }
}
