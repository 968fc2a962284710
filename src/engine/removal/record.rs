//! What all runs together have made, thing by thing.

use crate::engine::action::{AnyAction, Before, BringData, SaveData};
use crate::model::ids::{HostName, StackId};
use crate::model::receipt::{Receipt, StepState};

/// One thing that we made or changed.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Where.
    pub(super) host: HostName,
    /// The action of the first run that touched it, with what it found there.
    pub(super) action: AnyAction,
    /// Copies that later runs kept of it.
    pub(super) copies: Vec<String>,
    /// The step's id without its host.
    pub(super) step: String,
}

impl Made {
    /// Returns a name for the step that takes it away; one image may have come in several releases.
    pub(super) fn name(&self) -> String {
        match &self.action {
            AnyAction::DeliverImage(image) => format!("{}/{}", self.step, image.reference),
            _ => self.step.clone(),
        }
    }

    /// Returns its path when it is a folder.
    pub(super) fn folder(&self) -> Option<String> {
        match &self.action {
            AnyAction::CreateFolder(folder) => Some(folder.path.clone()),
            _ => None,
        }
    }

    /// Returns the stack that stands by it: what was begun after it elsewhere may need it.
    pub(super) fn holds_up(&self) -> Option<&StackId> {
        match &self.action {
            AnyAction::StartStack(start) => Some(&start.stack),
            AnyAction::RunStep(step) => Some(&step.stack),
            _ => None,
        }
    }

    /// Returns whether a tool brought it about, which may have to do with other hosts.
    pub(super) fn is_tool(&self) -> bool {
        matches!(self.action, AnyAction::RunStep(_))
    }

    /// Returns what the record is about, the same in every run.
    fn subject(action: &AnyAction) -> Option<String> {
        match action {
            AnyAction::CreateFolder(folder) => Some(format!("path {}", folder.path)),
            AnyAction::PutFile(file) => Some(format!("path {}/{}", file.folder, file.path)),
            AnyAction::DeliverImage(image) => Some(format!("image {}", image.reference)),
            AnyAction::StartStack(start) => Some(format!("project {}", start.compose.project)),
            AnyAction::RunStep(step) => Some(format!("step {}", step.mark())),
            AnyAction::RetireProject(retired) => Some(format!("taken over {}", retired.project)),
            AnyAction::SaveData(SaveData { data })
            | AnyAction::BringData(BringData { data, .. }) => {
                Some(format!("path {}", data.saved()))
            }
            AnyAction::ReloadService(reload) => Some(format!(
                "reload {}/{}",
                reload.compose.folder, reload.service
            )),
            _ => None,
        }
    }

    /// Takes in what a later run did with the same thing.
    fn take_in(&mut self, later: &AnyAction) {
        match (&mut self.action, later) {
            (AnyAction::CreateFolder(first), AnyAction::CreateFolder(later)) => {
                first.created |= later.created;
            }
            (AnyAction::StartStack(first), AnyAction::StartStack(later)) => {
                let created = first.created || later.created;
                first.clone_from(later);
                first.created = created;
            }
            (AnyAction::RunStep(first), AnyAction::RunStep(later)) => {
                let created = first.created || later.created;
                first.clone_from(later);
                first.created = created;
            }
            (AnyAction::DeliverImage(first), AnyAction::DeliverImage(later))
                if later.pulled || (first.pulled && later.id.is_some()) =>
            {
                let pulled = first.pulled || later.pulled;
                first.clone_from(later);
                first.pulled = pulled;
            }
            (AnyAction::PutFile(first), AnyAction::PutFile(later)) => {
                if first.before == Before::Unknown {
                    first.clone_from(later);
                } else if later.before == Before::File && later.backup != first.backup {
                    let copy = format!("{}/{}", later.folder, later.backup);
                    self.copies.push(copy);
                }
            }
            _ => {}
        }
    }
}

/// Returns everything that runs have begun to make, in the order of their steps; a file that was undone since counts no more.
pub(super) fn made(receipts: &[Receipt<AnyAction>]) -> Vec<Made> {
    let mut all: Vec<(String, Made)> = Vec::new();
    for step in receipts.iter().flat_map(|receipt| &receipt.steps) {
        if let AnyAction::Undo(undo) = &step.action {
            // A file that was undone is found anew by the next run. Of the rest the first word holds: a stack's data may still be there.
            let is_file = match undo.done.as_ref() {
                AnyAction::PutFile(file) => file.before != Before::Unknown,
                AnyAction::SaveData(_) | AnyAction::BringData(_) => true,
                _ => false,
            };
            let gone =
                Made::subject(&undo.done).filter(|_| is_file && step.state == StepState::Done);
            all.retain(|(subject, made)| made.host != step.host || Some(subject) != gone.as_ref());
            continue;
        }
        // What was found as it should be tells nothing of who made it; the folder of the deployment is there with its lock.
        let begun = !matches!(step.state, StepState::Pending);
        let Some(subject) = Made::subject(&step.action).filter(|_| begun) else {
            continue;
        };
        let known = all
            .iter_mut()
            .find(|(known, made)| *known == subject && made.host == step.host);
        if let Some((_, made)) = known {
            made.take_in(&step.action);
            continue;
        }
        let id = step.id.0.as_str();
        let made = Made {
            host: step.host.clone(),
            action: step.action.clone(),
            copies: Vec::new(),
            step: id.split_once('/').map_or(id, |(_, rest)| rest).to_owned(),
        };
        all.push((subject, made));
    }
    all.into_iter().map(|(_, made)| made).collect()
}
