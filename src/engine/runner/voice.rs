//! How running steps speak: progress that never goes back, and a sign of life when nothing was said for a while.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::engine::action::Progress;
use crate::engine::cancel::Cancel;
use crate::engine::redact::Redactor;
use crate::model::docker::LayerProgress;
use crate::model::event::{Event, Listener};
use crate::model::ids::StepId;
use crate::model::text::visible;

/// The voices of all running steps.
pub(super) struct Voices<'a> {
    listener: &'a dyn Listener,
    redactor: &'a Redactor,
    cancel: &'a Cancel,
    running: Mutex<Vec<Weak<Spoken>>>,
    closed: Cancel,
}

/// What a step said last.
struct Spoken {
    step: StepId,
    last: Mutex<Last>,
}

struct Last {
    done: u64,
    total: Option<u64>,
    at: Instant,
}

/// The voice of one step.
pub(super) struct Voice<'a> {
    voices: &'a Voices<'a>,
    spoken: Arc<Spoken>,
}

impl<'a> Voices<'a> {
    pub(super) fn new(
        listener: &'a dyn Listener,
        redactor: &'a Redactor,
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            listener,
            redactor,
            cancel,
            running: Mutex::new(Vec::new()),
            closed: Cancel::new(),
        }
    }

    /// Returns the voice of a step that begins now.
    pub(super) fn of(&'a self, step: &StepId) -> Voice<'a> {
        let spoken = Arc::new(Spoken {
            step: step.clone(),
            last: Mutex::new(Last {
                done: 0,
                total: None,
                at: Instant::now(),
            }),
        });
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(&spoken));
        Voice {
            voices: self,
            spoken,
        }
    }

    /// Speaks for every step that has been silent for `silence`, until [`Voices::close`].
    pub(super) fn watch(&self, silence: Duration) {
        let look = (silence / 8).max(Duration::from_millis(1));
        while !self.closed.wait(look) {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|spoken| spoken.strong_count() > 0);
            let steps: Vec<Arc<Spoken>> = running.iter().filter_map(Weak::upgrade).collect();
            drop(running);
            for spoken in steps {
                if let Some(event) = spoken.sign_of_life(silence) {
                    self.listener.hear(event);
                }
            }
        }
    }

    /// Ends the watch.
    pub(super) fn close(&self) {
        self.closed.raise();
    }
}

impl Spoken {
    fn sign_of_life(&self, silence: Duration) -> Option<Event> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A little early, so that the promised time holds although we look only now and then.
        if last.at.elapsed() < silence * 7 / 8 {
            return None;
        }
        last.at = Instant::now();
        Some(Event::StepProgress {
            step: self.step.clone(),
            done: last.done,
            total: last.total,
        })
    }

    fn touch(&self) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).at = Instant::now();
    }
}

impl Voice<'_> {
    /// Returns how far the step has come.
    pub(super) fn done(&self) -> u64 {
        let last = self.spoken.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).done
    }
}

impl Progress for Voice<'_> {
    fn at(&self, done: u64, total: Option<u64>) {
        let event = {
            let mut last = self
                .spoken
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let done = done.max(last.done);
            if done == last.done && total == last.total {
                return;
            }
            *last = Last {
                done,
                total,
                at: Instant::now(),
            };
            Event::StepProgress {
                step: self.spoken.step.clone(),
                done,
                total,
            }
        };
        self.voices.listener.hear(event);
    }

    fn layer(&self, layer: LayerProgress) {
        self.spoken.touch();
        self.voices.listener.hear(Event::LayerProgressed {
            step: self.spoken.step.clone(),
            layer,
        });
    }

    fn line(&self, line: &str) {
        self.spoken.touch();
        self.voices.listener.hear(Event::StepOutput {
            step: self.spoken.step.clone(),
            line: self.voices.redactor.text(&visible(line)),
        });
    }

    fn cancelled(&self) -> bool {
        self.voices.cancel.is_raised()
    }

    fn wait(&self, time: Duration) -> bool {
        self.voices.cancel.wait(time)
    }
}
