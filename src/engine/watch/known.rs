//! The secrets that a watched deployment's lines may hold: those that were given, and those in the `.env` files on its hosts.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::redact::Redactor;
use crate::engine::redact::kept::{self, Found};
use crate::model::ids::HostName;
use crate::model::secret::Secrets;

/// The secrets known so far.
pub(super) struct Known {
    state: Mutex<State>,
    tried: Condvar,
}

struct State {
    secrets: Secrets,
    redactor: Arc<Redactor>,
    hosts: usize,
    tried: BTreeSet<HostName>,
}

impl Known {
    /// Begins with the secrets that were given.
    pub(super) fn new(secrets: &Secrets, hosts: usize) -> Self {
        Self {
            state: Mutex::new(State {
                secrets: secrets.clone(),
                redactor: Arc::new(Redactor::new(secrets)),
                hosts,
                tried: BTreeSet::new(),
            }),
            tried: Condvar::new(),
        }
    }

    /// Learns more.
    pub(super) fn learn(&self, found: Vec<Found>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        kept::learn(&mut state.secrets, found);
        state.redactor = Arc::new(Redactor::new(&state.secrets));
    }

    /// Notes that a host was tried, whatever came of it.
    pub(super) fn tried(&self, host: &HostName) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tried.insert(host.clone());
        self.tried.notify_all();
    }

    /// Waits until every host was tried: one host's lines may hold another one's secret.
    pub(super) fn wait_for_all(&self, limit: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &mut State| state.tried.len() < state.hosts;
        // When the time is over, what is known by then must do.
        let _ = self.tried.wait_timeout_while(state, limit, missing);
    }

    /// Returns what takes them out.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.redactor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::redact::kept::secrets_in;

    #[test]
    fn what_a_host_keeps_is_taken_out() {
        let known = Known::new(&Secrets::default(), 1);
        known.learn(secrets_in(
            "DATABASE_PASSWORD='first-value'\nTAG=1.9.0\nCORE_SECRET_KEY=\"other$$value\"\nKEYBOARD=harmless\n",
        ));
        known.learn(secrets_in("DATABASE_PASSWORD='second-value'\n"));
        let clean = known
            .redactor()
            .text("first-value second-value other$value 1.9.0 harmless");
        assert!(
            !clean.contains("first-value") && !clean.contains("second-value"),
            "{clean}"
        );
        assert!(clean.contains("‹database-password›"), "{clean}");
        assert!(clean.ends_with("1.9.0 harmless"), "{clean}");
    }

    #[test]
    fn nobody_waits_for_ever_for_a_host_that_is_not_tried() {
        let known = Known::new(&Secrets::default(), 2);
        known.tried(&"ui".parse().unwrap());
        known.tried(&"ui".parse().unwrap());
        let began = std::time::Instant::now();
        known.wait_for_all(Duration::from_millis(30));
        assert!(began.elapsed() >= Duration::from_millis(30));
        known.tried(&"node-1".parse().unwrap());
        known.wait_for_all(Duration::from_mins(5));
    }
}
