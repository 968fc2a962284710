//! Blobs on their way from a registry: staged under their digest so that a later run goes on inside them, then checked and taken in.
//!
//! A layer is kept twice: as the registry has it, byte for byte, so that an archive or another registry gets the same digests; and in the form that
//! every other part of the program reads.

use std::io::{self, BufReader, Read, Write};

use camino::Utf8PathBuf;
use fs_err as fs;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use super::{AGAIN, BlobStore, LayerRecord, Packed, open_lock};
use crate::images::{Digest, ImagesError};

/// How much is moved in one go.
const CHUNK: usize = 256 << 10;

/// The right to fetch into the store.
#[derive(Debug)]
pub(in crate::images) struct Fetching {
    _lock: fs::File,
}

/// A blob of which the first bytes may be here.
#[derive(Debug)]
pub(in crate::images) struct Staged {
    path: Utf8PathBuf,
    file: fs::File,
    have: u64,
}

impl Staged {
    /// Returns how many bytes are here.
    pub(in crate::images) fn have(&self) -> u64 {
        self.have
    }

    /// Adds the next bytes.
    pub(in crate::images) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.have += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what is here.
    pub(in crate::images) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.have = 0;
        Ok(())
    }
}

impl BlobStore {
    /// Returns the right to fetch into the store, once nobody else has it; until then `waits` is asked now and then whether to go on waiting.
    ///
    /// # Errors
    /// When the store cannot be used, and [`ImagesError::Cancelled`] when `waits` says no.
    pub(in crate::images) fn fetching(
        &self,
        waits: &mut dyn FnMut() -> bool,
    ) -> Result<Fetching, ImagesError> {
        let file = open_lock(&self.root.join("fetching"))?;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if !waits() {
                return Err(ImagesError::Cancelled);
            }
            std::thread::sleep(AGAIN);
        }
        Ok(Fetching { _lock: file })
    }

    /// Returns a layer as the registry has it, when it is here.
    #[must_use]
    pub fn fetched(&self, diff_id: &Digest, digest: &Digest) -> Option<LayerRecord> {
        let same = |record: &LayerRecord| {
            record
                .fetched
                .is_some_and(|packed| packed.digest == *digest)
        };
        self.layer(diff_id)
            .filter(|record| same(record) && self.blob_path(digest).is_file())
    }

    /// Opens what is here of a blob.
    pub(in crate::images) fn staged(&self, digest: &Digest) -> io::Result<Staged> {
        let path = self
            .root
            .join("tmp")
            .join(format!("fetch-{}", digest.hex()));
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).append(true).open(&path)?;
        let have = file.metadata()?.len();
        Ok(Staged { path, file, have })
    }

    /// Returns how much of a blob is here before it is whole.
    pub(in crate::images) fn begun(&self, digest: &Digest) -> u64 {
        let path = self
            .root
            .join("tmp")
            .join(format!("fetch-{}", digest.hex()));
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    /// Takes a layer in that came whole: both its digests checked. What is not what it should be is thrown away.
    pub(in crate::images) fn adopt(
        &self,
        staged: Staged,
        digest: Digest,
        diff_id: Digest,
    ) -> Result<LayerRecord, ImagesError> {
        let Staged { path, file, have } = staged;
        drop(file);
        let checked = self.check(&path, digest, diff_id);
        let mut record = match checked {
            Ok(record) => record,
            Err(error) => {
                if matches!(error, ImagesError::Damaged { .. }) {
                    fs::remove_file(&path)?;
                }
                return Err(error);
            }
        };
        let packed = Packed { digest, size: have };
        let place = self.blob_path(&digest);
        if place.is_file() {
            fs::remove_file(&path)?;
        } else {
            self.reserve(have).map_err(|_| self.full())?;
            fs::File::open(&path)?.sync_data()?;
            fs::rename(&path, place)?;
        }
        record.fetched = Some(packed);
        self.save(&self.layer_path(&diff_id), &record)?;
        Ok(record)
    }

    /// Reads a staged layer once: hashed as it is, unpacked, hashed again and kept in the store's own form.
    fn check(
        &self,
        path: &Utf8PathBuf,
        digest: Digest,
        diff_id: Digest,
    ) -> Result<LayerRecord, ImagesError> {
        let damaged = |detail: String| ImagesError::Damaged {
            place: digest.to_string(),
            detail,
        };
        let mut raw = Hashing {
            inner: fs::File::open(path)?,
            hash: Sha256::new(),
        };
        let mut writer = self.layer_writer(Some(diff_id))?;
        let unpacked = unpack(&mut raw, |bytes| writer.take(bytes));
        io::copy(&mut raw, &mut io::sink())?;
        if Digest::end(raw.hash) != digest {
            return Err(damaged("what came is something else".to_owned()));
        }
        match unpacked {
            Ok(()) => {}
            Err(Trouble::Reading(error)) => return Err(damaged(error.to_string())),
            Err(Trouble::Writing(error)) => return Err(self.sense_of(error)),
        }
        match writer.finish()? {
            (found, Some(record)) if found == diff_id => Ok(record),
            _ => Err(damaged(format!("its content is not the layer {diff_id}"))),
        }
    }
}

/// On which side unpacking failed.
enum Trouble {
    Reading(io::Error),
    Writing(io::Error),
}

/// Unpacks a layer, however it is packed.
fn unpack(
    raw: &mut impl Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Trouble> {
    let mut head = Vec::with_capacity(4);
    let reading = Trouble::Reading;
    raw.by_ref()
        .take(4)
        .read_to_end(&mut head)
        .map_err(reading)?;
    let source = BufReader::with_capacity(CHUNK, io::Cursor::new(head.clone()).chain(raw));
    let mut plain: Box<dyn Read + '_> = match head.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Box::new(zstd::Decoder::with_buffer(source).map_err(Trouble::Reading)?)
        }
        _ => Box::new(source),
    };
    let mut buffer = vec![0; CHUNK];
    loop {
        match plain.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count]).map_err(Trouble::Writing)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Trouble::Reading(error)),
        }
    }
}

/// Hashes what is read.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
