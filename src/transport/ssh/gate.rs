//! A gate before each server: sshd drops connections at random when more than ten are not logged in yet, so we let eight in.

use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::link::left;
use crate::transport::TransportError;

/// Logins that may be under way at one server; below `MaxStartups 10:30:100`, sshd's default.
const AT_ONCE: usize = 8;

/// A person may be typing a password in there, so the wait is long.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Default)]
struct Gate {
    inside: Mutex<HashMap<String, usize>>,
    opened: Condvar,
}

static GATE: LazyLock<Gate> = LazyLock::new(Gate::default);

/// Leave to log in to one server; given back on drop.
#[derive(Debug)]
pub(super) struct Pass {
    server: String,
}

/// Waits for leave to log in to `server`.
///
/// # Errors
/// When the others do not come through.
pub(super) fn enter(server: &str) -> Result<Pass, TransportError> {
    let deadline = Instant::now() + PATIENCE;
    let mut inside = GATE.inside.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let count = inside.entry(server.to_owned()).or_default();
        if *count < AT_ONCE {
            *count += 1;
            return Ok(Pass {
                server: server.to_owned(),
            });
        }
        let rest = left(deadline);
        if rest.is_zero() {
            return Err(TransportError::TimedOut {
                what: format!("{AT_ONCE} other logins to {server}"),
                limit: PATIENCE,
            });
        }
        inside = GATE
            .opened
            .wait_timeout(inside, rest)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = GATE.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.server) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.server);
            }
        }
        GATE.opened.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_eight_are_inside_and_all_come_through() {
        let (inside, most, through) = <(AtomicUsize, AtomicUsize, AtomicUsize)>::default();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let pass = enter("gate.test:22").unwrap();
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    through.fetch_add(1, Ordering::SeqCst);
                    drop(pass);
                });
            }
        });
        assert!(most.into_inner() <= AT_ONCE);
        assert_eq!(through.into_inner(), 40);
    }
}
