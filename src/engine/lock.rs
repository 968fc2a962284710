//! Keeps a second operator out of a deployment while one works on it: a lock on this machine and one on every host.
//!
//! The local lock is a file lock that the system gives back when we die. A host's lock is a file under the deployment's folder with owner, run and a heartbeat
//! in the host's own time. One whose heart stopped for a minute may be taken; so may one of this machine's own dead process, at once. A live one of somebody
//! else is taken only when the operator says so. Locks are written after the plan was accepted, never before.

mod held;
mod host_lock;
mod local;
mod owner;

use std::time::Duration;

use crate::model::failure::{FailureKind, Hinted};
use crate::model::ids::HostName;
use crate::transport::TransportError;

pub use held::{Held, Holding};
pub use host_lock::{HostLock, LockFile};
pub use local::LocalLock;
pub use owner::Owner;

/// A heart that did not beat for so long has stopped.
pub const STALE: Duration = Duration::from_mins(1);
/// Time between two beats.
pub const BEAT: Duration = Duration::from_secs(10);

/// What to do about a lock that somebody holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// Leave it alone while its heart beats.
    #[default]
    No,
    /// Take it: the operator knows that nobody works there any more.
    Knowingly,
}

/// Why a deployment is closed to us.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process of this machine works on it.
    #[error("another `syntho-installer` on this machine works on `{deployment}` (process {pid})")]
    Local {
        /// The deployment.
        deployment: String,
        /// Who, when known.
        pid: String,
    },
    /// Somebody else works on it.
    #[error(
        "{owner} works on this deployment on `{host}` since {since}, last seen {seconds} s ago"
    )]
    Held {
        /// The host.
        host: HostName,
        /// User and machine.
        owner: String,
        /// Since when.
        since: String,
        /// Seconds since its last heartbeat.
        seconds: u64,
    },
    /// A host could not be worked on.
    #[error("cannot lock the deployment on `{host}`")]
    Host {
        /// The host.
        host: HostName,
        /// Why.
        #[source]
        source: Box<TransportError>,
    },
    /// The local lock could not be made.
    #[error("cannot lock the deployment here: {source}")]
    Io {
        /// What the system said.
        #[from]
        source: std::io::Error,
    },
}

impl Hinted for LockError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Local { .. } => Some("wait until it is done, or stop it with Ctrl-C".to_owned()),
            Self::Held { owner, .. } => Some(format!(
                "talk to {owner} first; when nobody works there any more, run the same command with `--take-over`"
            )),
            Self::Host { source, .. } => source.hint(),
            Self::Io { .. } => {
                Some("make room on the disk or name another folder with `--home`".to_owned())
            }
        }
    }

    fn evidence(&self) -> Vec<String> {
        match self {
            Self::Host { source, .. } => source.evidence(),
            _ => Vec::new(),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Host { source, .. } => source.kind(),
            _ => FailureKind::Situation,
        }
    }
}
