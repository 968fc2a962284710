//! A port of the host's loopback whose connections come to us, and how to have it again after the connection broke.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::link::{Link, Open};
use super::{Access, OPEN, run};
use crate::transport::{Forward, TransportError};

/// What the host would refuse.
const WHAT: &str = "forwarding of a port back to this machine";

/// One such port on one connection.
pub(super) struct Door {
    open: std::sync::Mutex<Open>,
    port: u16,
    link: Arc<Link>,
}

/// Has the host listen; 0 leaves the port to it.
pub(super) fn open(access: &Access, port: u16) -> Result<Door, TransportError> {
    let link = access.link()?;
    let open = link
        .listen(port, OPEN)
        .map_err(|fault| run::error(fault, WHAT, OPEN))?;
    Ok(Door {
        port: open.port,
        open: std::sync::Mutex::new(open),
        link,
    })
}

impl Forward for Door {
    fn port(&self) -> u16 {
        self.port
    }

    fn accept(&self, limit: Duration) -> Result<Option<UnixStream>, TransportError> {
        let open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match open.streams.recv_timeout(limit) {
            Ok(stream) => Ok(Some(stream)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(TransportError::Lost {
                detail: self
                    .link
                    .ended()
                    .unwrap_or("the connection has ended")
                    .to_owned(),
            }),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Ok(open) = self.open.lock() {
            open.leave();
        }
        self.link.ring();
    }
}
