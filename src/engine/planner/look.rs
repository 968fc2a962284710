//! Looks at every host for every step, all hosts at once, writing nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::PlanError;
use crate::engine::action::{Action, ActionError, AnyAction, Context, Materials, Progress};
use crate::engine::plan::{Plan, PlannedStep};
use crate::engine::runner::{Links, failure};
use crate::model::docker::LayerProgress;
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StepId};
use crate::model::plan::Probe;

/// A look says nothing while it lasts.
struct Silent;

impl Progress for Silent {
    fn at(&self, _done: u64, _total: Option<u64>) {}

    fn layer(&self, _layer: LayerProgress) {}

    fn line(&self, _line: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}

type Steps<'a> = Vec<&'a mut PlannedStep<AnyAction>>;

/// Fills in what each host says, writing nothing.
///
/// # Errors
/// Fails when any host cannot be looked at, after all were tried.
pub fn look_at_hosts(
    plan: &mut Plan<AnyAction>,
    links: &dyn Links,
    materials: &dyn Materials,
    concurrency: usize,
) -> Result<(), PlanError> {
    let mut by_host: Vec<(HostName, Steps<'_>)> = Vec::new();
    for step in &mut plan.steps {
        match by_host.iter_mut().find(|(host, _)| *host == step.host) {
            Some((_, steps)) => steps.push(step),
            None => by_host.push((step.host.clone(), vec![step])),
        }
    }
    let waiting = Mutex::new(by_host);
    let failures: Mutex<Vec<Failure>> = Mutex::default();
    let work = || {
        while let Some((host, steps)) = take(&waiting) {
            if let Err(error) = at_host(&host, steps, links, materials) {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(failure(&error, &host));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..concurrency.max(1) {
            scope.spawn(work);
        }
    });
    let mut failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    failures.sort_by(|a, b| a.host.cmp(&b.host));
    if failures.is_empty() {
        Ok(())
    } else {
        Err(PlanError::Hosts(failures))
    }
}

fn take<T>(waiting: &Mutex<Vec<T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn at_host(
    host: &HostName,
    steps: Steps<'_>,
    links: &dyn Links,
    materials: &dyn Materials,
) -> Result<(), ActionError> {
    let connection = links.host(host)?;
    let cx = Context {
        host: connection.as_ref(),
        materials,
        progress: &Silent,
        peers: links,
    };
    // Steps that will change something, and those that come after one.
    let mut moving: BTreeSet<StepId> = BTreeSet::new();
    for step in steps {
        let shaken = step.after.iter().any(|after| moving.contains(after));
        step.probe = if shaken && rests_on_others(&step.action) {
            // What it rests on will change, so what stands there now says nothing.
            anew(&step.action, &cx)?
        } else {
            step.action.probe(&cx)?
        };
        if step.probe == Probe::Needed {
            step.description.difference = step.action.difference(&cx)?;
        }
        if shaken || step.probe != Probe::AlreadySo {
            moving.insert(step.id.clone());
        }
    }
    Ok(())
}

/// Returns what becomes of a step whose ground will change.
fn anew(action: &AnyAction, cx: &Context<'_>) -> Result<Probe, ActionError> {
    match action {
        // What does not run yet starts with the files as they will be.
        AnyAction::ReloadService(reload) if !reload.stands(cx)? => Ok(Probe::AlreadySo),
        _ => Ok(Probe::Needed),
    }
}

/// Returns whether a step's outcome rests on the steps before it; files and images stand for themselves.
fn rests_on_others(action: &AnyAction) -> bool {
    match action {
        AnyAction::CreateFolder(_)
        | AnyAction::PutFile(_)
        | AnyAction::DeliverImage(_)
        | AnyAction::RemoveImage(_)
        | AnyAction::Undo(_)
        | AnyAction::DeleteData(_)
        | AnyAction::SaveData(_)
        | AnyAction::BringData(_)
        | AnyAction::StopStack(_)
        | AnyAction::RetireProject(_)
        | AnyAction::NameImage(_) => false,
        AnyAction::ReloadService(_)
        | AnyAction::ProveEnvironment(_)
        | AnyAction::RefuseOlder(_)
        | AnyAction::RefuseMixed(_)
        | AnyAction::StartStack(_)
        | AnyAction::RunStep(_)
        | AnyAction::AwaitHealth(_)
        | AnyAction::ConfirmYield(_)
        | AnyAction::FetchData(_)
        | AnyAction::LoadData(_) => true,
    }
}
