//! The operator's wish to stop, shared by every thread of a run.
//!
//! It only records the wish: who works looks at it between steps and while waiting, and stops where stopping is safe.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A flag that is raised once and wakes everybody who waits; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Cancel {
    /// Returns a flag that is down.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag; it stays up.
    pub fn raise(&self) {
        let (flag, woken) = &*self.inner;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        woken.notify_all();
    }

    /// Returns whether the flag is up.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        *self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the flag is up or `time` has passed, and returns whether it is up.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        let (flag, woken) = &*self.inner;
        let until = Instant::now() + time;
        let mut raised = flag.lock().unwrap_or_else(PoisonError::into_inner);
        while !*raised {
            let Some(left) = until
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
            else {
                return false;
            };
            raised = woken
                .wait_timeout(raised, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_at_once_when_the_flag_goes_up() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let waiter = std::thread::spawn(move || other.wait(Duration::from_secs(30)));
        cancel.raise();
        assert!(waiter.join().unwrap());
        assert!(cancel.is_raised());
    }

    #[test]
    fn waiting_ends_when_the_time_is_over() {
        assert!(!Cancel::new().wait(Duration::from_millis(1)));
    }
}
