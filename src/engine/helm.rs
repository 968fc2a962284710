//! The operator's hand on a run that goes on: pausing it, and deciding what becomes of what failed.
//!
//! It only records what is wanted, beside [`super::cancel::Cancel`]: who works looks at it between steps. A run that nobody attends ends with its failures;
//! one that is attended holds instead, until the operator has decided or leaves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ids::{HostName, StepId};

/// What the operator wants to become of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Try again what failed on this host, and go on with what waits for it.
    Retry(HostName),
    /// Go on without this step.
    Skip(StepId),
    /// Run this command on the host, and try again when it did its work.
    Fix {
        /// The host.
        host: HostName,
        /// The command.
        command: String,
    },
}

/// What is wanted of a run; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Helm {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    attended: bool,
    paused: bool,
    wishes: VecDeque<Wish>,
}

impl Helm {
    /// Returns the helm of a run that somebody watches and can decide about.
    #[must_use]
    pub fn attended() -> Self {
        let helm = Self::default();
        helm.lock().attended = true;
        helm
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether somebody decides about failures.
    #[must_use]
    pub fn is_attended(&self) -> bool {
        self.lock().attended
    }

    /// Pauses the run, or lets it go on. What has begun is finished.
    pub fn pause(&self, paused: bool) {
        self.lock().paused = paused;
    }

    /// Returns whether nothing may begin.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// Records what the operator wants.
    pub fn wish(&self, wish: Wish) {
        self.lock().wishes.push_back(wish);
    }

    /// Returns the oldest wish that nobody has taken up.
    #[must_use]
    pub fn take(&self) -> Option<Wish> {
        self.lock().wishes.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_is_wanted_and_each_wish_is_taken_once() {
        let helm = Helm::attended();
        let engine = helm.clone();
        helm.pause(true);
        helm.wish(Wish::Skip(StepId("ui/health/one".to_owned())));
        assert!(engine.is_attended() && engine.is_paused());
        assert!(engine.take().is_some());
        assert_eq!(helm.take(), None);
        helm.pause(false);
        assert!(!engine.is_paused() && !Helm::default().is_attended());
    }
}
