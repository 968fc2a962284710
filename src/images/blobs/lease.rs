//! What runs need of the store while they go on: another run that makes room leaves it alone.
//!
//! A lease is a file that its owner keeps locked. The lock ends with the owner, however that comes about, and the next one who looks removes the file.

use std::collections::BTreeSet;
use std::io;

use camino::Utf8PathBuf;
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};

use super::{BlobStore, read};
use crate::images::ImagesError;
use crate::model::bundle::BundledImage;

/// The folder of leases in the store.
pub(super) const FOLDER: &str = "leases";

/// Images that stay as long as this value lives.
#[derive(Debug)]
pub(super) struct Lease {
    path: Utf8PathBuf,
    _lock: std::fs::File,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "a lease stays behind; the next run removes it");
        }
    }
}

impl BlobStore {
    /// Keeps images in the store as long as it is in use by this value, whoever else makes room.
    ///
    /// # Errors
    /// When they are not all there any more, or the store cannot be written.
    pub fn hold(&self, images: &[BundledImage]) -> Result<(), ImagesError> {
        let mut file = self.temporary()?;
        // Locked before it has its name: nobody finds it unlocked while its owner lives.
        flock(file.as_file(), FlockOperation::NonBlockingLockExclusive).map_err(io::Error::from)?;
        serde_json::to_writer(&mut file, images).map_err(io::Error::other)?;
        let name = format!("{}-{:016x}.json", std::process::id(), rand::random::<u64>());
        let path = self.root.join(FOLDER).join(name);
        let lock = file.persist(&path).map_err(|error| error.error)?;
        self.leases().push(Lease { path, _lock: lock });
        match images.iter().find(|image| !self.holds(image)) {
            None => Ok(()),
            Some(image) => Err(ImagesError::Lost {
                what: image.to_string(),
            }),
        }
    }

    /// Returns the images that anybody holds.
    pub(super) fn held(&self) -> io::Result<Vec<BundledImage>> {
        let mut held = Vec::new();
        for entry in self.root.join(FOLDER).read_dir_utf8()? {
            let path = entry?.path().to_owned();
            let Ok(file) = fs::File::open(&path) else {
                // Its owner ended in this moment.
                continue;
            };
            if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
                if let Err(error) = fs::remove_file(&path) {
                    tracing::debug!(%error, "somebody else removed the lease of a run that ended");
                }
            } else {
                held.extend(read::<Vec<BundledImage>>(&path).unwrap_or_default());
            }
        }
        Ok(held)
    }
}

/// Returns the ids of images.
pub(super) fn ids(images: &[BundledImage]) -> BTreeSet<&str> {
    images.iter().map(|image| image.id.as_str()).collect()
}
