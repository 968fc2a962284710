//! One image as a registry offers it: a manifest made for it, and what it may be asked for.

use oci_spec::image::{
    Descriptor, DescriptorBuilder, ImageManifestBuilder, MediaType, Sha256Digest,
};

use crate::images::blobs::{BlobStore, Encoding, Packed};
use crate::images::{Digest, ImagesError};
use crate::model::bundle::BundledImage;

/// An image on offer.
#[derive(Debug)]
pub(super) struct Shelf {
    manifest: Vec<u8>,
    digest: Digest,
    config: Digest,
    layers: Vec<Packed>,
}

impl Shelf {
    pub(super) fn fill(
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
        let described: Result<Vec<Descriptor>, _> = layers
            .iter()
            .map(|layer| describe(kind.clone(), layer.digest, layer.size))
            .collect();
        let manifest = describe(MediaType::ImageConfig, config, config_size)
            .and_then(|config| {
                ImageManifestBuilder::default()
                    .schema_version(2_u32)
                    .media_type(MediaType::ImageManifest)
                    .config(config)
                    .layers(described?)
                    .build()
            })
            .and_then(|manifest| manifest.to_string())
            .map_err(std::io::Error::other)?
            .into_bytes();
        Ok(Self {
            digest: Digest::of(&manifest),
            manifest,
            config,
            layers,
        })
    }

    /// Returns the manifest, when `reference` is a tag or its digest.
    pub(super) fn manifest(&self, reference: &str) -> Option<(&[u8], Digest)> {
        let fits = reference == "latest" || reference == self.digest.to_string();
        fits.then_some((&self.manifest, self.digest))
    }

    /// Returns whether a blob belongs to the image.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        *digest == self.config || self.layers.iter().any(|layer| layer.digest == *digest)
    }

    /// Returns its layers as they are sent, lowest first.
    pub(super) fn layers(&self) -> &[Packed] {
        &self.layers
    }
}

fn describe(kind: MediaType, digest: Digest, size: u64) -> oci_spec::Result<Descriptor> {
    use std::str::FromStr as _;
    DescriptorBuilder::default()
        .media_type(kind)
        .digest(Sha256Digest::from_str(&digest.hex())?)
        .size(size)
        .build()
}
