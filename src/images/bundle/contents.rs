//! What an archive that this program made says of itself: `bundle.json`, near its beginning.
//!
//! Docker passes over it. A reader needs it for one thing: which layers were left out because the site has them from another archive.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::open_joined;
use crate::images::Digest;
use crate::model::ids::{ImageId, PresetId};

/// Its name in the archive.
pub(in crate::images) const NAME: &str = "bundle.json";
/// The most that it may have.
const LARGEST: u64 = 4 << 20;
/// How many entries of an archive are looked at for it.
const AMONG: usize = 4;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Contents {
    /// The form of this document.
    pub version: u32,
    /// The program that made it, with its version.
    pub tool: String,
    /// The preset it was made for.
    pub preset: PresetId,
    /// The release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What its images are made for, such as `linux/amd64`.
    pub platform: String,
    /// Every preset that has all it needs by default here.
    pub serves: Vec<PresetId>,
    /// Its images.
    pub images: Vec<HeldImage>,
    /// The archives whose layers were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// An image in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldImage {
    /// Its part in the preset.
    pub id: ImageId,
    /// The name it was fetched by.
    pub name: String,
    /// The digest of its manifest in the registry.
    pub manifest: Digest,
    /// The digest of its configuration.
    pub config: Digest,
    /// Its layers, lowest first.
    pub layers: Vec<HeldLayer>,
}

/// A layer of an image in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldLayer {
    /// The digest of its bytes in the registry, and here.
    pub digest: Digest,
    /// The digest of its uncompressed content.
    pub diff_id: Digest,
    /// Bytes.
    pub size: u64,
    /// It is not here: the site has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
}

impl Contents {
    /// Reads what the archive at `path` says of itself; `None` for archives of others, and for compressed ones.
    #[must_use]
    pub fn of(path: &Utf8Path) -> Option<Self> {
        use std::io::Read as _;
        let mut archive = tar::Archive::new(open_joined(path).ok()?);
        for entry in archive.entries().ok()?.take(AMONG) {
            let entry = entry.ok()?;
            if entry.path_bytes().as_ref() == NAME.as_bytes() {
                let mut bytes = Vec::new();
                entry.take(LARGEST).read_to_end(&mut bytes).ok()?;
                return serde_json::from_slice(&bytes).ok();
            }
        }
        None
    }

    /// Returns the contents of all layers that were left out.
    #[must_use]
    pub fn left_out(&self) -> BTreeSet<Digest> {
        let layers = self.images.iter().flat_map(|image| &image.layers);
        layers
            .filter(|layer| layer.left_out)
            .map(|layer| layer.diff_id)
            .collect()
    }

    /// Returns what its layers were left out for, in words.
    #[must_use]
    pub fn base(&self) -> String {
        self.without.join(", ")
    }
}
