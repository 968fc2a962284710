//! One image as a registry offers it: a manifest made for it, and what it may be asked for.

use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageManifestBuilder, MediaType, Sha256Digest,
};

use crate::images::blobs::{BlobStore, Encoding, Packed};
use crate::images::partial::pinning;
use crate::images::{Digest, ImagesError};
use crate::model::bundle::BundledImage;

/// An image on offer, and the parts of it that can be had alone.
#[derive(Debug)]
pub(in crate::images) struct Shelf {
    whole: Goods,
    parts: Vec<Goods>,
    config: Digest,
    layers: Vec<Packed>,
}

/// What is under one tag.
#[derive(Debug)]
struct Goods {
    tag: String,
    manifest: Vec<u8>,
    digest: Digest,
    /// A configuration that is in no store, with its digest.
    made: Option<(Digest, Vec<u8>)>,
}

/// The tag of the whole image.
const WHOLE: &str = "latest";

/// Returns the tag of the lowest `layers` of an image.
pub(super) fn part_tag(layers: usize) -> String {
    format!("to-{layers}")
}

impl Shelf {
    /// Puts an image on offer, and its lowest layers up to each of `stops` as images of their own.
    pub(in crate::images) fn fill(
        store: &BlobStore,
        image: &BundledImage,
        encoding: Encoding,
        stops: &[usize],
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
        let whole = manifest(&kind, (config, config_size), &layers)?;
        let whole = Goods::new(WHOLE.to_owned(), whole, None);
        let mut parts = Vec::new();
        for stop in stops.iter().filter(|stop| **stop < layers.len()) {
            let made = pinning(image, *stop);
            let digest = Digest::of(&made);
            let manifest = manifest(&kind, (digest, made.len() as u64), &layers[..*stop])?;
            parts.push(Goods::new(part_tag(*stop), manifest, Some((digest, made))));
        }
        Ok(Self {
            whole,
            parts,
            config,
            layers,
        })
    }

    /// Returns a manifest, when `reference` is a tag or a digest of one.
    pub(super) fn manifest(&self, reference: &str) -> Option<(&[u8], Digest)> {
        let mut goods = std::iter::once(&self.whole).chain(&self.parts);
        goods
            .find(|goods| reference == goods.tag || reference == goods.digest.to_string())
            .map(|goods| (goods.manifest.as_slice(), goods.digest))
    }

    /// Returns the manifest of the whole alone.
    pub(in crate::images) fn into_manifest(self) -> Vec<u8> {
        self.whole.manifest
    }

    /// Returns whether a blob belongs to the image.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        *digest == self.config || self.layers.iter().any(|layer| layer.digest == *digest)
    }

    /// Returns a configuration that was made here and is in no store.
    pub(super) fn made(&self, digest: &Digest) -> Option<&[u8]> {
        let made = self.parts.iter().filter_map(|goods| goods.made.as_ref());
        made.filter(|(made, _)| made == digest)
            .map(|(_, bytes)| bytes.as_slice())
            .next()
    }

    /// Returns its layers as they are sent, lowest first.
    pub(in crate::images) fn layers(&self) -> &[Packed] {
        &self.layers
    }
}

impl Goods {
    fn new(tag: String, manifest: Vec<u8>, made: Option<(Digest, Vec<u8>)>) -> Self {
        Self {
            tag,
            digest: Digest::of(&manifest),
            manifest,
            made,
        }
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
