//! `restore`: reads a backup to its end, and replaces data by it.
//!
//! An interrupted one goes on under the name that it began with: what was loaded once is not loaded again over what people have written since.

use camino::Utf8Path;

use super::Review;
use super::carry_out::{accept, close_receipt, plain};
use super::deploy::carry_out;
use super::stages::{self, Settled};
use super::story::{Ending, Run};
use crate::engine::action::AnyAction;
use crate::engine::backups::{self, Place, Whole};
use crate::engine::lock::LocalLock;
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::planner;
use crate::engine::store::{DeploymentFolder, RESTORE, UnderWay};
use crate::model::event::{Event, Listener, Outcome, Stage};

/// Replaces data.
pub(super) fn restore(
    run: &Run<'_>,
    backup: &Utf8Path,
    review: Review<'_>,
) -> Result<Outcome, Ending> {
    run.listener.hear(Event::Noticed {
        host: None,
        text: format!("reading {backup}"),
    });
    let whole = backups::open(backup).map_err(plain)?;
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder.create().map_err(plain)?;
    let _here =
        LocalLock::take(&folder.lock_path(), run.job.deployment.name.as_str()).map_err(plain)?;
    if let Some(failure) = folder.upgrade_under_way().map_err(plain)? {
        return Err(failure.into());
    }
    let seen = stages::see(run)?;
    let mut settled = stages::settle(run, seen)?;
    stages::open_bundles(run, &mut settled)?;
    let under_way = under_way(run, &folder, &whole)?;
    let plan = planned(run, &settled, &whole, &under_way.id)?;
    if !run.peace.during(|| review(plan.summaries())) {
        return Err(Ending(Outcome::Cancelled));
    }
    run.go_on()?;
    folder.save_under_way(Some(&under_way)).map_err(plain)?;
    accept(run, &folder, RESTORE, None)?;
    let outcome = carry_out(run, &settled, plan, &folder).unwrap_or_else(|ending| ending.0);
    if outcome.exit_code() == 0 {
        folder.save_under_way(None).map_err(plain)?;
    }
    accept(run, &folder, RESTORE, Some(outcome.clone()))?;
    close_receipt(run, &folder, &outcome)?;
    Ok(outcome)
}

/// Returns what goes on with this run, or begins with it.
fn under_way(run: &Run<'_>, folder: &DeploymentFolder, whole: &Whole) -> Result<UnderWay, Ending> {
    let about = whole.mark.clone();
    let found = folder.under_way(RESTORE).map_err(plain)?;
    Ok(found
        .filter(|found| found.about == about)
        .unwrap_or_else(|| UnderWay {
            purpose: RESTORE.to_owned(),
            about,
            id: format!("restore-{}", run.id),
        }))
}

fn planned(
    run: &Run<'_>,
    settled: &Settled,
    whole: &Whole,
    id: &str,
) -> Result<Plan<AnyAction>, Ending> {
    run.go_on()?;
    run.stage(Stage::Plan);
    let ordinary = stages::planned(run, settled).map_err(stages::unplanned)?;
    let place = Place {
        deployment: &run.job.deployment,
        resolved: &settled.resolved,
        facts: &settled.seen.facts,
        rights: &settled.rights,
        id,
    };
    let mut plan = backups::restoring(&place, whole, ordinary).map_err(plain)?;
    let links = settled.seen.links.as_ref();
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    planner::look_at_hosts(&mut plan, links, &materials, run.job.concurrency)
        .map_err(stages::unplanned)?;
    stages::show(run, &plan);
    Ok(plan)
}
