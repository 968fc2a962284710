//! Images as archives hold them, reduced to what decisions need.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::docker::ImageFacts;

/// An image found in an archive, every digest checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BundledImage {
    /// The digest of its configuration, `sha256:…`; with Docker's own image store this is the image id.
    pub id: String,
    /// The names it was saved under; none when it was saved by id.
    pub names: Vec<String>,
    /// Architecture in Docker's words, such as `amd64`.
    pub architecture: String,
    /// Operating system in Docker's words, such as `linux`.
    pub os: String,
    /// When it was made, as its configuration says; `None` where that says nothing, or where it was read before anybody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Bytes of its configuration.
    pub config_size: u64,
    /// Its layers, lowest first.
    pub layers: Vec<BundledLayer>,
}

/// One layer of a bundled image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BundledLayer {
    /// The digest of the uncompressed layer, `sha256:…`.
    pub diff_id: String,
    /// Bytes uncompressed.
    pub size: u64,
    /// Bytes that are sent to a host that lacks it.
    pub packed: u64,
}

impl BundledImage {
    /// Returns bytes of all layers, uncompressed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// Returns whether an image on a host is this one; `by_layers` where the engine's ids are not digests of configurations.
    #[must_use]
    pub fn is(&self, found: &ImageFacts, by_layers: bool) -> bool {
        let layers = self.layers.iter().map(|layer| &layer.diff_id);
        found.id == self.id || by_layers && layers.eq(&found.layers)
    }

    /// Returns how many of its layers, counted from the lowest, some image of a host has too; Docker shares only whole stacks of layers.
    #[must_use]
    pub fn shared_with(&self, images: &[ImageFacts]) -> usize {
        let common = |image: &ImageFacts| {
            let pairs = self.layers.iter().zip(&image.layers);
            pairs
                .take_while(|(ours, theirs)| ours.diff_id == **theirs)
                .count()
        };
        images.iter().map(common).max().unwrap_or(0)
    }
}

impl fmt::Display for BundledImage {
    /// Shows its first name, or its id when it has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names.first().unwrap_or(&self.id))
    }
}
