//! What a run did, on disk: enough to resume it and to undo it.
//!
//! The receipt is saved before and after every step. It never holds a secret. Old receipts must keep parsing: `tests/fixtures` keeps one per release.

use serde::{Deserialize, Serialize};

use super::event::Outcome;
use super::failure::Failure;
use super::ids::{DeploymentName, HostName, PresetId, RunId, StepId};
use super::plan::Phase;

/// The record of one run. `A` is the engine's closed set of actions; the model does not need to know them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt<A> {
    /// Format version.
    pub version: u32,
    /// The run.
    pub run: RunId,
    /// The deployment.
    pub deployment: DeploymentName,
    /// Its preset.
    pub preset: PresetId,
    /// Version of the installer that wrote it.
    pub installer: String,
    /// When it began, UTC.
    pub began: jiff::Timestamp,
    /// When it ended, UTC.
    pub ended: Option<jiff::Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Every step with its state.
    pub steps: Vec<StepReceipt<A>>,
}

/// The record of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepReceipt<A> {
    /// The step.
    pub id: StepId,
    /// The host.
    pub host: HostName,
    /// Its phase.
    pub phase: Phase,
    /// How far it came.
    pub state: StepState,
    /// The action, with what it needs to undo itself.
    pub action: A,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How far a step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Begun and not known to have ended: look before doing it again.
    Running,
    /// Changed something.
    Done,
    /// Found it already so; never undone.
    Skipped,
    /// Failed.
    Failed,
    /// Failed, and the operator went on without it; the failure says why it failed.
    SkippedByOperator,
    /// Undone.
    Reverted,
}
