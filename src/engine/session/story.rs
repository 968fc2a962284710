//! One run as a story: who hears it, how it begins, that it never falls silent, and that it ends exactly once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Job;
use super::teller::{Peace, Teller};
use crate::engine::cancel::Cancel;
use crate::engine::redact::Redactor;
use crate::engine::runner::millis;
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::RunId;

/// A run that has begun.
pub(super) struct Run<'a> {
    /// What it works on and with.
    pub(super) job: &'a Job,
    /// Its id.
    pub(super) id: RunId,
    /// Who hears it: the front end and the event log, without secrets.
    pub(super) listener: Arc<Teller>,
    /// While somebody reads or answers, silence is right.
    pub(super) peace: Peace,
}

/// The longest silence of a run.
pub(super) const SILENCE: Duration = Duration::from_secs(4);

impl Run<'_> {
    /// Says that a stage begins.
    pub(super) fn stage(&self, stage: Stage) {
        self.listener.hear(Event::StageStarted { stage });
    }

    /// Returns an error when the operator asked to stop; called between stages.
    pub(super) fn go_on(&self) -> Result<(), Ending> {
        if self.job.cancel.is_raised() {
            return Err(Ending(Outcome::Cancelled));
        }
        Ok(())
    }

    /// Says now and then that it goes on, when nothing else is said.
    fn pulse(&self, done: &Cancel) {
        while !done.wait(SILENCE / 16) {
            // Steps and judgements speak for themselves; this comes a little later, when nobody did.
            if self.listener.silent_for() >= SILENCE * 9 / 8 && !self.peace.is_kept() {
                self.listener.hear(Event::StillAtIt);
            }
        }
    }
}

/// A run that ends before its last stage.
#[derive(Debug)]
pub(super) struct Ending(pub(super) Outcome);

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::Cancelled => Self(Outcome::Cancelled),
            _ => Self(Outcome::Failed(failure)),
        }
    }
}

/// Tells a run from beginning to end.
pub(super) fn tell(
    job: &Job,
    purpose: &str,
    work: impl FnOnce(&Run<'_>) -> Result<Outcome, Ending>,
) -> Result<(), Failure> {
    let began = Instant::now();
    let id = new_id();
    let folder = job.home.deployment(&job.deployment.name);
    let log = folder.event_log(&id);
    let teller = Teller::new(
        Arc::clone(&job.listener),
        log.map_err(|error| Failure::from_error(&error))?,
        Redactor::new(&job.deployment.secrets),
    );
    let run = Run {
        job,
        id,
        listener: Arc::new(teller),
        peace: Peace::default(),
    };
    run.listener.hear(Event::RunStarted {
        run: run.id.clone(),
        deployment: job.deployment.name.clone(),
        title: job.deployment.preset.title.clone(),
        purpose: purpose.to_owned(),
        hosts: job
            .deployment
            .hosts
            .iter()
            .map(|host| host.name.clone())
            .collect(),
    });
    let done = Cancel::new();
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| run.pulse(&done));
        let ended = catch_unwind(AssertUnwindSafe(|| work(&run)));
        done.raise();
        ended
    });
    let outcome = match ended {
        Ok(Ok(outcome) | Err(Ending(outcome))) => outcome,
        Err(_) => Outcome::Failed(broke_off()),
    };
    run.listener.hear(Event::RunEnded {
        outcome,
        took_ms: millis(began.elapsed()),
    });
    Ok(())
}

fn broke_off() -> Failure {
    Failure {
        kind: FailureKind::Bug,
        host: None,
        message: "the run broke off".to_owned(),
        causes: vec!["see the program's log in its home folder".to_owned()],
        hint: None,
        command: None,
    }
}

fn new_id() -> RunId {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    RunId(format!("{now}-{:04x}", rand::random::<u16>()))
}
