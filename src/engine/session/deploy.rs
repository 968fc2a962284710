//! `deploy`: everything, in order. It also goes on with what was interrupted, because a plan is made anew from what stands on the hosts.

mod hold;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Review;
use super::look::judged;
use super::stages::{self, Settled, Standing, standing};
use super::story::{Ending, Run};
use crate::engine::action::AnyAction;
use crate::engine::handover::{self, HandOver, Stands};
use crate::engine::lock::{BEAT, Held, Holding, HostLock, LocalLock, Owner};
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::planner;
use crate::engine::runner::{self, Links, Pace, Work, sum_up};
use crate::engine::store::{DeploymentFolder, DeploymentState};
use crate::engine::verify::Depth;
use crate::model::check::CheckResult;
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind, Hinted};
use crate::model::ids::HostName;
use crate::model::receipt::Receipt;

/// The version of the receipt's format.
const RECEIPT: u32 = 1;

/// Deploys.
pub(super) fn deploy(run: &Run<'_>, review: Review<'_>) -> Result<Outcome, Ending> {
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), run.job.deployment.name.as_str()).map_err(plain)?;
    let reached = stages::connect(run)?;
    let settled = loop {
        let seen = stages::look(run, &reached)?;
        let mut settled = stages::settle(run, seen)?;
        let bundles = stages::open_bundles(run, &mut settled);
        if stages::plan_of_nothing(run, &settled).is_some() {
            return stands(run, &settled, &folder, Depth::Quick);
        }
        bundles?;
        match stages::preflight(run, &settled) {
            Ok(()) => break settled,
            Err(ending) => hold::until_mended(run, &settled, ending)?,
        }
    };
    let plan = stages::plan(run, &settled)?;
    refuse_conflicts(&plan)?;
    let interrupted = standing(run) == Standing::Interrupted;
    if plan.nothing_to_do() && !interrupted {
        return stands(run, &settled, &folder, Depth::Full);
    }
    if !plan.nothing_to_do() {
        stages::write_runbook(run, &settled, &plan)?;
    }
    // What an accepted run left behind is cleared away without asking again.
    if !plan.nothing_to_do() && !run.peace.during(|| review(plan.summaries())) {
        return Err(Ending(Outcome::Cancelled));
    }
    run.go_on()?;
    accept(run, &folder, None)?;
    let outcome = carry_out(run, &settled, plan, &folder).unwrap_or_else(|ending| ending.0);
    accept(run, &folder, Some(outcome.clone()))?;
    close_receipt(run, &folder, &outcome)?;
    Ok(outcome)
}

/// Everything is as it should be: judged, and known here by its name from now on. Nothing is written on a host.
fn stands(
    run: &Run<'_>,
    settled: &Settled,
    folder: &DeploymentFolder,
    depth: Depth,
) -> Result<Outcome, Ending> {
    let checks = judged(run, settled, depth)?;
    let stands = handover::seen(&settled.seen.facts);
    hand_over(run, settled, folder, &checks, &stands);
    accept(run, folder, Some(Outcome::NothingToDo))?;
    Ok(Outcome::NothingToDo)
}

/// Writes into the receipt how the run ended; one that was stopped before its first step has none.
fn close_receipt(
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

/// Does what the plan says and judges the result, with every host locked.
fn carry_out(
    run: &Run<'_>,
    settled: &Settled,
    plan: Plan<AnyAction>,
    folder: &DeploymentFolder,
) -> Result<Outcome, Ending> {
    let locks = lock(run, settled, &plan)?;
    let worked = work(run, settled, plan, folder, &locks);
    if locks.is_lost() {
        return Err(taken_over().into());
    }
    let changed = worked?;
    let checks = judged(run, settled, Depth::Full)?;
    locks.release();
    let stands = handover::look(&settled.resolved, settled.seen.links.as_ref());
    hand_over(run, settled, folder, &checks, &stands);
    Ok(if changed {
        Outcome::Done
    } else {
        Outcome::NothingToDo
    })
}

/// Writes the hand-over record beside the receipts. What stands does not fall because its record could not be written: that is only told.
fn hand_over(
    run: &Run<'_>,
    settled: &Settled,
    folder: &DeploymentFolder,
    checks: &[CheckResult],
    stands: &BTreeMap<HostName, Stands>,
) {
    for authority in &settled.resolved.authorities {
        let text = match folder.save_authority(handover::AUTHORITY_FILE, &authority.pem) {
            Ok(path) => format!(
                "browsers trust the certificate once they are told to trust {path}; the hand-over record says how"
            ),
            Err(error) => format!("the authority's certificate was not written: {error}"),
        };
        run.listener.hear(Event::Noticed { host: None, text });
    }
    let text = handover::record(&HandOver {
        deployment: &run.job.deployment,
        resolved: &settled.resolved,
        stands,
        checks,
        run: &run.id,
        judged: jiff::Timestamp::now(),
    });
    let event = match folder.save_record(&settled.redactor.text(&text)) {
        Ok(path) => Event::RecordWritten {
            path: path.into_string(),
        },
        Err(error) => Event::Noticed {
            host: None,
            text: format!("the hand-over record was not written: {error}"),
        },
    };
    run.listener.hear(event);
}

/// Runs the plan; returns whether anything changed.
fn work(
    run: &Run<'_>,
    settled: &Settled,
    plan: Plan<AnyAction>,
    folder: &DeploymentFolder,
    locks: &Held,
) -> Result<bool, Ending> {
    run.stage(Stage::Run);
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    let receipts = folder.receipts();
    let ran = runner::run(
        plan,
        receipt(run),
        &Work {
            links: settled.seen.links.as_ref(),
            materials: &materials,
            listener: run.listener.as_ref(),
            guard: locks,
            redactor: &settled.redactor,
            cancel: &run.job.cancel,
            helm: &run.job.helm,
            receipts: &receipts,
            concurrency: run.job.concurrency,
            pace: Pace::default(),
        },
    )
    .map_err(plain)?;
    if ran.cancelled {
        return Err(Ending(Outcome::Cancelled));
    }
    match sum_up(&ran.failures) {
        Some(failure) => Err(failure.into()),
        None => Ok(ran.changed),
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

/// Takes the lock of every host that the plan touches.
fn lock(run: &Run<'_>, settled: &Settled, plan: &Plan<AnyAction>) -> Result<Held, Ending> {
    let deployment = &run.job.deployment;
    let folder = planner::folder(&deployment.base_folder, &deployment.name);
    let since = jiff::Timestamp::now()
        .strftime("%Y-%m-%d %H:%M:%S UTC")
        .to_string();
    let locks: BTreeMap<HostName, HostLock> = plan
        .hosts()
        .into_iter()
        .map(|host| {
            let rights = settled.rights.get(&host).copied().unwrap_or_default();
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
    let links: Arc<dyn Links> = settled.seen.links.clone();
    let listener = Arc::clone(&run.listener) as Arc<dyn Listener>;
    let holding = Holding {
        links,
        listener,
        cancel: run.job.cancel.clone(),
        beat: BEAT,
    };
    Held::take(locks, run.job.take_over, holding).map_err(plain)
}

/// Keeps the answers and how far the deployment has come.
fn accept(
    run: &Run<'_>,
    folder: &DeploymentFolder,
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
        outcome,
    };
    folder.save_state(&state).map_err(plain)
}

/// Ends the run when something stands in the way of a step.
fn refuse_conflicts(plan: &Plan<AnyAction>) -> Result<(), Ending> {
    let conflicts = plan.conflicts();
    let Some((step, why)) = conflicts.iter().next() else {
        return Ok(());
    };
    let host = plan
        .steps
        .iter()
        .find(|planned| planned.id == **step)
        .map(|planned| planned.host.clone());
    Err(Ending::from(Failure {
        kind: FailureKind::Situation,
        host,
        message: (*why).to_owned(),
        causes: conflicts
            .iter()
            .skip(1)
            .map(|(step, why)| format!("{step}: {why}"))
            .collect(),
        hint: Some("nothing was changed; clear the way and run the same command again".to_owned()),
        command: None,
    }))
}

fn plain<E: Hinted>(error: E) -> Ending {
    let failure: Failure = error.into();
    failure.into()
}
