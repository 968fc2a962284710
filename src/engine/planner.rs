//! Decides what to do: steps for every host in order, each with what a look at its host says.
//!
//! Planning reads only. The same plan serves `plan`, the review and the run. Whether hosts are fit for it was decided by preflight before.

mod look;
mod rights;
mod steps;
mod superseded;

use std::collections::BTreeMap;

use super::action::{AnyAction, Materials, Rights};
use super::plan::{Plan, PlanFault};
use super::runner::Links;
use crate::model::facts::HostFacts;
use crate::model::failure::{Failure, FailureKind, Hinted};
use crate::model::ids::{DeploymentName, HostName, RunId};
use crate::model::resolved::Resolved;

pub use look::look_at_hosts;
pub use rights::rights;
pub(in crate::engine) use steps::compose;
pub use superseded::Superseded;

/// What planning works from.
pub struct Planning<'a> {
    /// Everything that shall be.
    pub resolved: &'a Resolved,
    /// What hosts are.
    pub facts: &'a BTreeMap<HostName, HostFacts>,
    /// Whose rights are used on each host.
    pub rights: &'a BTreeMap<HostName, Rights>,
    /// Connections.
    pub links: &'a dyn Links,
    /// Contents and credentials.
    pub materials: &'a dyn Materials,
    /// Folder on the hosts that holds every deployment.
    pub base_folder: &'a str,
    /// The run; kept copies carry its id.
    pub run: &'a RunId,
    /// How many hosts are looked at at once.
    pub concurrency: usize,
    /// What becomes of images that newer ones have replaced.
    pub superseded: Superseded,
}

impl Planning<'_> {
    /// Returns the deployment's folder on every host.
    #[must_use]
    pub fn folder(&self) -> String {
        folder(self.base_folder, &self.resolved.deployment)
    }
}

/// Returns a deployment's folder on every host.
#[must_use]
pub fn folder(base_folder: &str, deployment: &DeploymentName) -> String {
    format!("{}/{deployment}", base_folder.trim_end_matches('/'))
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Hosts could not be looked at.
    #[error("cannot look at {}", names(.0))]
    Hosts(Vec<Failure>),
    /// A host has no facts; our own mistake.
    #[error("no facts of `{0}`")]
    Unknown(HostName),
    /// The steps are no plan; our own mistake.
    #[error(transparent)]
    Fault(#[from] PlanFault),
}

fn names(failures: &[Failure]) -> String {
    let names: Vec<String> = failures
        .iter()
        .filter_map(|failure| failure.host.as_ref().map(|host| format!("`{host}`")))
        .collect();
    names.join(", ")
}

impl Hinted for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Hosts(failures) => failures.first().and_then(|failure| failure.hint.clone()),
            Self::Unknown(_) | Self::Fault(_) => None,
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Hosts(failures) => failures
                .first()
                .map_or(FailureKind::Situation, |failure| failure.kind),
            Self::Unknown(_) | Self::Fault(_) => FailureKind::Bug,
        }
    }
}

/// Makes the plan.
///
/// # Errors
/// Fails when a host cannot be looked at; every host is tried.
pub fn plan(planning: &Planning<'_>) -> Result<Plan<AnyAction>, PlanError> {
    let steps = steps::of(planning)?;
    let mut plan = Plan::new(steps)?;
    look_at_hosts(
        &mut plan,
        planning.links,
        planning.materials,
        planning.concurrency,
    )?;
    Ok(plan)
}

#[cfg(test)]
mod tests;
