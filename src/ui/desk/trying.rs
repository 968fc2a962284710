//! Hosts tried while typing goes on, and the paths between them.

use std::sync::Arc;
use std::time::Duration;

use super::Desk;
use crate::engine::trial::{News, PathsWanted, Question, Report, Tried};
use crate::model::facts::RootAccess;
use crate::model::failure::Failure;

/// How long typing must rest before a host is tried.
const REST: Duration = Duration::from_millis(600);

/// What came of trying a host.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// It is being reached.
    Connecting,
    /// A question waits for the operator.
    Waiting,
    /// We are in, and look around.
    Looking {
        /// Milliseconds it took.
        took_ms: u64,
    },
    /// Everything is known.
    Known {
        /// Milliseconds it took to get in.
        took_ms: u64,
        /// How root's rights can be had.
        root: RootAccess,
    },
    /// It did not work.
    Failed(Failure),
}

impl Desk {
    /// Forgets what is known of a host, and tries it as soon as typing rests.
    pub fn retry(&mut self, number: usize) {
        self.try_after(number, REST);
    }

    /// Tries a host now.
    pub fn try_now(&mut self, number: usize) {
        self.try_after(number, Duration::ZERO);
    }

    fn try_after(&mut self, number: usize, delay: Duration) {
        let Some(slot) = self.wizard.draft().hosts.get(number).map(|host| host.slot) else {
            return;
        };
        self.trials.stop(slot);
        self.attempts.remove(&slot);
        self.paths.forget();
        self.wizard.forget(slot);
        let settings = self.with_around(|around| self.wizard.host_settings(number, around));
        if let Some(settings) = settings {
            self.trials.start(slot, &settings, &self.secrets(), delay);
        }
    }

    /// Gives a host a role, or takes it away.
    pub fn toggle_role(&mut self, number: usize, role: &str) {
        self.paths.forget();
        self.wizard.toggle_role(number, role);
    }

    /// Stops trying a host that was removed.
    pub fn drop_host(&mut self, number: usize) {
        if let Some(host) = self.wizard.remove_host(number) {
            self.trials.stop(host.slot);
            self.attempts.remove(&host.slot);
            self.paths.forget();
        }
    }

    /// Takes in what was heard of hosts and returns the next question, when one waits. Never blocks.
    pub fn hear(&mut self) -> Option<(u64, Question)> {
        while let Ok(Report { slot, news }) = self.reports.try_recv() {
            if let Some(question) = self.take_in(slot, news) {
                return Some((slot, question));
            }
        }
        None
    }

    /// As [`Self::hear`], waiting for something to be heard at most so long.
    pub fn hear_within(&mut self, time: Duration) -> Option<(u64, Question)> {
        let report = self.reports.recv_timeout(time).ok()?;
        self.take_in(report.slot, report.news)
            .map(|question| (report.slot, question))
    }

    /// Returns a number that grows with everything that was heard of hosts.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    fn take_in(&mut self, slot: u64, news: News) -> Option<Question> {
        self.heard += 1;
        let attempt = match news {
            News::Connecting => Attempt::Connecting,
            News::Connected { took_ms, root } => {
                tracing::debug!(slot, ?root, "a host let us in");
                Attempt::Looking { took_ms }
            }
            News::Facts(facts) => {
                let root = facts.user.root;
                self.wizard.learn(slot, *facts);
                let took_ms = match self.attempts.get(&slot) {
                    Some(Attempt::Looking { took_ms }) => *took_ms,
                    _ => 0,
                };
                Attempt::Known { took_ms, root }
            }
            News::Failed(failure) => Attempt::Failed(failure),
            News::Asked(question) => {
                self.attempts.insert(slot, Attempt::Waiting);
                return Some(question);
            }
        };
        self.attempts.insert(slot, attempt);
        None
    }

    /// Tries who reaches whom on the ports that will be used; returns whether every host is known, without which it cannot be.
    pub fn try_paths(&mut self) -> bool {
        let known = self.with_around(|around| self.wizard.known_site(around));
        let Some((deployment, facts)) = known else {
            return false;
        };
        self.paths.start(PathsWanted {
            deployment,
            facts,
            secrets: self.secrets(),
            assets: Arc::clone(&self.outfit.assets),
        });
        true
    }

    /// Takes in how far the paths are tried; returns whether anything was heard.
    pub fn hear_paths(&mut self) -> bool {
        self.paths.hear()
    }

    /// Lets something be found of the paths.
    #[cfg(test)]
    pub(crate) fn find_paths(&mut self, tried: Tried) {
        self.paths.find(tried);
    }

    /// Returns how far the paths are tried.
    #[must_use]
    pub fn paths(&self) -> &Tried {
        self.paths.tried()
    }

    /// Returns whether any host is still being tried.
    #[must_use]
    pub fn is_trying(&self) -> bool {
        let known =
            |attempt: &Attempt| matches!(attempt, Attempt::Known { .. } | Attempt::Failed(_));
        self.attempts.values().any(|attempt| !known(attempt))
    }
}
