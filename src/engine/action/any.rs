//! The closed set of actions, as receipts hold them.

use serde::{Deserialize, Serialize};

use super::{
    Action, ActionError, AwaitHealth, BringData, ConfirmYield, Context, CreateFolder, DeleteData,
    DeliverImage, FetchData, LoadData, Materials, NameImage, ProveEnvironment, PutFile,
    RefuseMixed, RefuseOlder, ReloadService, RemoveImage, RetireProject, Rights, RunStep, SaveData,
    StartStack, StopStack, Undo,
};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};

/// Any action; the tag in a receipt never changes once released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum AnyAction {
    /// Creates a folder.
    CreateFolder(CreateFolder),
    /// Puts a file.
    PutFile(PutFile),
    /// Brings an image to the host.
    DeliverImage(DeliverImage),
    /// Proves that Compose reads `.env` as meant.
    ProveEnvironment(ProveEnvironment),
    /// Creates and starts containers.
    StartStack(StartStack),
    /// Brings something about by a tool.
    RunStep(RunStep),
    /// Makes a service take up changed files.
    ReloadService(ReloadService),
    /// Waits until services are healthy.
    AwaitHealth(AwaitHealth),
    /// Compares a value with the software's own words.
    ConfirmYield(ConfirmYield),
    /// Removes an image that a newer one has replaced.
    RemoveImage(RemoveImage),
    /// Undoes what an earlier run did.
    Undo(Undo),
    /// Deletes data volumes.
    DeleteData(DeleteData),
    /// Saves data.
    SaveData(SaveData),
    /// Fetches what was saved.
    FetchData(FetchData),
    /// Brings what was saved.
    BringData(BringData),
    /// Replaces data by what was saved.
    LoadData(LoadData),
    /// Stops containers.
    StopStack(StopStack),
    /// Stops what somebody set up by hand.
    RetireProject(RetireProject),
    /// Names an image.
    NameImage(NameImage),
    /// Refuses images that are older than what runs.
    RefuseOlder(RefuseOlder),
    /// Refuses images that do not go together.
    RefuseMixed(RefuseMixed),
}

impl AnyAction {
    fn inner(&self) -> &dyn Action {
        match self {
            Self::CreateFolder(action) => action,
            Self::PutFile(action) => action,
            Self::DeliverImage(action) => action,
            Self::ProveEnvironment(action) => action,
            Self::StartStack(action) => action,
            Self::RunStep(action) => action,
            Self::ReloadService(action) => action,
            Self::AwaitHealth(action) => action,
            Self::ConfirmYield(action) => action,
            Self::RemoveImage(action) => action,
            Self::Undo(action) => action,
            Self::DeleteData(action) => action,
            Self::SaveData(action) => action,
            Self::FetchData(action) => action,
            Self::BringData(action) => action,
            Self::LoadData(action) => action,
            Self::StopStack(action) => action,
            Self::RetireProject(action) => action,
            Self::NameImage(action) => action,
            Self::RefuseOlder(action) => action,
            Self::RefuseMixed(action) => action,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Action {
        match self {
            Self::CreateFolder(action) => action,
            Self::PutFile(action) => action,
            Self::DeliverImage(action) => action,
            Self::ProveEnvironment(action) => action,
            Self::StartStack(action) => action,
            Self::RunStep(action) => action,
            Self::ReloadService(action) => action,
            Self::AwaitHealth(action) => action,
            Self::ConfirmYield(action) => action,
            Self::RemoveImage(action) => action,
            Self::Undo(action) => action,
            Self::DeleteData(action) => action,
            Self::SaveData(action) => action,
            Self::FetchData(action) => action,
            Self::BringData(action) => action,
            Self::LoadData(action) => action,
            Self::StopStack(action) => action,
            Self::RetireProject(action) => action,
            Self::NameImage(action) => action,
            Self::RefuseOlder(action) => action,
            Self::RefuseMixed(action) => action,
        }
    }

    /// Returns whose rights it works with, where it works on files or by Compose.
    #[must_use]
    pub fn rights(&self) -> Option<Rights> {
        match self {
            Self::CreateFolder(action) => Some(action.rights),
            Self::PutFile(action) => Some(action.rights),
            Self::DeliverImage(action) => Some(action.rights),
            Self::ProveEnvironment(action) => Some(action.compose.rights),
            Self::StartStack(action) => Some(action.compose.rights),
            Self::RunStep(action) => Some(action.compose.rights),
            Self::ReloadService(action) => Some(action.compose.rights),
            Self::DeleteData(action) => Some(action.rights),
            Self::Undo(action) => action.done.rights(),
            Self::SaveData(action) => Some(action.data.compose.rights),
            Self::FetchData(action) => Some(action.data.compose.rights),
            Self::BringData(action) => Some(action.data.compose.rights),
            Self::LoadData(action) => Some(action.data.compose.rights),
            Self::StopStack(action) => Some(action.compose.rights),
            Self::RetireProject(action) => Some(action.rights),
            Self::NameImage(action) => Some(action.rights),
            Self::AwaitHealth(_)
            | Self::RefuseOlder(_)
            | Self::RefuseMixed(_)
            | Self::ConfirmYield(_)
            | Self::RemoveImage(_) => None,
        }
    }
}

impl Action for AnyAction {
    fn describe(&self) -> Description {
        self.inner().describe()
    }

    fn describe_revert(&self) -> Description {
        self.inner().describe_revert()
    }

    fn by_hand(&self, host: &HostName, materials: &dyn Materials) -> Vec<ByHand> {
        self.inner().by_hand(host, materials)
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        self.inner().probe(cx)
    }

    fn difference(&self, cx: &Context<'_>) -> Result<Option<String>, ActionError> {
        self.inner().difference(cx)
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.inner_mut().prepare(cx)
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.inner_mut().execute(cx)
    }

    fn tidy(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.inner().tidy(cx)
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        self.inner().probe_revert(cx)
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.inner_mut().revert(cx)
    }
}

#[cfg(test)]
mod tests;
