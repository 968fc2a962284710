//! What callers ask of the worker thread, and the two ends of a running command.
//!
//! Replies travel through a bounded queue: when the caller is slow, the worker stops reading that channel, and SSH's window stops the host.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use super::{Fault, Link, left};
use crate::transport::{Exit, Input, Stream};

/// Replies that may wait for a slow caller; times the read size of 32 KiB this is what one command can hold in memory.
const WAITING: usize = 16;

/// A job for the worker.
pub(super) enum Request {
    /// Run a command.
    Exec(ExecJob),
    /// Open a byte stream.
    Stream(StreamJob),
    /// Listen on a port of the host.
    Door(super::doors::DoorJob),
}

/// Where a byte stream ends on the far side.
#[derive(Debug, Clone)]
pub(in crate::transport::ssh) enum Far {
    /// A Unix socket on the host.
    Unix(String),
    /// A TCP port that the host can reach.
    Tcp(String, u16),
    /// A command's standard input and output; the inputs are sent before anything else.
    Command(String, Arc<[Input]>),
}

/// A byte stream to open.
pub(super) struct StreamJob {
    pub(super) far: Far,
    pub(super) answer: SyncSender<Result<UnixStream, Fault>>,
}

/// A command to run.
pub(super) struct ExecJob {
    pub(super) line: String,
    pub(super) input: Arc<[Input]>,
    pub(super) outlet: Outlet,
}

/// What a running command tells its caller.
pub(in crate::transport::ssh) enum Reply {
    /// The host has started it; from now on it may have had an effect.
    Started,
    /// It printed something.
    Printed(Stream, Vec<u8>),
    /// It ended.
    Ended(Exit),
    /// It was not run.
    NotRun(Fault),
    /// It may have been run, and its end is unknown.
    Failed(Fault),
}

#[derive(Default)]
struct Flags {
    stalled: AtomicBool,
    abandoned: AtomicBool,
}

/// The worker's end of a running command.
pub(super) struct Outlet {
    replies: SyncSender<Reply>,
    flags: Arc<Flags>,
}

/// Whether a reply was taken.
pub(super) enum Handed {
    /// It is on its way.
    Taken,
    /// The queue is full; the reply comes back, and the caller will ring when it has made room.
    Full(Reply),
    /// Nobody listens any more.
    Gone,
}

impl Outlet {
    /// Hands over a reply without waiting.
    pub(super) fn hand(&self, reply: Reply) -> Handed {
        let Err(error) = self.replies.try_send(reply) else {
            return Handed::Taken;
        };
        let reply = match error {
            TrySendError::Disconnected(_) => return Handed::Gone,
            TrySendError::Full(reply) => reply,
        };
        self.flags.stalled.store(true, Ordering::SeqCst);
        // Once more: the caller may have made room before it could see the flag.
        match self.replies.try_send(reply) {
            Ok(()) => Handed::Taken,
            Err(TrySendError::Full(reply)) => Handed::Full(reply),
            Err(TrySendError::Disconnected(_)) => Handed::Gone,
        }
    }

    /// Returns whether the caller has given the command up.
    pub(super) fn abandoned(&self) -> bool {
        self.flags.abandoned.load(Ordering::SeqCst)
    }
}

/// The caller's end of a running command; dropping it closes the command's channel.
pub(in crate::transport::ssh) struct Running {
    replies: Receiver<Reply>,
    flags: Arc<Flags>,
    link: Arc<Link>,
    over: bool,
}

impl Running {
    /// Waits for the next reply until `deadline`.
    ///
    /// # Errors
    /// [`Fault::TimedOut`] at the deadline, [`Fault::Lost`] when the worker is gone.
    pub(in crate::transport::ssh) fn next(&mut self, deadline: Instant) -> Result<Reply, Fault> {
        let reply = match self.replies.recv_timeout(left(deadline)) {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Timeout) => return Err(Fault::TimedOut),
            Err(RecvTimeoutError::Disconnected) => {
                self.over = true;
                let why = self.link.ended().unwrap_or("the connection has ended");
                return Err(Fault::Lost(why.to_owned()));
            }
        };
        if self.flags.stalled.swap(false, Ordering::SeqCst) {
            self.link.ring();
        }
        self.over = matches!(reply, Reply::Ended(_) | Reply::NotRun(_) | Reply::Failed(_));
        Ok(reply)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            self.flags.abandoned.store(true, Ordering::SeqCst);
            self.link.ring();
        }
    }
}

/// Makes both ends of a command.
pub(super) fn exec_job(line: String, input: Arc<[Input]>, worker: Arc<Link>) -> (ExecJob, Running) {
    let (replies, received) = sync_channel(WAITING);
    let flags = Arc::new(Flags::default());
    let outlet = Outlet {
        replies,
        flags: Arc::clone(&flags),
    };
    let running = Running {
        replies: received,
        flags,
        link: worker,
        over: false,
    };
    (
        ExecJob {
            line,
            input,
            outlet,
        },
        running,
    )
}
