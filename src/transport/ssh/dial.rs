//! The way to the host's Docker: its socket through the connection, or `docker system dial-stdio` where that is refused or root's.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::link::COMMAND_STREAMS;
use super::{Access, Far, SshHost, nonce, run};
use crate::transport::sudo::Root;
use crate::transport::{Command, Dial, Host, Input, Privilege, TransportError};

/// Where Docker listens.
const SOCKET: &str = "/var/run/docker.sock";

/// How long Docker's own command may take to find the engine.
const ASK: Duration = Duration::from_secs(30);

/// Finds a way to the host's Docker.
///
/// # Errors
/// When no engine answers on any, with the reasons.
pub(super) fn docker(host: &SshHost) -> Result<Arc<dyn Dial>, TransportError> {
    let refused = match host.dial_socket(SOCKET) {
        Ok(_) => {
            return Ok(Arc::new(Socket {
                access: Arc::clone(&host.access),
            }));
        }
        Err(TransportError::Refused { what }) => what,
        Err(error) => return Err(error),
    };
    let mut reasons = vec![refused];
    for privilege in [Privilege::User, Privilege::Root] {
        match ask(host, privilege) {
            Ok(None) => {
                return Ok(Arc::new(Stdio {
                    access: Arc::clone(&host.access),
                    root: host.root.clone(),
                    privilege,
                }));
            }
            Ok(Some(why)) => reasons.push(why),
            Err(TransportError::Sudo { detail }) => reasons.push(detail),
            Err(error) => return Err(error),
        }
    }
    reasons.dedup();
    Err(TransportError::Docker {
        action: "answer".to_owned(),
        detail: reasons.join("; "),
        status: None,
    })
}

/// Asks Docker's command for the engine, since a stream could not say what is wrong; returns its complaint.
fn ask(host: &SshHost, privilege: Privilege) -> Result<Option<String>, TransportError> {
    let command = Command::sh("exec docker version --format '{{.Server.Version}}'")
        .with_privilege(privilege)
        .within(ASK);
    let output = host.run(&command)?;
    if output.ok() {
        return Ok(None);
    }
    let complaint = output.complaint();
    let last = complaint
        .lines()
        .last()
        .unwrap_or("`docker` gave no reason");
    Ok(Some(last.to_owned()))
}

/// Opens Docker's socket through the connection.
struct Socket {
    access: Arc<Access>,
}

impl Dial for Socket {
    fn dial(&self) -> Result<UnixStream, TransportError> {
        self.access.open(&Far::Unix(SOCKET.to_owned()), SOCKET)
    }
}

/// Starts `docker system dial-stdio`; the connection lets four run at once.
struct Stdio {
    access: Arc<Access>,
    root: Root,
    privilege: Privilege,
}

impl Dial for Stdio {
    fn dial(&self) -> Result<UnixStream, TransportError> {
        let command = Command::sh("exec docker system dial-stdio").with_privilege(self.privilege);
        let (line, input) = run::parts(self.root.wrap(&command, &nonce())?, &Input::Empty);
        let far = Far::Command(line, input);
        self.access.open(&far, "a session for Docker")
    }

    fn at_once(&self) -> usize {
        COMMAND_STREAMS
    }
}
