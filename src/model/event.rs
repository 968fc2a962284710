//! The story of a run, told once; the screen, line mode, JSON and the log file all listen to it.
//!
//! Events carry ids and facts, never sentences made for one front end, and never secrets. Every run ends with exactly one [`Event::RunEnded`].

use serde::{Deserialize, Serialize};

use super::check::{CheckResult, Reach};
use super::diagnosis::Cause;
use super::docker::LayerProgress;
use super::facts::HostFacts;
use super::failure::Failure;
use super::ids::{DeploymentName, HostName, RunId, StepId};
use super::log::SourceCount;
use super::plan::StepSummary;

/// An event with its time; one line of `--json` and of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was told, UTC.
    pub time: jiff::Timestamp,
    /// What was told.
    #[serde(flatten)]
    pub event: Event,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[non_exhaustive]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The run.
        run: RunId,
        /// What it works on.
        deployment: DeploymentName,
        /// The preset's title.
        title: String,
        /// What it is: `check`, `deploy`, `verify`, …
        purpose: String,
        /// Every host, in the order of the answers.
        hosts: Vec<HostName>,
    },
    /// A part of the run began: `connect`, `facts`, `preflight`, `plan`, `run`, `verify`, `gather`.
    StageStarted {
        /// Which.
        stage: Stage,
    },
    /// A host is being reached, or was.
    HostConnecting {
        /// Which.
        host: HostName,
        /// Its address.
        address: String,
    },
    /// A host answered and let us in.
    HostConnected {
        /// Which.
        host: HostName,
        /// Milliseconds from the first packet to the login.
        took_ms: u64,
    },
    /// A host could not be reached, or was lost.
    HostLost {
        /// Which.
        host: HostName,
        /// Why.
        failure: Failure,
    },
    /// Facts of a host are known.
    FactsGathered {
        /// They name their host.
        facts: Box<HostFacts>,
    },
    /// A check ended.
    CheckEnded {
        /// Its result.
        check: CheckResult,
    },
    /// The reachability grid is known.
    ReachKnown {
        /// Every cell that was tried.
        cells: Vec<Reach>,
    },
    /// The plan stands, before anything is written.
    PlanReady {
        /// Its steps in order.
        steps: Vec<StepSummary>,
    },
    /// A step began.
    StepStarted {
        /// Which.
        step: StepId,
    },
    /// A step moved on; bytes or counts, as the step defines.
    StepProgress {
        /// Which.
        step: StepId,
        /// Done so far; never less than before.
        done: u64,
        /// In all, when known.
        total: Option<u64>,
    },
    /// One layer of an image moved on.
    LayerProgressed {
        /// The step that delivers the image.
        step: StepId,
        /// The layer.
        layer: LayerProgress,
    },
    /// A line that a host printed; control sequences already made visible.
    StepOutput {
        /// The step it belongs to.
        step: StepId,
        /// The line.
        line: String,
    },
    /// A step ended.
    StepEnded {
        /// Which.
        step: StepId,
        /// How.
        result: StepResult,
        /// Milliseconds it took.
        took_ms: u64,
    },
    /// A step that failed, or waited for one that did, may begin again, because the operator asked for it.
    StepReopened {
        /// Which.
        step: StepId,
    },
    /// The operator paused the run, or lets it go on: while it is paused nothing begins.
    Paused {
        /// Whether it is paused now.
        paused: bool,
    },
    /// Nothing goes on until the operator decides what becomes of what failed.
    Held,
    /// The command that mends a failure runs on its host, because the operator asked for it.
    FixStarted {
        /// The host.
        host: HostName,
        /// The command.
        command: String,
    },
    /// A line that such a command printed.
    FixOutput {
        /// The host.
        host: HostName,
        /// The line.
        line: String,
    },
    /// Such a command ended.
    FixEnded {
        /// The host.
        host: HostName,
        /// Why it did not do its work; nothing when it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// Logs come from a source: how much so far.
    LogsProgressed {
        /// Host, stack and service.
        source: String,
        /// Records.
        records: u64,
        /// Bytes.
        bytes: u64,
    },
    /// All was gathered from a source, or all that could be had.
    LogsEnded {
        /// What.
        count: SourceCount,
    },
    /// What was gathered is in a file.
    LogsWritten {
        /// Where it is on the operator's machine.
        path: String,
        /// Records of this collection.
        records: u64,
        /// Bytes of this collection.
        bytes: u64,
    },
    /// What was gathered was held against what is known to go wrong.
    Diagnosed {
        /// What was found, the likeliest cause first.
        causes: Vec<Cause>,
    },
    /// A support archive is there, whole and searched for secrets.
    ArchiveWritten {
        /// Where it is on the operator's machine.
        path: String,
        /// Files in it.
        files: u64,
        /// Its size.
        bytes: u64,
    },
    /// Somewhere the result can be seen.
    EndpointReady {
        /// What it is, such as `Application`.
        title: String,
        /// Where.
        url: String,
    },
    /// The hand-over record was written.
    RecordWritten {
        /// Where it is on the operator's machine.
        path: String,
    },
    /// Something the operator should know that stops nothing.
    Noticed {
        /// The host it concerns.
        host: Option<HostName>,
        /// What.
        text: String,
    },
    /// Nothing else was told for a while, and the run goes on.
    StillAtIt,
    /// The run ended; the last event of every run.
    RunEnded {
        /// How.
        outcome: Outcome,
        /// Milliseconds it took.
        took_ms: u64,
    },
}

/// The parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stage {
    /// Reaching every host.
    Connect,
    /// Looking at every host.
    Facts,
    /// Checking.
    Preflight,
    /// Deciding what to do.
    Plan,
    /// Doing it.
    Run,
    /// Judging whether it works.
    Verify,
    /// Gathering what it prints.
    Gather,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StepResult {
    /// It changed something.
    Changed,
    /// There was nothing to do.
    AlreadySo,
    /// It failed.
    Failed(Failure),
    /// It was not begun, because something it needs failed.
    Blocked {
        /// The step that failed first.
        by: StepId,
    },
    /// The operator stopped before it began, or it stopped at a safe point.
    Cancelled,
    /// It had failed, and the operator goes on without it.
    Skipped,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Everything is as asked, and something was changed.
    Done,
    /// Everything was already as asked; nothing was changed.
    NothingToDo,
    /// Checks failed; nothing was written.
    ChecksFailed,
    /// Some steps failed; the rest went as far as it could.
    Failed(Failure),
    /// The operator stopped; the same command goes on from here.
    Cancelled,
}

impl Outcome {
    /// Returns the process exit code of this outcome.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Done | Self::NothingToDo => 0,
            Self::ChecksFailed => 3,
            Self::Failed(failure) => failure.kind.exit_code(),
            Self::Cancelled => 130,
        }
    }
}

/// Listens to a run. Implementations must not block for long.
pub trait Listener: Send + Sync {
    /// Hears one event.
    fn hear(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Listener for F {
    fn hear(&self, event: Event) {
        self(event);
    }
}
