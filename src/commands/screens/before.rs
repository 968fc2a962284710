//! What the runs of a deployment before this one have left on disk: what their hosts had said, and how long their steps took.

use std::collections::HashMap;
use std::time::Duration;

use super::folder;
use crate::engine::session::Job;
use crate::engine::store::Records;
use crate::model::event::{Event, Outcome, StepResult};

/// How many recorded runs tell how long steps take.
const RUNS_BEFORE: usize = 5;

/// A recorded run that is larger is not read for that, in bytes.
const MOST_BEFORE: u64 = 8 << 20;

/// Returns the records of the run before, when it did not come to a good end.
pub(super) fn interrupted(job: &Job) -> Option<Records> {
    let folder = folder(job);
    let state = folder.state().ok().flatten()?;
    if matches!(state.outcome, Some(Outcome::Done | Outcome::NothingToDo)) {
        return None;
    }
    let records = Records::open(&folder.events_path(&state.last_run));
    records
        .inspect_err(|error| tracing::info!(%error, "the run before is not shown"))
        .ok()
}

/// Returns how long steps of each kind took when they last changed something in this deployment.
pub(super) fn times(job: &Job) -> HashMap<String, Duration> {
    let folder = folder(job);
    let runs = folder.recorded_runs().unwrap_or_default();
    let mut times = HashMap::new();
    for run in runs.iter().rev().take(RUNS_BEFORE).rev() {
        let path = folder.events_path(run);
        let small = path.metadata().is_ok_and(|file| file.len() < MOST_BEFORE);
        let records = Records::open(&path).ok().filter(|_| small);
        for record in records.into_iter().flatten() {
            if let Event::StepEnded {
                step,
                result: StepResult::Changed,
                took_ms,
            } = record.event
                && let Some((_, kind)) = step.0.split_once('/')
            {
                times.insert(kind.to_owned(), Duration::from_millis(took_ms));
            }
        }
    }
    times
}
