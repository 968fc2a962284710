//! The last upgrade of a deployment: how to come back from it, and whether it is still under way.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{DeploymentFolder, StoreError, private};
use crate::model::failure::{Failure, FailureKind};

/// An upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Upgrade {
    /// Format version.
    pub version: u32,
    /// By what name its data is saved on hosts.
    pub id: String,
    /// The answers before.
    pub before: String,
    /// The answers that it leads to.
    pub to: String,
    /// Where the relative paths of both begin.
    pub folder: Utf8PathBuf,
    /// How far it came.
    pub state: UpgradeState,
}

/// How far an upgrade came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeState {
    /// It is on its way.
    Forward,
    /// It is on its way back.
    Back,
    /// It came to a good end.
    Done,
}

impl DeploymentFolder {
    fn upgrade_path(&self) -> Utf8PathBuf {
        self.root().join("upgrade.json")
    }

    /// Returns the last upgrade, unless it was taken back.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn upgrade(&self) -> Result<Option<Upgrade>, StoreError> {
        let path = self.upgrade_path();
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = fs_err::read(&path)?;
        let found = serde_json::from_slice(&bytes);
        found.map(Some).map_err(|error| StoreError::Unreadable {
            path,
            detail: error.to_string(),
        })
    }

    /// Notes the last upgrade, or that there is none to come back from.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_upgrade(&self, upgrade: Option<&Upgrade>) -> Result<(), StoreError> {
        let path = self.upgrade_path();
        let Some(upgrade) = upgrade else {
            return match fs_err::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            };
        };
        self.create()?;
        let text = serde_json::to_vec_pretty(upgrade).map_err(|error| StoreError::Unwritable {
            what: "the upgrade",
            detail: error.to_string(),
        })?;
        Ok(private::replace(&path, &text)?)
    }

    /// Returns why nothing else may be done now, when an upgrade is under way.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn upgrade_under_way(&self) -> Result<Option<Failure>, StoreError> {
        let upgrade = self.upgrade()?;
        let under_way = upgrade.filter(|upgrade| upgrade.state != UpgradeState::Done);
        Ok(under_way.map(|_| Failure {
            kind: FailureKind::Situation,
            host: None,
            message: format!("an upgrade of `{}` was interrupted", self.name()),
            causes: Vec::new(),
            hint: Some(format!(
                "run the same `upgrade` again to go on, or `syntho-installer rollback {}` to come back from it",
                self.name()
            )),
            command: None,
        }))
    }
}
