//! A lock between processes, so that two test runs do not start two engines or build one image twice.

use camino::Utf8Path;
use fs_err as fs;
use rustix::fs::FlockOperation;

use crate::rehearsal::error::RehearsalError;

/// Held until dropped; the kernel releases it when its holder dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Waits until nobody else holds the lock at `path`.
    pub(crate) fn take(path: &Utf8Path) -> Result<Self, RehearsalError> {
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(std::io::Error::from)?;
        Ok(Self { _file: file })
    }
}
