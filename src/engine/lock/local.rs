//! The lock on this machine.

use std::io::{Read, Seek, Write};

use camino::Utf8Path;
use rustix::fs::{FlockOperation, flock};

use super::LockError;

/// A file lock, given back when dropped or when the process ends in any way.
#[derive(Debug)]
pub struct LocalLock {
    _file: fs_err::File,
}

impl LocalLock {
    /// Takes the lock at `path` for a deployment.
    ///
    /// # Errors
    /// Fails when another process holds it, or the file cannot be made.
    pub fn take(path: &Utf8Path, deployment: &str) -> Result<Self, LockError> {
        let mut options = fs_err::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            file.read_to_string(&mut pid)?;
            let known = !pid.is_empty() && pid.chars().all(|c| c.is_ascii_digit());
            return Err(LockError::Local {
                deployment: deployment.to_owned(),
                pid: if known { pid } else { "unknown".to_owned() },
            });
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_until_the_first_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("lock");
        let first = LocalLock::take(&path, "acme").unwrap();
        let error = LocalLock::take(&path, "acme").unwrap_err();
        let pid = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("another `syntho-installer` on this machine works on `acme` (process {pid})")
        );
        drop(first);
        LocalLock::take(&path, "acme").unwrap();
    }
}
