//! One SSH connection: the handle that any thread may hold, and the thread that owns the ssh2 session behind it.
//!
//! libssh2 may only be used by one thread at a time, and its channels may only be freed by that thread. So every session and all its
//! channels live in one [`worker`] thread; callers send it jobs and read the replies. Nothing here decides where to connect or how to log in.

mod bridge;
mod closing;
mod doors;
mod exec;
mod feed;
mod flight;
mod job;
mod opening;
mod quota;
mod sleep;
mod waiting;
mod wire;
mod worker;

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, sync_channel};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ssh2::Session;

use super::socket::{Socket, Tuning};
use crate::transport::{Input, TransportError};
use doors::DoorJob;
pub(super) use doors::Open;
pub(super) use job::{Far, Reply, Running};
use job::{Request, StreamJob, exec_job};
pub(in crate::transport::ssh) use quota::COMMAND_STREAMS;
pub(super) use wire::Fault;

/// One authenticated connection. It ends when the last handle is dropped, or when the other side or the network ends it.
pub(super) struct Link {
    requests: Sender<Request>,
    bell: UnixStream,
    end: Arc<OnceLock<String>>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("end", &self.end.get())
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Hands a logged-in session to a thread of its own; `via` is the jump host's connection, kept as long as this one lives.
    ///
    /// # Errors
    /// When the system has no thread or file descriptor left.
    pub(super) fn start(
        session: Session,
        socket: Socket,
        via: Option<Arc<Self>>,
        tuning: Tuning,
    ) -> Result<Self, TransportError> {
        let failed = |what: &str, error: &std::io::Error| TransportError::Lost {
            detail: format!("{what}: {error}"),
        };
        let (bell, ear) = UnixStream::pair().map_err(|e| failed("no socket pair", &e))?;
        for end in [&bell, &ear] {
            end.set_nonblocking(true)
                .map_err(|e| failed("no socket pair", &e))?;
        }
        let (requests, inbox) = mpsc::channel();
        let end = Arc::new(OnceLock::new());
        let worker =
            worker::Worker::new(session, socket, inbox, ear, Arc::clone(&end), via, tuning);
        thread::Builder::new()
            .name("ssh".to_owned())
            .spawn(move || worker.run())
            .map_err(|e| failed("no thread", &e))?;
        Ok(Self {
            requests,
            bell,
            end,
        })
    }

    /// Returns why the connection ended, or `None` while it lives.
    pub(super) fn ended(&self) -> Option<&str> {
        self.end.get().map(String::as_str)
    }

    /// Starts a command: the whole exec line, and what goes to its standard input, piece by piece.
    ///
    /// # Errors
    /// When the connection has ended.
    pub(super) fn exec(
        self: &Arc<Self>,
        line: String,
        input: Arc<[Input]>,
    ) -> Result<Running, Fault> {
        let (job, running) = exec_job(line, input, Arc::clone(self));
        self.send(Request::Exec(job))?;
        Ok(running)
    }

    /// Opens a byte stream to something that the host can reach.
    ///
    /// # Errors
    /// When the host refuses, the connection ends, or `limit` passes.
    pub(super) fn stream(&self, far: Far, limit: Duration) -> Result<UnixStream, Fault> {
        let (answer, answered) = sync_channel(1);
        self.send(Request::Stream(StreamJob { far, answer }))?;
        Self::wait(&answered, limit)?
    }

    /// Has the host listen on a port of its loopback; 0 leaves the port to it.
    ///
    /// # Errors
    /// When the host refuses, the connection ends, or `limit` passes.
    pub(super) fn listen(&self, port: u16, limit: Duration) -> Result<Open, Fault> {
        let (answer, answered) = sync_channel(1);
        self.send(Request::Door(DoorJob { port, answer }))?;
        Self::wait(&answered, limit)?
    }

    fn wait<T>(answered: &Receiver<T>, limit: Duration) -> Result<T, Fault> {
        use mpsc::RecvTimeoutError::{Disconnected, Timeout};
        answered.recv_timeout(limit).map_err(|error| match error {
            Timeout => Fault::TimedOut,
            Disconnected => Fault::Lost("the connection has ended".to_owned()),
        })
    }

    fn send(&self, request: Request) -> Result<(), Fault> {
        let gone = || {
            Fault::Lost(
                self.ended()
                    .unwrap_or("the connection has ended")
                    .to_owned(),
            )
        };
        self.requests.send(request).map_err(|_| gone())?;
        self.ring();
        Ok(())
    }

    /// Wakes the worker.
    pub(super) fn ring(&self) {
        // A full pipe means that the worker has yet to wake up anyway; a broken one, that it has ended.
        let _ = (&self.bell).write(&[1]);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The worker ends when it finds the sender gone; the closing bell wakes it to look.
        self.ring();
    }
}

/// Returns the time left until `deadline`, zero when it has passed.
pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
