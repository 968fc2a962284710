//! Watches a deployment that runs: its hosts are read at once and again every few seconds, each over one connection of its own, and nothing on them is changed.
//!
//! - [`host`]: the thread of one host: reach it, read it, wait; after a fault wait longer each time.
//! - [`read`] takes one reading: [`machine`] tells how the machine fares, Docker how the containers do, [`usage`] what share of a processor they take.
//! - [`following`]: what containers print, as it comes, while somebody wants to see it.
//! - [`known`]: the secrets of the deployment, read from the hosts' own `.env` files as they are reached, so that no line shows one.
//! - [`memory`]: what the operator typed is remembered for as long as the program runs.
//!
//! A host that hangs holds up its own thread and nobody else; threads are not waited for at the end, since all they do is read.

mod following;
mod host;
mod known;
mod machine;
pub mod memory;
mod pace;
mod read;
mod usage;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use super::session::Connector;
use super::session::connections::spec;
use crate::model::deployment::Deployment;
use crate::model::ids::HostName;
use crate::model::operator::Operator;
use crate::model::resolve::{ExpectedStack, expected};
use crate::model::watch::Watched;
use crate::transport::ConnectSpec;
use host::Post;
use known::Known;

/// What may wait to be taken in; then whoever tells more waits too, down to the hosts.
const MOST_WAITING: usize = 4096;

/// What is watched, and by what means.
pub struct Watching {
    /// The deployment; secrets that nobody gave are not needed to look at it.
    pub deployment: Deployment,
    /// How hosts are reached.
    pub connector: Arc<dyn Connector>,
    /// Who answers what comes up.
    pub operator: Arc<dyn Operator>,
    /// The operator's `~/.ssh`.
    pub ssh_folder: Option<Utf8PathBuf>,
    /// Time between two readings of a host.
    pub every: Duration,
}

/// Which containers' lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogScope {
    /// Only of this host.
    pub host: Option<HostName>,
    /// Only of this service: its stack and its name.
    pub service: Option<(String, String)>,
}

/// A deployment that is being watched; it ends when this value goes.
pub struct Watch {
    shared: Arc<Shared>,
    posts: BTreeMap<HostName, Arc<Post>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({} hosts)", self.posts.len())
    }
}

impl Watch {
    /// Begins; what is seen comes out of the receiver.
    #[must_use]
    pub fn begin(watching: &Watching) -> (Self, Receiver<Watched>) {
        let (told, seen) = sync_channel(MOST_WAITING);
        let deployment = &watching.deployment;
        let stacks = expected(deployment);
        let shared = Arc::new(Shared {
            told,
            bell: Bell::default(),
            every: watching.every,
            over: AtomicBool::new(false),
            resting: AtomicBool::new(false),
            following: AtomicU64::new(0),
            known: Known::new(&deployment.secrets, deployment.hosts.len()),
        });
        let mut posts = BTreeMap::new();
        for host in &deployment.hosts {
            let own = stacks.iter().filter(|stack| stack.host == host.name);
            let post = Arc::new(Post::new(
                host.name.clone(),
                own.cloned().collect::<Vec<ExpectedStack>>(),
            ));
            posts.insert(host.name.clone(), Arc::clone(&post));
            let way = Way {
                spec: spec(host, &deployment.secrets, watching.ssh_folder.as_deref()),
                connector: Arc::clone(&watching.connector),
                operator: Arc::clone(&watching.operator),
            };
            let shared = Arc::clone(&shared);
            thread::spawn(move || host::watch(&shared, &post, &way));
        }
        (Self { shared, posts }, seen)
    }

    /// Reads every host now, also those that nobody tried any more.
    pub fn refresh(&self) {
        self.shared.bell.ring();
    }

    /// Rests while something else works on the hosts, or goes on.
    pub fn rest(&self, resting: bool) {
        self.shared.resting.store(resting, Ordering::SeqCst);
        if !resting {
            self.refresh();
        }
    }

    /// Begins to tell what these containers print, the last `tail` lines of each first. What was followed before is not any more.
    pub fn follow(&self, scope: &LogScope, tail: usize) {
        let number = self.shared.following.fetch_add(1, Ordering::SeqCst) + 1;
        for (name, post) in &self.posts {
            if scope.host.as_ref().is_some_and(|wanted| wanted != name) {
                continue;
            }
            let (shared, post, scope) = (Arc::clone(&self.shared), Arc::clone(post), scope.clone());
            thread::spawn(move || following::follow(&shared, &post, &scope, tail, number));
        }
    }

    /// Ends what [`Self::follow`] began.
    pub fn unfollow(&self) {
        self.shared.following.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.shared.bell.ring();
    }
}

/// How one host is reached.
struct Way {
    spec: ConnectSpec,
    connector: Arc<dyn Connector>,
    operator: Arc<dyn Operator>,
}

/// What all threads of one watch share.
struct Shared {
    told: SyncSender<Watched>,
    bell: Bell,
    every: Duration,
    over: AtomicBool,
    resting: AtomicBool,
    following: AtomicU64,
    known: Known,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn rests(&self) -> bool {
        self.resting.load(Ordering::SeqCst)
    }

    /// Tells something; when nobody listens any more the watch is over.
    fn tell(&self, watched: Watched) {
        if self.told.send(watched).is_err() {
            self.over.store(true, Ordering::SeqCst);
        }
    }
}

/// Wakes everybody who waits.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u64>,
    woken: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.woken.notify_all();
    }

    /// Returns how often it was rung so far: what is passed to [`Self::wait`].
    fn rung(&self) -> u64 {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it was rung more than `heard` times, or `time` is over; without a time only for the bell.
    fn wait(&self, heard: u64, time: Option<Duration>) {
        let until = time.map(|time| Instant::now() + time);
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while *rung <= heard {
            rung = match until {
                None => self
                    .woken
                    .wait(rung)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.woken
                        .wait_timeout(rung, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests;
