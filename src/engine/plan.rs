//! A plan as the engine holds it: steps with their actions and their order. The planner makes it, the review shows its summaries, the runner runs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::{HostName, StepId};
use crate::model::plan::{Description, Phase, Probe, StepSummary};

/// Steps in an order in which each comes after what it needs.
#[derive(Debug, Clone)]
pub struct Plan<A> {
    /// The steps.
    pub steps: Vec<PlannedStep<A>>,
}

/// One step of a plan.
#[derive(Debug, Clone)]
pub struct PlannedStep<A> {
    /// Its id, stable between runs.
    pub id: StepId,
    /// The host it happens on.
    pub host: HostName,
    /// Its column.
    pub phase: Phase,
    /// Steps that must have ended well before it begins.
    pub after: Vec<StepId>,
    /// What it does, with the difference to what stands there.
    pub description: Description,
    /// What the look at the host said.
    pub probe: Probe,
    /// The work itself.
    pub action: A,
}

/// Why a list of steps is no plan; our own mistake, never the operator's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFault {
    /// Two steps carry one id.
    #[error("two steps are called `{0}`")]
    Twice(StepId),
    /// A step comes after one that does not stand before it.
    #[error("step `{step}` comes after `{after}`, which does not stand before it")]
    Order {
        /// The step.
        step: StepId,
        /// What it names.
        after: StepId,
    },
}

impl<A> Plan<A> {
    /// Builds a plan from steps in order.
    ///
    /// # Errors
    /// Fails when an id stands twice or a step names one that does not stand before it; so a plan never has a circle.
    pub fn new(steps: Vec<PlannedStep<A>>) -> Result<Self, PlanFault> {
        let mut seen = BTreeSet::new();
        for step in &steps {
            if let Some(after) = step.after.iter().find(|after| !seen.contains(*after)) {
                return Err(PlanFault::Order {
                    step: step.id.clone(),
                    after: after.clone(),
                });
            }
            if !seen.insert(step.id.clone()) {
                return Err(PlanFault::Twice(step.id.clone()));
            }
        }
        Ok(Self { steps })
    }

    /// Returns the steps as front ends see them.
    #[must_use]
    pub fn summaries(&self) -> Vec<StepSummary> {
        self.steps
            .iter()
            .map(|step| StepSummary {
                id: step.id.clone(),
                host: step.host.clone(),
                phase: step.phase,
                description: step.description.clone(),
                after: step.after.clone(),
                probe: step.probe.clone(),
                may_skip: self.may_skip(step),
            })
            .collect()
    }

    /// Returns whether the operator may go on without a step that failed: it only judges, and nothing comes after it.
    #[must_use]
    pub fn may_skip(&self, step: &PlannedStep<A>) -> bool {
        step.phase == Phase::Health
            && !self
                .steps
                .iter()
                .any(|other| other.after.contains(&step.id))
    }

    /// Returns whether every look said that nothing is to be done.
    #[must_use]
    pub fn nothing_to_do(&self) -> bool {
        self.steps.iter().all(|step| step.probe == Probe::AlreadySo)
    }

    /// Returns what stands in the way, by step.
    #[must_use]
    pub fn conflicts(&self) -> BTreeMap<&StepId, &str> {
        self.steps
            .iter()
            .filter_map(|step| match &step.probe {
                Probe::Conflict(why) => Some((&step.id, why.as_str())),
                _ => None,
            })
            .collect()
    }

    /// Returns the hosts that appear, in order of their first step.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostName> {
        let mut hosts: Vec<HostName> = Vec::new();
        for step in &self.steps {
            if !hosts.contains(&step.host) {
                hosts.push(step.host.clone());
            }
        }
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, after: &[&str]) -> PlannedStep<()> {
        PlannedStep {
            id: StepId(id.to_owned()),
            host: "ui".parse().unwrap(),
            phase: Phase::Files,
            after: after.iter().map(|id| StepId((*id).to_owned())).collect(),
            description: Description {
                summary: id.to_owned(),
                reasons: Vec::new(),
                difference: None,
            },
            probe: Probe::Needed,
            action: (),
        }
    }

    #[test]
    fn a_plan_has_no_circle_and_no_id_twice() {
        assert!(Plan::new(vec![step("a", &[]), step("b", &["a"])]).is_ok());
        assert_eq!(
            Plan::new(vec![step("a", &["b"]), step("b", &[])]).unwrap_err(),
            PlanFault::Order {
                step: StepId("a".to_owned()),
                after: StepId("b".to_owned())
            }
        );
        assert_eq!(
            Plan::new(vec![step("a", &[]), step("a", &[])]).unwrap_err(),
            PlanFault::Twice(StepId("a".to_owned()))
        );
    }
}
