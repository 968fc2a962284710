//! A backup on the operator's machine: a folder with one file for each part that was saved, and a record of what must be in it.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::ids::{DeploymentName, HostName, PresetId, RunId, StackId};

/// The record's name in the folder; it is written last, so that a backup with it is whole.
pub const RECORD: &str = "backup.json";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Backup {
    /// Format version.
    pub version: u32,
    /// The run that took it.
    pub run: RunId,
    /// When that was, UTC.
    pub taken: jiff::Timestamp,
    /// The deployment.
    pub deployment: DeploymentName,
    /// Its preset.
    pub preset: PresetId,
    /// Version of the installer that wrote it.
    pub installer: String,
    /// What was saved.
    pub sets: Vec<SavedSet>,
}

/// Data of one service on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedSet {
    /// The host.
    pub host: HostName,
    /// The stack.
    pub stack: StackId,
    /// The service.
    pub service: String,
    /// What it is.
    pub title: String,
    /// Its folder in the backup's.
    pub folder: Utf8PathBuf,
    /// Its files.
    pub files: Vec<SavedFile>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content in hexadecimal.
    pub sha256: String,
}
