//! Takes a layer in as it comes: hashed, compressed and hashed again on the way to disk, in constant memory.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{BlobStore, LayerRecord, Packed};
use crate::images::{Digest, ImagesError};

/// The level of zstd: its own default, a fair price in time for what it saves on the link.
const LEVEL: i32 = 3;
/// How much is moved in one go.
const CHUNK: usize = 256 << 10;

/// The store may not grow further.
#[derive(Debug, thiserror::Error)]
#[error("the image store is full")]
pub(in crate::images) struct StoreIsFull;

/// A file being written, with its digest; gives its bytes back to the store's account when it is not kept.
struct Part<'s> {
    store: &'s BlobStore,
    file: NamedTempFile,
    hash: Sha256,
    size: u64,
    kept: bool,
}

impl<'s> Part<'s> {
    fn new(store: &'s BlobStore) -> io::Result<Self> {
        Ok(Self {
            store,
            file: store.temporary()?,
            hash: Sha256::new(),
            size: 0,
            kept: false,
        })
    }

    /// Gives it its name.
    fn keep(mut self) -> io::Result<Packed> {
        let digest = Digest::end(std::mem::take(&mut self.hash));
        let packed = Packed {
            digest,
            size: self.size,
        };
        let path = self.store.blob_path(&digest);
        if path.is_file() {
            // It takes no room twice.
            return Ok(packed);
        }
        self.file.as_file().sync_data()?;
        rustix::fs::rename(self.file.path(), path.as_std_path())?;
        self.kept = true;
        Ok(packed)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.store.release(self.size);
        }
    }
}

impl Write for Part<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.store
            .reserve(bytes.len() as u64)
            .map_err(io::Error::other)?;
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Takes one layer's uncompressed bytes.
pub(in crate::images) struct LayerWriter<'s> {
    store: &'s BlobStore,
    hash: Sha256,
    size: u64,
    /// `None` for a layer that is only compared with what is in the store.
    packer: Option<zstd::Encoder<'static, Part<'s>>>,
}

impl BlobStore {
    /// Begins a layer; one that is `expected` and here already is only hashed.
    pub(in crate::images) fn layer_writer(
        &self,
        expected: Option<Digest>,
    ) -> io::Result<LayerWriter<'_>> {
        let known = expected.is_some_and(|digest| self.layer(&digest).is_some());
        let packer = if known {
            None
        } else {
            let mut packer = zstd::Encoder::new(Part::new(self)?, LEVEL)?;
            packer.multithread(workers())?;
            packer.include_checksum(false)?;
            Some(packer)
        };
        Ok(LayerWriter {
            store: self,
            hash: Sha256::new(),
            size: 0,
            packer,
        })
    }
}

/// Returns how many threads compress; each takes some 16 MB, so they are not as many as there may be cores.
fn workers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores.min(3)).unwrap_or(1)
}

impl LayerWriter<'_> {
    /// Takes the next bytes.
    pub(in crate::images) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        match &mut self.packer {
            Some(packer) => packer.write_all(bytes),
            None => Ok(()),
        }
    }

    /// Keeps the layer. Returns the digest of its content, and what is known of it unless it was expected to be another: then it is not kept.
    pub(in crate::images) fn finish(self) -> Result<(Digest, Option<LayerRecord>), ImagesError> {
        let Self {
            store,
            hash,
            size,
            packer: open,
        } = self;
        let diff_id = Digest::end(hash);
        if let Some(record) = store.layer(&diff_id) {
            return Ok((diff_id, Some(record)));
        }
        let Some(packer) = open else {
            return Ok((diff_id, None));
        };
        let kept = packer.finish().and_then(Part::keep);
        let zstd = kept.map_err(|error| store.sense_of(error))?;
        let record = LayerRecord {
            diff_id,
            size,
            zstd,
            gzip: None,
            fetched: None,
        };
        store.save(&store.layer_path(&diff_id), &record)?;
        Ok((diff_id, Some(record)))
    }
}

/// Makes the gzip form of a layer from its zstd form.
pub(super) fn gzip(store: &BlobStore, zstd: impl Read) -> Result<Packed, ImagesError> {
    let made = || -> io::Result<Packed> {
        let mut plain = zstd::Decoder::new(zstd)?;
        let part = Part::new(store)?;
        let mut packer = flate2::write::GzEncoder::new(part, flate2::Compression::fast());
        let mut buffer = vec![0; CHUNK];
        loop {
            match plain.read(&mut buffer)? {
                0 => break,
                count => packer.write_all(&buffer[..count])?,
            }
        }
        packer.finish()?.keep()
    };
    made().map_err(|error| store.sense_of(error))
}

impl BlobStore {
    /// Returns what an error of writing means.
    pub(in crate::images) fn sense_of(&self, error: io::Error) -> ImagesError {
        let over = error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<StoreIsFull>);
        match error.kind() {
            _ if over => self.full(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ImagesError::Full {
                path: self.root.clone(),
                detail: error.to_string(),
            },
            _ => error.into(),
        }
    }
}
