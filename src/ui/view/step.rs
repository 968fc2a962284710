//! One step of a run as a front end sees it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Cell, Share};
use crate::model::docker::LayerProgress;
use crate::model::event::{Event, StepResult};
use crate::model::failure::Failure;
use crate::model::ids::StepId;
use crate::model::plan::{Phase, Probe, StepSummary};

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Going on.
    Running,
    /// It changed something.
    Changed,
    /// There was nothing to do.
    AlreadySo,
    /// It failed.
    Failed,
    /// Not begun, because this step failed.
    Blocked(StepId),
    /// The operator stopped it.
    Cancelled,
    /// It failed, and the operator went on without it.
    Skipped,
}

/// One step.
#[derive(Debug, Clone)]
pub struct StepView {
    /// What the plan says of it.
    pub summary: StepSummary,
    /// How far it has come.
    pub state: StepState,
    /// How long steps of its kind took in runs before, where that is known.
    pub expected: Option<Duration>,
    /// When it began.
    pub began: Option<Timestamp>,
    /// Why it failed, as long as nothing else became of it.
    pub failure: Option<Failure>,
    /// How long it took.
    pub took: Option<Duration>,
    /// Bytes or counts done, as it last said.
    pub done: u64,
    /// In all, when it said so.
    pub total: Option<u64>,
    /// Layers of the image it delivers, in the order they were first heard of.
    pub layers: Vec<LayerProgress>,
    share: Share,
}

impl StepView {
    /// Builds the view of a step that has not begun.
    pub(super) fn new(summary: StepSummary) -> Self {
        Self {
            summary,
            state: StepState::Waiting,
            expected: None,
            began: None,
            failure: None,
            took: None,
            done: 0,
            total: None,
            layers: Vec::new(),
            share: Share::NOTHING,
        }
    }

    /// Returns how much of it is done; never becomes less.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// Returns whether it will not go on any more.
    #[must_use]
    pub fn ended(&self) -> bool {
        !matches!(self.state, StepState::Waiting | StepState::Running)
    }

    /// Returns what it does, without where: steps of the same kind on different hosts take a similar time.
    #[must_use]
    pub fn kind(&self) -> &str {
        let id = self.summary.id.0.as_str();
        id.strip_prefix(self.summary.host.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(id)
    }

    /// Returns how much it counts among the steps of a host: images take most of the time, files nearly none.
    pub(super) fn weight(&self) -> u64 {
        match (&self.summary.probe, self.summary.phase) {
            (Probe::AlreadySo, _) => 0,
            (_, Phase::Images) => 8,
            (_, Phase::Stack) => 4,
            (_, Phase::Health) => 2,
            (_, Phase::Connect | Phase::Files) => 1,
        }
    }

    /// Takes in an event of this step; returns the failure when it failed.
    pub(super) fn apply(&mut self, event: &Event, time: Timestamp) -> Option<Failure> {
        match event {
            Event::StepStarted { .. } if !self.ended() => {
                self.state = StepState::Running;
                self.began.get_or_insert(time);
            }
            Event::StepReopened { .. } if self.ended() => {
                self.state = StepState::Waiting;
                self.began = None;
                self.took = None;
                self.failure = None;
            }
            Event::StepProgress { done, total, .. } => self.progress(*done, *total),
            Event::LayerProgressed { layer, .. } => self.layer(layer),
            Event::StepEnded {
                result, took_ms, ..
            } => return self.end(result, *took_ms),
            _ => {}
        }
        None
    }

    fn progress(&mut self, done: u64, total: Option<u64>) {
        self.done = self.done.max(done);
        self.total = total.or(self.total);
        if let Some(total) = self.total {
            self.raise(Share::of(self.done, total));
        }
    }

    fn layer(&mut self, layer: &LayerProgress) {
        match self.layers.iter_mut().find(|l| l.layer == layer.layer) {
            Some(known) => {
                // A finished layer is told without numbers; the last ones stay.
                let total = layer.total.or(known.total);
                *known = LayerProgress {
                    done: layer.done.or(known.done),
                    total,
                    ..layer.clone()
                };
            }
            None => self.layers.push(layer.clone()),
        }
        // The step's own count is better where there is one: bytes of layers become known one after another.
        if self.total.is_none() {
            let finished = self.layers.iter().filter(|l| finished(l)).count() as u64;
            self.raise(Share::of(finished, self.layers.len() as u64 + 1));
        }
    }

    fn end(&mut self, result: &StepResult, took_ms: u64) -> Option<Failure> {
        self.took = Some(Duration::from_millis(took_ms));
        self.state = match result {
            StepResult::Changed => StepState::Changed,
            StepResult::AlreadySo => StepState::AlreadySo,
            StepResult::Failed(_) => StepState::Failed,
            StepResult::Blocked { by } => StepState::Blocked(by.clone()),
            StepResult::Cancelled => StepState::Cancelled,
            StepResult::Skipped => StepState::Skipped,
        };
        if matches!(result, StepResult::Changed | StepResult::AlreadySo) {
            self.raise(Share::WHOLE);
        }
        self.failure = match result {
            StepResult::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
        self.failure.clone()
    }

    fn raise(&mut self, share: Share) {
        self.share = self.share.max(share);
    }
}

/// Returns whether a layer is there, in Docker's words.
fn finished(layer: &LayerProgress) -> bool {
    matches!(
        layer.status.as_str(),
        "Pull complete" | "Already exists" | "Loaded"
    )
}

/// Returns what the matrix shows for the steps of one host and phase; the worst news wins.
pub(super) fn cell_of(steps: &[&StepView]) -> Cell {
    let any = |wanted: fn(&StepState) -> bool| steps.iter().any(|step| wanted(&step.state));
    let all = |wanted: fn(&StepState) -> bool| steps.iter().all(|step| wanted(&step.state));
    if any(|state| *state == StepState::Failed) {
        Cell::Failed
    } else if any(|state| *state == StepState::Cancelled) {
        Cell::Cancelled
    } else if any(|state| matches!(state, StepState::Blocked(_))) {
        Cell::Blocked
    } else if any(|state| *state == StepState::Skipped) {
        Cell::Skipped
    } else if all(|state| *state == StepState::AlreadySo) {
        Cell::AlreadySo
    } else if steps.iter().all(|step| step.ended()) {
        Cell::Done
    } else if any(|state| *state != StepState::Waiting) {
        Cell::Running(Share::weighted(steps.iter().copied()))
    } else {
        Cell::Waiting
    }
}
