//! The story of a run folded into what a front end draws.
//!
//! [`RunView::apply`] is pure: the same records always give the same view, so what every front end shows is tested here once and without a terminal. Nothing
//! here decides words, colours or layout, and nothing reads a clock: times come with the records or as an argument.
//!
//! Records may come in any order and twice, as after a lost link: the view never panics, and no share of work done ever becomes less.

mod forecast;
mod host;
mod share;
mod step;
mod take_in;

pub use forecast::Forecast;
pub use host::{Connection, HostView};
pub use share::Share;
pub use step::{StepState, StepView};

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::check::{CheckResult, Reach, Verdict};
use crate::model::event::{Outcome, Stage};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StepId};
use crate::model::plan::Phase;

/// A part of the run with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageView {
    /// Which.
    pub stage: Stage,
    /// When it began.
    pub began: Timestamp,
    /// When the next one began, or the run ended.
    pub ended: Option<Timestamp>,
}

/// What one cell of the matrix of hosts and phases shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The host has nothing to do in this phase.
    Nothing,
    /// It has not begun.
    Waiting,
    /// It runs; so much of it is done.
    Running(Share),
    /// It is done.
    Done,
    /// There was nothing to change.
    AlreadySo,
    /// It failed.
    Failed,
    /// It was not begun, because something else failed.
    Blocked,
    /// The operator stopped it.
    Cancelled,
    /// It failed, and the operator went on without it.
    Skipped,
}

/// Something the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The host it concerns.
    pub host: Option<HostName>,
    /// What.
    pub text: String,
}

/// How much has been gathered from a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogsView {
    /// Records.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
    /// Whether there will be no more.
    pub ended: bool,
}

/// Somewhere the result can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
    /// What it is.
    pub title: String,
    /// Where.
    pub url: String,
}

/// A run as far as it has been told.
#[derive(Debug, Clone, Default)]
pub struct RunView {
    /// The deployment's name.
    pub deployment: String,
    /// The preset's title.
    pub title: String,
    /// What the run is for.
    pub purpose: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// The time of the newest record.
    pub now: Option<Timestamp>,
    /// Its parts so far, in order.
    pub stages: Vec<StageView>,
    /// Every host.
    pub hosts: Vec<HostView>,
    /// Every step of the plan, in order; empty until the plan stands.
    pub steps: Vec<StepView>,
    /// Every check that ended.
    pub checks: Vec<CheckResult>,
    /// The reachability grid.
    pub reach: Vec<Reach>,
    /// Everything that failed on the way, in the order it was told; the outcome's own failure is not among them unless it was told before.
    pub failures: Vec<Failure>,
    /// What the operator should know.
    pub notices: Vec<Notice>,
    /// What has been gathered by now, by source.
    pub logs: BTreeMap<String, LogsView>,
    /// Where the result can be seen.
    pub endpoints: Vec<EndpointView>,
    /// Where the hand-over record is, once it was written.
    pub record: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether the operator paused it.
    pub paused: bool,
    /// Whether nothing goes on until the operator decides what becomes of what failed.
    pub held: bool,
    /// The host on which a command that mends runs now.
    pub mending: Option<HostName>,
    /// How many checks had ended when judging the result began.
    checked: Option<usize>,
    /// How long steps took in runs before, by kind.
    expected: HashMap<String, Duration>,
    index: HashMap<StepId, usize>,
    share: Share,
}

impl RunView {
    /// Returns whether a failure was told on the way, maybe with fewer causes.
    #[must_use]
    pub fn was_told(&self, failure: &Failure) -> bool {
        self.failures
            .iter()
            .any(|told| told.host == failure.host && told.message == failure.message)
    }

    /// Returns the part of the run that is going on, or was the last.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.stages.last().map(|view| view.stage)
    }

    /// Returns how much of the plan is done.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// Returns a host by its name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&HostView> {
        self.hosts.iter().find(|host| host.name == *name)
    }

    /// Returns a step by its id.
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&StepView> {
        self.index.get(id).and_then(|&at| self.steps.get(at))
    }

    /// Returns the steps of a host that run now.
    pub fn running<'a>(&'a self, host: &'a HostName) -> impl Iterator<Item = &'a StepView> {
        self.steps
            .iter()
            .filter(move |step| step.state == StepState::Running && step.summary.host == *host)
    }

    /// Returns what the matrix shows for a host and a phase.
    #[must_use]
    pub fn cell(&self, host: &HostName, phase: Phase) -> Cell {
        let steps: Vec<&StepView> = self
            .steps
            .iter()
            .filter(|step| step.summary.host == *host && step.summary.phase == phase)
            .collect();
        if !steps.is_empty() {
            return step::cell_of(&steps);
        }
        match (phase, self.host(host)) {
            (Phase::Connect, Some(host)) => host.connection.cell(),
            _ => Cell::Nothing,
        }
    }

    /// Returns the judgements of the result: the checks that came after the work.
    #[must_use]
    pub fn judged(&self) -> &[CheckResult] {
        let from = self.checked.unwrap_or(self.checks.len());
        self.checks.get(from..).unwrap_or_default()
    }

    /// Returns how many checks ended with a verdict.
    #[must_use]
    pub fn checks_with(&self, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    }

    /// Returns how long the run has taken at a time.
    #[must_use]
    pub fn elapsed(&self, now: Timestamp) -> Duration {
        self.began
            .map_or(Duration::ZERO, |began| between(began, now))
    }

    /// Says how long steps took in runs before, by their kind; said before the plan is told.
    pub fn expect(&mut self, expected: HashMap<String, Duration>) {
        self.expected = expected;
    }

    /// Returns how long the rest will take, once something was measured here or in runs before.
    #[must_use]
    pub fn forecast(&self, now: Timestamp) -> Option<Forecast> {
        forecast::of(&self.steps, now)
    }

    fn step_mut(&mut self, id: &StepId) -> Option<&mut StepView> {
        self.index
            .get(id)
            .copied()
            .and_then(|at| self.steps.get_mut(at))
    }

    /// Returns a host, made when it was not known.
    fn host_mut(&mut self, name: &HostName) -> &mut HostView {
        let at = self
            .hosts
            .iter()
            .position(|host| host.name == *name)
            .unwrap_or_else(|| {
                self.hosts.push(HostView::new(name.clone()));
                self.hosts.len() - 1
            });
        &mut self.hosts[at]
    }
}

/// Returns the time between two moments; nothing when the second is the earlier one.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
