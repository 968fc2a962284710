//! A line that a container printed, with where and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::HostName;

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogSource {
    /// The host.
    pub host: HostName,
    /// The stack, as the preset names it.
    pub stack: String,
    /// The Compose service, or the container's name where it belongs to none.
    pub service: String,
    /// The engine's id of the container.
    pub container: String,
}

impl LogSource {
    /// Returns the name under which its records stand: host, stack and service.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}/{}", self.host, self.stack, self.service)
    }
}

/// What was gathered from one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceCount {
    /// Its name: host, stack and service.
    pub source: String,
    /// Records.
    pub records: u64,
    /// Bytes written for it.
    pub bytes: u64,
    /// How often each secret was replaced by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masked: BTreeMap<String, u64>,
    /// Why something of it is missing, when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// Which of a program's two voices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One line, secrets taken out. Control sequences are still in it: whoever shows it makes them visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// When the container printed it, by its host's clock.
    pub time: jiff::Timestamp,
    /// Where.
    pub source: Arc<LogSource>,
    /// Which voice.
    pub voice: Voice,
    /// The line without its break.
    pub text: String,
}
