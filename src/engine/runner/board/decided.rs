//! What the operator decides about a run that goes on: a pause, another try, going on without a step, a command that mends.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Board, End, State};
use crate::engine::helm::{Helm, Wish};
use crate::engine::runner::Work;
use crate::model::event::{Event, StepResult};
use crate::model::ids::{HostName, StepId};
use crate::model::receipt::StepState;

/// What was decided and is not done yet.
#[derive(Debug, Default)]
pub(super) struct Decided {
    paused: bool,
    held: bool,
    mends: VecDeque<(HostName, String)>,
    mending: usize,
}

impl Decided {
    /// Returns the next command for a host, which runs from now on.
    pub(super) fn mending(&mut self, host: &HostName) -> Option<String> {
        let at = self.mends.iter().position(|(other, _)| other == host)?;
        let (_, command) = self.mends.remove(at)?;
        self.mending += 1;
        Some(command)
    }

    fn mends_something(&self) -> bool {
        self.mending > 0 || !self.mends.is_empty()
    }
}

impl<A: Serialize + Clone> Board<A> {
    /// Notes how a mending command ended; after one that did its work the host is tried again.
    pub(in crate::engine::runner) fn mended(&self, host: &HostName, done: bool, work: &Work<'_>) {
        let mut state = self.lock();
        state.decided.mending -= 1;
        if done {
            state.retry(host, work);
        }
        drop(state);
        self.moved.notify_all();
    }
}

impl<A: Serialize + Clone> State<A> {
    /// Does what the operator wants, and tells it before anybody can act on it; returns whether anything changed.
    pub(super) fn heed(&mut self, work: &Work<'_>) -> bool {
        let mut changed = false;
        let paused = work.helm.is_paused();
        if self.decided.paused != paused {
            self.decided.paused = paused;
            work.listener.hear(Event::Paused { paused });
            changed = true;
        }
        while let Some(wish) = work.helm.take() {
            changed = true;
            match wish {
                Wish::Retry(host) => self.retry(&host, work),
                Wish::Skip(step) => self.skip(&step, work),
                Wish::Fix { host, command } if self.failed_of(&host).next().is_some() => {
                    self.decided.mends.push_back((host, command));
                    self.decided.held = false;
                }
                Wish::Fix { .. } => {}
            }
        }
        if work.helm.is_attended() && !self.decided.held && self.is_stuck() {
            self.decided.held = true;
            work.listener.hear(Event::Held);
            changed = true;
        }
        changed
    }

    /// Returns whether a host has steps that a decision may bring back.
    pub(super) fn awaits_decision(&self, host: &HostName, helm: &Helm) -> bool {
        let undone = |i: usize| matches!(self.ends[i], End::Failed | End::Blocked(_));
        helm.is_attended() && (0..self.ends.len()).any(|i| self.is_of(i, host) && undone(i))
    }

    /// Returns whether nothing can go on without a decision.
    fn is_stuck(&self) -> bool {
        let moves = |end: &End| matches!(end, End::Waiting | End::Running);
        self.ends.contains(&End::Failed)
            && !self.ends.iter().any(moves)
            && !self.decided.mends_something()
    }

    fn failed_of<'a>(&'a self, host: &'a HostName) -> impl Iterator<Item = usize> + 'a {
        (0..self.ends.len()).filter(move |&i| self.ends[i] == End::Failed && self.is_of(i, host))
    }

    /// Lets what failed on a host begin again, and what waited for it.
    fn retry(&mut self, host: &HostName, work: &Work<'_>) {
        let failed: Vec<usize> = self.failed_of(host).collect();
        let ids: Vec<StepId> = failed
            .iter()
            .map(|&index| self.receipt.steps[index].id.clone())
            .collect();
        for &index in &failed {
            self.forget_failure(index);
            self.receipt.steps[index].failure = None;
        }
        for index in 0..self.ends.len() {
            let blocked = matches!(&self.ends[index], End::Blocked(by) if ids.contains(by));
            if blocked || failed.contains(&index) {
                self.ends[index] = End::Waiting;
                self.receipt.steps[index].state = StepState::Pending;
                let step = self.receipt.steps[index].id.clone();
                work.listener.hear(Event::StepReopened { step });
            }
        }
        self.block_again(work);
        self.decided.held = false;
        self.keep(work.receipts);
    }

    /// Blocks what also comes after a step that has failed elsewhere.
    fn block_again(&mut self, work: &Work<'_>) {
        for index in 0..self.ends.len() {
            if self.ends[index] == End::Failed {
                for (step, result) in self.spread(index) {
                    work.listener.hear(Event::StepEnded {
                        step,
                        result,
                        took_ms: 0,
                    });
                }
            }
        }
    }

    /// Goes on without a step that failed, where the plan allows it.
    fn skip(&mut self, step: &StepId, work: &Work<'_>) {
        let at = self.receipt.steps.iter().position(|own| own.id == *step);
        let at = at.filter(|&at| self.ends[at] == End::Failed && self.needs[at].may_skip);
        let Some(index) = at else { return };
        self.forget_failure(index);
        self.set_end(index, &StepResult::Skipped);
        self.decided.held = false;
        work.listener.hear(Event::StepEnded {
            step: step.clone(),
            result: StepResult::Skipped,
            took_ms: 0,
        });
        self.keep(work.receipts);
    }

    /// The failure of a step ends the run no more; the receipt keeps it where the step was skipped.
    fn forget_failure(&mut self, index: usize) {
        let own = self.receipt.steps[index].failure.clone();
        if let Some(own) = own
            && let Some(at) = self.failures.iter().position(|failure| *failure == own)
        {
            self.failures.remove(at);
        }
    }
}
