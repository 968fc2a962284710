//! Looks at hosts and tells what they are. Writes nothing on them; decides nothing, which is [`super::preflight`]'s part.
//!
//! One host costs about two round trips: a script (`assets/remote/facts.sh`) and the Docker calls go out at the same time, and where root's rights can be
//! had a second run of the script looks at what only root sees. Called by every command that connects.

mod engine_limits;
mod gather;
mod listeners;
mod machine;
mod network;
mod script;

use crate::model::failure::{FailureKind, Hinted};
use crate::transport::TransportError;

pub use gather::{Gathered, gather, gather_all};
pub(super) use listeners::published_port;
pub(super) use machine::without_credentials;

/// Why a host could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// The host could not be worked on.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The script ran, and its answer lacks something every Linux host has.
    #[error("the host did not tell its {what}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The last words of its shell.
        stderr: String,
    },
}

impl Hinted for FactsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Transport(error) => error.hint(),
            Self::Missing { stderr, .. } if stderr.is_empty() => {
                Some("check that the host runs Linux with /proc mounted and that its login shell starts commands: `ssh HOST true`".to_owned())
            }
            Self::Missing { stderr, .. } => Some(format!(
                "check that the login shell starts commands: `ssh HOST true`; it said: {stderr}"
            )),
        }
    }

    fn evidence(&self) -> Vec<String> {
        match self {
            Self::Transport(error) => error.evidence(),
            Self::Missing { .. } => Vec::new(),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Missing { .. } => FailureKind::Situation,
        }
    }
}
