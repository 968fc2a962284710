//! An image as a registry has it: its manifest for one platform, its configuration, its layers.

use std::fmt;
use std::str::FromStr;

use futures_util::TryStreamExt as _;
use oci_client::Reference;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;

use super::{Link, Remote, RemoteError, Watch, protocol_name};
use crate::images::{Digest, ImagesError};
use crate::model::image::ImageRef;
use crate::model::suggest;

/// What may come: one image or an index of several, in the words of the standard or of Docker.
const ACCEPTED: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// The most that a configuration may have.
const LARGEST: usize = 4 << 20;
/// How many tags are proposed.
const PROPOSED: usize = 5;
/// How many tags are asked for.
const LISTED: usize = 1000;

/// What an image is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// In Docker's words, such as `linux`.
    pub os: String,
    /// In Docker's words, such as `amd64`.
    pub architecture: String,
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sound =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match text.split_once('/') {
            Some((os, architecture)) if sound(os) && sound(architecture) => Ok(Self {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
            }),
            _ => Err("give system and architecture, such as linux/amd64".to_owned()),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

/// A layer as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLayer {
    /// The digest of its bytes as they are.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// The digest of its uncompressed content.
    pub diff_id: Digest,
}

/// An image as a registry has it, for one platform.
#[derive(Debug, Clone)]
pub struct RemoteImage {
    /// Its name.
    pub reference: ImageRef,
    /// Its manifest, byte for byte.
    pub manifest: Vec<u8>,
    /// What kind of manifest that is.
    pub media_type: String,
    /// Its configuration, byte for byte.
    pub config: Vec<u8>,
    /// What it is made for.
    pub platform: Platform,
    /// Its layers, lowest first.
    pub layers: Vec<RemoteLayer>,
}

/// What is read of a configuration.
#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

impl Remote {
    /// Asks for an image as it is for a platform.
    ///
    /// # Errors
    /// When the registry does not give it, or what it gives is not sound.
    pub fn image(
        &self,
        reference: &ImageRef,
        platform: &Platform,
        watch: &dyn Watch,
    ) -> Result<RemoteImage, ImagesError> {
        let name = protocol_name(reference)?;
        let link = self.link(&name)?;
        let found = self.ask(&link, watch, || link.image(&name, reference, platform));
        match found {
            Err(ImagesError::Remote(RemoteError::NotThere { .. })) => {
                let near = self.ask(&link, watch, || link.near(&name));
                Err(RemoteError::NotThere {
                    reference: reference.to_string(),
                    near: near.unwrap_or(None),
                }
                .into())
            }
            other => other,
        }
    }
}

impl Link {
    async fn image(
        &self,
        name: &Reference,
        reference: &ImageRef,
        platform: &Platform,
    ) -> Result<RemoteImage, ImagesError> {
        self.log_in(name, oci_client::RegistryOperation::Pull)
            .await?;
        let bytes = self.document(name).await?;
        let value: serde_json::Value = parse(reference, &bytes)?;
        let bytes = if value.get("manifests").is_some() {
            let index: ImageIndex = parse(reference, &bytes)?;
            let digest = choose(reference, &index, platform)?;
            self.document(&name.clone_with_digest(digest)).await?
        } else {
            bytes
        };
        let manifest: ImageManifest = parse(reference, &bytes)?;
        let config = self.small_blob(name, reference, manifest.config()).await?;
        assemble(reference, bytes, &manifest, config, platform)
    }

    /// Returns a manifest or index, byte for byte; the crate holds it against its digest.
    async fn document(&self, name: &Reference) -> Result<Vec<u8>, ImagesError> {
        let pulled = self
            .client
            .pull_manifest_raw(name, &self.auth, &ACCEPTED)
            .await;
        match pulled {
            Ok((bytes, _)) => Ok(bytes.to_vec()),
            Err(error) => Err(self.judge(error, name.repository()).await.into()),
        }
    }

    async fn small_blob(
        &self,
        name: &Reference,
        reference: &ImageRef,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>, ImagesError> {
        let text = descriptor.digest().to_string();
        let opened = self.client.pull_blob_stream(name, text.as_str()).await;
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => return Err(self.judge(error, name.repository()).await.into()),
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = stream
            .try_next()
            .await
            .map_err(|error| self.broken(&error))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST {
                return Err(unusable(reference, "its configuration is too large"));
            }
        }
        if Digest::parse(&text) != Some(Digest::of(&bytes)) {
            return Err(unusable(
                reference,
                "its configuration is not what its digest says",
            ));
        }
        Ok(bytes)
    }

    /// Returns the tags that may be meant; `None` when the registry lists none.
    async fn near(&self, name: &Reference) -> Result<Option<Vec<String>>, ImagesError> {
        let listed = self
            .client
            .list_tags(name, &self.auth, Some(LISTED), None)
            .await;
        match listed {
            Ok(listed) => Ok(Some(nearest(name.tag().unwrap_or("latest"), listed.tags))),
            Err(error) => match self.judge(error, name.repository()).await {
                RemoteError::NotThere { .. } => Ok(Some(Vec::new())),
                _ => Ok(None),
            },
        }
    }

    /// Returns what a break in the middle of an answer is.
    pub(super) fn broken(&self, error: &std::io::Error) -> RemoteError {
        RemoteError::Broken {
            registry: self.registry.clone(),
            detail: error.to_string(),
        }
    }
}

/// Puts the likeliest tags first: those spelt most alike, of those the latest.
fn nearest(wanted: &str, mut tags: Vec<String>) -> Vec<String> {
    tags.sort_by_cached_key(|tag| {
        (
            suggest::distance(wanted, tag),
            std::cmp::Reverse(tag.clone()),
        )
    });
    tags.truncate(PROPOSED);
    tags
}

/// Returns the digest of the image for a platform.
fn choose(
    reference: &ImageRef,
    index: &ImageIndex,
    platform: &Platform,
) -> Result<String, ImagesError> {
    let mut there = Vec::new();
    for descriptor in index.manifests() {
        let Some(found) = descriptor.platform() else {
            continue;
        };
        let found = Platform {
            os: found.os().to_string(),
            architecture: found.architecture().to_string(),
        };
        if found == *platform {
            return Ok(descriptor.digest().to_string());
        }
        // What belongs to an image without being one.
        if found.os != "unknown" {
            there.push(found.to_string());
        }
    }
    Err(RemoteError::Platform {
        reference: reference.to_string(),
        wanted: platform.to_string(),
        there,
    }
    .into())
}

fn assemble(
    reference: &ImageRef,
    bytes: Vec<u8>,
    manifest: &ImageManifest,
    config: Vec<u8>,
    wanted: &Platform,
) -> Result<RemoteImage, ImagesError> {
    let parsed: Config = parse(reference, &config)?;
    let platform = Platform {
        os: parsed.os,
        architecture: parsed.architecture,
    };
    if platform != *wanted {
        return Err(RemoteError::Platform {
            reference: reference.to_string(),
            wanted: wanted.to_string(),
            there: vec![platform.to_string()],
        }
        .into());
    }
    if manifest.layers().len() != parsed.rootfs.diff_ids.len() {
        return Err(unusable(
            reference,
            "its manifest and its configuration have different numbers of layers",
        ));
    }
    let mut layers = Vec::with_capacity(manifest.layers().len());
    for (layer, diff_id) in manifest.layers().iter().zip(parsed.rootfs.diff_ids) {
        let digest = Digest::parse(layer.digest().as_ref())
            .ok_or_else(|| unusable(reference, "a layer has no SHA-256 digest"))?;
        layers.push(RemoteLayer {
            digest,
            size: layer.size(),
            diff_id,
        });
    }
    let media_type = manifest
        .media_type()
        .as_ref()
        .map_or_else(|| ACCEPTED[0].to_owned(), ToString::to_string);
    Ok(RemoteImage {
        reference: reference.clone(),
        manifest: bytes,
        media_type,
        config,
        platform,
        layers,
    })
}

fn parse<T: serde::de::DeserializeOwned>(
    reference: &ImageRef,
    bytes: &[u8],
) -> Result<T, ImagesError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let page = bytes.trim_ascii_start().starts_with(b"<");
        unusable(reference, &if page {
            "a web page came instead of a manifest: it is no registry, or a portal stands in between".to_owned()
        } else {
            format!("what came is no manifest: {error}")
        })
    })
}

fn unusable(reference: &ImageRef, detail: &str) -> ImagesError {
    RemoteError::Unusable {
        what: reference.to_string(),
        detail: detail.to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_and_written() {
        let platform: Platform = "linux/arm64".parse().unwrap();
        assert_eq!(platform.to_string(), "linux/arm64");
        for wrong in ["linux", "linux/", "/amd64", "linux/arm/v7", "linux/amd 64"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_tags_spelt_most_alike_come_first() {
        let tags = [
            "latest",
            "1.8.0",
            "1.9.0-cpu",
            "1.9.1",
            "2.0.0",
            "0.1",
            "1.10.0",
        ];
        let near = nearest("1.9.0", tags.map(str::to_owned).to_vec());
        assert_eq!(near[..2], ["1.9.1", "1.8.0"]);
        assert_eq!(near.len(), PROPOSED);
    }
}
