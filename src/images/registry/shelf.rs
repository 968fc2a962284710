//! One image as a registry offers it: a manifest made for it, and what it may be asked for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageManifestBuilder, MediaType, Sha256Digest,
};

use crate::images::blobs::{BlobStore, Encoding, Packed};
use crate::images::{Digest, ImagesError};
use crate::model::bundle::BundledImage;

/// An image on offer.
#[derive(Debug)]
pub(in crate::images) struct Shelf {
    manifest: Vec<u8>,
    digest: Digest,
    config: Digest,
    layers: Vec<Packed>,
    /// So many of the lowest layers are not given.
    withheld: AtomicUsize,
    /// Whether one of them was asked for.
    missed: AtomicBool,
    /// When a layer was first asked for.
    asked: OnceLock<Instant>,
}

/// How long the other layers wait for the question after one that is withheld: Docker asks for several at once, the lowest first, and what is sent before it
/// gives up is sent in vain.
const HEED: Duration = Duration::from_millis(200);

/// The tag that it is under.
const TAG: &str = "latest";

impl Shelf {
    /// Puts an image on offer.
    pub(in crate::images) fn fill(
        store: &BlobStore,
        image: &BundledImage,
        encoding: Encoding,
    ) -> Result<Self, ImagesError> {
        let lost = || ImagesError::Lost {
            what: image.to_string(),
        };
        let config = Digest::parse(&image.id).ok_or_else(lost)?;
        let config_size = store.document(&config)?.len() as u64;
        let mut layers = Vec::with_capacity(image.layers.len());
        for layer in &image.layers {
            let diff_id = Digest::parse(&layer.diff_id).ok_or_else(lost)?;
            layers.push(match encoding {
                Encoding::Zstd => store.record(&diff_id)?.zstd,
                Encoding::Gzip => store.gzip(&diff_id)?,
            });
        }
        let kind = match encoding {
            Encoding::Zstd => MediaType::ImageLayerZstd,
            Encoding::Gzip => MediaType::ImageLayerGzip,
        };
        let manifest = manifest(&kind, (config, config_size), &layers)?;
        Ok(Self {
            digest: Digest::of(&manifest),
            manifest,
            config,
            layers,
            withheld: AtomicUsize::new(0),
            missed: AtomicBool::new(false),
            asked: OnceLock::new(),
        })
    }

    /// Returns the manifest, when `reference` is its tag or digest.
    pub(super) fn manifest(&self, reference: &str) -> Option<(&[u8], Digest)> {
        (reference == TAG || reference == self.digest.to_string())
            .then_some((self.manifest.as_slice(), self.digest))
    }

    /// Returns the manifest alone.
    pub(in crate::images) fn into_manifest(self) -> Vec<u8> {
        self.manifest
    }

    /// Returns whether a blob belongs to the image.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        *digest == self.config || self.layers.iter().any(|layer| layer.digest == *digest)
    }

    /// Gives so many of the lowest layers no more.
    pub(super) fn withhold(&self, layers: usize) {
        self.withheld.store(layers, Ordering::SeqCst);
    }

    /// Returns whether a blob is withheld, and takes note that it was asked for.
    pub(super) fn withholds(&self, digest: &Digest) -> bool {
        let lowest = self.layers.get(..self.withheld.load(Ordering::SeqCst));
        let withheld = lowest.is_some_and(|all| all.iter().any(|layer| layer.digest == *digest));
        if withheld {
            self.missed.store(true, Ordering::SeqCst);
        }
        withheld
    }

    /// Waits until it is clear whether Docker misses a layer that is withheld, and returns whether it does: then it will give up, and other layers are not worth
    /// sending.
    pub(super) fn waits_in_vain(&self, digest: &Digest) -> bool {
        if self.withheld.load(Ordering::SeqCst) == 0 || *digest == self.config {
            return false;
        }
        let since = self.asked.get_or_init(Instant::now).elapsed();
        thread::sleep(HEED.saturating_sub(since));
        self.is_missed()
    }

    /// Returns whether a layer that is withheld was asked for.
    pub(super) fn is_missed(&self) -> bool {
        self.missed.load(Ordering::SeqCst)
    }

    /// Returns its layers as they are sent, lowest first.
    pub(in crate::images) fn layers(&self) -> &[Packed] {
        &self.layers
    }
}

/// Writes the manifest of a configuration and layers.
fn manifest(
    kind: &MediaType,
    (config, config_size): (Digest, u64),
    layers: &[Packed],
) -> Result<Vec<u8>, ImagesError> {
    let described: Result<Vec<Descriptor>, _> = layers
        .iter()
        .map(|layer| describe(kind.clone(), layer.digest, layer.size))
        .collect();
    let text = describe(MediaType::ImageConfig, config, config_size)
        .and_then(|config| {
            ImageManifestBuilder::default()
                .schema_version(2_u32)
                .media_type(MediaType::ImageManifest)
                .config(config)
                .layers(described?)
                .build()
        })
        .and_then(|manifest| manifest.to_string())
        .map_err(std::io::Error::other)?;
    Ok(text.into_bytes())
}

fn describe(kind: MediaType, digest: Digest, size: u64) -> oci_spec::Result<Descriptor> {
    use std::str::FromStr as _;
    DescriptorBuilder::default()
        .media_type(kind)
        .digest(Sha256Digest::from_str(&digest.hex())?)
        .size(size)
        .build()
}
