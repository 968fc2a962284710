//! The home and the folder of one deployment in it.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{DraftStore, EventLog, ReceiptStore, StoreError, private};
use crate::model::event::Outcome;
use crate::model::ids::{DeploymentName, PresetId, RunId};

/// The command whose work a state tells of: deploying.
pub const DEPLOY: &str = "deploy";
/// The same: removing.
pub const DESTROY: &str = "destroy";
/// The same: saving data.
pub const BACKUP: &str = "backup";
/// The same: bringing saved data back.
pub const RESTORE: &str = "restore";
/// The same: bringing another release.
pub const UPGRADE: &str = "upgrade";
/// The same: coming back from one.
pub const ROLLBACK: &str = "rollback";

/// The program's home folder.
#[derive(Debug, Clone)]
pub struct Home {
    pub(super) root: Utf8PathBuf,
    /// A deployment whose record was put aside, and where.
    pub(super) aside: Option<(DeploymentName, Utf8PathBuf)>,
}

impl Home {
    /// Returns the home at `root`; nothing is created until something is saved.
    #[must_use]
    pub fn new(root: impl Into<Utf8PathBuf>) -> Self {
        Self {
            root: root.into(),
            aside: None,
        }
    }

    /// Returns where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the folder of the program's own logs, created when missing.
    ///
    /// # Errors
    /// Fails when it cannot be created.
    pub fn logs(&self) -> Result<Utf8PathBuf, StoreError> {
        let folder = self.root.join("logs");
        private::folder(&self.root)?;
        private::folder(&folder)?;
        Ok(folder)
    }

    /// Returns where image archives are read into.
    #[must_use]
    pub fn images(&self) -> Utf8PathBuf {
        self.root.join("images")
    }

    /// Returns the drafts of deployments that are still being asked for.
    #[must_use]
    pub fn drafts(&self) -> DraftStore {
        DraftStore::new(&self.root)
    }

    /// Returns the folder of a deployment, whether or not anything is in it.
    #[must_use]
    pub fn deployment(&self, name: &DeploymentName) -> DeploymentFolder {
        DeploymentFolder {
            home: self.root.clone(),
            root: match &self.aside {
                Some((aside, path)) if aside == name => path.clone(),
                _ => self.root.join("deployments").join(name.as_str()),
            },
            name: name.clone(),
        }
    }

    /// Returns the folder of a deployment that was deployed before.
    ///
    /// # Errors
    /// Fails when nothing is known of it.
    pub fn known(&self, name: &DeploymentName) -> Result<DeploymentFolder, StoreError> {
        let folder = self.deployment(name);
        if folder.answers_path().is_file() {
            Ok(folder)
        } else {
            Err(StoreError::Unknown {
                name: name.to_string(),
                home: self.root.clone(),
            })
        }
    }

    /// Returns the state of every deployment, by name.
    ///
    /// # Errors
    /// Fails when the folder cannot be read; a single broken state is left out.
    pub fn deployments(&self) -> Result<Vec<DeploymentState>, StoreError> {
        let folder = self.root.join("deployments");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut states = Vec::new();
        for entry in folder.read_dir_utf8()? {
            let Ok(name) = entry?.file_name().parse::<DeploymentName>() else {
                continue;
            };
            match self.deployment(&name).state() {
                Ok(Some(state)) => states.push(state),
                Ok(None) => {}
                Err(error) => tracing::warn!(%name, %error, "left out of the list of deployments"),
            }
        }
        states.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(states)
    }
}

/// What is known of a deployment without asking its hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeploymentState {
    /// Format version.
    pub version: u32,
    /// Its name.
    pub name: DeploymentName,
    /// Its preset.
    pub preset: PresetId,
    /// The folder that relative paths in its answers start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_folder: Option<Utf8PathBuf>,
    /// When it was first accepted, UTC.
    pub accepted: jiff::Timestamp,
    /// The last run.
    pub last_run: RunId,
    /// The command that the last run belongs to.
    #[serde(default = "deploy", skip_serializing_if = "is_deploy")]
    pub purpose: String,
    /// How the last run ended; `None` while it runs, or when it was killed.
    pub outcome: Option<Outcome>,
}

fn deploy() -> String {
    DEPLOY.to_owned()
}

fn is_deploy(purpose: &str) -> bool {
    purpose == DEPLOY
}

/// One deployment's folder in the home.
#[derive(Debug, Clone)]
pub struct DeploymentFolder {
    pub(super) home: Utf8PathBuf,
    pub(super) root: Utf8PathBuf,
    pub(super) name: DeploymentName,
}

impl DeploymentFolder {
    /// Returns where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the deployment's name.
    #[must_use]
    pub fn name(&self) -> &DeploymentName {
        &self.name
    }

    /// Creates the folder and those above it.
    ///
    /// # Errors
    /// Fails when one cannot be created.
    pub fn create(&self) -> Result<(), StoreError> {
        private::folder(&self.home)?;
        private::folder(&self.home.join("deployments"))?;
        private::folder(&self.root)?;
        private::folder(&self.root.join("receipts"))?;
        private::folder(&self.root.join("events"))?;
        Ok(())
    }

    /// Returns the path of the answers as they were accepted.
    #[must_use]
    pub fn answers_path(&self) -> Utf8PathBuf {
        self.root.join("answers.toml")
    }

    /// Returns the path of the local lock.
    #[must_use]
    pub fn lock_path(&self) -> Utf8PathBuf {
        self.root.join("lock")
    }

    /// Keeps the answers file as it was accepted.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_answers(&self, text: &str) -> Result<(), StoreError> {
        self.create()?;
        Ok(private::replace(&self.answers_path(), text.as_bytes())?)
    }

    /// Keeps the deployment's state.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_state(&self, state: &DeploymentState) -> Result<(), StoreError> {
        self.create()?;
        let text = serde_json::to_vec_pretty(state).map_err(|error| StoreError::Unwritable {
            what: "the deployment's state",
            detail: error.to_string(),
        })?;
        Ok(private::replace(&self.root.join("state.json"), &text)?)
    }

    /// Returns the deployment's state, when there is one.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub fn state(&self) -> Result<Option<DeploymentState>, StoreError> {
        let path = self.root.join("state.json");
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = fs_err::read(&path)?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| StoreError::Unreadable {
                path,
                detail: error.to_string(),
            })
    }

    /// Writes the sheet for the customer's IT and returns where it is.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_sheet(&self, text: &str) -> Result<Utf8PathBuf, StoreError> {
        self.create()?;
        let path = self.root.join("it-sheet.md");
        private::replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Returns where the runbook of the last plan is.
    #[must_use]
    pub fn runbook_path(&self) -> Utf8PathBuf {
        self.root.join("runbook.md")
    }

    /// Writes the runbook of a plan and returns where it is.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_runbook(&self, text: &str) -> Result<Utf8PathBuf, StoreError> {
        self.create()?;
        let path = self.runbook_path();
        private::replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Returns where the hand-over record is, once there is one.
    #[must_use]
    pub fn record_path(&self) -> Utf8PathBuf {
        self.root.join("hand-over.md")
    }

    /// Writes the hand-over record and returns where it is.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_record(&self, text: &str) -> Result<Utf8PathBuf, StoreError> {
        self.create()?;
        let path = self.record_path();
        private::replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Writes the certificate of the deployment's own authority and returns where it is; it is for handing on.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn save_authority(&self, file: &str, pem: &str) -> Result<Utf8PathBuf, StoreError> {
        self.create()?;
        let path = self.root.join(file);
        private::replace(&path, pem.as_bytes())?;
        Ok(path)
    }

    /// Returns the receipts.
    #[must_use]
    pub fn receipts(&self) -> ReceiptStore {
        ReceiptStore::new(self.root.join("receipts"))
    }

    /// Returns where the event log of a run is.
    #[must_use]
    pub fn events_path(&self, run: &RunId) -> Utf8PathBuf {
        self.root.join("events").join(format!("{run}.jsonl"))
    }

    /// Returns the runs whose events were recorded, oldest first.
    ///
    /// # Errors
    /// Fails when the folder cannot be read.
    pub fn recorded_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let folder = self.root.join("events");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut runs = Vec::new();
        for entry in folder.read_dir_utf8()? {
            if let Some(run) = entry?.file_name().strip_suffix(".jsonl") {
                runs.push(RunId(run.to_owned()));
            }
        }
        runs.sort();
        Ok(runs)
    }

    /// Opens the event log of a run.
    ///
    /// # Errors
    /// Fails when it cannot be created.
    pub fn event_log(&self, run: &RunId) -> Result<EventLog, StoreError> {
        self.create()?;
        EventLog::open(&self.events_path(run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().join("home")).unwrap();
        (dir, Home::new(root))
    }

    fn state(name: &str) -> DeploymentState {
        DeploymentState {
            version: 1,
            name: name.parse().unwrap(),
            preset: "syntho-app-ray".parse().unwrap(),
            answers_folder: None,
            accepted: "2026-11-20T12:00:00Z".parse().unwrap(),
            last_run: RunId("20261120T120000Z-4f2a".to_owned()),
            purpose: DEPLOY.to_owned(),
            outcome: Some(Outcome::Done),
        }
    }

    #[test]
    fn deployments_are_listed_by_name_and_a_broken_one_is_left_out() {
        let (_dir, home) = home();
        assert!(home.deployments().unwrap().is_empty());
        for name in ["beta", "acme"] {
            let folder = home.deployment(&name.parse().unwrap());
            folder.save_state(&state(name)).unwrap();
        }
        let broken = home.deployment(&"broken".parse().unwrap());
        broken.create().unwrap();
        fs_err::write(broken.root().join("state.json"), "{").unwrap();
        let names: Vec<String> = home
            .deployments()
            .unwrap()
            .into_iter()
            .map(|state| state.name.to_string())
            .collect();
        assert_eq!(names, ["acme", "beta"]);
    }

    #[test]
    fn an_unknown_deployment_is_named_with_advice() {
        use crate::model::failure::Hinted;
        let (_dir, home) = home();
        let error = home.known(&"acme".parse().unwrap()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("there is no deployment `acme`")
        );
        assert!(error.hint().unwrap().contains("--answers"));
    }

    #[test]
    fn answers_come_back_as_they_were_accepted() {
        let (_dir, home) = home();
        let folder = home.deployment(&"acme".parse().unwrap());
        folder.save_answers("version = 1\n").unwrap();
        assert!(home.known(&"acme".parse().unwrap()).is_ok());
        assert_eq!(
            fs_err::read_to_string(folder.answers_path()).unwrap(),
            "version = 1\n"
        );
    }
}
