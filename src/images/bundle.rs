//! Reads image archives: what `docker save` and its kin write, old and new, plain or compressed, and tars of such archives.
//!
//! One pass from front to end, in constant memory: every entry is hashed and, when it is a layer, compressed into the store as it comes by; manifests
//! are kept and put together when the archive ends, because `docker save` writes them last. Nothing is ever unpacked to a path that an archive names.
//! What an archive may do to us is bounded by [`Limits`].

mod assemble;
mod contents;
mod joined;
mod name;
mod nest;
mod sniff;
mod stream;
mod walk;

use std::io::Read;
use std::ops::ControlFlow;

use camino::Utf8Path;

use super::ImagesError;
use super::blobs::{ArchiveRecord, BlobStore};
use crate::model::bundle::BundledImage;
pub(super) use contents::NAME as CONTENTS;
pub use contents::{Contents, HeldImage, HeldLayer};
pub use joined::{Joined, PARTS, open as open_joined};
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
    let file = joined::open(path)?;
    if let Some(images) = store.recall(file.path(), file.stamp()) {
        return Ok(images);
    }
    read_file(file, store, tell)
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
    read_file(joined::open(path)?, store, tell)
}

fn read_file(
    mut file: Joined,
    store: &BlobStore,
    tell: Tell<'_>,
) -> Result<Vec<BundledImage>, ImagesError> {
    let (path, stamp) = (file.path().to_owned(), file.stamp());
    let begin = Progress {
        done: 0,
        total: stamp.size,
    };
    let _filling = store.fill(&mut || tell(begin).is_continue())?;
    store.make_room(stamp.size)?;
    let name = path.file_name().unwrap_or(path.as_str());
    let read = read_from(name, &mut file, stamp.size, store, Limits::default(), tell);
    // Of an archive in parts the part at fault is what has to be copied again.
    let read = read.map_err(|error| file.blame().unwrap_or(error));
    if let Ok(images) = &read {
        store.remember(&ArchiveRecord {
            path: path.clone(),
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

/// Notes that the archive at `path`, made from what is in the store, holds `images`: it need not be read.
///
/// # Errors
/// When it is not there or the store cannot be used.
pub(super) fn remember(
    path: &Utf8Path,
    images: &[BundledImage],
    store: &BlobStore,
) -> Result<(), ImagesError> {
    let file = joined::open(path)?;
    store.remember(&ArchiveRecord {
        path: file.path().to_owned(),
        stamp: file.stamp(),
        used: jiff::Timestamp::now(),
        images: images.to_vec(),
    })
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
