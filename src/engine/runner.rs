//! Runs a plan: one step a host at a time in the order of their needs, a receipt saved before and after each. Only images come to a host several at once:
//! Docker unpacks each with one processor.
//!
//! The runner keeps the state of steps, not the actions. A failed step blocks what comes after it and nothing else; where somebody attends the run, it holds at
//! the end for what he decides about the failures, and goes on from there. Only faults of the link are retried, each
//! time on a fresh connection, after another look at the host. It does not decide what to do (the planner did) nor whether the product works (verification does).

mod board;
mod step;
mod voice;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::action::{Action, Materials};
use super::cancel::Cancel;
use super::helm::Helm;
use super::mend::{self, Mending};
use super::plan::Plan;
use super::redact::Redactor;
use super::store::{ReceiptStore, StoreError};
use crate::model::event::{Event, Listener};
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::receipt::Receipt;
use crate::transport::{Command, Host, TransportError};

pub(crate) use step::{failure, millis, sum_up};

use board::{Board, Hand, Turn};
use voice::Voices;

/// How often a paused run looks whether it may go on.
const PAUSE: Duration = Duration::from_millis(100);

/// How many images come to a host at once.
const IMAGES: usize = 3;

/// Gives connections to hosts, and fresh ones for broken ones.
pub trait Links: Send + Sync {
    /// Returns the connection to a host.
    ///
    /// # Errors
    /// Fails when there is none.
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError>;

    /// Connects anew.
    ///
    /// # Errors
    /// Fails when the host cannot be reached.
    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError>;
}

/// Knows whether hosts may still be written to.
pub trait Guard: Send + Sync {
    /// Returns whether nobody else has taken the host meanwhile.
    fn holds(&self, host: &HostName) -> bool;
}

/// What a run works with.
pub struct Work<'a> {
    /// Connections.
    pub links: &'a dyn Links,
    /// Contents and credentials.
    pub materials: &'a dyn Materials,
    /// Who hears the story.
    pub listener: &'a dyn Listener,
    /// Asked before a step changes something.
    pub guard: &'a dyn Guard,
    /// Keeps secrets out of what is told and written.
    pub redactor: &'a Redactor,
    /// The operator's wish to stop.
    pub cancel: &'a Cancel,
    /// What the operator wants beside stopping: a pause, another try.
    pub helm: &'a Helm,
    /// Where the receipt goes.
    pub receipts: &'a ReceiptStore,
    /// How many hosts work at once.
    pub concurrency: usize,
    /// How patient the run is.
    pub pace: Pace,
}

/// How patient a run is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After this long without a word a running step gives a sign of life.
    pub silence: Duration,
    /// How often a step is tried again after a fault of the link.
    pub retries: u32,
    /// Pause before the first such try; each further one is twice as long.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(4),
            retries: 4,
            pause: Duration::from_secs(1),
        }
    }
}

/// What became of a plan.
#[derive(Debug)]
pub struct Ran<A> {
    /// The receipt as it was last saved, without an outcome.
    pub receipt: Receipt<A>,
    /// What failed, in the order it did.
    pub failures: Vec<Failure>,
    /// Whether any step changed anything.
    pub changed: bool,
    /// Whether the operator's wish to stop left steps undone.
    pub cancelled: bool,
}

/// Runs `plan` and writes its steps into `receipt`.
///
/// # Errors
/// Fails when the receipt cannot be saved: then nothing further is begun, because it could not be undone.
pub fn run<A: Action + Serialize + Clone>(
    plan: Plan<A>,
    receipt: Receipt<A>,
    work: &Work<'_>,
) -> Result<Ran<A>, StoreError> {
    let hosts = plan.hosts();
    let board = Board::new(plan, receipt);
    board.save(work.receipts)?;
    let voices = Voices::new(work.listener, work.redactor, work.cancel);
    let places = Places::new(work.concurrency.max(1));
    std::thread::scope(|scope| {
        let pulse = scope.spawn(|| voices.watch(work.pace.silence));
        let hands = hosts.iter().flat_map(|host| {
            let helpers = board.images(host).min(IMAGES).saturating_sub(1);
            std::iter::once((host, Hand::First))
                .chain((0..helpers).map(move |_| (host, Hand::Helper)))
        });
        let workers: Vec<_> = hands
            .map(|(host, hand)| {
                let (board, voices, places) = (&board, &voices, &places);
                scope.spawn(move || serve(host, hand, board, voices, places, work))
            })
            .collect();
        for worker in workers {
            // A worker catches the panics of its steps; one of its own leaves its steps waiting, and the board says so below.
            if worker.join().is_err() {
                tracing::error!("a worker of the runner panicked");
            }
        }
        voices.close();
        if pulse.join().is_err() {
            tracing::error!("the runner's pulse panicked");
        }
    });
    board.finish(work)
}

/// Works off the steps of one host, or helps with its images.
fn serve<A: Action + Serialize + Clone>(
    host: &HostName,
    hand: Hand,
    board: &Board<A>,
    voices: &Voices<'_>,
    places: &Places,
    work: &Work<'_>,
) {
    while let Some(turn) = board.next(host, hand, work) {
        let place = places.take(host);
        match turn {
            Turn::Step(task) => {
                wait_while_paused(work);
                let id = task.id.clone();
                let index = task.index;
                let done = catch_unwind(AssertUnwindSafe(|| {
                    step::perform(task, board, voices, work);
                }));
                if done.is_err() {
                    board.end_by_bug(index, &id, host, work);
                }
            }
            Turn::Mend(command) => {
                let mended = mend(host, &command, work);
                board.mended(host, mended, work);
            }
        }
        drop(place);
    }
}

/// Waits as long as the run is paused: a step that only waited for its place has not begun.
fn wait_while_paused(work: &Work<'_>) {
    while work.helm.is_paused() && !work.cancel.wait(PAUSE) {}
}

/// Runs a command that mends a failure, on a fresh connection when the old one is broken; returns whether it did its work.
fn mend(host: &HostName, command: &str, work: &Work<'_>) -> bool {
    let alive = |link: &Arc<dyn Host>| link.must(&Command::sh("true")).is_ok();
    let link = work.links.host(host).ok().filter(alive);
    let link = link.map_or_else(|| work.links.renew(host), Ok);
    let mending = Mending {
        listener: work.listener,
        redactor: work.redactor,
        cancel: work.cancel,
    };
    match link {
        Ok(link) => mend::mend(link.as_ref(), command, &mending),
        Err(error) => {
            work.listener.hear(Event::FixEnded {
                host: host.clone(),
                failure: Some(failure(&error.into(), host)),
            });
            false
        }
    }
}

/// A number of places; a host takes one while anybody works on it.
struct Places {
    state: Mutex<Taken>,
    freed: Condvar,
}

/// How many places are free, and how many hands work on each host that has one.
struct Taken {
    free: usize,
    hands: BTreeMap<HostName, usize>,
}

/// A hand at work on a host, taken away when dropped.
struct Place<'a> {
    places: &'a Places,
    host: &'a HostName,
}

impl Places {
    fn new(free: usize) -> Self {
        Self {
            state: Mutex::new(Taken {
                free,
                hands: BTreeMap::new(),
            }),
            freed: Condvar::new(),
        }
    }

    fn take<'a>(&'a self, host: &'a HostName) -> Place<'a> {
        let mut taken = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.free == 0 && !taken.hands.contains_key(host) {
            taken = self
                .freed
                .wait(taken)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !taken.hands.contains_key(host) {
            taken.free -= 1;
            // Whoever else waits to work on it may now.
            self.freed.notify_all();
        }
        *taken.hands.entry(host.clone()).or_default() += 1;
        Place { places: self, host }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let state = &self.places.state;
        let mut taken = state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hands) = taken.hands.get_mut(self.host) {
            *hands -= 1;
            if *hands == 0 {
                taken.hands.remove(self.host);
                taken.free += 1;
                self.places.freed.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests;
