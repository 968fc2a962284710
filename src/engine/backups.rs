//! Backups: what is saved of a deployment, as plans, and as folders on the operator's machine that are read again before anything rests on them.

mod plan;
mod record;

pub use plan::{NoPlan, Place, restoring, saving};
pub(in crate::engine) use plan::{sets, step};
pub use record::{BackupError, Whole, open, write};
pub(in crate::engine) use record::{Sums, parse_sums, sha256};
