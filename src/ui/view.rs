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

pub use forecast::Forecast;
pub use host::{Connection, HostView};
pub use share::Share;
pub use step::{StepState, StepView};

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::check::{CheckResult, Reach, Verdict};
use crate::model::event::{Event, Outcome, Record, Stage};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StepId};
use crate::model::plan::{Phase, StepSummary};

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
}

/// Something the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The host it concerns.
    pub host: Option<HostName>,
    /// What.
    pub text: String,
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
    /// Where the result can be seen.
    pub endpoints: Vec<EndpointView>,
    /// Where the hand-over record is, once it was written.
    pub record: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How many checks had ended when judging the result began.
    checked: Option<usize>,
    index: HashMap<StepId, usize>,
    share: Share,
}

impl RunView {
    /// Takes in one record.
    pub fn apply(&mut self, record: &Record) {
        let time = self.now.map_or(record.time, |now| now.max(record.time));
        self.now = Some(time);
        self.apply_event(&record.event, time);
        // What a host prints comes in by the thousand and moves nothing on.
        if !matches!(record.event, Event::StepOutput { .. }) {
            self.recount();
        }
    }

    fn apply_event(&mut self, event: &Event, time: Timestamp) {
        match event {
            Event::RunStarted { .. } => self.begin(event, time),
            Event::StageStarted { stage } => self.enter(*stage, time),
            Event::PlanReady { steps } => self.plan(steps),
            Event::CheckEnded { check } => self.checks.push(check.clone()),
            Event::ReachKnown { cells } => self.reach.clone_from(cells),
            Event::StillAtIt => {}
            Event::Noticed { host, text } => self.notices.push(Notice {
                host: host.clone(),
                text: text.clone(),
            }),
            Event::EndpointReady { title, url } => self.endpoint(title, url),
            Event::RecordWritten { path } => self.record = Some(path.clone()),
            Event::RunEnded { outcome, .. } => self.end(outcome, time),
            Event::HostConnecting { .. }
            | Event::HostConnected { .. }
            | Event::HostLost { .. }
            | Event::FactsGathered { .. } => self.apply_to_host(event),
            Event::StepStarted { .. }
            | Event::StepProgress { .. }
            | Event::LayerProgressed { .. }
            | Event::StepOutput { .. }
            | Event::StepEnded { .. } => self.apply_to_step(event, time),
        }
    }

    fn begin(&mut self, event: &Event, time: Timestamp) {
        let Event::RunStarted {
            deployment,
            title,
            purpose,
            hosts,
            ..
        } = event
        else {
            return;
        };
        self.deployment = deployment.to_string();
        self.title.clone_from(title);
        self.purpose.clone_from(purpose);
        self.began.get_or_insert(time);
        for host in hosts {
            self.host_mut(host);
        }
    }

    fn enter(&mut self, stage: Stage, time: Timestamp) {
        if self.stage() == Some(stage) {
            return;
        }
        self.leave_stage(time);
        if stage == Stage::Verify {
            self.checked = Some(self.checks.len());
        }
        self.stages.push(StageView {
            stage,
            began: time,
            ended: None,
        });
    }

    fn leave_stage(&mut self, time: Timestamp) {
        if let Some(last) = self.stages.last_mut() {
            last.ended.get_or_insert(time);
        }
    }

    fn plan(&mut self, steps: &[StepSummary]) {
        for summary in steps {
            self.host_mut(&summary.host);
            if let Some(step) = self.step_mut(&summary.id) {
                step.summary = summary.clone();
            } else {
                self.index.insert(summary.id.clone(), self.steps.len());
                self.steps.push(StepView::new(summary.clone()));
            }
        }
    }

    fn endpoint(&mut self, title: &str, url: &str) {
        let endpoint = EndpointView {
            title: title.to_owned(),
            url: url.to_owned(),
        };
        if !self.endpoints.contains(&endpoint) {
            self.endpoints.push(endpoint);
        }
    }

    fn end(&mut self, outcome: &Outcome, time: Timestamp) {
        self.leave_stage(time);
        self.outcome.get_or_insert_with(|| outcome.clone());
    }

    /// Keeps a failure once, however often it is told.
    fn fail(&mut self, failure: Failure) {
        if !self.was_told(&failure) {
            self.failures.push(failure);
        }
    }

    /// Returns whether a failure was told on the way, maybe with fewer causes.
    #[must_use]
    pub fn was_told(&self, failure: &Failure) -> bool {
        self.failures
            .iter()
            .any(|told| told.host == failure.host && told.message == failure.message)
    }

    fn apply_to_host(&mut self, event: &Event) {
        match event {
            Event::HostConnecting { host, address } => self.host_mut(host).connecting(address),
            Event::HostConnected { host, took_ms } => self.host_mut(host).connected(*took_ms),
            Event::HostLost { host, failure } => {
                self.host_mut(host).lost();
                let failure = failure.clone().on(host);
                self.fail(failure);
            }
            Event::FactsGathered { facts } => {
                self.host_mut(&facts.host.clone()).facts = Some(facts.clone());
            }
            _ => {}
        }
    }

    fn apply_to_step(&mut self, event: &Event, time: Timestamp) {
        let (Event::StepStarted { step: id }
        | Event::StepProgress { step: id, .. }
        | Event::LayerProgressed { step: id, .. }
        | Event::StepOutput { step: id, .. }
        | Event::StepEnded { step: id, .. }) = event
        else {
            return;
        };
        let Some(step) = self.step_mut(id) else {
            return;
        };
        let failed = step.apply(event, time);
        let host = step.summary.host.clone();
        if let Some(failure) = failed {
            let failure = if failure.host.is_some() {
                failure
            } else {
                failure.on(&host)
            };
            self.fail(failure);
        }
        if let Event::StepOutput { line, .. } = event {
            self.host_mut(&host).say(line);
        }
    }

    /// Raises the shares of hosts and run to what the steps now say; they never sink.
    fn recount(&mut self) {
        for host in &mut self.hosts {
            let own = self
                .steps
                .iter()
                .filter(|step| step.summary.host == host.name);
            host.share = host.share.max(Share::weighted(own));
        }
        self.share = self.share.max(Share::weighted(self.steps.iter()));
        if matches!(self.outcome, Some(Outcome::Done | Outcome::NothingToDo)) {
            self.share = Share::WHOLE;
        }
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

    /// Returns how long the rest will take, once something was measured.
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
