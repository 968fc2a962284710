//! Front ends: they fold events into one view and draw it.
//!
//! They know nothing of SSH or Docker: everything they show comes as [`crate::model::event::Record`]s, and what they ask goes through
//! [`crate::model::operator::Operator`]. The front end owns the main thread; the engine tells and asks from its own threads over [`channel`].

pub mod amounts;
pub mod channel;
pub mod desk;
mod grid;
pub mod json;
pub mod line;
pub mod tui;
pub mod view;

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::event::{Outcome, Record};
use channel::{Ask, Message};

/// How often a front end is drawn while nothing is told.
const TICK: Duration = Duration::from_millis(100);

/// Shows a run.
pub trait FrontEnd {
    /// Takes in one record.
    fn told(&mut self, record: &Record);

    /// Lets time pass: bars move, silence is broken.
    fn tick(&mut self, now: Timestamp);

    /// Answers what somebody asked, or lets it go unanswered.
    fn ask(&mut self, ask: Ask);

    /// Says that the operator asked to stop and the run ends at the next safe point.
    fn stopping(&mut self);

    /// Clears what was drawn and says how it ended.
    fn finish(&mut self);

    /// Returns how the run ended, once it did.
    fn outcome(&self) -> Option<Outcome>;

    /// Returns whether nobody reads any more what is shown.
    fn abandoned(&self) -> bool {
        false
    }
}

/// Whether the operator wants to stop, and how to make a run stop.
pub trait Interrupt {
    /// Returns whether the operator asked to stop.
    fn asked(&self) -> bool;

    /// Makes the run stop at its next safe point.
    fn ask(&self);
}

/// Shows a run until everybody who could tell something has gone.
pub fn watch(messages: &Receiver<Message>, front: &mut dyn FrontEnd, interrupt: &dyn Interrupt) {
    let mut stopping = false;
    let mut over = false;
    while !over {
        match messages.recv_timeout(TICK) {
            Ok(message) => {
                over = heed(message, front).is_break();
                // Everything that waits is taken in before anything is drawn.
                while let (false, Ok(message)) = (over, messages.try_recv()) {
                    over = heed(message, front).is_break();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => over = true,
        }
        if front.abandoned() {
            interrupt.ask();
        }
        if interrupt.asked() && !stopping {
            stopping = true;
            interrupt.ask();
            front.stopping();
        }
        front.tick(Timestamp::now());
    }
    front.finish();
}

/// Hands one message to the front end; breaks when it was the last.
fn heed(message: Message, front: &mut dyn FrontEnd) -> ControlFlow<()> {
    match message {
        Message::Told(record) => front.told(&record),
        Message::Asked(ask) => front.ask(ask),
        Message::Over => return ControlFlow::Break(()),
    }
    ControlFlow::Continue(())
}
