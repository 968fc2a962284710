//! Another release of a deployment that stands: the ordinary plan, with everything that changes stopped and its data saved before the first file is written.
//!
//! Images come first, while everything goes on. Then stacks stop, each before those that it needs; then data is saved; then files are written and stacks
//! start in the ordinary order. The way back is the ordinary plan of the answers before, with the saved data brought back before anything starts.

mod ages;
mod mixed;
mod names;

use std::collections::BTreeSet;

use super::action::{
    Action as _, AnyAction, DataSet, LoadData, SaveData, StartStack, StopStack, Undo,
};
use super::backups::{self, Place};
use super::plan::{Plan, PlannedStep};
use super::planner::PlanError;
use crate::model::ids::{HostName, StackId, StepId};
use crate::model::image::ImageRef;
use crate::model::plan::{Phase, Probe};

type Step = PlannedStep<AnyAction>;

/// Data that there is, with its hosts.
type Sets = Vec<(HostName, DataSet)>;

/// What becomes of images that were made before those that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// They are refused.
    Refuse,
    /// They come: the operator knows better.
    Allow,
}

/// Plans the way to another release.
///
/// # Errors
/// Fails when a host has no facts.
pub fn forward(
    place: &Place<'_>,
    ordinary: Plan<AnyAction>,
    older: Older,
) -> Result<Plan<AnyAction>, PlanError> {
    let sets = of_changed(place, &ordinary)?;
    let kept = names::keep(place, &ordinary.steps);
    let (mut images, rest) = images_first(ordinary);
    let ages = (older == Older::Refuse).then(|| ages::compare(place, &rest));
    let (mut steps, mut once_there) = match ages {
        Some(ages) => (ages.at_once, ages.once_there),
        None => (Vec::new(), Vec::new()),
    };
    let told = ids(&steps);
    steps.extend(kept.into_iter().map(|step| Step {
        after: told.clone(),
        ..step
    }));
    let before = ids(&steps);
    for image in &mut images {
        image.after.clone_from(&before);
    }
    steps.extend(images);
    for age in &mut once_there {
        age.after = ids(&steps);
    }
    steps.extend(once_there);
    if !changed(&rest).is_empty() {
        let mixed = mixed::refuse(place, &ids(&steps));
        steps.extend(mixed);
    }
    let delivered = ids(&steps);
    let halts = stops(place, &rest, &sets, &delivered);
    let mut ground = ids(&halts);
    let saves: Vec<Step> = sets
        .iter()
        .map(|(host, data)| {
            let save = AnyAction::SaveData(SaveData { data: data.clone() });
            backups::step(host, data, "save", Phase::Stack, ground.clone(), save)
        })
        .collect();
    ground.extend(ids(&saves));
    steps.extend(halts);
    steps.extend(saves);
    for mut step in rest {
        if step.phase == Phase::Files || step.phase == Phase::Stack {
            step.after.extend(ground.iter().cloned());
        }
        steps.push(step);
    }
    Ok(Plan::new(steps)?)
}

/// Plans the way back to the release before; `saved` is the data that was saved before the change.
///
/// # Errors
/// As [`forward`].
pub fn back(
    place: &Place<'_>,
    ordinary: Plan<AnyAction>,
    saved: &Sets,
) -> Result<Plan<AnyAction>, PlanError> {
    let (mut steps, mut rest) = images_first(ordinary);
    let mut named = names::bring_back(place);
    for step in &mut named {
        step.after = ids(&steps);
    }
    start_anew(&mut rest, &named);
    steps.extend(named);
    let halts = stops(place, &rest, saved, &ids(&steps));
    let stopped = ids(&halts);
    steps.extend(halts);
    let (files, rest): (Vec<Step>, Vec<Step>) = rest
        .into_iter()
        .partition(|step| step.phase == Phase::Files);
    for mut step in files {
        step.after.extend(stopped.iter().cloned());
        steps.push(step);
    }
    let ground = ids(&steps);
    let loads: Vec<Step> = saved
        .iter()
        .map(|(host, data)| {
            let load = AnyAction::LoadData(LoadData { data: data.clone() });
            backups::step(host, data, "load", Phase::Stack, ground.clone(), load)
        })
        .collect();
    let loaded = ids(&loads);
    steps.extend(loads);
    for mut step in rest {
        if step.phase == Phase::Stack {
            step.after.extend(stopped.iter().chain(&loaded).cloned());
        }
        steps.push(step);
    }
    let all = ids(&steps);
    for (host, data) in saved {
        let done = Box::new(AnyAction::SaveData(SaveData { data: data.clone() }));
        let undo = AnyAction::Undo(Undo {
            done,
            copies: Vec::new(),
        });
        steps.push(backups::step(
            host,
            data,
            "clear",
            Phase::Files,
            all.clone(),
            undo,
        ));
    }
    Ok(Plan::new(steps)?)
}

/// Notes that stacks change whose images' names will stand for something else.
fn start_anew(rest: &mut [Step], named: &[Step]) {
    for step in rest {
        let AnyAction::StartStack(start) = &step.action else {
            continue;
        };
        let moves = |other: &Step| {
            let is = |reference: &ImageRef| matches!(&other.action, AnyAction::NameImage(name) if name.name == *reference);
            other.host == step.host && start.images.iter().any(is)
        };
        if named.iter().any(moves) {
            step.probe = Probe::Needed;
            step.after.extend(ids(named));
        }
    }
}

/// Returns data whose stack will change.
fn of_changed(place: &Place<'_>, ordinary: &Plan<AnyAction>) -> Result<Sets, PlanError> {
    let changed = changed(&ordinary.steps);
    let mut sets = backups::sets(place)?;
    sets.retain(|(host, data)| {
        let is = |(on, start): &(&HostName, &StartStack)| {
            *on == host && start.compose.project == data.compose.project
        };
        changed.iter().any(is)
    });
    Ok(sets)
}

/// Returns the stacks that will not stand as they are, in their order.
fn changed(steps: &[Step]) -> Vec<(&HostName, &StartStack)> {
    steps
        .iter()
        .filter(|step| step.probe != Probe::AlreadySo)
        .filter_map(|step| match &step.action {
            AnyAction::StartStack(start) => Some((&step.host, start)),
            _ => None,
        })
        .collect()
}

/// Parts a plan into the delivery of images, which waits for nothing any more, and the rest.
fn images_first(ordinary: Plan<AnyAction>) -> (Vec<Step>, Vec<Step>) {
    let is_image = |step: &Step| matches!(step.action, AnyAction::DeliverImage(_));
    let (mut images, rest): (Vec<Step>, Vec<Step>) = ordinary.steps.into_iter().partition(is_image);
    for image in &mut images {
        image.after.clear();
    }
    (images, rest)
}

/// Stops every stack that will change, after those that need it.
fn stops(place: &Place<'_>, ordinary: &[Step], sets: &Sets, after: &[StepId]) -> Vec<Step> {
    let mut all: Vec<(StackId, Step)> = Vec::new();
    for (host, start) in changed(ordinary).into_iter().rev() {
        let kept = sets
            .iter()
            .filter(|(on, data)| on == host && data.compose.project == start.compose.project);
        let action = StopStack {
            stack: start.stack.clone(),
            compose: start.compose.clone(),
            keep: kept.map(|(_, data)| data.service.clone()).collect(),
        };
        let needing = needing(place, &start.stack);
        let earlier = all.iter().filter(|(stack, _)| needing.contains(stack));
        let mut after = after.to_vec();
        after.extend(earlier.map(|(_, step)| step.id.clone()));
        let action = AnyAction::StopStack(action);
        let step = PlannedStep {
            id: StepId(format!("{host}/stop/{}", start.stack)),
            host: host.clone(),
            phase: Phase::Stack,
            after,
            description: action.describe(),
            probe: Probe::Needed,
            action,
        };
        all.push((start.stack.clone(), step));
    }
    all.into_iter().map(|(_, step)| step).collect()
}

/// Returns the stacks that start after this one.
fn needing<'a>(place: &Place<'a>, stack: &StackId) -> BTreeSet<&'a StackId> {
    let stacks = place.resolved.stacks.iter();
    let needing = stacks.filter(|other| other.after.contains(stack));
    needing.map(|other| &other.id).collect()
}

fn ids(steps: &[Step]) -> Vec<StepId> {
    steps.iter().map(|step| step.id.clone()).collect()
}
