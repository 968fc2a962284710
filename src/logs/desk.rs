//! Where the records of all sources are laid down and taken up in the order of their times.
//!
//! Each source lays down batches and waits while too many of its own lie there; that is what bounds memory and, through the connection, makes the host wait.
//! Records of one source keep their order. Across sources the earliest is taken first, as long as every source that goes on has something lying there; one
//! that is silent for longer than the patience is not waited for until it speaks again.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::collect::Go;

/// Batches of one source that may lie there.
const MOST_BATCHES: usize = 2;

/// How often whoever takes records up looks around while nothing comes.
const GLANCE: Duration = Duration::from_millis(100);

/// Records as they will be written, one after the other.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    marks: Vec<(Timestamp, usize)>,
}

impl Batch {
    /// Appends a record, which `write` writes with its line break.
    pub fn add(&mut self, time: Timestamp, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.marks.push((time, self.bytes.len()));
    }

    /// Returns how many bytes are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

/// A batch and how far it was taken up.
#[derive(Debug)]
struct Open {
    batch: Batch,
    next: usize,
    from: usize,
}

impl Open {
    fn time(&self) -> Timestamp {
        self.batch.marks[self.next].0
    }

    /// Takes up every record that is not later than `limit`, at least one; returns them, and whether the batch is used up.
    fn take(&mut self, limit: Option<Timestamp>) -> (&[u8], bool) {
        let marks = &self.batch.marks;
        self.next += 1;
        while self.next < marks.len() && limit.is_none_or(|limit| marks[self.next].0 <= limit) {
            self.next += 1;
        }
        let (from, to) = (self.from, marks[self.next - 1].1);
        self.from = to;
        (&self.batch.bytes[from..to], self.next == marks.len())
    }
}

/// What is known of one source.
#[derive(Debug)]
struct Slot {
    batches: VecDeque<Batch>,
    ended: bool,
    /// It was begun and has not said that it rests.
    awake: bool,
    /// When it last gave a sign of life.
    alive: Instant,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Slot>,
    closed: bool,
}

/// The desk.
#[derive(Debug, Default)]
pub struct Desk {
    state: Mutex<State>,
    laid: Condvar,
    taken: Condvar,
}

/// Who takes records up.
pub trait Taker {
    /// Gets records, whole lines.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn write(&mut self, records: &[u8]) -> io::Result<()>;

    /// Is asked often whether to go on.
    ///
    /// # Errors
    /// When what was kept cannot be.
    fn tick(&mut self) -> io::Result<Go>;

    /// Hears of a source that was given up.
    fn dead(&mut self, at: usize);
}

/// How long is waited for whom.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a source that says nothing, before the others go on without it.
    pub silent: Duration,
    /// For a source that gives no sign of life, before it is given up.
    pub dead: Duration,
}

impl Desk {
    /// Makes a place for a source that has not begun.
    pub fn place(&self) -> usize {
        let mut state = self.state();
        state.slots.push(Slot {
            batches: VecDeque::new(),
            ended: false,
            awake: false,
            alive: Instant::now(),
        });
        state.slots.len() - 1
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a source begins, or lives though it has nothing to say. Returns whether it is still wanted.
    pub fn begin(&self, at: usize) -> bool {
        let mut state = self.state();
        let closed = state.closed;
        let slot = &mut state.slots[at];
        slot.awake = true;
        slot.alive = Instant::now();
        !closed && !slot.ended
    }

    /// Says that a source has nothing to say for now.
    pub fn rest(&self, at: usize) {
        self.state().slots[at].awake = false;
        self.laid.notify_all();
    }

    /// Lays down a batch, and waits while there is no room. Returns whether more is wanted.
    pub fn lay(&self, at: usize, batch: Batch) -> bool {
        if batch.is_empty() {
            return self.begin(at);
        }
        let mut state = self.state();
        while !state.closed
            && !state.slots[at].ended
            && state.slots[at].batches.len() >= MOST_BATCHES
        {
            let waited = self.taken.wait_timeout(state, GLANCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            // Waiting here is no silence.
            state.slots[at].alive = Instant::now();
        }
        if state.closed || state.slots[at].ended {
            return false;
        }
        let slot = &mut state.slots[at];
        slot.awake = true;
        slot.alive = Instant::now();
        slot.batches.push_back(batch);
        drop(state);
        self.laid.notify_all();
        true
    }

    /// Says that a source will lay down nothing more. Returns whether it was still waited for.
    pub fn end(&self, at: usize) -> bool {
        let ended = std::mem::replace(&mut self.state().slots[at].ended, true);
        self.laid.notify_all();
        !ended
    }

    /// Says that nothing is taken up any more.
    pub fn close(&self) {
        self.state().closed = true;
        self.taken.notify_all();
        self.laid.notify_all();
    }

    /// Takes up everything until every source has ended, or the taker has enough.
    ///
    /// # Errors
    /// With what the taker returns; then nothing more is taken up.
    pub fn take_up(&self, patience: Patience, taker: &mut dyn Taker) -> io::Result<()> {
        let mut open: Vec<Option<Open>> = Vec::new();
        let mut waiting: Option<Instant> = None;
        let outcome = loop {
            match taker.tick() {
                Ok(Go::On) => {}
                Ok(Go::Off) => break Ok(()),
                Err(error) => break Err(error),
            }
            match self.look(&mut open, patience, &mut waiting, taker) {
                Look::Over => break Ok(()),
                Look::Wait => {}
                Look::Take => {
                    if let Err(error) = take_until_one_is_used_up(&mut open, taker) {
                        break Err(error);
                    }
                }
            }
        };
        self.close();
        outcome
    }

    /// Takes new batches up and decides what can be done; waits a little where nothing can.
    fn look(
        &self,
        open: &mut Vec<Option<Open>>,
        patience: Patience,
        waiting: &mut Option<Instant>,
        taker: &mut dyn Taker,
    ) -> Look {
        let mut state = self.state();
        open.resize_with(state.slots.len(), || None);
        let mut room = false;
        for (slot, open) in state.slots.iter_mut().zip(open.iter_mut()) {
            if open.is_none()
                && let Some(batch) = slot.batches.pop_front()
            {
                room = true;
                *open = Some(Open {
                    batch,
                    next: 0,
                    from: 0,
                });
            }
        }
        if room {
            self.taken.notify_all();
        }
        for (at, slot) in state.slots.iter_mut().enumerate() {
            if !slot.ended && slot.awake && slot.alive.elapsed() > patience.dead {
                slot.ended = true;
                taker.dead(at);
            }
        }
        let lacks =
            |(slot, open): (&Slot, &Option<Open>)| slot.awake && !slot.ended && open.is_none();
        let awaited = state.slots.iter().zip(open.iter()).any(lacks);
        let some = open.iter().any(Option::is_some);
        if !some && !state.closed && state.slots.iter().all(|slot| slot.ended) {
            return Look::Over;
        }
        if !awaited {
            *waiting = None;
        }
        let since = *waiting.get_or_insert_with(Instant::now);
        if some && (!awaited || since.elapsed() >= patience.silent) {
            return Look::Take;
        }
        let waited = self.laid.wait_timeout(state, GLANCE.min(patience.silent));
        drop(waited);
        Look::Wait
    }
}

/// What can be done.
enum Look {
    Take,
    Wait,
    Over,
}

/// Writes the earliest records until a source has nothing open any more.
fn take_until_one_is_used_up(open: &mut [Option<Open>], taker: &mut dyn Taker) -> io::Result<()> {
    loop {
        let mut first: Option<(Timestamp, usize)> = None;
        let mut second: Option<Timestamp> = None;
        for (at, open) in open.iter().enumerate() {
            let Some(time) = open.as_ref().map(Open::time) else {
                continue;
            };
            match first {
                Some((earliest, _)) if time >= earliest => {
                    second = Some(second.map_or(time, |second| second.min(time)));
                }
                _ => {
                    second = first.map(|(time, _)| time);
                    first = Some((time, at));
                }
            }
        }
        let Some((_, at)) = first else {
            return Ok(());
        };
        let Some(source) = open[at].as_mut() else {
            return Ok(());
        };
        let (bytes, used_up) = source.take(second);
        taker.write(bytes)?;
        if used_up {
            open[at] = None;
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
