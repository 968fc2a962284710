//! How long to wait before a host that failed is tried again: longer each time, so that a dead host costs nothing, and never very long.

use std::time::Duration;

use crate::transport::TransportError;

/// The first wait after a fault.
const FIRST: Duration = Duration::from_secs(2);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts faults in a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    faults: u32,
}

impl Pace {
    /// Notes a fault and returns how long to wait.
    pub(super) fn after_fault(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.faults.min(8));
        self.faults = self.faults.saturating_add(1);
        wait.min(LONGEST)
    }

    /// Notes that it works again.
    pub(super) fn well(&mut self) {
        self.faults = 0;
    }
}

/// Returns whether trying again by itself makes no sense: each try would be one more failed login, or the same question once more.
pub(super) fn needs_operator(error: &TransportError) -> bool {
    matches!(
        error,
        TransportError::Login { .. }
            | TransportError::HostKeyUnknown { .. }
            | TransportError::HostKeyChanged { .. }
            | TransportError::Key { .. }
            | TransportError::Config { .. }
            | TransportError::Sudo { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew() {
        let mut pace = Pace::default();
        let waits: Vec<u64> = (0..7).map(|_| pace.after_fault().as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
        pace.well();
        assert_eq!(pace.after_fault(), FIRST);
    }
}
