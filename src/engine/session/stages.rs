//! The stages that only read, in order. Each takes what the one before made and makes what the next needs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::Renewal;
use super::connections::{self, Connections};
use super::kept::{self, Kept};
use super::story::{Ending, Run};
use super::through;
use crate::engine::action::{AnyAction, Rights};
use crate::engine::delivery::Delivery;
use crate::engine::facts::gather_all;
use crate::engine::materials::FromResolved;
use crate::engine::plan::Plan;
use crate::engine::planner::{self, PlanError, Planning};
use crate::engine::preflight::{self, PreflightContext, Report};
use crate::engine::redact::Redactor;
use crate::engine::runbook::{Runbook, runbook};
use crate::engine::runner::sum_up;
use crate::images::blobs::{BlobStore, LIMIT};
use crate::images::bundle;
use crate::model::answers::{ImageSource, SudoUse};
use crate::model::check::Verdict;
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::facts::HostFacts;
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StackId};
use crate::model::resolve::{Making, resolve};
use crate::model::resolved::Resolved;

/// Hosts that were reached and looked at.
pub(super) struct Seen {
    pub(super) links: Arc<Connections>,
    pub(super) facts: BTreeMap<HostName, HostFacts>,
}

/// Everything that shall be, with whose rights it will be done.
pub(super) struct Settled {
    pub(super) seen: Seen,
    pub(super) rights: BTreeMap<HostName, Rights>,
    pub(super) resolved: Resolved,
    pub(super) redactor: Redactor,
    /// The way from archives to hosts, once those have been read.
    pub(super) delivery: Option<Delivery>,
}

/// Reaches and looks at every host; one that fails stops the run after all were tried.
pub(super) fn see(run: &Run<'_>) -> Result<Seen, Ending> {
    let reached = connect(run)?;
    look(run, &reached)
}

/// Hosts of which those that cannot be reached are known, too.
pub(super) struct Reached {
    links: Arc<Connections>,
    lost: Vec<Failure>,
}

/// Reaches every host.
pub(super) fn connect(run: &Run<'_>) -> Result<Reached, Ending> {
    run.stage(Stage::Connect);
    let (links, lost) = connections::connect(run, &|_| true);
    run.go_on()?;
    Ok(Reached { links, lost })
}

/// Looks at every host; one that fails stops the run after all were tried.
pub(super) fn look(run: &Run<'_>, reached: &Reached) -> Result<Seen, Ending> {
    run.stage(Stage::Facts);
    let links = Arc::clone(&reached.links);
    let mut lost = reached.lost.clone();
    let base = &run.job.deployment.base_folder;
    let gathered = gather_all(
        &links.all(),
        base,
        run.job.concurrency,
        run.listener.as_ref(),
    );
    lost.extend(gathered.lost.into_values());
    match sum_up(&lost) {
        Some(failure) => Err(failure.into()),
        None => Ok(Seen {
            links,
            facts: gathered.facts,
        }),
    }
}

/// Reads what hosts keep and brings the deployment down to them.
pub(super) fn settle(run: &Run<'_>, seen: Seen) -> Result<Settled, Ending> {
    settle_with(run, seen, Vec::new())
}

/// As [`settle`], for looks alone: `remembered` stands in for what hosts that are down would tell.
pub(super) fn settle_with(
    run: &Run<'_>,
    seen: Seen,
    remembered: Vec<HostFacts>,
) -> Result<Settled, Ending> {
    run.go_on()?;
    let deployment = &run.job.deployment;
    let sudo: BTreeMap<HostName, SudoUse> = deployment
        .hosts
        .iter()
        .map(|host| (host.name.clone(), host.login.sudo.unwrap_or_default()))
        .collect();
    let folder = planner::folder(&deployment.base_folder, &deployment.name);
    let rights = planner::rights(&seen.facts, &sudo, seen.links.as_ref(), &folder)
        .map_err(|failures| first(&failures))?;
    let mut kept = kept::read(
        deployment,
        &rights,
        seen.links.as_ref(),
        run.job.concurrency,
    )?;
    if run.job.renewal == Renewal::Now {
        kept::forget_certificates(deployment, &mut kept);
    }
    let facts: Vec<HostFacts> = seen.facts.values().cloned().chain(remembered).collect();
    let look_up =
        |host: &HostName, stack: &StackId, variable: &str| look_up(&kept, host, stack, variable);
    let making = Making {
        random: &|bytes| rand::fill(bytes),
        now: jiff::Timestamp::now(),
    };
    let resolved = resolve(deployment, &facts, &look_up, &run.job.assets, making)
        .map_err(|error| Failure::from_error(&error))?;
    let redactor = Redactor::new(&resolved.secrets);
    run.listener.redact(redactor.clone());
    Ok(Settled {
        seen,
        rights,
        resolved,
        redactor,
        delivery: None,
    })
}

/// Reads the archives that images come from, unless they were read before and are unchanged, or fetches what comes from a registry through one host.
/// Nothing is written on any host.
pub(super) fn open_bundles(run: &Run<'_>, settled: &mut Settled) -> Result<(), Ending> {
    let images = &run.job.deployment.images;
    if images.source != ImageSource::Bundle {
        return through::fetch(run, settled);
    }
    run.go_on()?;
    let failed = |error| Ending::from(Failure::from_error(&error));
    let store = BlobStore::open(run.job.home.images(), LIMIT).map_err(failed)?;
    for path in images.bundle.iter().chain(&images.bundles) {
        let notice = |text| run.listener.hear(Event::Noticed { host: None, text });
        let mut begun = false;
        let read = bundle::read(path, &store, &mut |progress| {
            if !std::mem::replace(&mut begun, true) {
                notice(format!("reading {path}, {} MB", progress.total / 1_000_000));
            }
            if run.job.cancel.is_raised() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        for image in read.map_err(failed)? {
            if !settled.resolved.bundled.contains(&image) {
                settled.resolved.bundled.push(image);
            }
        }
        if begun {
            notice(format!("{path} is whole and sound"));
        }
    }
    store.hold(&settled.resolved.bundled).map_err(failed)?;
    settled.delivery = Some(Delivery::new(Arc::new(store)));
    Ok(())
}

fn look_up(
    kept: &Kept,
    host: &HostName,
    stack: &StackId,
    variable: &str,
) -> Option<secrecy::SecretString> {
    kept.get(&(host.clone(), stack.clone(), variable.to_owned()))
        .cloned()
}

fn first(failures: &[Failure]) -> Ending {
    sum_up(failures).map_or(Ending(Outcome::Cancelled), Ending::from)
}

/// Makes every check; a failed one ends the run.
pub(super) fn preflight(run: &Run<'_>, settled: &Settled) -> Result<(), Ending> {
    match checked(run, settled)?.verdict() {
        Verdict::Fail => Err(Ending(Outcome::ChecksFailed)),
        Verdict::Pass | Verdict::Warn => Ok(()),
    }
}

/// Makes every check.
pub(super) fn checked(run: &Run<'_>, settled: &Settled) -> Result<Report, Ending> {
    run.go_on()?;
    run.stage(Stage::Preflight);
    let links = &settled.seen.links;
    let cx = PreflightContext {
        listener: run.listener.as_ref(),
        behind_jump: links.behind_jump(),
        concurrency: run.job.concurrency,
    };
    let facts = &settled.seen.facts;
    Ok(preflight::run(&settled.resolved, facts, &links.all(), &cx))
}

/// Decides what to do, looking at every host for every step.
pub(super) fn plan(run: &Run<'_>, settled: &Settled) -> Result<Plan<AnyAction>, Ending> {
    run.go_on()?;
    run.stage(Stage::Plan);
    let plan = planned(run, settled).map_err(unplanned)?;
    show(run, &plan);
    Ok(plan)
}

/// Returns the end of a run that has no plan.
pub(super) fn unplanned(error: PlanError) -> Ending {
    match error {
        PlanError::Hosts(failures) => first(&failures),
        error => Failure::from_error(&error).into(),
    }
}

/// Returns the plan of a deployment that came to a good end before and on which nothing is to be done now: what needs nothing needs no checks.
pub(super) fn plan_of_nothing(run: &Run<'_>, settled: &Settled) -> Option<Plan<AnyAction>> {
    if standing(run) != Standing::Good {
        return None;
    }
    // What hinders looking is found and named by preflight.
    let plan = planned(run, settled).ok().filter(Plan::nothing_to_do)?;
    run.stage(Stage::Plan);
    show(run, &plan);
    Some(plan)
}

pub(super) fn planned(run: &Run<'_>, settled: &Settled) -> Result<Plan<AnyAction>, PlanError> {
    let materials = FromResolved(&settled.resolved, settled.delivery.as_ref());
    planner::plan(&Planning {
        resolved: &settled.resolved,
        facts: &settled.seen.facts,
        rights: &settled.rights,
        links: settled.seen.links.as_ref(),
        materials: &materials,
        base_folder: &run.job.deployment.base_folder,
        run: &run.id,
        concurrency: run.job.concurrency,
        superseded: run.job.superseded,
    })
}

/// Writes the plan as commands to type, for whoever must see or do it without this program.
pub(super) fn write_runbook(
    run: &Run<'_>,
    settled: &Settled,
    plan: &Plan<AnyAction>,
) -> Result<(), Ending> {
    let text = runbook(&Runbook {
        deployment: &run.job.deployment,
        resolved: &settled.resolved,
        plan,
        materials: &FromResolved(&settled.resolved, settled.delivery.as_ref()),
        made: jiff::Timestamp::now(),
    });
    let folder = run.job.home.deployment(&run.job.deployment.name);
    let path = folder
        .save_runbook(&settled.redactor.text(&text))
        .map_err(|error| Failure::from_error(&error))?;
    run.listener.hear(Event::Noticed {
        host: None,
        text: format!("the plan as commands to type is in {path}"),
    });
    Ok(())
}

pub(super) fn show(run: &Run<'_>, plan: &Plan<AnyAction>) {
    run.listener.hear(Event::PlanReady {
        steps: plan.summaries(),
    });
}

/// How the last accepted run of this deployment ended, as far as this machine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// There was none.
    New,
    /// Well.
    Good,
    /// Otherwise, or it was killed: something of it may be left on the hosts.
    Interrupted,
}

/// Returns how the last accepted run ended; a state that cannot be read counts as none.
pub(super) fn standing(run: &Run<'_>) -> Standing {
    let folder = run.job.home.deployment(&run.job.deployment.name);
    match folder.state().ok().flatten().map(|state| state.outcome) {
        None => Standing::New,
        Some(Some(Outcome::Done | Outcome::NothingToDo)) => Standing::Good,
        Some(_) => Standing::Interrupted,
    }
}
