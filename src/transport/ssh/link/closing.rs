//! Channels that are being closed: dropped only when both sides have said so, for the drop itself cannot wait for an answer.

use std::time::{Duration, Instant};

use ssh2::Channel;

use super::wire::{Fault, Wire};

/// sshd agrees at once, unless the command that was given up still runs; then only when that ends.
const AGREEMENT: Duration = Duration::from_secs(1);

/// A channel on its way out, and whether it is one of the host's sessions until it is gone.
struct Leaving {
    channel: Channel,
    session: bool,
    since: Instant,
}

/// All channels on their way out.
#[derive(Default)]
pub(super) struct Closing {
    leaving: Vec<Leaving>,
}

impl Closing {
    /// Takes a channel that nobody needs any more.
    pub(super) fn push(&mut self, channel: Channel, session: bool) {
        self.leaving.push(Leaving {
            channel,
            session,
            since: Instant::now(),
        });
    }

    /// Returns whether all are gone.
    pub(super) fn is_empty(&self) -> bool {
        self.leaving.is_empty()
    }

    /// Returns how many of the host's sessions are not free yet.
    pub(super) fn sessions(&self) -> usize {
        let sessions = self.leaving.iter().filter(|leaving| leaving.session);
        sessions.count()
    }

    /// Returns how many of the host's sessions will not be free soon.
    pub(super) fn stuck(&self) -> usize {
        let stuck = |leaving: &&Leaving| leaving.session && leaving.since.elapsed() > AGREEMENT;
        self.leaving.iter().filter(stuck).count()
    }

    /// Closes what can be closed now; returns whether any is gone.
    pub(super) fn step(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let before = self.leaving.len();
        let mut index = 0;
        while index < self.leaving.len() && wire.may_send() {
            let channel = &mut self.leaving[index].channel;
            if wire.call(|_| channel.close())?.is_some() {
                self.leaving.swap_remove(index);
            } else {
                index += 1;
            }
        }
        Ok(self.leaving.len() < before)
    }

    /// Drops all; only after the socket is shut.
    pub(super) fn clear(&mut self) {
        self.leaving.clear();
    }
}
