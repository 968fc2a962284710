//! The one channel that is being opened, and who it is for.
//!
//! libssh2 keeps one open request per session, so the next waits for the first; and a half-made request cannot be taken back.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use ssh2::{Channel, Session};

use super::job::{ExecJob, Far, StreamJob};
use super::wire::{Fault, Wire};
use crate::transport::Input;

/// How long it may take to reach another machine first.
const ANSWER_FAR: Duration = Duration::from_secs(150);

/// Who waits for the channel.
pub(super) enum For {
    /// A command.
    Exec(ExecJob),
    /// A stream to a command.
    Command(String, Arc<[Input]>, Answer),
    /// A stream to a Unix socket on the host.
    Unix(String, Answer),
    /// A stream to a TCP port that the host can reach.
    Tcp(String, u16, Answer),
    /// The next command: an open channel in stock saves it a round trip, and its reads keep the connection served meanwhile.
    Stock,
}

/// Where a stream is handed over.
pub(super) type Answer = SyncSender<Result<UnixStream, Fault>>;

impl From<StreamJob> for For {
    fn from(job: StreamJob) -> Self {
        match job.far {
            Far::Unix(path) => Self::Unix(path, job.answer),
            Far::Tcp(host, port) => Self::Tcp(host, port, job.answer),
            Far::Command(line, input) => Self::Command(line, input, job.answer),
        }
    }
}

impl For {
    /// Returns whether it takes one of the host's sessions.
    pub(super) fn is_session(&self) -> bool {
        !matches!(self, Self::Unix(..) | Self::Tcp(..))
    }

    /// Tells whoever waits that it will not be.
    pub(super) fn fail(self, fault: Fault) {
        match self {
            Self::Exec(job) => {
                // A caller who left does not need to know.
                let _ = job.outlet.hand(super::job::Reply::NotRun(fault));
            }
            Self::Command(_, _, answer) | Self::Unix(_, answer) | Self::Tcp(_, _, answer) => {
                let _ = answer.try_send(Err(fault));
            }
            Self::Stock => {}
        }
    }

    fn ask(&self, session: &Session) -> Result<Channel, ssh2::Error> {
        match self {
            Self::Unix(path, _) => session.channel_direct_streamlocal(path, None),
            Self::Tcp(host, port, _) => session.channel_direct_tcpip(host, *port, None),
            Self::Exec(_) | Self::Command(..) | Self::Stock => session.channel_session(),
        }
    }
}

/// A channel being opened.
pub(super) struct Opening {
    pub(super) whose: For,
    since: Instant,
}

impl Opening {
    pub(super) fn new(whose: For) -> Self {
        Self {
            whose,
            since: Instant::now(),
        }
    }

    /// Asks, or asks again; `None` while the answer is out. One for a channel of the host's own may take `patience`.
    pub(super) fn step(&self, wire: &Wire, patience: Duration) -> Result<Option<Channel>, Fault> {
        let limit = match self.whose {
            For::Tcp(..) => ANSWER_FAR,
            _ => patience,
        };
        let channel = if wire.may_send() {
            wire.call(|session| self.whose.ask(session))?
        } else {
            None
        };
        if channel.is_none() && self.since.elapsed() > limit {
            return Err(Fault::Lost(format!(
                "the host did not answer for {} s",
                limit.as_secs()
            )));
        }
        Ok(channel)
    }
}
