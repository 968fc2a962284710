//! Which step stands where: the one place that hands steps out, takes their ends in and keeps the receipt.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::{Ran, Work};
use crate::engine::plan::{Plan, PlannedStep};
use crate::engine::store::{ReceiptStore, StoreError};
use crate::model::event::{Event, StepResult};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::{HostName, StepId};
use crate::model::plan::Probe;
use crate::model::receipt::{Receipt, StepReceipt, StepState};
use decided::Decided;
pub(super) use hands::Hand;

mod decided;
mod hands;

/// What a worker does next.
pub(super) enum Turn<A> {
    /// A step of the plan.
    Step(Task<A>),
    /// A command that mends what failed.
    Mend(String),
}

/// The state of a run.
pub(super) struct Board<A> {
    state: Mutex<State<A>>,
    moved: Condvar,
}

struct State<A> {
    receipt: Receipt<A>,
    /// By step, as in the receipt.
    needs: Vec<Needs>,
    ends: Vec<End>,
    /// By step: whether a try got as far as changing something.
    begun: Vec<bool>,
    failures: Vec<Failure>,
    fatal: Option<StoreError>,
    /// What the operator decided, as far as it is not done yet.
    decided: Decided,
}

/// What a step waits for, and what the planner saw.
struct Needs {
    after: Vec<usize>,
    probe: Probe,
    may_skip: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Waiting,
    Running,
    Changed,
    AlreadySo,
    Failed,
    Blocked(StepId),
    Cancelled,
    Skipped,
}

/// A step handed to a worker.
pub(super) struct Task<A> {
    pub(super) index: usize,
    pub(super) id: StepId,
    pub(super) host: HostName,
    pub(super) action: A,
    /// The planner found it already so and nothing that it comes after has changed since.
    pub(super) settled: bool,
    /// An earlier try in this run got as far as changing something.
    pub(super) begun: bool,
}

impl<A: Serialize + Clone> Board<A> {
    pub(super) fn new(plan: Plan<A>, mut receipt: Receipt<A>) -> Self {
        let ids: Vec<StepId> = plan.steps.iter().map(|step| step.id.clone()).collect();
        let may_skip: Vec<bool> = plan.steps.iter().map(|step| plan.may_skip(step)).collect();
        let mut needs = Vec::new();
        for (step, may_skip) in plan.steps.into_iter().zip(may_skip) {
            let PlannedStep {
                id,
                host,
                phase,
                after,
                probe,
                action,
                ..
            } = step;
            let after = after
                .iter()
                .filter_map(|id| ids.iter().position(|other| other == id))
                .collect();
            needs.push(Needs {
                after,
                probe,
                may_skip,
            });
            receipt.steps.push(StepReceipt {
                id,
                host,
                phase,
                state: StepState::Pending,
                action,
                failure: None,
            });
        }
        let ends = vec![End::Waiting; needs.len()];
        Self {
            state: Mutex::new(State {
                receipt,
                begun: vec![false; ends.len()],
                needs,
                ends,
                failures: Vec::new(),
                fatal: None,
                decided: Decided::default(),
            }),
            moved: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves the receipt as it stands.
    pub(super) fn save(&self, store: &ReceiptStore) -> Result<(), StoreError> {
        store.save(&self.lock().receipt)
    }

    /// Waits for the next step of `host` that may begin; `None` when there is none left to do and nothing left to decide, or to help with.
    pub(super) fn next(&self, host: &HostName, hand: Hand, work: &Work<'_>) -> Option<Turn<A>> {
        let mut state = self.lock();
        loop {
            if state.fatal.is_some() || work.cancel.is_raised() {
                let cancelled = state.cancel_waiting(host);
                drop(state);
                self.tell(cancelled, work);
                return None;
            }
            if state.heed(work) {
                self.moved.notify_all();
            }
            if hand == Hand::First
                && let Some(command) = state.decided.mending(host)
            {
                return Some(Turn::Mend(command));
            }
            let ready = state.ready(host, hand).filter(|_| !work.helm.is_paused());
            if let Some(index) = ready {
                state.ends[index] = End::Running;
                return Some(Turn::Step(state.task(index)));
            }
            let ended = match hand {
                Hand::First => !state.has_open(host) && !state.awaits_decision(host, work.helm),
                Hand::Helper => !state.has_images_waiting(host),
            };
            if ended {
                return None;
            }
            // The wish to stop does not wake this wait, so it looks up now and then.
            state = self
                .moved
                .wait_timeout(state, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Notes that a step begins, with its action as it is now, and saves.
    pub(super) fn begun(&self, index: usize, action: &A, work: &Work<'_>) -> bool {
        let mut state = self.lock();
        state.begun[index] = true;
        state.receipt.steps[index].state = StepState::Running;
        state.receipt.steps[index].action = action.clone();
        state.keep(work.receipts)
    }

    /// Notes how a step ended, saves, and tells what became of it and of those that it blocks.
    pub(super) fn ended(
        &self,
        index: usize,
        action: Option<A>,
        result: StepResult,
        took_ms: u64,
        work: &Work<'_>,
    ) {
        let mut state = self.lock();
        if let Some(action) = action {
            state.receipt.steps[index].action = action;
        }
        let id = state.receipt.steps[index].id.clone();
        state.set_end(index, &result);
        let further = state.spread(index);
        state.keep(work.receipts);
        drop(state);
        self.moved.notify_all();
        work.listener.hear(Event::StepEnded {
            step: id,
            result,
            took_ms,
        });
        self.tell(further, work);
    }

    /// Notes that a step ended by a panic, unless it had ended before.
    pub(super) fn end_by_bug(&self, index: usize, id: &StepId, host: &HostName, work: &Work<'_>) {
        if self.lock().ends[index] != End::Running {
            return;
        }
        let failure = Failure {
            kind: FailureKind::Bug,
            host: Some(host.clone()),
            message: format!("step `{id}` ended in a way it never should"),
            causes: Vec::new(),
            hint: Some(
                "run the same command again; when it happens twice, send us the log".to_owned(),
            ),
            command: None,
        };
        self.ended(index, None, StepResult::Failed(failure), 0, work);
    }

    fn tell(&self, ended: Vec<(StepId, StepResult)>, work: &Work<'_>) {
        for (step, result) in ended {
            work.listener.hear(Event::StepEnded {
                step,
                result,
                took_ms: 0,
            });
        }
        self.moved.notify_all();
    }

    /// Returns what became of the plan.
    pub(super) fn finish(self, work: &Work<'_>) -> Result<Ran<A>, StoreError> {
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(fatal) = state.fatal.take() {
            return Err(fatal);
        }
        work.receipts.save(&state.receipt)?;
        Ok(Ran {
            changed: state.ends.contains(&End::Changed),
            cancelled: state.ends.contains(&End::Cancelled),
            failures: state.failures,
            receipt: state.receipt,
        })
    }
}

impl<A: Serialize + Clone> State<A> {
    fn is_of(&self, index: usize, host: &HostName) -> bool {
        self.receipt.steps[index].host == *host
    }

    fn task(&self, index: usize) -> Task<A> {
        let step = &self.receipt.steps[index];
        Task {
            index,
            id: step.id.clone(),
            host: step.host.clone(),
            action: step.action.clone(),
            settled: self.needs[index].probe == Probe::AlreadySo && !self.changed_before(index),
            begun: self.begun[index],
        }
    }

    /// Returns whether anything that a step comes after, however far back, has changed in this run.
    fn changed_before(&self, index: usize) -> bool {
        self.needs[index]
            .after
            .iter()
            .any(|&need| self.ends[need] == End::Changed || self.changed_before(need))
    }

    fn cancel_waiting(&mut self, host: &HostName) -> Vec<(StepId, StepResult)> {
        let waiting: Vec<usize> = (0..self.ends.len())
            .filter(|&i| self.ends[i] == End::Waiting && self.is_of(i, host))
            .collect();
        waiting
            .into_iter()
            .map(|index| {
                self.ends[index] = End::Cancelled;
                (self.receipt.steps[index].id.clone(), StepResult::Cancelled)
            })
            .collect()
    }

    fn set_end(&mut self, index: usize, result: &StepResult) {
        let (end, step) = match result {
            StepResult::Changed => (End::Changed, StepState::Done),
            StepResult::AlreadySo => (End::AlreadySo, StepState::Skipped),
            StepResult::Failed(failure) => {
                self.receipt.steps[index].failure = Some(failure.clone());
                self.failures.push(failure.clone());
                (End::Failed, StepState::Failed)
            }
            StepResult::Blocked { by } => (End::Blocked(by.clone()), StepState::Pending),
            // When it had begun, it stays `running`: the next run looks before doing it again.
            StepResult::Cancelled => (End::Cancelled, self.receipt.steps[index].state),
            StepResult::Skipped => (End::Skipped, StepState::SkippedByOperator),
        };
        self.ends[index] = end;
        self.receipt.steps[index].state = step;
    }

    /// Ends every waiting step that can no longer begin, because `index` did not end well.
    fn spread(&mut self, index: usize) -> Vec<(StepId, StepResult)> {
        let result = match &self.ends[index] {
            End::Failed => StepResult::Blocked {
                by: self.receipt.steps[index].id.clone(),
            },
            End::Cancelled => StepResult::Cancelled,
            _ => return Vec::new(),
        };
        let mut lost = vec![index];
        let mut told = Vec::new();
        // Steps stand in the order of their needs, so one pass reaches everything.
        for i in index + 1..self.ends.len() {
            if self.ends[i] == End::Waiting
                && self.needs[i].after.iter().any(|need| lost.contains(need))
            {
                lost.push(i);
                self.ends[i] = match &result {
                    StepResult::Blocked { by } => End::Blocked(by.clone()),
                    _ => End::Cancelled,
                };
                told.push((self.receipt.steps[i].id.clone(), result.clone()));
            }
        }
        told
    }

    /// Saves the receipt; when that fails, nothing further begins.
    fn keep(&mut self, store: &ReceiptStore) -> bool {
        match store.save(&self.receipt) {
            Ok(()) => true,
            Err(error) => {
                self.fatal.get_or_insert(error);
                false
            }
        }
    }
}
