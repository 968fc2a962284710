//! What is under way with a deployment and must go on under the name that it began with, although each command is a run of its own.

use serde::{Deserialize, Serialize};

use super::{DeploymentFolder, StoreError, private};

/// Something that takes more than one run when it is interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UnderWay {
    /// The command it belongs to.
    pub purpose: String,
    /// What it is about, so that another one is not taken for it.
    pub about: String,
    /// By what name it is known on hosts.
    pub id: String,
}

impl DeploymentFolder {
    /// Returns what is under way for this purpose; what another command has come after counts no more.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn under_way(&self, purpose: &str) -> Result<Option<UnderWay>, StoreError> {
        let path = self.root().join("under-way.json");
        let last = self.state()?.map(|state| state.purpose);
        if !path.is_file() || last.as_deref() != Some(purpose) {
            return Ok(None);
        }
        let bytes = fs_err::read(&path)?;
        let found: UnderWay =
            serde_json::from_slice(&bytes).map_err(|error| StoreError::Unreadable {
                path,
                detail: error.to_string(),
            })?;
        Ok(Some(found).filter(|found| found.purpose == purpose))
    }

    /// Notes what is under way, or that nothing is.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_under_way(&self, what: Option<&UnderWay>) -> Result<(), StoreError> {
        let path = self.root().join("under-way.json");
        let Some(what) = what else {
            return match fs_err::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            };
        };
        self.create()?;
        let text = serde_json::to_vec_pretty(what).map_err(|error| StoreError::Unwritable {
            what: "what is under way",
            detail: error.to_string(),
        })?;
        Ok(private::replace(&path, &text)?)
    }
}
