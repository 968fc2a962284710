//! What the store knows of layers and archives, as it stands on disk.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::images::Digest;
use crate::model::bundle::BundledImage;

/// A layer in one compressed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Packed {
    /// The digest of the compressed bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// For engines from version 23 on.
    Zstd,
    /// For older ones.
    Gzip,
}

/// A layer in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerRecord {
    /// The digest of its uncompressed content.
    pub diff_id: Digest,
    /// Bytes uncompressed.
    pub size: u64,
    /// Its zstd form, which is always there.
    pub zstd: Packed,
    /// Its gzip form, once an old engine asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gzip: Option<Packed>,
    /// As a registry has it, byte for byte, when it was fetched from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<Packed>,
}

/// By what an archive is known to be unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Time of the last change, nanoseconds since 1970.
    pub modified: i128,
    /// The file's number on its file system.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of an archive that is still being made; no file has it.
    pub const UNWRITTEN: Self = Self {
        size: 0,
        modified: 0,
        inode: 0,
    };
}

/// An archive that was read into the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArchiveRecord {
    /// Where it was, absolute.
    pub path: Utf8PathBuf,
    /// How it was then.
    pub stamp: Stamp,
    /// When it was last used.
    pub used: jiff::Timestamp,
    /// Its images.
    pub images: Vec<BundledImage>,
}
