//! Decides whether a deployment can succeed, before anything is written: every check on every host, all hosts at once.
//!
//! Each check is a small function of what is known (`Seat`: one host, `Scene`: all of them) with its own pass, warn and fail. Most judge facts that were
//! gathered before; some ask hosts again: reachability between hosts ([`reach`]), name resolution, registry and folder (`lookups`), and what the preset declares (`declared`). Nothing is written
//! on a host, and the listeners put up for reachability end by themselves. Called by `check`, `plan` and `deploy`.

mod address;
mod bytes;
mod clock;
mod collisions;
mod compose;
mod declared;
mod disk;
mod docker_engine;
mod draft;
mod firewall;
mod folder;
mod identity;
mod images;
mod lookups;
mod names;
mod nofile;
mod pools;
mod ports;
mod proxy;
mod reach;
mod registry;
mod rights;
mod run;
mod scene;
mod sizing;
mod system;
#[cfg(test)]
pub(super) mod tests;

pub use firewall::Firewall;
pub(super) use reach::{sampled_ports, written_ports};
pub use run::{PreflightContext, grid, run};
pub use scene::DEPLOYMENT_LABEL;

use crate::model::check::{CheckResult, Reach, Verdict};

/// What came of all checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Every check, host by host.
    pub checks: Vec<CheckResult>,
    /// The reachability grid. The name `operator` stands for the machine the installer runs on.
    pub reach: Vec<Reach>,
}

impl Report {
    /// Returns the checks that say it will not work.
    pub fn failed(&self) -> impl Iterator<Item = &CheckResult> {
        self.checks
            .iter()
            .filter(|check| check.verdict == Verdict::Fail)
    }

    /// Returns the worst verdict of all; a report without checks passes.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Pass)
    }
}
