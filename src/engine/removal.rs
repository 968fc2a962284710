//! Decides what of a deployment goes from its hosts and what stays, from the receipts of every run.
//!
//! A receipt says what each step found before it changed anything; the first word on a thing counts. So a file that we made goes, one that we replaced comes
//! back, and what was there before us stays. Data volumes go only where that is asked; while they stay, the keys without which nobody can read them stay too.

mod left_out;
mod record;
mod saved;
mod taken_over;

use std::collections::{BTreeMap, BTreeSet};

use super::action::{
    Action, ActionError, AnyAction, Before, CreateFolder, DeleteData, Materials, PutFile, Undo,
};
use super::compose::PROJECT_LABEL;
use super::fan_out::fan_out;
use super::plan::{Plan, PlannedStep};
use super::planner::{self, PlanError};
use super::runner::{self, Links};
use crate::model::ids::{HostName, StackId, StepId};
use crate::model::plan::{Phase, Probe};
use crate::model::receipt::Receipt;

pub use left_out::{incomplete, left_out};
use record::Made;

/// What a removal is decided from.
pub struct Removal<'a> {
    /// What every run did, oldest first.
    pub receipts: &'a [Receipt<AnyAction>],
    /// The deployment's folder on every host.
    pub folder: &'a str,
    /// Stacks whose `.env` holds keys of their data.
    pub keepers: &'a BTreeSet<StackId>,
    /// What becomes of data volumes.
    pub data: Data,
    /// Connections.
    pub links: &'a dyn Links,
    /// The hosts that were reached; nothing is planned for others.
    pub reached: &'a BTreeSet<HostName>,
    /// Hosts that need no Docker.
    pub without_docker: &'a BTreeSet<HostName>,
    /// Contents and credentials; removing needs none.
    pub materials: &'a dyn Materials,
    /// How many hosts are looked at at once.
    pub concurrency: usize,
}

/// What becomes of data volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They stay.
    Keep,
    /// They go.
    Delete,
}

/// What goes, and what stays.
#[derive(Debug)]
pub struct Removing {
    /// What goes.
    pub plan: Plan<AnyAction>,
    /// What stays, and why, by host.
    pub stays: Vec<(HostName, String)>,
}

/// What the look at a host said.
#[derive(Default)]
struct Seen {
    /// Data volumes by Compose project.
    volumes: BTreeMap<String, Vec<String>>,
    /// What each folder of ours holds, by path.
    entries: BTreeMap<String, Vec<String>>,
}

/// Plans the removal; every host that was reached is looked at and nothing is written.
///
/// # Errors
/// Fails when a host cannot be looked at.
pub fn plan(removal: &Removal<'_>) -> Result<Removing, PlanError> {
    let mut made = record::made(removal.receipts);
    made.retain(|made| removal.reached.contains(&made.host));
    let hosts: BTreeSet<&HostName> = made.iter().map(|made| &made.host).collect();
    let mut steps = Vec::new();
    let mut stays = Vec::new();
    let mut failures = Vec::new();
    let looked = fan_out(
        hosts.into_iter().collect(),
        removal.concurrency,
        |host| match look(removal, &made, host) {
            Ok(seen) => Ok((host, seen)),
            Err(error) => Err(runner::failure(&error, host)),
        },
    );
    for seen in looked {
        match seen {
            Ok((host, seen)) => {
                let mut on_host = OnHost::new(removal, host, &seen);
                on_host.plan(&made);
                steps.extend(on_host.steps);
                stays.extend(on_host.stays.into_iter().map(|why| (host.clone(), why)));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        return Err(PlanError::Hosts(failures));
    }
    let mut plan = Plan::new(in_order(steps))?;
    planner::look_at_hosts(
        &mut plan,
        removal.links,
        removal.materials,
        removal.concurrency,
    )?;
    stays.extend(images_that_stay(&plan));
    // What is gone already is of no interest, but it must not block what comes after it.
    Ok(Removing { plan, stays })
}

/// Puts steps that wait for others behind them; otherwise their order stays.
fn in_order(mut left: Vec<PlannedStep<AnyAction>>) -> Vec<PlannedStep<AnyAction>> {
    let mut sorted = Vec::with_capacity(left.len());
    let mut waiting: BTreeSet<StepId> = left.iter().map(|step| step.id.clone()).collect();
    while !left.is_empty() {
        let ready =
            |step: &PlannedStep<AnyAction>| !step.after.iter().any(|after| waiting.contains(after));
        // Steps that wait for each other are told by the plan.
        let next = left.remove(left.iter().position(ready).unwrap_or(0));
        waiting.remove(&next.id);
        sorted.push(next);
    }
    sorted
}

/// Returns the images that somebody else uses.
fn images_that_stay(plan: &Plan<AnyAction>) -> Vec<(HostName, String)> {
    let mut stay = Vec::new();
    for step in &plan.steps {
        if let AnyAction::Undo(undo) = &step.action
            && let AnyAction::DeliverImage(image) = undo.done.as_ref()
            && step.probe == Probe::AlreadySo
            && image.pulled
        {
            let why = format!(
                "image {}, unless it is gone already: somebody else uses it, or it is another by now",
                image.reference
            );
            stay.push((step.host.clone(), why));
        }
    }
    stay
}

fn look(removal: &Removal<'_>, made: &[Made], host: &HostName) -> Result<Seen, ActionError> {
    let link = removal.links.host(host)?;
    let mut seen = Seen::default();
    let volumes = if removal.without_docker.contains(host) {
        Vec::new()
    } else {
        link.docker()?.volumes()?
    };
    for volume in volumes {
        if let Some(project) = volume.labels.get(PROJECT_LABEL) {
            let of_project = seen.volumes.entry(project.clone()).or_default();
            of_project.push(volume.name);
        }
    }
    for made in made.iter().filter(|made| made.host == *host) {
        if let AnyAction::CreateFolder(folder) = &made.action {
            let entries = folder.entries(link.as_ref())?;
            seen.entries.insert(folder.path.clone(), entries);
        }
    }
    Ok(seen)
}

/// The steps of one host as they are put together.
struct OnHost<'a> {
    removal: &'a Removal<'a>,
    host: &'a HostName,
    seen: &'a Seen,
    steps: Vec<PlannedStep<AnyAction>>,
    stays: Vec<String>,
    /// The last step that took a stack, or its data, away.
    stopped: Option<StepId>,
    /// Folders of ours, whatever becomes of them.
    ours: BTreeSet<String>,
    /// Paths that go, each with the step that takes it.
    going: BTreeMap<String, StepId>,
}

impl<'a> OnHost<'a> {
    fn new(removal: &'a Removal<'a>, host: &'a HostName, seen: &'a Seen) -> Self {
        Self {
            removal,
            host,
            seen,
            steps: Vec::new(),
            stays: Vec::new(),
            stopped: None,
            ours: BTreeSet::new(),
            going: BTreeMap::new(),
        }
    }

    /// Stacks first, the last one first; then data; then images and files, and folders when they are empty.
    fn plan(&mut self, made: &[Made]) {
        self.ours = made.iter().filter_map(Made::folder).collect();
        let mine: Vec<&Made> = made.iter().filter(|made| made.host == *self.host).collect();
        let of_kind = |wanted: fn(&AnyAction) -> bool| {
            let kept = mine.iter().rev().filter(move |made| wanted(&made.action));
            kept.copied().collect::<Vec<_>>()
        };
        for mine in
            of_kind(|action| matches!(action, AnyAction::StartStack(_) | AnyAction::RunStep(_)))
        {
            let mut after: Vec<StepId> = self.stopped.iter().cloned().collect();
            after.extend(self.elsewhere(mine, made));
            let id = self.undo(mine, Phase::Stack, after);
            self.stopped = Some(id);
        }
        let keys = self.data(&of_kind(|action| {
            matches!(action, AnyAction::StartStack(_) | AnyAction::RunStep(_))
        }));
        for made in of_kind(|action| matches!(action, AnyAction::RetireProject(_))) {
            self.taken_over(made);
        }
        for made in of_kind(|action| matches!(action, AnyAction::DeliverImage(_))) {
            self.undo(made, Phase::Images, self.stopped.iter().cloned().collect());
        }
        for made in of_kind(|action| matches!(action, AnyAction::ReloadService(_))) {
            self.undo(made, Phase::Files, self.stopped.iter().cloned().collect());
        }
        for made in
            of_kind(|action| matches!(action, AnyAction::SaveData(_) | AnyAction::BringData(_)))
        {
            self.saved(made);
        }
        for made in of_kind(|action| matches!(action, AnyAction::PutFile(_))) {
            self.file(made, &keys);
        }
        for made in of_kind(|action| matches!(action, AnyAction::RunStep(_))) {
            if let AnyAction::RunStep(step) = &made.action {
                let keeps = step.keeps().into_iter();
                self.going.extend(keeps.map(|path| (path, undo_id(made))));
            }
        }
        for made in of_kind(|action| matches!(action, AnyAction::CreateFolder(_))) {
            self.folder(made);
        }
    }

    fn push(&mut self, id: StepId, phase: Phase, after: Vec<StepId>, action: AnyAction) {
        self.steps.push(PlannedStep {
            id,
            host: self.host.clone(),
            phase,
            after,
            description: action.describe(),
            probe: Probe::Needed,
            action,
        });
    }

    /// What has to go from other hosts before: what later stacks brought about, where a tool had to do with it.
    fn elsewhere(&self, mine: &Made, made: &[Made]) -> Vec<StepId> {
        let place = made.iter().position(|other| std::ptr::eq(other, mine));
        let later = made
            .iter()
            .skip(place.map_or(made.len(), |place| place + 1));
        let waits = |other: &&Made| {
            other.host != *self.host
                && other
                    .holds_up()
                    .is_some_and(|stack| Some(stack) != mine.holds_up())
                && (other.is_tool() || mine.is_tool())
        };
        later.filter(waits).map(undo_id).collect()
    }

    fn undo(&mut self, made: &Made, phase: Phase, after: Vec<StepId>) -> StepId {
        let id = undo_id(made);
        let action = AnyAction::Undo(Undo {
            done: Box::new(made.action.clone()),
            copies: made.copies.clone(),
        });
        self.push(id.clone(), phase, after, action);
        id
    }

    /// Takes data away, or returns the stacks whose keys have to stay with theirs.
    fn data(&mut self, stacks: &[&Made]) -> BTreeSet<StackId> {
        let mut keys = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for made in stacks {
            let (stack, compose) = match &made.action {
                AnyAction::StartStack(start) => (&start.stack, &start.compose),
                AnyAction::RunStep(step) => (&step.stack, &step.compose),
                _ => continue,
            };
            let Some(volumes) = self.seen.volumes.get(&compose.project) else {
                continue;
            };
            if !seen.insert(stack.clone()) {
                continue;
            }
            if self.removal.data == Data::Delete {
                let id = StepId(format!("{}/remove/data/{stack}", self.host));
                let after = self.stopped.iter().cloned().collect();
                let action = AnyAction::DeleteData(DeleteData {
                    volumes: volumes.clone(),
                    rights: compose.rights,
                });
                self.push(id.clone(), Phase::Stack, after, action);
                self.stopped = Some(id);
                continue;
            }
            self.stays.push(format!(
                "data in volume {}: `--delete-data` deletes it",
                volumes.join(", ")
            ));
            if self.removal.keepers.contains(stack) {
                keys.insert(stack.clone());
            }
        }
        keys
    }

    fn file(&mut self, made: &Made, keys: &BTreeSet<StackId>) {
        let AnyAction::PutFile(file) = &made.action else {
            return;
        };
        let path = format!("{}/{}", file.folder, file.path);
        if file.path == ".env" && keys.contains(&file.stack) {
            self.stays.push(format!(
                "{path}: it holds the keys of that data, and another deployment of the same name goes on with them"
            ));
            let id = self.copies_only(made, file);
            for copy in &made.copies {
                self.going.insert(copy.clone(), id.clone());
            }
            return;
        }
        let id = self.undo(made, Phase::Files, self.stopped.iter().cloned().collect());
        for copy in &made.copies {
            self.going.insert(copy.clone(), id.clone());
        }
        self.going
            .insert(format!("{}/{}", file.folder, file.backup), id.clone());
        if file.before != Before::File {
            self.going.insert(path, id);
        }
    }

    /// Takes away what later runs kept of a file that stays.
    fn copies_only(&mut self, made: &Made, file: &PutFile) -> StepId {
        let stays = PutFile {
            before: Before::Unknown,
            ..file.clone()
        };
        let made = Made {
            action: AnyAction::PutFile(stays),
            ..made.clone()
        };
        let after = self.stopped.iter().cloned().collect();
        self.undo(&made, Phase::Files, after)
    }

    /// A folder goes when nothing is in it but what goes, too.
    fn folder(&mut self, made: &Made) {
        let AnyAction::CreateFolder(folder) = &made.action else {
            return;
        };
        // The folder of the whole deployment is also the place of the lock, which takes it away with itself once it is empty.
        let ours = folder.created || folder.path == self.removal.folder;
        let entries = self.seen.entries.get(&folder.path);
        let (mut after, mut foreign) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().flatten() {
            match self.going.get(&format!("{}/{entry}", folder.path)) {
                Some(step) => after.push(step.clone()),
                None => foreign.push(entry.as_str()),
            }
        }
        if !ours {
            self.stays
                .push(format!("folder {}, which was there before", folder.path));
        } else if foreign.is_empty() {
            let made = Made {
                action: AnyAction::CreateFolder(CreateFolder {
                    created: true,
                    ..folder.clone()
                }),
                ..made.clone()
            };
            let id = self.undo(&made, Phase::Files, after);
            self.going.insert(folder.path.clone(), id);
        } else if !self.keeps_only_ours(folder, &foreign) {
            self.stays.push(format!(
                "folder {}: it holds {}",
                folder.path,
                foreign.join(", ")
            ));
        }
    }

    /// Returns whether what keeps a folder was named already: keys, or a folder below.
    fn keeps_only_ours(&self, folder: &CreateFolder, foreign: &[&str]) -> bool {
        foreign.iter().all(|entry| {
            let path = format!("{}/{entry}", folder.path);
            *entry == ".env" || self.ours.contains(&path)
        })
    }
}

/// Returns the id of the step that takes a thing away.
fn undo_id(made: &Made) -> StepId {
    StepId(format!("{}/remove/{}", made.host, made.name()))
}

/// Returns whose rights are used on each host, as the receipts say.
#[must_use]
pub fn rights(plan: &Plan<AnyAction>) -> BTreeMap<HostName, super::action::Rights> {
    let mut rights = BTreeMap::new();
    for step in &plan.steps {
        if let Some(of_step) = step.action.rights() {
            rights.insert(step.host.clone(), of_step);
        }
    }
    rights
}

#[cfg(test)]
mod tests;
