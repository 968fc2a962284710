//! Trying hosts while somebody still types: connect, log in, look, and report as it comes.
//!
//! Nothing is written on any host. Each host has at most one attempt; a new one, or [`Trials::stop`], calls off the one before, of which nothing more is
//! heard. Used by the wizard's front ends, which give each host a number of its own (a *slot*) because names change while they are typed.

mod archives;
mod paths;
mod registry;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use secrecy::SecretString;

use super::cancel::Cancel;
use super::facts;
use super::runner::millis;
use super::session::{Connector, connections};
use crate::model::deployment::HostSettings;
use crate::model::facts::{HostFacts, RootAccess};
use crate::model::failure::Failure;
use crate::model::operator::{Operator, SecretRequest, UnknownHostKey};
use crate::model::secret::Secrets;
use crate::model::validate::BASE_FOLDER;
use crate::transport::{ConnectSpec, Host, TransportError, ssh};

pub use crate::transport::ssh::SshAlias;
pub use archives::{Archives, Lacking, Reading};
pub use paths::{Paths, PathsWanted, Tried};
pub use registry::{Offer, Order, Shopping};

/// How often a question looks whether its attempt was called off.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is heard of a host.
#[derive(Debug)]
pub struct Report {
    /// The host's number.
    pub slot: u64,
    /// What happened.
    pub news: News,
}

/// What happened in an attempt.
#[derive(Debug)]
pub enum News {
    /// The attempt began.
    Connecting,
    /// Something must be answered before it goes on.
    Asked(Question),
    /// We are in.
    Connected {
        /// Milliseconds it took, questions included.
        took_ms: u64,
        /// How root's rights can be had.
        root: RootAccess,
    },
    /// What the host is; the attempt is over.
    Facts(Box<HostFacts>),
    /// Why it did not work; the attempt is over.
    Failed(Failure),
}

/// A question with the way back for its answer.
#[derive(Debug)]
pub enum Question {
    /// Whether a host key is the host's own.
    HostKey(UnknownHostKey, SyncSender<bool>),
    /// A secret.
    Secret(SecretRequest, SyncSender<Option<SecretString>>),
}

/// Attempts at hosts, each on a thread of its own.
pub struct Trials {
    connector: Arc<dyn Connector>,
    ssh_folder: Option<Utf8PathBuf>,
    sender: Sender<Report>,
    running: BTreeMap<u64, Cancel>,
}

impl std::fmt::Debug for Trials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trials({:?})", self.running.keys().collect::<Vec<_>>())
    }
}

/// Returns the hosts that the operator's `~/.ssh/config` names.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn aliases(ssh_folder: Option<&Utf8Path>) -> Result<Vec<SshAlias>, Failure> {
    ssh::aliases(ssh_folder).map_err(|error| Failure::from_error(&error))
}

impl Trials {
    /// Returns the attempts, none yet, and where they are heard of.
    #[must_use]
    pub fn new(
        connector: Arc<dyn Connector>,
        ssh_folder: Option<Utf8PathBuf>,
    ) -> (Self, Receiver<Report>) {
        let (sender, reports) = channel();
        let trials = Self {
            connector,
            ssh_folder,
            sender,
            running: BTreeMap::new(),
        };
        (trials, reports)
    }

    /// Tries a host after `delay`, in which a further key may call it off again; an attempt at the same slot is called off now.
    pub fn start(&mut self, slot: u64, host: &HostSettings, secrets: &Secrets, delay: Duration) {
        self.stop(slot);
        let cancel = Cancel::new();
        self.running.insert(slot, cancel.clone());
        let attempt = Attempt {
            slot,
            spec: connections::spec(host, secrets, self.ssh_folder.as_deref()),
            connector: Arc::clone(&self.connector),
            asking: Asking {
                slot,
                sender: Mutex::new(self.sender.clone()),
                cancel,
            },
        };
        // A connection that hangs is given up by its own limits; nobody waits for the thread.
        thread::spawn(move || attempt.run(delay));
    }

    /// Calls off the attempt at a host, if there is one.
    pub fn stop(&mut self, slot: u64) {
        if let Some(cancel) = self.running.remove(&slot) {
            cancel.raise();
        }
    }
}

impl Drop for Trials {
    fn drop(&mut self) {
        for cancel in self.running.values() {
            cancel.raise();
        }
    }
}

/// One attempt at one host.
struct Attempt {
    slot: u64,
    spec: ConnectSpec,
    connector: Arc<dyn Connector>,
    asking: Asking,
}

impl Attempt {
    fn run(self, delay: Duration) {
        if self.asking.cancel.wait(delay) {
            return;
        }
        self.asking.tell(News::Connecting);
        let began = Instant::now();
        let host = match self.connector.connect(&self.spec, &self.asking) {
            Ok(host) => host,
            Err(error) => return self.failed(&error),
        };
        self.asking.tell(News::Connected {
            took_ms: millis(began.elapsed()),
            root: host.root_access(),
        });
        self.look(host.as_ref());
    }

    fn look(&self, host: &dyn Host) {
        if self.asking.cancel.is_raised() {
            return;
        }
        match facts::gather(host, BASE_FOLDER) {
            Ok(facts) => self.asking.tell(News::Facts(Box::new(facts))),
            Err(error) => {
                let failure = Failure::from_error(&error).on(&self.spec.host);
                self.asking.tell(News::Failed(failure));
            }
        }
    }

    fn failed(&self, error: &TransportError) {
        tracing::debug!(slot = self.slot, %error, "a host could not be tried");
        let failure = Failure::from_error(error).on(&self.spec.host);
        self.asking.tell(News::Failed(failure));
    }
}

/// Reports and asks, as long as the attempt was not called off.
struct Asking {
    slot: u64,
    sender: Mutex<Sender<Report>>,
    cancel: Cancel,
}

impl Asking {
    fn tell(&self, news: News) {
        if self.cancel.is_raised() {
            return;
        }
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let report = Report {
            slot: self.slot,
            news,
        };
        // Without a front end nobody listens any more.
        let _ = sender.send(report);
    }

    /// Asks and waits; `None` when nobody answers or the attempt was called off.
    fn put<T>(&self, question: impl FnOnce(SyncSender<T>) -> Question) -> Option<T> {
        let (reply, answer) = sync_channel(1);
        self.tell(News::Asked(question(reply)));
        loop {
            match answer.recv_timeout(PATIENCE) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if self.cancel.is_raised() => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Operator for Asking {
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool {
        self.put(|reply| Question::HostKey(key.clone(), reply))
            .unwrap_or(false)
    }

    fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
        self.put(|reply| Question::Secret(request.clone(), reply))
            .flatten()
    }
}

#[cfg(test)]
mod tests;
