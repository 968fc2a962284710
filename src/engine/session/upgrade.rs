//! `upgrade` and `rollback`: to another release and back, each going on where it was interrupted.
//!
//! Until an upgrade has come to its end, the answers before it count; what it is about is noted beside them. Where everything was saved already, going on is the
//! ordinary plan: nothing stops twice, and nothing that the new release wrote is taken for the data before it.

use super::carry_out::{accept, close_receipt, plain};
use super::deploy::carry_out;
use super::stages::{self, Settled};
use super::story::{Ending, Run};
use super::{Job, Review, Target};
use crate::engine::action::{AnyAction, DataSet};
use crate::engine::backups::{self, Place};
use crate::engine::lock::LocalLock;
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::planner;
use crate::engine::runner::Links as _;
use crate::engine::store::{DeploymentFolder, ROLLBACK, UPGRADE, Upgrade, UpgradeState};
use crate::engine::upgrade::{self, Older};
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, RunId};
use crate::model::receipt::{Receipt, StepState};

/// The version of the record's format.
const VERSION: u32 = 1;

/// Brings the deployment to another release.
pub(super) fn upgrade(
    run: &Run<'_>,
    to: &Target,
    older: Older,
    review: Review<'_>,
) -> Result<Outcome, Ending> {
    let job = run.job;
    let folder = job.home.deployment(&job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), job.deployment.name.as_str()).map_err(plain)?;
    let earlier = folder.upgrade().map_err(plain)?;
    let upgrade = begun(run, &folder, to)?;
    let goes_on = upgrade.state == UpgradeState::Forward;
    let ahead = other(run, to, run.id.clone());
    let ahead = story(run, &ahead);
    let seen = stages::see(&ahead)?;
    let mut settled = stages::settle(&ahead, seen)?;
    stages::open_bundles(&ahead, &mut settled)?;
    stages::preflight(&ahead, &settled)?;
    let plan = forward(&ahead, &settled, &upgrade.id, older)?;
    if plan.nothing_to_do() && !goes_on {
        return Ok(Outcome::NothingToDo);
    }
    if !run.peace.during(|| review(plan.summaries())) {
        return Err(Ending(Outcome::Cancelled));
    }
    run.go_on()?;
    let noted = Upgrade {
        state: UpgradeState::Forward,
        ..upgrade
    };
    folder.save_upgrade(Some(&noted)).map_err(plain)?;
    accept(run, &folder, UPGRADE, None)?;
    let outcome = carry_out(&ahead, &settled, plan, &folder).unwrap_or_else(|ending| ending.0);
    close_receipt(run, &folder, &outcome)?;
    let touched = goes_on || touched(run, &folder)?;
    match outcome {
        Outcome::Done | Outcome::NothingToDo => {
            accept(&ahead, &folder, UPGRADE, Some(Outcome::Done))?;
            let done = Upgrade {
                state: UpgradeState::Done,
                ..noted
            };
            folder.save_upgrade(Some(&done)).map_err(plain)?;
            Ok(Outcome::Done)
        }
        Outcome::Failed(failure) if touched => returned(run, &folder, &noted, failure),
        outcome if touched => {
            accept(run, &folder, UPGRADE, Some(outcome.clone()))?;
            Ok(outcome)
        }
        outcome => {
            // Everything stands as it did: only images may have come.
            folder.save_upgrade(earlier.as_ref()).map_err(plain)?;
            accept(run, &folder, UPGRADE, Some(Outcome::NothingToDo))?;
            Ok(outcome)
        }
    }
}

/// Brings the deployment back to the answers before an upgrade.
pub(super) fn rollback(
    run: &Run<'_>,
    upgrade: &Upgrade,
    review: Review<'_>,
) -> Result<Outcome, Ending> {
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder.create().map_err(plain)?;
    let name = run.job.deployment.name.as_str();
    let _here = LocalLock::take(&folder.lock_path(), name).map_err(plain)?;
    let outcome = come_back(run, &folder, upgrade, review).unwrap_or_else(|ending| ending.0);
    close_receipt(run, &folder, &outcome)?;
    Ok(outcome)
}

/// Returns the upgrade that goes on, or a new one.
fn begun(run: &Run<'_>, folder: &DeploymentFolder, to: &Target) -> Result<Upgrade, Ending> {
    let found = folder.upgrade().map_err(plain)?;
    match found {
        Some(found) if found.state == UpgradeState::Forward && found.to == to.answers.text => {
            Ok(found)
        }
        Some(found) if found.state != UpgradeState::Done => {
            let under_way = folder.upgrade_under_way().map_err(plain)?;
            Err(under_way.map_or(Ending(Outcome::Cancelled), Ending::from))
        }
        _ => Ok(Upgrade {
            version: VERSION,
            id: format!("upgrade-{}", run.id),
            before: run.job.answers.text.clone(),
            to: to.answers.text.clone(),
            folder: run.job.answers.folder.clone(),
            state: UpgradeState::Done,
        }),
    }
}

/// A job and an id for a part of a run that works by other answers, or needs a receipt of its own.
struct Other {
    job: Job,
    id: RunId,
}

fn other(run: &Run<'_>, target: &Target, id: RunId) -> Other {
    let job = Job {
        deployment: target.deployment.clone(),
        answers: target.answers.clone(),
        ..run.job.clone()
    };
    Other { job, id }
}

/// Returns the same run with another job.
fn story<'a>(run: &Run<'_>, other: &'a Other) -> Run<'a> {
    Run {
        job: &other.job,
        id: other.id.clone(),
        listener: run.listener.clone(),
        peace: run.peace.clone(),
    }
}

fn place<'a>(run: &'a Run<'_>, settled: &'a Settled, id: &'a str) -> Place<'a> {
    Place {
        deployment: &run.job.deployment,
        resolved: &settled.resolved,
        facts: &settled.seen.facts,
        rights: &settled.rights,
        id,
    }
}

/// Plans the way on.
fn forward(
    run: &Run<'_>,
    settled: &Settled,
    id: &str,
    older: Older,
) -> Result<Plan<AnyAction>, Ending> {
    run.go_on()?;
    run.stage(Stage::Plan);
    let ordinary = stages::planned(run, settled).map_err(stages::unplanned)?;
    let place = place(run, settled, id);
    let all = backups::sets(&place).map_err(stages::unplanned)?;
    let saved = saved(settled, &all)?;
    let mut plan = if !all.is_empty() && saved.len() == all.len() {
        ordinary
    } else {
        upgrade::forward(&place, ordinary, older).map_err(stages::unplanned)?
    };
    look(run, settled, &mut plan)?;
    Ok(plan)
}

fn look(run: &Run<'_>, settled: &Settled, plan: &mut Plan<AnyAction>) -> Result<(), Ending> {
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    let links = settled.seen.links.as_ref();
    let looked = planner::look_at_hosts(plan, links, &materials, run.job.concurrency);
    looked.map_err(stages::unplanned)?;
    stages::show(run, plan);
    Ok(())
}

/// Returns what is saved, whole, on its host.
fn saved(
    settled: &Settled,
    all: &[(HostName, DataSet)],
) -> Result<Vec<(HostName, DataSet)>, Ending> {
    let mut saved = Vec::new();
    for (host, data) in all {
        let link = settled.seen.links.host(host).map_err(plain)?;
        if data.is_saved(link.as_ref()).map_err(plain)? {
            saved.push((host.clone(), data.clone()));
        }
    }
    Ok(saved)
}

/// Returns whether the run got as far as stopping or changing anything that runs.
fn touched(run: &Run<'_>, folder: &DeploymentFolder) -> Result<bool, Ending> {
    let receipts = folder.receipts();
    if !receipts.runs().map_err(plain)?.contains(&run.id) {
        return Ok(false);
    }
    let receipt: Receipt<AnyAction> = receipts.load(&run.id).map_err(plain)?;
    Ok(receipt.steps.iter().any(|step| {
        let touches = matches!(
            step.action,
            AnyAction::StopStack(_)
                | AnyAction::RetireProject(_)
                | AnyAction::StartStack(_)
                | AnyAction::PutFile(_)
        );
        touches && !matches!(step.state, StepState::Pending | StepState::Skipped)
    }))
}

/// Comes back by itself from a release that does not work, and says so.
fn returned(
    run: &Run<'_>,
    folder: &DeploymentFolder,
    upgrade: &Upgrade,
    mut failure: Failure,
) -> Result<Outcome, Ending> {
    run.listener.hear(Event::Noticed {
        host: failure.host.clone(),
        text: format!("{}: going back to the release before", failure.message),
    });
    // A receipt of its own: the one of the way there says what to remove one day.
    let here = Target {
        deployment: run.job.deployment.clone(),
        answers: run.job.answers.clone(),
    };
    let way_back = other(run, &here, RunId(format!("{}-back", run.id)));
    let way_back = story(run, &way_back);
    let outcome =
        come_back(&way_back, folder, upgrade, &|_| true).unwrap_or_else(|ending| ending.0);
    close_receipt(&way_back, folder, &outcome)?;
    match outcome {
        Outcome::Done | Outcome::NothingToDo => {
            failure.message = format!(
                "the new release does not work; everything is back as it was before, data too: {}",
                failure.message
            );
            failure.hint = Some(format!(
                "see why with the log of this run, `syntho-installer replay {}`; the release before works",
                run.id
            ));
            Ok(Outcome::Failed(failure))
        }
        Outcome::Failed(second) => {
            failure
                .causes
                .push(format!("on the way back: {}", second.message));
            failure.causes.extend(second.causes);
            failure.hint = Some(format!(
                "mend the cause and run `syntho-installer rollback {}`: it goes on with the way back",
                run.job.deployment.name
            ));
            Ok(Outcome::Failed(failure))
        }
        outcome => Ok(outcome),
    }
}

/// Comes back, or goes on with it.
fn come_back(
    run: &Run<'_>,
    folder: &DeploymentFolder,
    upgrade: &Upgrade,
    review: Review<'_>,
) -> Result<Outcome, Ending> {
    let seen = stages::see(run)?;
    let mut settled = stages::settle(run, seen)?;
    // What is on the hosts still needs no archive.
    let bundles = stages::open_bundles(run, &mut settled);
    let plan = backward(run, &settled, &upgrade.id);
    let plan = match (plan, bundles) {
        (Err(_), Err(ending)) => return Err(ending),
        (plan, _) => plan?,
    };
    if !run.peace.during(|| review(plan.summaries())) {
        return Err(Ending(Outcome::Cancelled));
    }
    run.go_on()?;
    let noted = Upgrade {
        state: UpgradeState::Back,
        ..upgrade.clone()
    };
    folder.save_upgrade(Some(&noted)).map_err(plain)?;
    accept(run, folder, ROLLBACK, None)?;
    let outcome = carry_out(run, &settled, plan, folder).unwrap_or_else(|ending| ending.0);
    accept(run, folder, ROLLBACK, Some(outcome.clone()))?;
    if outcome.exit_code() == 0 {
        folder.save_upgrade(None).map_err(plain)?;
    }
    Ok(outcome)
}

fn backward(run: &Run<'_>, settled: &Settled, id: &str) -> Result<Plan<AnyAction>, Ending> {
    run.stage(Stage::Plan);
    let ordinary = stages::planned(run, settled).map_err(stages::unplanned)?;
    let place = place(run, settled, id);
    let all = backups::sets(&place).map_err(stages::unplanned)?;
    let saved = saved(settled, &all)?;
    let plan = upgrade::back(&place, ordinary, &saved);
    let mut plan = plan.map_err(stages::unplanned)?;
    look(run, settled, &mut plan)?;
    Ok(plan)
}
