//! The smallest things worth undoing alone. Each describes, probes, executes and reverts itself.
//!
//! Actions serialize into the receipt with what they need to undo themselves, and never hold a secret: contents and credentials come from the
//! [`Context`] when they are needed. The runner, not the action, keeps state.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::docker::LayerProgress;
use crate::model::failure::{FailureKind, Hinted};
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::{Host, Output, Privilege, TransportError};

mod any;
mod await_health;
mod bring_data;
mod confirm_yield;
mod create_folder;
mod data_set;
mod delete_data;
mod deliver_image;
mod fetch_data;
mod load_data;
mod name_image;
mod place;
mod prove_environment;
mod put_file;
mod refuse_mixed;
mod refuse_older;
mod reload_service;
mod remove_image;
mod retire_project;
mod run_step;
mod save_data;
mod start_stack;
mod stop_stack;
mod undo;

pub use any::AnyAction;
pub use await_health::AwaitHealth;
pub use bring_data::BringData;
pub use confirm_yield::ConfirmYield;
pub use create_folder::CreateFolder;
pub use data_set::DataSet;
pub use delete_data::DeleteData;
pub use deliver_image::DeliverImage;
pub use fetch_data::FetchData;
pub use load_data::LoadData;
pub use name_image::NameImage;
pub use prove_environment::ProveEnvironment;
pub use put_file::{Before, PutFile};
pub use refuse_mixed::{Asked, RefuseMixed};
pub use refuse_older::{RefuseOlder, Successor, made};
pub use reload_service::ReloadService;
pub use remove_image::RemoveImage;
pub use retire_project::RetireProject;
pub use run_step::{RunStep, Source};
pub use save_data::SaveData;
pub use start_stack::StartStack;
pub use stop_stack::StopStack;
pub use undo::Undo;

/// Whose rights an action uses; chosen once per host, so that who writes a file can also read it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rights {
    /// The login's own.
    #[default]
    Login,
    /// Root's.
    Root,
}

impl Rights {
    /// Returns the same for a command.
    #[must_use]
    pub fn privilege(self) -> Privilege {
        match self {
            Self::Login => Privilege::User,
            Self::Root => Privilege::Root,
        }
    }

    /// Returns what stands before a command that is typed by hand.
    #[must_use]
    pub fn typed(self) -> &'static str {
        match self {
            Self::Login => "",
            Self::Root => "sudo ",
        }
    }
}

/// Tells how an action is coming along.
pub trait Progress {
    /// Says how much is done; bytes or counts, as the action defines. Never less than before.
    fn at(&self, done: u64, total: Option<u64>);

    /// Says what happens to one layer of an image.
    fn layer(&self, layer: LayerProgress);

    /// Passes on a line that the host printed; control sequences are made visible on the way.
    fn line(&self, line: &str);

    /// Returns whether the operator asked to stop; an action looks at safe points only.
    fn cancelled(&self) -> bool;

    /// Waits before looking again and returns whether the operator asked to stop meanwhile.
    fn wait(&self, time: std::time::Duration) -> bool {
        std::thread::sleep(time);
        self.cancelled()
    }
}

/// Why an action could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The host could not be worked on.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Something on the host is not as it must be.
    #[error("{message}")]
    Situation {
        /// What is wrong, in one sentence.
        message: String,
        /// The host's own words.
        evidence: Vec<String>,
        /// What to do.
        remedy: Option<String>,
        /// A command for the host that mends it; see [`crate::model::failure::Failure::command`].
        command: Option<String>,
    },
    /// The operator stopped at a safe point.
    #[error("stopped by the operator")]
    Cancelled,
    /// What cannot be.
    #[error("{0}")]
    Bug(String),
}

impl ActionError {
    /// Returns what a command of the host that ended badly means, with its own words.
    fn ended_badly(message: String, output: &Output) -> Self {
        Self::Situation {
            message,
            evidence: output.complaint().lines().map(str::to_owned).collect(),
            remedy: Some("mend the cause and run the same command again".to_owned()),
            command: None,
        }
    }
}

impl Hinted for ActionError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Transport(error) => error.hint(),
            Self::Situation { remedy, .. } => remedy.clone(),
            Self::Cancelled => Some("run the same command again: it goes on from here".to_owned()),
            Self::Bug(_) => None,
        }
    }

    fn command(&self) -> Option<String> {
        match self {
            Self::Situation { command, .. } => command.clone(),
            Self::Transport(_) | Self::Cancelled | Self::Bug(_) => None,
        }
    }

    fn evidence(&self) -> Vec<String> {
        match self {
            Self::Transport(error) => error.evidence(),
            Self::Situation { evidence, .. } => evidence.clone(),
            Self::Cancelled | Self::Bug(_) => Vec::new(),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Situation { .. } => FailureKind::Situation,
            Self::Cancelled => FailureKind::Cancelled,
            Self::Bug(_) => FailureKind::Bug,
        }
    }
}

/// What an action works with.
pub struct Context<'a> {
    /// The host it works on.
    pub host: &'a dyn Host,
    /// Contents and credentials, by what the action names.
    pub materials: &'a dyn Materials,
    /// Who hears how it goes.
    pub progress: &'a dyn Progress,
    /// The other hosts, for what only they know.
    pub peers: &'a dyn super::runner::Links,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({})", self.host.name())
    }
}

/// Contents and credentials of a run, kept out of actions so that no secret reaches a receipt.
pub trait Materials: Send + Sync {
    /// Returns the rendered file of a stack on a host: its bytes, which may hold secrets, and the same with secrets masked.
    fn file(
        &self,
        host: &HostName,
        stack: &crate::model::ids::StackId,
        path: &str,
    ) -> Option<Material>;

    /// Returns the registry login, when there is one.
    fn registry_login(&self) -> Option<crate::transport::RegistryLogin>;

    /// Returns the image of the archives that goes by this name, one for `architecture` when there are several.
    fn bundled(
        &self,
        _reference: &crate::model::image::ImageRef,
        _architecture: &str,
    ) -> Option<crate::model::bundle::BundledImage> {
        None
    }

    /// Returns the way from the archives to hosts, when images come from some.
    fn delivery(&self) -> Option<&super::delivery::Delivery> {
        None
    }

    /// Returns the variables that a stack's `.env` must give to Compose, by name, as they were meant.
    fn environment(
        &self,
        host: &HostName,
        stack: &crate::model::ids::StackId,
    ) -> Option<Vec<(String, secrecy::SecretString)>>;
}

/// A file's content, real and masked.
#[derive(Debug, Clone)]
pub struct Material {
    /// What goes to the host.
    pub content: crate::transport::Input,
    /// The same for the screen: secrets replaced by their names.
    pub masked: String,
}

/// One thing worth undoing alone.
pub trait Action: fmt::Debug + Send {
    /// Says what will change, for the review screen.
    fn describe(&self) -> Description;

    /// Says what undoing will change.
    fn describe_revert(&self) -> Description;

    /// Says how somebody does the same by hand on `host`, for the runbook; no secret is among it.
    fn by_hand(&self, host: &HostName, materials: &dyn Materials) -> Vec<ByHand>;

    /// Looks at the host and writes nothing.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError>;

    /// Returns the difference to what stands on the host, with secrets masked, where the action can tell one; writes nothing.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    fn difference(&self, _cx: &Context<'_>) -> Result<Option<String>, ActionError> {
        Ok(None)
    }

    /// Notes what stands on the host as far as undoing needs it, and writes nothing; the receipt is saved between this and `execute`.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    fn prepare(&mut self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }

    /// Makes the change; running it again after an interruption is safe.
    ///
    /// # Errors
    /// When the change could not be made; half of it may stand.
    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError>;

    /// Removes what an interrupted earlier run left behind, when the action turns out to be done already.
    ///
    /// # Errors
    /// When the host cannot be worked on.
    fn tidy(&self, _cx: &Context<'_>) -> Result<(), ActionError> {
        Ok(())
    }

    /// Looks whether anything of ours is there to undo, and writes nothing.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    fn probe_revert(&self, _cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(Probe::AlreadySo)
    }

    /// Undoes only what `execute` recorded as ours; "already gone" is success.
    ///
    /// # Errors
    /// When something of ours could not be removed.
    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError>;
}
