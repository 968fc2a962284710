//! Ports of the host whose connections come to us: asked for, listened to, and given back.
//!
//! libssh2 keeps one such request per session, and a connection that the host announces is queued inside it until it is taken: taking makes no
//! packet, so what another channel's read has queued is found by trying.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::time::{Duration, Instant};

use ssh2::{Channel, Listener};

use super::wire::{Fault, Wire};

/// The address on the host; nobody on its network reaches it.
const LOOPBACK: &str = "127.0.0.1";

/// Connections that may wait to be taken.
const QUEUE: u32 = 64;

/// A port to be listened on.
pub(super) struct DoorJob {
    /// Which; 0 leaves it to the host.
    pub(super) port: u16,
    pub(super) answer: SyncSender<Result<Open, Fault>>,
}

/// The caller's end of a port; the host stops listening when it is dropped.
pub(in crate::transport::ssh) struct Open {
    pub(in crate::transport::ssh) port: u16,
    /// One stream for each connection.
    pub(in crate::transport::ssh) streams: Receiver<UnixStream>,
    left: Arc<AtomicBool>,
}

impl Open {
    /// Says that no connection is wanted any more.
    pub(in crate::transport::ssh) fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
    }
}

/// The worker's end.
struct Door {
    listener: Listener,
    streams: Sender<UnixStream>,
    left: Arc<AtomicBool>,
}

/// All ports of one connection.
#[derive(Default)]
pub(super) struct Doors {
    waiting: VecDeque<DoorJob>,
    asking: Option<(DoorJob, Instant)>,
    open: Vec<Door>,
}

impl Doors {
    /// Takes a job.
    pub(super) fn push(&mut self, job: DoorJob) {
        self.waiting.push_back(job);
    }

    /// Returns whether something may come in.
    pub(super) fn any(&self) -> bool {
        self.asking.is_some() || !self.open.is_empty()
    }

    /// Returns whether its next step depends on a packet that only a libssh2 call can see.
    pub(super) fn waits_blindly(&self) -> bool {
        self.asking.is_some() || self.open.iter().any(Door::is_left)
    }

    /// Asks for what is wanted, gives back what is not, and hands every new connection to `join` with where its stream goes.
    pub(super) fn step(
        &mut self,
        wire: &Wire,
        patience: Duration,
        join: &mut dyn FnMut(Channel, &Sender<UnixStream>),
    ) -> Result<bool, Fault> {
        let mut progress = self.ask(wire, patience)?;
        for door in &mut self.open {
            while let Some(channel) = wire.call(|_| door.listener.accept())? {
                join(channel, &door.streams);
                progress = true;
            }
        }
        let before = self.open.len();
        // Giving back sends a packet that must go out whole, and nobody could see if it did not.
        self.open.retain(|door| !door.is_left() || !wire.may_send());
        Ok(progress || self.open.len() < before)
    }

    fn ask(&mut self, wire: &Wire, patience: Duration) -> Result<bool, Fault> {
        if self.asking.is_none() {
            self.asking = self.waiting.pop_front().map(|job| (job, Instant::now()));
        }
        let Some((job, since)) = &self.asking else {
            return Ok(false);
        };
        let port = job.port;
        let asked = if wire.may_send() {
            wire.call(|session| session.channel_forward_listen(port, Some(LOOPBACK), Some(QUEUE)))
        } else {
            Ok(None)
        };
        let answer = match asked {
            Ok(None) if since.elapsed() > patience => {
                let why = format!("the host did not answer for {} s", patience.as_secs());
                return Err(Fault::Lost(why));
            }
            Ok(None) => return Ok(false),
            Ok(Some((listener, port))) => Ok(self.enter(listener, port)),
            Err(Fault::Refused(why)) => Err(Fault::Refused(why)),
            Err(fault) => return Err(fault),
        };
        if let Some((job, _)) = self.asking.take() {
            // Whoever has stopped waiting leaves a port behind that is given back because its end is dropped.
            if let Err(unheard) = job.answer.try_send(answer) {
                drop(unheard);
            }
        }
        Ok(true)
    }

    fn enter(&mut self, listener: Listener, port: u16) -> Open {
        let (streams, received) = channel();
        let left = Arc::new(AtomicBool::new(false));
        self.open.push(Door {
            listener,
            streams,
            left: Arc::clone(&left),
        });
        Open {
            port,
            streams: received,
            left,
        }
    }

    /// Tells those who wait, and lets go of everything; only after the socket is shut.
    pub(super) fn end(&mut self, fault: &Fault) {
        let asking = self.asking.take().map(|(job, _)| job);
        for job in self.waiting.drain(..).chain(asking) {
            let _ = job.answer.try_send(Err(fault.clone()));
        }
        self.open.clear();
    }
}

impl Door {
    fn is_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.leave();
    }
}
