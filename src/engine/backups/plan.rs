//! The steps of saving and of bringing back.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::record::{VERSION, Whole};
use crate::engine::action::{
    Action, AnyAction, BringData, DataSet, FetchData, LoadData, Rights, SaveData, Undo,
};
use crate::engine::plan::{Plan, PlannedStep};
use crate::engine::planner::{self, PlanError};
use crate::model::backup::{Backup, SavedSet};
use crate::model::deployment::Deployment;
use crate::model::facts::HostFacts;
use crate::model::failure::{FailureKind, Hinted};
use crate::model::ids::{HostName, RunId, StepId};
use crate::model::plan::{Phase, Probe};
use crate::model::resolved::Resolved;

/// What is planned for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// Everything that shall be.
    pub resolved: &'a Resolved,
    /// What hosts are.
    pub facts: &'a BTreeMap<HostName, HostFacts>,
    /// Whose rights are used on each host.
    pub rights: &'a BTreeMap<HostName, Rights>,
    /// What is saved, or brought back, goes by this name on hosts.
    pub id: &'a str,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoPlan {
    /// Nothing of it is ours to save.
    #[error("this deployment keeps no data that can be saved: its databases are somebody else's")]
    Nothing,
    /// The backup is another deployment's.
    #[error("the backup is of `{0}`")]
    Other(String),
    /// The backup holds something that has no place any more.
    #[error("there is no place for {0}")]
    NoPlace(String),
    /// Something else stands on the hosts than was accepted.
    #[error("what stands on the hosts is not what was accepted last: {0}")]
    NotSo(String),
    /// Hosts cannot be planned for.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl Hinted for NoPlan {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing => Some("save them with the tools of whoever runs them".to_owned()),
            Self::Other(_) => Some(
                "data can be read only with the keys of the deployment that wrote it; name that one"
                    .to_owned(),
            ),
            Self::NoPlace(_) => {
                Some("restore it with the answers that it was taken with".to_owned())
            }
            Self::NotSo(_) => {
                Some("run `deploy` first, and restore then; nothing was changed".to_owned())
            }
            Self::Plan(error) => error.hint(),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Plan(error) => error.kind(),
            _ => FailureKind::Situation,
        }
    }
}

/// Returns everything that can be saved, with its host.
pub(in crate::engine) fn sets(place: &Place<'_>) -> Result<Vec<(HostName, DataSet)>, PlanError> {
    let deployment = planner::folder(&place.deployment.base_folder, &place.deployment.name);
    let mut sets = Vec::new();
    for stack in &place.resolved.stacks {
        for backup in &stack.backups {
            let set = DataSet {
                stack: stack.id.clone(),
                compose: planner::compose(place.facts, place.rights, stack)?,
                service: backup.service.clone(),
                title: backup.title.clone(),
                program: backup.program.clone(),
                parts: backup.parts.clone(),
                deployment: deployment.clone(),
                id: place.id.to_owned(),
            };
            sets.push((stack.host.clone(), set));
        }
    }
    Ok(sets)
}

/// Returns a step about a set, not looked at yet.
pub(in crate::engine) fn step(
    host: &HostName,
    set: &DataSet,
    verb: &str,
    phase: Phase,
    after: Vec<StepId>,
    action: AnyAction,
) -> PlannedStep<AnyAction> {
    PlannedStep {
        id: StepId(format!("{host}/{verb}/{}.{}", set.stack, set.service)),
        host: host.clone(),
        phase,
        after,
        description: action.describe(),
        probe: Probe::Needed,
        action,
    }
}

/// Returns the folder of a set in a backup's.
fn inner(host: &HostName, set: &DataSet) -> Utf8PathBuf {
    format!("{host}.{}.{}", set.stack, set.service).into()
}

/// Plans a backup to `folder` on this machine, and says what it will hold.
///
/// # Errors
/// Fails when there is nothing to save.
pub fn saving(
    place: &Place<'_>,
    folder: &Utf8Path,
    run: &RunId,
) -> Result<(Plan<AnyAction>, Backup), NoPlan> {
    let mut steps: Vec<PlannedStep<AnyAction>> = Vec::new();
    let mut saved = Vec::new();
    for (host, data) in sets(place)? {
        let inner = inner(&host, &data);
        let save = SaveData { data: data.clone() };
        let fetch = FetchData {
            data: data.clone(),
            to: folder.join(&inner),
        };
        let undo = Undo {
            done: Box::new(AnyAction::SaveData(save.clone())),
            copies: Vec::new(),
        };
        for (verb, phase, action) in [
            ("save", Phase::Stack, AnyAction::SaveData(save)),
            ("fetch", Phase::Files, AnyAction::FetchData(fetch)),
            ("clear", Phase::Files, AnyAction::Undo(undo)),
        ] {
            let before = steps.last().filter(|last| last.host == host);
            let after = before.map(|last| last.id.clone()).into_iter().collect();
            steps.push(step(&host, &data, verb, phase, after, action));
        }
        saved.push(SavedSet {
            host,
            stack: data.stack,
            service: data.service,
            title: data.title,
            folder: inner,
            files: Vec::new(),
        });
    }
    if saved.is_empty() {
        return Err(NoPlan::Nothing);
    }
    let backup = Backup {
        version: VERSION,
        run: run.clone(),
        taken: jiff::Timestamp::now(),
        deployment: place.deployment.name.clone(),
        preset: place.deployment.preset.id.clone(),
        installer: env!("CARGO_PKG_VERSION").to_owned(),
        sets: saved,
    };
    Ok((Plan::new(steps).map_err(PlanError::from)?, backup))
}

/// Plans to bring a backup back into the deployment that `ordinary` keeps as it is: its stacks are started, and judged, after their data is there.
///
/// # Errors
/// Fails when the backup does not belong here, or something else stands on the hosts than was accepted.
pub fn restoring(
    place: &Place<'_>,
    whole: &Whole,
    ordinary: Plan<AnyAction>,
) -> Result<Plan<AnyAction>, NoPlan> {
    let backup = &whole.backup;
    if backup.deployment != place.deployment.name {
        return Err(NoPlan::Other(backup.deployment.to_string()));
    }
    let is_ground = |phase| matches!(phase, Phase::Files | Phase::Images);
    let changed = ordinary
        .steps
        .iter()
        .find(|step| is_ground(step.phase) && step.probe != Probe::AlreadySo);
    if let Some(step) = changed {
        let what = format!("{} on {}", step.description.summary, step.host);
        return Err(NoPlan::NotSo(what));
    }
    let there = sets(place)?;
    let mut steps: Vec<PlannedStep<AnyAction>> = Vec::new();
    let mut cleared = Vec::new();
    for set in &backup.sets {
        let fits = |(host, data): &&(HostName, DataSet)| {
            (host, &data.stack, &data.service) == (&set.host, &set.stack, &set.service)
        };
        let Some((host, data)) = there.iter().find(fits) else {
            return Err(NoPlan::NoPlace(format!("{} on {}", set.title, set.host)));
        };
        let bring = BringData {
            data: data.clone(),
            from: whole.folder.join(&set.folder),
            files: set.files.clone(),
        };
        let load = LoadData { data: data.clone() };
        let undo = Undo {
            done: Box::new(AnyAction::BringData(bring.clone())),
            copies: Vec::new(),
        };
        let bring = AnyAction::BringData(bring);
        let bring = step(host, data, "bring", Phase::Files, Vec::new(), bring);
        let after = vec![bring.id.clone()];
        let load = step(
            host,
            data,
            "load",
            Phase::Stack,
            after,
            AnyAction::LoadData(load),
        );
        let after = vec![load.id.clone()];
        cleared.push(step(
            host,
            data,
            "clear",
            Phase::Files,
            after,
            AnyAction::Undo(undo),
        ));
        steps.extend([bring, load]);
    }
    Ok(Plan::new(joined(steps, ordinary, cleared)).map_err(PlanError::from)?)
}

/// Puts data before the start of the stack that it is of, and everything that is to be cleared behind all else on its host.
fn joined(
    data: Vec<PlannedStep<AnyAction>>,
    ordinary: Plan<AnyAction>,
    mut cleared: Vec<PlannedStep<AnyAction>>,
) -> Vec<PlannedStep<AnyAction>> {
    let mut steps = data;
    let loads: Vec<(HostName, DataSet, StepId)> = steps
        .iter()
        .filter_map(|step| match &step.action {
            AnyAction::LoadData(load) => {
                Some((step.host.clone(), load.data.clone(), step.id.clone()))
            }
            _ => None,
        })
        .collect();
    for mut step in ordinary.steps {
        if let AnyAction::StartStack(start) = &step.action {
            let first = loads.iter().filter(|(host, data, _)| {
                *host == step.host && data.compose.project == start.compose.project
            });
            step.after.extend(first.map(|(_, _, id)| id.clone()));
        }
        steps.push(step);
    }
    for clear in &mut cleared {
        let on_host = steps.iter().filter(|step| step.host == clear.host);
        clear.after = on_host.map(|step| step.id.clone()).collect();
    }
    steps.extend(cleared);
    steps
}
