//! The program's home on the operator's machine: deployments with their answers, receipts and event logs, and the program's own logs.
//!
//! Everything here is for its owner alone (folders 0700, files 0600, whatever the umask says) and replaced whole: a file is written to a temporary name,
//! synced and renamed, so a cut never leaves half of one. No secret is ever given to this module. Called by orchestration and by the commands.

mod aside;
mod drafts;
mod event_log;
mod folder;
pub(in crate::engine) mod private;
mod receipts;
mod under_way;
mod upgrade;

use camino::Utf8PathBuf;

use crate::model::failure::Hinted;

pub use drafts::{DraftId, DraftStore, SavedDraft};
pub use event_log::{EventLog, Records};
pub use folder::{
    BACKUP, DEPLOY, DESTROY, DeploymentFolder, DeploymentState, Home, RESTORE, ROLLBACK, UPGRADE,
};
pub use receipts::ReceiptStore;
pub use under_way::UnderWay;
pub use upgrade::{Upgrade, UpgradeState};

/// Why the home could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Reading or writing failed; the source names the path.
    #[error("cannot use the program's home: {source}")]
    Io {
        /// What the system said.
        #[from]
        source: std::io::Error,
    },
    /// A file there does not hold what it should.
    #[error("cannot read {path}: {detail}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        detail: String,
    },
    /// A value cannot be written down.
    #[error("cannot write {what} as JSON: {detail}")]
    Unwritable {
        /// What.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// No such deployment.
    #[error("there is no deployment `{name}` in {home}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The home looked in.
        home: Utf8PathBuf,
    },
}

impl Hinted for StoreError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Io { .. } => {
                "make room on the disk or name another folder with `--home`".to_owned()
            }
            Self::Unreadable { path, .. } => {
                format!("move {path} aside and run again; what stands on the hosts is found again")
            }
            Self::Unknown { .. } => {
                "see the names with `syntho-installer` or give the answers with `--answers FILE`"
                    .to_owned()
            }
            Self::Unwritable { .. } => return None,
        };
        Some(text)
    }

    fn kind(&self) -> crate::model::failure::FailureKind {
        use crate::model::failure::FailureKind;
        match self {
            Self::Unwritable { .. } => FailureKind::Bug,
            Self::Unknown { .. } => FailureKind::Usage,
            Self::Io { .. } | Self::Unreadable { .. } => FailureKind::Situation,
        }
    }
}
