//! What every run that writes has in common: hosts locked, a plan run, and a record of it kept whatever happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connections::Connections;
use super::story::{Ending, Run};
use crate::engine::action::{AnyAction, Materials, Rights};
use crate::engine::lock::{BEAT, Held, Holding, HostLock, Owner};
use crate::engine::plan::Plan;
use crate::engine::planner;
use crate::engine::redact::Redactor;
use crate::engine::runner::{self, Links, Pace, Work, sum_up};
use crate::engine::store::{DeploymentFolder, DeploymentState};
use crate::model::event::{Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind, Hinted};
use crate::model::ids::HostName;
use crate::model::receipt::Receipt;

/// The version of the receipt's format.
const RECEIPT: u32 = 1;

/// What a plan is carried out with.
pub(super) struct Means<'a> {
    pub(super) links: &'a Arc<Connections>,
    pub(super) rights: &'a BTreeMap<HostName, Rights>,
    pub(super) redactor: &'a Redactor,
    pub(super) materials: &'a dyn Materials,
}

impl Means<'_> {
    /// Takes the lock of every host that is going to be written to.
    pub(super) fn lock(&self, run: &Run<'_>, hosts: Vec<HostName>) -> Result<Held, Ending> {
        let deployment = &run.job.deployment;
        let folder = planner::folder(&deployment.base_folder, &deployment.name);
        let since = jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M:%S UTC")
            .to_string();
        let locks: BTreeMap<HostName, HostLock> = hosts
            .into_iter()
            .map(|host| {
                let rights = self.rights.get(&host).copied().unwrap_or_default();
                let lock = HostLock {
                    folder: folder.clone(),
                    run: run.id.clone(),
                    owner: Owner::this_process(),
                    since: since.clone(),
                    rights,
                };
                (host, lock)
            })
            .collect();
        let links: Arc<dyn Links> = self.links.clone();
        let listener = Arc::clone(&run.listener) as Arc<dyn Listener>;
        let holding = Holding {
            links,
            listener,
            cancel: run.job.cancel.clone(),
            beat: BEAT,
        };
        Held::take(locks, run.job.take_over, holding).map_err(plain)
    }

    /// Runs the plan under `locks`; returns whether anything changed.
    pub(super) fn work(
        &self,
        run: &Run<'_>,
        plan: Plan<AnyAction>,
        folder: &DeploymentFolder,
        locks: &Held,
    ) -> Result<bool, Ending> {
        run.stage(Stage::Run);
        let receipts = folder.receipts();
        let ran = runner::run(
            plan,
            receipt(run),
            &Work {
                links: self.links.as_ref(),
                materials: self.materials,
                listener: run.listener.as_ref(),
                guard: locks,
                redactor: self.redactor,
                cancel: &run.job.cancel,
                helm: &run.job.helm,
                receipts: &receipts,
                concurrency: run.job.concurrency,
                pace: Pace::default(),
            },
        );
        if locks.is_lost() {
            return Err(taken_over().into());
        }
        let ran = ran.map_err(plain)?;
        if ran.cancelled {
            return Err(Ending(Outcome::Cancelled));
        }
        match sum_up(&ran.failures) {
            Some(failure) => Err(failure.into()),
            None => Ok(ran.changed),
        }
    }
}

/// The end of a run whose lock somebody took.
fn taken_over() -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "somebody else has taken over this deployment".to_owned(),
        causes: vec!["this run stopped at the next safe point after it lost its lock".to_owned()],
        hint: Some("talk to whoever works on it now; `plan` shows what stands there".to_owned()),
        command: None,
    }
}

fn receipt(run: &Run<'_>) -> Receipt<AnyAction> {
    Receipt {
        version: RECEIPT,
        run: run.id.clone(),
        deployment: run.job.deployment.name.clone(),
        preset: run.job.deployment.preset.id.clone(),
        installer: env!("CARGO_PKG_VERSION").to_owned(),
        began: jiff::Timestamp::now(),
        ended: None,
        outcome: None,
        steps: Vec::new(),
    }
}

/// Writes into the receipt how the run ended; one that was stopped before its first step has none.
pub(super) fn close_receipt(
    run: &Run<'_>,
    folder: &DeploymentFolder,
    outcome: &Outcome,
) -> Result<(), Ending> {
    let receipts = folder.receipts();
    if receipts.runs().map_err(plain)?.contains(&run.id) {
        let mut receipt: Receipt<AnyAction> = receipts.load(&run.id).map_err(plain)?;
        receipt.ended = Some(jiff::Timestamp::now());
        receipt.outcome = Some(outcome.clone());
        receipts.save(&receipt).map_err(plain)?;
    }
    Ok(())
}

/// Keeps the answers, and how far the deployment has come with what `purpose` names.
pub(super) fn accept(
    run: &Run<'_>,
    folder: &DeploymentFolder,
    purpose: &str,
    outcome: Option<Outcome>,
) -> Result<(), Ending> {
    let job = run.job;
    let before = folder.state().map_err(plain)?;
    folder.save_answers(&job.answers.text).map_err(plain)?;
    let state = DeploymentState {
        version: 1,
        name: job.deployment.name.clone(),
        preset: job.deployment.preset.id.clone(),
        answers_folder: Some(job.answers.folder.clone()),
        accepted: before.map_or_else(jiff::Timestamp::now, |state| state.accepted),
        last_run: run.id.clone(),
        purpose: purpose.to_owned(),
        outcome,
    };
    folder.save_state(&state).map_err(plain)
}

/// Ends a run with an error that speaks for itself.
pub(super) fn plain<E: Hinted>(error: E) -> Ending {
    let failure: Failure = error.into();
    failure.into()
}
