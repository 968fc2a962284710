//! An archive for `docker load` that leaves out what a host has: made on the fly from the store, in the form that every engine reads.
//!
//! Docker looks each layer up by itself and those below it, and reads its file only when it has none. So a layer may be left out exactly when all
//! below it are there too; engines with the containerd image store want every layer. Called where a host's sshd lets no port come back here.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::blobs::{BlobStore, Encoding};
use super::{Digest, ImagesError};
use crate::model::bundle::BundledImage;

/// What goes into an archive.
#[derive(Debug, Clone, Copy)]
pub struct Portion<'a> {
    /// The image.
    pub image: &'a BundledImage,
    /// The name it is loaded under.
    pub name: &'a str,
    /// How many of its layers it has, counted from the lowest; with fewer than all it is an image of its own that pins them on the host.
    pub layers: usize,
    /// How many of those the host has already.
    pub skip: usize,
    /// How layers are compressed.
    pub encoding: Encoding,
}

/// An archive as it is read, with the number of bytes it has and how many went out.
pub struct Archive {
    parts: VecDeque<Part>,
    current: Box<dyn Read + Send>,
    store: Arc<BlobStore>,
    size: u64,
    sent: Arc<AtomicU64>,
}

enum Part {
    Bytes(Vec<u8>),
    Blob(Digest),
}

/// Makes an archive.
///
/// # Errors
/// When something of the image is not in the store, or the store is full.
pub fn archive(store: &Arc<BlobStore>, portion: &Portion<'_>) -> Result<Archive, ImagesError> {
    let image = portion.image;
    let lost = || ImagesError::Lost {
        what: image.to_string(),
    };
    let layers = image.layers.get(..portion.layers).ok_or_else(lost)?;
    let config = if portion.layers == image.layers.len() {
        store.document(&Digest::parse(&image.id).ok_or_else(lost)?)?
    } else {
        pinning(image, portion.layers)
    };
    let mut archive = Archive {
        parts: VecDeque::new(),
        current: Box::new(io::empty()),
        store: Arc::clone(store),
        size: 0,
        sent: Arc::default(),
    };
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let mut paths = Vec::with_capacity(layers.len());
    for (at, layer) in layers.iter().enumerate() {
        let diff_id = Digest::parse(&layer.diff_id).ok_or_else(lost)?;
        let path = format!("{}/layer.tar", diff_id.hex());
        // The same layer may come twice in an image; its file does not.
        if at >= portion.skip && !paths.contains(&path) {
            let packed = match portion.encoding {
                Encoding::Zstd => store.record(&diff_id)?.zstd,
                Encoding::Gzip => store.gzip(&diff_id)?,
            };
            archive.head(&path, packed.size)?;
            archive.push(Part::Blob(packed.digest), packed.size);
            archive.pad(packed.size);
        }
        paths.push(path);
    }
    let manifest = json!([{"Config": config_name, "RepoTags": [portion.name], "Layers": paths}]);
    archive.file(&config_name, config)?;
    archive.file("manifest.json", manifest.to_string().into_bytes())?;
    archive.push(Part::Bytes(vec![0; 1024]), 1024);
    Ok(archive)
}

/// Returns the configuration of an image that holds the lowest `layers` of another and runs nothing: while it is there, so are they.
pub(super) fn pinning(image: &BundledImage, layers: usize) -> Vec<u8> {
    let ids: Vec<&str> = image
        .layers
        .iter()
        .take(layers)
        .map(|layer| layer.diff_id.as_str())
        .collect();
    json!({
        "architecture": image.architecture,
        "os": image.os,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": ids},
    })
    .to_string()
    .into_bytes()
}

impl Archive {
    /// Returns how many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the number of bytes that went out, which moves on while it is read.
    #[must_use]
    pub fn sent(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }

    fn push(&mut self, part: Part, size: u64) {
        self.parts.push_back(part);
        self.size += size;
    }

    fn head(&mut self, path: &str, size: u64) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_path(path)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_cksum();
        self.push(Part::Bytes(header.as_bytes().to_vec()), 512);
        Ok(())
    }

    fn pad(&mut self, size: u64) {
        let zeros = vec![0; usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0)];
        let count = zeros.len() as u64;
        self.push(Part::Bytes(zeros), count);
    }

    fn file(&mut self, path: &str, content: Vec<u8>) -> io::Result<()> {
        let size = content.len() as u64;
        self.head(path, size)?;
        self.push(Part::Bytes(content), size);
        self.pad(size);
        Ok(())
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.sent.fetch_add(count as u64, Ordering::Relaxed);
                return Ok(count);
            }
            self.current = match self.parts.pop_front() {
                None => return Ok(0),
                Some(Part::Bytes(bytes)) => Box::new(Cursor::new(bytes)),
                Some(Part::Blob(digest)) => {
                    let (file, _) = self.store.blob(&digest).map_err(io::Error::other)?;
                    Box::new(file)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::images::blobs::LIMIT;
    use crate::images::bundle::sample::{image, legacy, packed};
    use crate::images::bundle::{Limits, read_from};

    fn stored() -> (Arc<BlobStore>, BundledImage, tempfile::TempDir) {
        let keep = tempfile::tempdir().unwrap();
        let root = camino::Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap();
        let store = BlobStore::open(root, LIMIT).unwrap();
        let bytes = packed(&legacy(&[image("app:1", &["base", "middle", "top"])]));
        let read = read_from(
            "a",
            bytes.as_slice(),
            1,
            &store,
            Limits::default(),
            &mut |_| ControlFlow::Continue(()),
        );
        (Arc::new(store), read.unwrap().remove(0), keep)
    }

    fn bytes_of(store: &Arc<BlobStore>, portion: &Portion<'_>) -> Vec<u8> {
        let mut archive = archive(store, portion).unwrap();
        let (size, sent) = (archive.size(), archive.sent());
        let mut bytes = Vec::new();
        archive.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, size);
        assert_eq!(sent.load(Ordering::Relaxed), size);
        bytes
    }

    #[test]
    fn a_whole_archive_is_the_same_image_again() {
        let (store, image, _keep) = stored();
        for encoding in [Encoding::Zstd, Encoding::Gzip] {
            let portion = Portion {
                image: &image,
                name: "reg.example/app:2",
                layers: 3,
                skip: 0,
                encoding,
            };
            let bytes = bytes_of(&store, &portion);
            let read = read_from(
                "b",
                bytes.as_slice(),
                1,
                &store,
                Limits::default(),
                &mut |_| ControlFlow::Continue(()),
            );
            let again = read.unwrap().remove(0);
            assert_eq!((&again.id, &again.layers), (&image.id, &image.layers));
            assert_eq!(again.names, ["reg.example/app:2"]);
        }
    }

    #[test]
    fn layers_that_are_there_are_named_and_not_sent() {
        let (store, image, _keep) = stored();
        let portion = Portion {
            image: &image,
            name: "part:2",
            layers: 2,
            skip: 1,
            encoding: Encoding::Gzip,
        };
        let bytes = bytes_of(&store, &portion);
        let mut tar = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = tar
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        let hex = |at: usize| image.layers[at].diff_id["sha256:".len()..].to_owned();
        assert_eq!(names.len(), 3);
        assert_eq!(names[0], format!("{}/layer.tar", hex(1)));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains(&hex(0)) && !text.contains(&hex(2)));
    }
}
