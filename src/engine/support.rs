//! The support archive: everything that somebody needs who was not there, from all hosts and from this machine, without a secret.
//!
//! - [`collect`]: what hosts are asked, each question with its own time limit, and what of the answers may be kept.
//! - [`allowed`]: of what Docker and Compose tell as JSON, only the fields that are named there; a value of an environment is never among them.
//! - [`own`]: what this machine remembers: receipts, events, answers, the program's own log.
//! - [`spool`]: the folder in which all of it is put together, every line without its secrets.
//! - [`pack`]: the archive, read back once it stands: one secret in it, and it is gone.
//! - [`diagnose`]: what of it is known to be a cause, and [`report`]: how people read that.
//! - [`words`]: what the archive says of itself.
//!
//! What cannot be had is named with why and holds up nobody: half an archive is an archive. [`super::session`] leads through it.

pub(in crate::engine) mod allowed;
pub(in crate::engine) mod collect;
pub(in crate::engine) mod diagnose;
pub(in crate::engine) mod own;
pub(in crate::engine) mod pack;
pub(in crate::engine) mod report;
pub(in crate::engine) mod spool;
pub(in crate::engine) mod words;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::model::failure::{FailureKind, Hinted};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Order {
    /// The archive's path; nothing may be there.
    pub output: Utf8PathBuf,
    /// The folder that the archive unpacks to.
    pub name: String,
    /// When it was asked for.
    pub began: Timestamp,
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SupportError {
    /// Something is there already.
    #[error("{path} is there already")]
    Exists {
        /// Where.
        path: Utf8PathBuf,
    },
    /// What was gathered cannot be kept until it is packed.
    #[error("cannot put the archive together in {folder}")]
    Spool {
        /// Where.
        folder: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The archive.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive holds a secret.
    #[error("the archive was deleted again: its file {file} holds the secret ‹{secret}›")]
    Secret {
        /// The file in it.
        file: String,
        /// The secret's name.
        secret: String,
    },
}

impl Hinted for SupportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exists { .. } => {
                "move it away, or name another file with `--output FILE.tar.gz`".to_owned()
            }
            Self::Spool { folder, source } if source.kind() == io::ErrorKind::StorageFull => {
                full(folder, "name another home with `--home DIR`")
            }
            Self::Spool { folder, .. } => {
                format!("see that {folder} can be written to, or name another home with `--home DIR`")
            }
            Self::Write { path, source } if source.kind() == io::ErrorKind::StorageFull => full(
                path.parent().unwrap_or(Utf8Path::new(".")),
                "name a file on another disk with `--output FILE.tar.gz`",
            ),
            Self::Write { .. } => {
                "name a file in a folder that you may write to with `--output FILE.tar.gz`"
                    .to_owned()
            }
            Self::Secret { .. } => {
                "this is a fault of the program and nothing was handed out; `syntho-installer logs NAME` gathers the logs alone".to_owned()
            }
        })
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Exists { .. } => FailureKind::Usage,
            Self::Secret { .. } => FailureKind::Bug,
            Self::Spool { .. } | Self::Write { .. } => FailureKind::Situation,
        }
    }
}

fn full(folder: &Utf8Path, or: &str) -> String {
    format!(
        "make room on the disk of {folder} (`df -h {folder}`), or {or}; nothing was left behind"
    )
}
