//! The locks of one run on all its hosts, and the heart that beats for them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::{HostLock, LockError, TakeOver};
use crate::engine::cancel::Cancel;
use crate::engine::runner::{Guard, Links};
use crate::model::event::{Event, Listener};
use crate::model::ids::HostName;

/// A lock that was ours so shortly ago is taken to be ours still.
const FRESH: Duration = Duration::from_secs(1);

/// What holding locks works with; shared with the heart's thread.
#[derive(Clone)]
pub struct Holding {
    /// Connections.
    pub links: Arc<dyn Links>,
    /// Who hears when a lock was taken from us.
    pub listener: Arc<dyn Listener>,
    /// Raised when a lock was taken from us.
    pub cancel: Cancel,
    /// Time between two beats.
    pub beat: Duration,
}

/// Locks that are held; given back by [`Held::release`], and as far as possible when dropped.
pub struct Held {
    body: Arc<Body>,
    heart: Mutex<Option<JoinHandle<()>>>,
}

/// What is shared with the heart's thread.
struct Body {
    locks: BTreeMap<HostName, HostLock>,
    holding: Holding,
    stop: Cancel,
    /// When each lock was last seen to be ours, by the wall clock: it goes on while this machine sleeps.
    seen: Mutex<BTreeMap<HostName, SystemTime>>,
    lost: AtomicBool,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({:?})", self.body.locks.keys())
    }
}

impl Held {
    /// Takes the lock of every host, all at once, and begins to beat. When one is refused, those that were taken are given back.
    ///
    /// # Errors
    /// Fails with the first refusal.
    pub fn take(
        locks: BTreeMap<HostName, HostLock>,
        take_over: TakeOver,
        holding: Holding,
    ) -> Result<Self, LockError> {
        let taken: Vec<Result<(), LockError>> = each(&locks, |name, lock| {
            let host = connection(&holding, name)?;
            lock.take(host.as_ref(), take_over)
        });
        if let Some(refused) = taken.into_iter().find_map(Result::err) {
            release(&locks, &holding);
            return Err(refused);
        }
        let now = SystemTime::now();
        let body = Arc::new(Body {
            seen: Mutex::new(locks.keys().map(|host| (host.clone(), now)).collect()),
            locks,
            holding,
            stop: Cancel::new(),
            lost: AtomicBool::new(false),
        });
        let beating = Arc::clone(&body);
        Ok(Self {
            body,
            heart: Mutex::new(Some(std::thread::spawn(move || beating.beat()))),
        })
    }

    /// Returns whether somebody has taken a lock from us.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.body.lost.load(Ordering::SeqCst)
    }

    /// Stops beating and gives every lock back.
    pub fn release(&self) {
        self.body.stop.raise();
        let heart = self
            .heart
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(heart) = heart else {
            return;
        };
        if heart.join().is_err() {
            tracing::error!("the heart of the locks panicked");
        }
        release(&self.body.locks, &self.body.holding);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

impl Guard for Held {
    /// Looks at the lock when nobody has just now: whoever slept, or was cut off, may have lost it.
    fn holds(&self, host: &HostName) -> bool {
        if self.is_lost() {
            return false;
        }
        let Some(lock) = self.body.locks.get(host) else {
            return true;
        };
        let fresh = {
            let seen = self
                .body
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let age = seen.get(host).and_then(|at| at.elapsed().ok());
            age.is_some_and(|age| age < FRESH)
        };
        // A link that is broken now is the step's affair.
        fresh || self.body.look(host, lock).unwrap_or(true)
    }
}

/// Does the same on every host at once.
fn each<T: Send>(
    locks: &BTreeMap<HostName, HostLock>,
    work: impl Fn(&HostName, &HostLock) -> Result<T, LockError> + Sync,
) -> Vec<Result<T, LockError>> {
    std::thread::scope(|scope| {
        let working: Vec<_> = locks
            .iter()
            .map(|(name, lock)| (name, scope.spawn(|| work(name, lock))))
            .collect();
        working
            .into_iter()
            .map(|(name, working)| {
                working.join().unwrap_or_else(|_| {
                    let detail = "locking it broke off".to_owned();
                    Err(LockError::Host {
                        host: name.clone(),
                        source: Box::new(crate::transport::TransportError::Lost { detail }),
                    })
                })
            })
            .collect()
    })
}

fn connection(
    holding: &Holding,
    name: &HostName,
) -> Result<Arc<dyn crate::transport::Host>, LockError> {
    holding.links.host(name).map_err(|source| LockError::Host {
        host: name.clone(),
        source: Box::new(source),
    })
}

fn release(locks: &BTreeMap<HostName, HostLock>, holding: &Holding) {
    for released in each(locks, |name, lock| {
        lock.release(connection(holding, name)?.as_ref())
    }) {
        if let Err(error) = released {
            // It grows stale by itself after a minute.
            tracing::warn!(%error, "a lock could not be given back");
        }
    }
}

impl Body {
    /// Beats until it is told to stop.
    fn beat(&self) {
        while !self.stop.wait(self.holding.beat) {
            for beat in each(&self.locks, |name, lock| self.look(name, lock)) {
                if let Err(error) = beat {
                    // The run notices a broken link by itself; the next beat tries again.
                    tracing::warn!(%error, "a heartbeat did not reach its host");
                }
            }
        }
    }

    /// Beats once on one host; returns whether the lock is ours, and stops the run when it is not.
    fn look(&self, host: &HostName, lock: &HostLock) -> Result<bool, LockError> {
        let ours = lock.beat(connection(&self.holding, host)?.as_ref())?;
        if ours {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(host.clone(), SystemTime::now());
        } else if !self.stop.is_raised() && !self.lost.swap(true, Ordering::SeqCst) {
            self.holding.listener.hear(Event::Noticed {
                host: Some(host.clone()),
                text: "somebody has taken over this deployment: stopping at the next safe point"
                    .to_owned(),
            });
            self.holding.cancel.raise();
        }
        Ok(ours)
    }
}

#[cfg(test)]
mod tests;
