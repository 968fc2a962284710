//! Where a run's story comes from: the engine at work, or a run that was recorded.

use jiff::Timestamp;

use crate::engine::helm::Wish;
use crate::model::event::Record;
use crate::ui::channel::Message;

/// What a source gave.
#[derive(Debug)]
pub enum Heard {
    /// Something was told or asked.
    Message(Message),
    /// Nothing for now.
    Nothing,
    /// Nothing will come any more.
    Over,
}

/// Tells a run, and can be told what to do.
pub trait Source: std::fmt::Debug {
    /// Returns what comes next, without waiting for it.
    fn next(&mut self, now: Timestamp) -> Heard;

    /// Makes the run stop at its next safe point.
    fn stop(&mut self);

    /// Pauses the run, or lets it go on; returns whether it can be paused.
    fn pause(&mut self, paused: bool) -> bool {
        let _ = paused;
        false
    }

    /// Says what shall become of what failed while the run goes on; returns whether anybody heeds it.
    fn wish(&mut self, wish: Wish) -> bool {
        let _ = wish;
        false
    }

    /// Returns the next record of the run that was interrupted before this one, as long as there are some.
    fn earlier(&mut self) -> Option<Record> {
        None
    }

    /// Begins the same once more after it ended; returns whether it could.
    fn again(&mut self) -> bool;

    /// Returns the run's own time: a recorded run lives in its own past.
    fn clock(&self, now: Timestamp) -> Timestamp {
        now
    }
}
