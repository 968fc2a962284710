//! One step: look, note what undoing needs, do it; and again on a fresh connection when the link broke.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::board::{Board, Task};
use super::voice::{Voice, Voices};
use super::{Links, Pace, Work};
use crate::engine::action::{Action, ActionError, Context, Progress};
use crate::model::event::{Event, StepResult};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::HostName;
use crate::model::plan::Probe;
use crate::transport::Host;

/// Does one step and tells the board and the listener.
pub(super) fn perform<A: Action + Serialize + Clone>(
    mut task: Task<A>,
    board: &Board<A>,
    voices: &Voices<'_>,
    work: &Work<'_>,
) {
    let began = Instant::now();
    work.listener.hear(Event::StepStarted {
        step: task.id.clone(),
    });
    let result = if task.settled {
        let voice = voices.of(&task.id);
        if let Ok(host) = work.links.host(&task.host) {
            tidy(&task.action, &context(host.as_ref(), &voice, work));
        }
        StepResult::AlreadySo
    } else {
        let voice = voices.of(&task.id);
        match guarded(&mut task, board, &voice, work) {
            Ok(result) => result,
            Err(ActionError::Cancelled) => StepResult::Cancelled,
            Err(error) => {
                let mut failure = failure(&error, &task.host);
                work.redactor.failure(&mut failure);
                StepResult::Failed(failure)
            }
        }
    };
    let took = millis(began.elapsed());
    board.ended(task.index, Some(task.action), result, took, work);
}

/// Returns a time in whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns a failure of a host, with the host's own words among its causes.
pub(crate) fn failure(error: &ActionError, host: &HostName) -> Failure {
    let mut failure = Failure::from_error(error).on(host);
    for cause in &mut failure.causes {
        *cause = crate::model::text::visible(cause).into_owned();
    }
    failure
}

/// Turns a panic of the action into an error that says so.
fn guarded<A: Action + Serialize + Clone>(
    task: &mut Task<A>,
    board: &Board<A>,
    voice: &Voice<'_>,
    work: &Work<'_>,
) -> Result<StepResult, ActionError> {
    catch_unwind(AssertUnwindSafe(|| persist(task, board, voice, work))).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(ActionError::Bug(format!(
            "step `{}` broke off: {words}",
            task.id
        )))
    })
}

/// Tries until it works, fails by itself, or the link broke too often.
fn persist<A: Action + Serialize + Clone>(
    task: &mut Task<A>,
    board: &Board<A>,
    voice: &Voice<'_>,
    work: &Work<'_>,
) -> Result<StepResult, ActionError> {
    let mut tries = Tries {
        left: work.pace.retries,
        pause: work.pace.pause,
        done: 0,
        begun: task.begun,
    };
    let mut fresh = false;
    loop {
        let error = match attempt(task, fresh, &mut tries.begun, board, voice, work) {
            Err(ActionError::Transport(error)) if error.is_link_fault() => error,
            ended => return ended,
        };
        tries.renew_for(voice.done(), work.pace);
        if tries.left == 0 {
            work.listener.hear(Event::HostLost {
                host: task.host.clone(),
                failure: Failure::from_error(&error).on(&task.host),
            });
            return Err(error.into());
        }
        tries.left -= 1;
        voice.line(&format!("{error}; trying again on a new connection"));
        if voice.wait(tries.pause) {
            return Err(ActionError::Cancelled);
        }
        tries.pause = (tries.pause * 2).min(Duration::from_secs(8));
        fresh = true;
    }
}

struct Tries {
    left: u32,
    pause: Duration,
    /// How far the step had come when the link last broke.
    done: u64,
    /// An earlier try got as far as changing something.
    begun: bool,
}

impl Tries {
    /// Begins to count anew when the step has moved on since the link last broke: a link that breaks often is no link that is gone.
    fn renew_for(&mut self, done: u64, pace: Pace) {
        if done > self.done {
            (self.left, self.pause, self.done) = (pace.retries, pace.pause, done);
        }
    }
}

fn attempt<A: Action + Serialize + Clone>(
    task: &mut Task<A>,
    fresh: bool,
    begun: &mut bool,
    board: &Board<A>,
    voice: &Voice<'_>,
    work: &Work<'_>,
) -> Result<StepResult, ActionError> {
    let host = connection(work.links, &task.host, fresh)?;
    let cx = context(host.as_ref(), voice, work);
    match task.action.probe(&cx)? {
        Probe::AlreadySo => {
            tidy(&task.action, &cx);
            return Ok(if *begun {
                StepResult::Changed
            } else {
                StepResult::AlreadySo
            });
        }
        Probe::Conflict(why) => {
            return Err(ActionError::Situation {
                message: why,
                evidence: Vec::new(),
                remedy: None,
                command: None,
            });
        }
        Probe::Needed => {}
    }
    if voice.cancelled() || !work.guard.holds(&task.host) {
        return Err(ActionError::Cancelled);
    }
    // Only what stood there before the first try is of use for undoing.
    if !*begun {
        task.action.prepare(&cx)?;
    }
    if !board.begun(task.index, &task.action, work) {
        // The board keeps the reason and ends the run with it.
        return Err(ActionError::Cancelled);
    }
    *begun = true;
    task.action.execute(&cx)?;
    Ok(StepResult::Changed)
}

fn context<'a>(host: &'a dyn Host, voice: &'a Voice<'_>, work: &'a Work<'_>) -> Context<'a> {
    Context {
        host,
        materials: work.materials,
        progress: voice,
        peers: work.links,
    }
}

/// Tidies up after an earlier run; what cannot be tidied now can be later, so it is no failure.
fn tidy<A: Action>(action: &A, cx: &Context<'_>) {
    if let Err(error) = action.tidy(cx) {
        tracing::warn!(host = %cx.host.name(), %error, "what an earlier run left could not be removed");
    }
}

fn connection(
    links: &dyn Links,
    host: &HostName,
    fresh: bool,
) -> Result<std::sync::Arc<dyn Host>, ActionError> {
    Ok(if fresh {
        links.renew(host)?
    } else {
        links.host(host)?
    })
}

/// Returns the failure that stands for several: our own bug before everything else, the first otherwise, the rest among its causes.
pub(crate) fn sum_up(failures: &[Failure]) -> Option<Failure> {
    let first = failures
        .iter()
        .find(|failure| failure.kind == FailureKind::Bug)
        .or(failures.first())?;
    let mut sum = first.clone();
    sum.causes.extend(
        failures
            .iter()
            .filter(|failure| *failure != first)
            .map(|failure| match &failure.host {
                Some(host) => format!("{host}: {}", failure.message),
                None => failure.message.clone(),
            }),
    );
    Some(sum)
}
