//! A line that a container printed, with where and when.

use std::sync::Arc;

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

/// Which of a program's two voices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
