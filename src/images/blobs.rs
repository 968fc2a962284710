//! The local store: layers compressed once and configurations as they are, by digest, with a record of each archive they came from.
//!
//! Everything appears whole or not at all: written under a temporary name, brought to disk, renamed. Several runs may fill and read it at once;
//! clearing waits for none of them and says so. It never reads an archive ([`super::bundle`] does) and never reaches a host.
//!
//! ```text
//! blobs/sha256/HEX     a configuration, or a layer compressed
//! layers/HEX.json      by the digest of the uncompressed layer: its size and its compressed forms
//! archives/HEX.json    by an archive's path: its size and time when it was read, and its images
//! leases/*.json        images that somebody needs as long as his run goes on
//! limit.json           bytes that it may take, when that was set
//! tmp/                 what is being written, and parts of what is being fetched
//! lock                 held by everybody who uses the store
//! filling              held by the one who reads an archive into it
//! fetching             held by the one who fetches from a registry
//! ```

mod fetched;
mod lease;
mod record;
mod writer;

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};

use super::{Digest, ImagesError};
use crate::model::bundle::BundledImage;
pub(super) use fetched::{Fetching, Staged};
use lease::Lease;
pub use record::{ArchiveRecord, Encoding, LayerRecord, Packed, Stamp};
use writer::StoreIsFull;

/// What the store may grow to unless told otherwise: 64 GiB.
pub const LIMIT: u64 = 64 << 30;

/// Where the limit stands that was set for a store.
const LIMIT_FILE: &str = "limit.json";

/// How often the one who waits for another reader looks again.
const AGAIN: Duration = Duration::from_millis(200);

/// Nobody writes one file for so long.
const STALE: Duration = Duration::from_hours(24);

/// The right to read an archive into the store.
#[derive(Debug)]
pub(super) struct Filling {
    _lock: fs::File,
}

/// The store, in use as long as this value lives.
#[derive(Debug)]
pub struct BlobStore {
    root: Utf8PathBuf,
    limit: u64,
    used: AtomicU64,
    leases: Mutex<Vec<Lease>>,
    _lock: fs::File,
}

/// What is in the store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Bytes it takes.
    pub used: u64,
    /// Bytes it may take.
    pub limit: u64,
    /// The archives that were read into it, the one used last first.
    pub archives: Vec<ArchiveRecord>,
}

impl BlobStore {
    /// Opens the store at `root`, made for its owner alone when it is not there; it grows to `limit` bytes at most, or to what was set for it.
    ///
    /// # Errors
    /// When the folder cannot be made or used, or another run is clearing it.
    pub fn open(root: impl Into<Utf8PathBuf>, limit: u64) -> Result<Self, ImagesError> {
        let root = root.into();
        for folder in ["blobs/sha256", "layers", "archives", "tmp", lease::FOLDER] {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(root.join(folder))
                .map_err(|error| {
                    io::Error::new(error.kind(), format!("{root}/{folder}: {error}"))
                })?;
        }
        fs::set_permissions(&root, std::fs::Permissions::from_mode(0o700))?;
        let lock = lock(&root)?;
        flock(&lock, FlockOperation::NonBlockingLockShared)
            .map_err(|_| ImagesError::InUse { path: root.clone() })?;
        let used = AtomicU64::new(size_of(&root.join("blobs/sha256"))?);
        let limit = read(&root.join(LIMIT_FILE)).unwrap_or(limit);
        Ok(Self {
            root,
            limit,
            used,
            leases: Mutex::default(),
            _lock: lock,
        })
    }

    /// Returns the right to read an archive into the store, once nobody else has it: who sweeps must not sweep away what another has just brought.
    /// Until then `waits` is asked now and then whether to go on waiting.
    ///
    /// # Errors
    /// When the store cannot be used, and [`ImagesError::Cancelled`] when `waits` says no.
    pub(super) fn fill(&self, waits: &mut dyn FnMut() -> bool) -> Result<Filling, ImagesError> {
        let file = open_lock(&self.root.join("filling"))?;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if !waits() {
                return Err(ImagesError::Cancelled);
            }
            std::thread::sleep(AGAIN);
        }
        // What a reader that was killed left behind.
        for entry in self.root.join("tmp").read_dir_utf8()? {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > STALE {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Filling { _lock: file })
    }

    /// Sets what the store may grow to from now on.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn set_limit(&mut self, limit: u64) -> Result<(), ImagesError> {
        self.limit = limit;
        self.save(&self.root.join(LIMIT_FILE), &limit)
    }

    fn leases(&self) -> MutexGuard<'_, Vec<Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns where it is.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns what is in the store.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn usage(&self) -> Result<Usage, ImagesError> {
        let mut archives = self.archives()?;
        archives.sort_by_key(|archive| std::cmp::Reverse(archive.used));
        Ok(Usage {
            path: self.root.clone(),
            used: self.used.load(Ordering::Relaxed),
            limit: self.limit,
            archives,
        })
    }

    /// Removes everything from the store at `root`; returns how many bytes that gave back.
    ///
    /// # Errors
    /// When another run uses it, or something cannot be removed.
    pub fn clear(root: &Utf8Path) -> Result<u64, ImagesError> {
        if !root.is_dir() {
            return Ok(0);
        }
        let lock = lock(root)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| ImagesError::InUse {
            path: root.to_owned(),
        })?;
        let blobs = root.join("blobs/sha256");
        let bytes = if blobs.is_dir() { size_of(&blobs)? } else { 0 };
        for folder in ["archives", "layers", "blobs", "tmp"] {
            match fs::remove_dir_all(root.join(folder)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(bytes)
    }

    /// Returns what is known of a layer by the digest of its uncompressed content; `None` when it is not in the store.
    #[must_use]
    pub fn layer(&self, diff_id: &Digest) -> Option<LayerRecord> {
        let record: LayerRecord = read(&self.layer_path(diff_id))?;
        self.blob_path(&record.zstd.digest)
            .is_file()
            .then_some(record)
    }

    /// Opens a blob for reading and returns it with its size in bytes.
    ///
    /// # Errors
    /// When it is not there.
    pub fn blob(&self, digest: &Digest) -> Result<(fs::File, u64), ImagesError> {
        let lost = || ImagesError::Lost {
            what: digest.to_string(),
        };
        let file = fs::File::open(self.blob_path(digest)).map_err(|_| lost())?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Returns a small blob whole, its digest checked.
    ///
    /// # Errors
    /// When it is not there or not what its digest says.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>, ImagesError> {
        let bytes = fs::read(self.blob_path(digest)).ok();
        bytes
            .filter(|bytes| Digest::of(bytes) == *digest)
            .ok_or_else(|| ImagesError::Lost {
                what: digest.to_string(),
            })
    }

    /// Returns the layer in gzip form, made and kept the first time it is asked for; engines before version 23 know no zstd.
    ///
    /// # Errors
    /// When the layer is not there or the store is full.
    pub fn gzip(&self, diff_id: &Digest) -> Result<Packed, ImagesError> {
        let mut record = self.record(diff_id)?;
        if let Some(gzip) = record
            .gzip
            .filter(|gzip| self.blob_path(&gzip.digest).is_file())
        {
            return Ok(gzip);
        }
        let (file, _) = self.blob(&record.zstd.digest)?;
        let packed = writer::gzip(self, file)?;
        record.gzip = Some(packed);
        self.save(&self.layer_path(diff_id), &record)?;
        Ok(packed)
    }

    /// Returns what is known of a layer that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn record(&self, diff_id: &Digest) -> Result<LayerRecord, ImagesError> {
        self.layer(diff_id).ok_or_else(|| ImagesError::Lost {
            what: format!("the layer {diff_id}"),
        })
    }

    /// Keeps a small blob.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<Digest, ImagesError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        if !path.is_file() {
            self.reserve(bytes.len() as u64).map_err(|_| self.full())?;
            self.write(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Notes that an archive was read and what is in it.
    pub(super) fn remember(&self, record: &ArchiveRecord) -> Result<(), ImagesError> {
        self.save(&self.archive_path(&record.path), record)
    }

    /// Returns what was read from an archive before, when the file is still the same and everything of it is here.
    pub(super) fn recall(&self, path: &Utf8Path, stamp: Stamp) -> Option<Vec<BundledImage>> {
        let mut record: ArchiveRecord = read(&self.archive_path(path))?;
        let whole = record.images.iter().all(|image| self.holds(image));
        if record.stamp != stamp || record.path != path || !whole {
            return None;
        }
        record.used = jiff::Timestamp::now();
        // An old time only makes it the first to go.
        let _ = self.remember(&record);
        Some(record.images)
    }

    /// Returns whether an image's configuration and layers are all here.
    #[must_use]
    pub fn holds(&self, image: &BundledImage) -> bool {
        let there = |layer: &Digest| self.layer(layer).is_some();
        Digest::parse(&image.id).is_some_and(|id| self.blob_path(&id).is_file())
            && image
                .layers
                .iter()
                .all(|layer| Digest::parse(&layer.diff_id).is_some_and(|id| there(&id)))
    }

    /// Forgets archives, the one used longest ago first, until `bytes` more fit; what other archives need stays.
    pub(super) fn make_room(&self, bytes: u64) -> Result<(), ImagesError> {
        let held = self.held()?;
        let held = lease::ids(&held);
        let mut archives = self.archives()?;
        archives.sort_by_key(|archive| archive.used);
        // To forget what somebody holds would give nothing back.
        archives.retain(|archive| !lease::ids(&archive.images).is_subset(&held));
        for archive in &archives {
            if self.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit {
                break;
            }
            tracing::info!(archive = %archive.path, "making room in the image store");
            fs::remove_file(self.archive_path(&archive.path))?;
            self.sweep(&[])?;
        }
        Ok(())
    }

    /// Removes layers and configurations that neither an archive nor `keep` needs.
    pub(super) fn sweep(&self, keep: &[BundledImage]) -> Result<(), ImagesError> {
        let (archives, held) = (self.archives()?, self.held()?);
        let images = archives.iter().flat_map(|archive| &archive.images);
        let needed: Vec<&BundledImage> = images.chain(keep).chain(&held).collect();
        let layers: std::collections::BTreeSet<&str> = needed
            .iter()
            .flat_map(|image| &image.layers)
            .map(|layer| layer.diff_id.as_str())
            .collect();
        let mut blobs: std::collections::BTreeSet<Digest> = needed
            .iter()
            .filter_map(|image| Digest::parse(&image.id))
            .collect();
        for entry in self.root.join("layers").read_dir_utf8()? {
            let path = entry?.path().to_owned();
            match read::<LayerRecord>(&path) {
                Some(record) if layers.contains(record.diff_id.to_string().as_str()) => {
                    blobs.insert(record.zstd.digest);
                    let more = [record.gzip, record.fetched];
                    blobs.extend(more.into_iter().flatten().map(|packed| packed.digest));
                }
                _ => fs::remove_file(&path)?,
            }
        }
        for entry in self.root.join("blobs/sha256").read_dir_utf8()? {
            let path = entry?.path().to_owned();
            let digest = path.file_name().and_then(Digest::from_hex);
            if !digest.is_some_and(|digest| blobs.contains(&digest)) {
                let size = fs::metadata(&path)?.len();
                fs::remove_file(&path)?;
                self.release(size);
            }
        }
        Ok(())
    }

    fn archives(&self) -> Result<Vec<ArchiveRecord>, ImagesError> {
        let mut archives = Vec::new();
        for entry in self.root.join("archives").read_dir_utf8()? {
            archives.extend(read::<ArchiveRecord>(entry?.path()));
        }
        Ok(archives)
    }

    pub(super) fn blob_path(&self, digest: &Digest) -> Utf8PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    fn layer_path(&self, diff_id: &Digest) -> Utf8PathBuf {
        self.root
            .join("layers")
            .join(format!("{}.json", diff_id.hex()))
    }

    fn archive_path(&self, path: &Utf8Path) -> Utf8PathBuf {
        let name = Digest::of(path.as_str().as_bytes()).hex();
        self.root.join("archives").join(format!("{name}.json"))
    }

    /// Counts bytes that are about to be written.
    fn reserve(&self, bytes: u64) -> Result<(), StoreIsFull> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed);
        if used.saturating_add(bytes) > self.limit {
            self.release(bytes);
            return Err(StoreIsFull);
        }
        Ok(())
    }

    /// Counts bytes that are gone again.
    fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn full(&self) -> ImagesError {
        ImagesError::Full {
            path: self.root.clone(),
            detail: format!("it may take {} MB", self.limit >> 20),
        }
    }

    fn save<T: serde::Serialize>(&self, path: &Utf8Path, record: &T) -> Result<(), ImagesError> {
        let bytes = serde_json::to_vec(record).map_err(io::Error::other)?;
        self.write(path, &bytes)
    }

    fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), ImagesError> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().tempfile_in(self.root.join("tmp"))
    }
}

fn lock(root: &Utf8Path) -> Result<fs::File, ImagesError> {
    open_lock(&root.join("lock"))
}

fn open_lock(path: &Utf8Path) -> Result<fs::File, ImagesError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    Ok(options.open(path)?)
}

/// Returns a record, or `None` when there is none that can be read.
fn read<T: serde::de::DeserializeOwned>(path: &Utf8Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn size_of(folder: &Utf8Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in folder.read_dir_utf8()? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
