//! Reads image archives: what `docker save` and its kin write, old and new, plain or compressed, and tars of such archives.
//!
//! One pass from front to end, in constant memory: every entry is hashed and, when it is a layer, compressed into the store as it comes by; manifests
//! are kept and put together when the archive ends, because `docker save` writes them last. Nothing is ever unpacked to a path that an archive names.
//! What an archive may do to us is bounded by [`Limits`].

mod assemble;
mod name;
mod nest;
mod sniff;
mod stream;
mod walk;

use std::io::Read;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};

use super::ImagesError;
use super::blobs::{ArchiveRecord, BlobStore, Stamp};
use crate::model::bundle::BundledImage;
use walk::Walk;

/// What an archive may hold at most; more is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries of all archives in one file together.
    pub entries: u64,
    /// Bytes of one manifest, configuration or list of names.
    pub document: u64,
    /// Bytes of all of them together; they are kept in memory until their archive ends.
    pub documents: u64,
    /// Bytes of everything uncompressed.
    pub unpacked: u64,
    /// How many times larger than the file everything uncompressed may be, once it is larger than `free`.
    pub ratio: u64,
    /// Bytes uncompressed that are never too many for the file's size.
    pub free: u64,
    /// How deep archives may lie in archives.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            document: 4 << 20,
            documents: 32 << 20,
            unpacked: 1 << 40,
            ratio: 100,
            free: 4 << 30,
            depth: 3,
        }
    }
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read.
    pub done: u64,
    /// Bytes of the file.
    pub total: u64,
}

/// Hears how far reading has come; `Break` stops it.
pub type Tell<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Returns the images of an archive, read into the store; a file that was read before and is unchanged is not read again.
///
/// # Errors
/// When it is not a whole and sound image archive, or the store has no room for it.
pub fn read(
    path: &Utf8Path,
    store: &BlobStore,
    tell: Tell<'_>,
) -> Result<Vec<BundledImage>, ImagesError> {
    let (file, path, stamp) = open(path)?;
    if let Some(images) = store.recall(&path, stamp) {
        return Ok(images);
    }
    read_file(file, &path, stamp, store, tell)
}

/// As [`read`], and reads it in any case.
///
/// # Errors
/// As [`read`].
pub fn read_again(
    path: &Utf8Path,
    store: &BlobStore,
    tell: Tell<'_>,
) -> Result<Vec<BundledImage>, ImagesError> {
    let (file, path, stamp) = open(path)?;
    read_file(file, &path, stamp, store, tell)
}

fn read_file(
    file: std::fs::File,
    path: &Utf8Path,
    stamp: Stamp,
    store: &BlobStore,
    tell: Tell<'_>,
) -> Result<Vec<BundledImage>, ImagesError> {
    let begin = Progress {
        done: 0,
        total: stamp.size,
    };
    let _filling = store.fill(&mut || tell(begin).is_continue())?;
    store.make_room(stamp.size)?;
    let name = path.file_name().unwrap_or(path.as_str());
    let read = read_from(name, file, stamp.size, store, Limits::default(), tell);
    if let Ok(images) = &read {
        store.remember(&ArchiveRecord {
            path: path.to_owned(),
            stamp,
            used: jiff::Timestamp::now(),
            images: images.clone(),
        })?;
    }
    // Layers that no image needs, or that came before the fault.
    let swept = store.sweep(&[]);
    let images = read?;
    swept?;
    Ok(images)
}

/// Returns the images of an archive of `total` bytes that comes from any reader; `name` is what errors call it. What it put into the store and no
/// archive there needs goes with the next one that is read from a file.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    name: &str,
    source: impl Read,
    total: u64,
    store: &BlobStore,
    limits: Limits,
    tell: Tell<'_>,
) -> Result<Vec<BundledImage>, ImagesError> {
    let images = Walk::new(store, limits).file(name, source, total, tell)?;
    if images.is_empty() {
        return Err(ImagesError::Empty {
            place: name.to_owned(),
        });
    }
    Ok(images)
}

fn open(path: &Utf8Path) -> Result<(std::fs::File, Utf8PathBuf, Stamp), ImagesError> {
    let unreadable = |error: std::io::Error| ImagesError::Unreadable {
        path: path.to_string(),
        detail: error.to_string(),
    };
    let file = fs_err::File::open(path).map_err(unreadable)?.into_file();
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(ImagesError::Folder {
            path: path.to_string(),
        });
    }
    let stamp = Stamp {
        size: metadata.len(),
        modified: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        inode: metadata.ino(),
    };
    let path = path.canonicalize_utf8().map_err(unreadable)?;
    Ok((file, path, stamp))
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
