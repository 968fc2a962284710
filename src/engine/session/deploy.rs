//! `deploy`: everything, in order. It also goes on with what was interrupted, because a plan is made anew from what stands on the hosts.

mod hold;

use std::collections::BTreeMap;

use super::Review;
use super::carry_out::{Means, accept, close_receipt, plain};
use super::look::judged;
use super::stages::{self, Settled, Standing, standing};
use super::story::{Ending, Run};
use crate::engine::action::AnyAction;
use crate::engine::handover::{self, HandOver, Stands};
use crate::engine::lock::LocalLock;
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::store::{DEPLOY, DeploymentFolder};
use crate::engine::verify::Depth;
use crate::model::answers;
use crate::model::check::CheckResult;
use crate::model::event::{Event, Listener, Outcome};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::HostName;

/// Deploys.
pub(super) fn deploy(run: &Run<'_>, review: Review<'_>) -> Result<Outcome, Ending> {
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), run.job.deployment.name.as_str()).map_err(plain)?;
    if let Some(failure) = folder.upgrade_under_way().map_err(plain)? {
        return Err(failure.into());
    }
    refuse_lost(run, &folder)?;
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
    accept(run, &folder, DEPLOY, None)?;
    let outcome = carry_out(run, &settled, plan, &folder).unwrap_or_else(|ending| ending.0);
    accept(run, &folder, DEPLOY, Some(outcome.clone()))?;
    close_receipt(run, &folder, &outcome)?;
    Ok(outcome)
}

/// Refuses answers that have lost what was taken over: its data would stay behind, and an empty database would start.
fn refuse_lost(run: &Run<'_>, folder: &DeploymentFolder) -> Result<(), Ending> {
    let Ok(accepted) = fs_err::read_to_string(folder.answers_path()) else {
        return Ok(());
    };
    let accepted = answers::read("the accepted answers", &accepted).file;
    let mut before = accepted.iter().flat_map(|file| &file.adopted);
    let now = &run.job.deployment.adopted;
    let Some(lost) = before.find(|adopted| !now.contains(adopted)) else {
        return Ok(());
    };
    Err(Ending::from(Failure {
        kind: FailureKind::Usage,
        host: Some(lost.host.clone()),
        message: format!(
            "the answers do not say any more that `{}` took the place of the project `{}`",
            lost.stack, lost.project
        ),
        causes: vec!["its data would stay behind, and an empty database would start".to_owned()],
        hint: Some(format!(
            "put its `[[adopted]]` back as it stands in {}",
            folder.answers_path()
        )),
        command: None,
    }))
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
    accept(run, folder, DEPLOY, Some(Outcome::NothingToDo))?;
    Ok(Outcome::NothingToDo)
}

/// Does what the plan says and judges the result, with every host locked.
pub(super) fn carry_out(
    run: &Run<'_>,
    settled: &Settled,
    plan: Plan<AnyAction>,
    folder: &DeploymentFolder,
) -> Result<Outcome, Ending> {
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    let means = Means {
        links: &settled.seen.links,
        rights: &settled.rights,
        redactor: &settled.redactor,
        materials: &materials,
    };
    let locks = means.lock(run, plan.hosts())?;
    let changed = means.work(run, plan, folder, &locks)?;
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
