//! Passes events on with secrets taken out, to the front end and to the event log, and remembers when it last did.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::engine::redact::Redactor;
use crate::engine::store::EventLog;
use crate::model::event::{Event, Listener, Outcome, StepResult};

/// The one way by which a run speaks.
pub(super) struct Teller {
    front: Arc<dyn Listener>,
    log: EventLog,
    redactor: RwLock<Redactor>,
    last: Mutex<Instant>,
    /// What was left to itself because it hangs may speak later still; nobody hears it.
    ended: AtomicBool,
}

impl Teller {
    /// Returns a teller that knows the secrets of `redactor`.
    pub(super) fn new(front: Arc<dyn Listener>, log: EventLog, redactor: Redactor) -> Self {
        Self {
            front,
            log,
            redactor: RwLock::new(redactor),
            last: Mutex::new(Instant::now()),
            ended: AtomicBool::new(false),
        }
    }

    /// Knows these secrets from now on.
    pub(super) fn redact(&self, redactor: Redactor) {
        *self
            .redactor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = redactor;
    }

    /// Returns how long it has said nothing.
    pub(super) fn silent_for(&self) -> Duration {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }

    fn clean(&self, event: &mut Event) {
        let redactor = self.redactor.read().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::HostLost { failure, .. }
            | Event::FixEnded {
                failure: Some(failure),
                ..
            }
            | Event::StepEnded {
                result: StepResult::Failed(failure),
                ..
            }
            | Event::RunEnded {
                outcome: Outcome::Failed(failure),
                ..
            } => redactor.failure(failure),
            Event::CheckEnded { check } => redactor.check(check),
            Event::StepOutput { line: text, .. }
            | Event::FixOutput { line: text, .. }
            | Event::Noticed { text, .. } => {
                *text = redactor.text(text);
            }
            _ => {}
        }
    }
}

impl Listener for Teller {
    fn hear(&self, mut event: Event) {
        let ends = matches!(event, Event::RunEnded { .. });
        if self.ended.fetch_or(ends, Ordering::SeqCst) {
            return;
        }
        self.clean(&mut event);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.log.hear(event.clone());
        self.front.hear(event);
    }
}

/// Kept while a person reads or answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Peace(Arc<AtomicUsize>);

impl Peace {
    /// Does something while peace is kept.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.fetch_add(1, Ordering::SeqCst);
        let done = work();
        self.0.fetch_sub(1, Ordering::SeqCst);
        done
    }

    /// Returns whether somebody reads or answers now.
    pub(super) fn is_kept(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}
