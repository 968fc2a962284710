//! How many sessions the host grants on one connection: sshd's `MaxSessions` is not told, so it is learnt from refusals.

use std::time::{Duration, Instant};

/// Commands that run at once; sshd grants ten sessions by default, and one is kept in stock.
pub(super) const COMMANDS: usize = 8;

/// Streams to commands that run at once.
pub(in crate::transport::ssh) const COMMAND_STREAMS: usize = 4;

/// sshd frees a session a little after it has said so.
const PAUSE: Duration = Duration::from_millis(20);

/// After this long it is not that; then commands that were given up still hold the sessions.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a refusal means for whoever wanted the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One will be free later.
    Wait,
    /// None will be free soon on this connection.
    Full,
    /// The host grants none at all.
    Never,
}

/// What is known of the host's limit.
#[derive(Debug)]
pub(super) struct Quota {
    allowed: usize,
    granted: bool,
    never: bool,
    refused: Option<Instant>,
    next: Option<Instant>,
}

impl Quota {
    pub(super) fn new() -> Self {
        Self {
            allowed: COMMANDS + 1,
            granted: false,
            never: false,
            refused: None,
            next: None,
        }
    }

    /// Returns whether a command may have a session beside `running` others.
    pub(super) fn admits(&self, running: usize) -> bool {
        running < COMMANDS.min(self.allowed) && self.pause().is_none()
    }

    /// Returns whether a session may be opened in advance beside `running` ones.
    pub(super) fn admits_stock(&self, running: usize) -> bool {
        running < self.allowed && !self.never && self.pause().is_none()
    }

    /// Returns how long to wait before the next try, while there is a reason to.
    pub(super) fn pause(&self) -> Option<Duration> {
        let rest = self.next?.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    /// Notes a session that was granted.
    pub(super) fn grant(&mut self) {
        self.granted = true;
        self.refused = None;
        self.next = None;
    }

    /// Notes a session that was refused while we held `held` others.
    pub(super) fn refuse(&mut self, held: usize) -> Refusal {
        // Never none: a command that nothing of ours stands in the way of must be tried and not wait.
        self.allowed = held.max(1);
        if held > 0 {
            return Refusal::Wait;
        }
        if !self.granted {
            self.never = true;
            return Refusal::Never;
        }
        self.next = Some(Instant::now() + PAUSE);
        if self.refused.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            Refusal::Wait
        } else {
            Refusal::Full
        }
    }

    /// Notes that the host closed the session in stock, so that it wants fewer.
    pub(super) fn shrink(&mut self) {
        self.allowed = self.allowed.saturating_sub(1).max(1);
        self.never = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_was_held_when_one_more_was_refused() {
        let mut quota = Quota::new();
        quota.grant();
        assert!(quota.admits(7) && !quota.admits(8) && quota.admits_stock(8));
        assert_eq!(quota.refuse(3), Refusal::Wait);
        assert!(quota.admits(2) && !quota.admits(3) && !quota.admits_stock(3));
    }

    #[test]
    fn a_host_that_never_granted_one_grants_none() {
        let mut quota = Quota::new();
        assert_eq!(quota.refuse(0), Refusal::Never);
        assert!(quota.admits(0) && !quota.admits_stock(0));
    }

    #[test]
    fn a_refusal_with_none_held_is_waited_out_for_a_while() {
        let mut quota = Quota::new();
        quota.grant();
        assert_eq!(quota.refuse(0), Refusal::Wait);
        assert!(quota.pause().is_some() && !quota.admits(0));
        quota.refused = Instant::now().checked_sub(PATIENCE);
        assert_eq!(quota.refuse(0), Refusal::Full);
        quota.grant();
        assert!(quota.pause().is_none() && quota.admits(0));
    }
}
