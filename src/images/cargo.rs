//! What of archives goes to a registry: their own manifests and blobs, byte for byte, where they have them; otherwise manifests made here of what the
//! store has.

use std::collections::BTreeMap;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use oci_spec::image::{ImageIndex, ImageManifest};

use super::blobs::{BlobStore, Encoding};
use super::bundle::{Contents, open_joined};
use super::client::{Blob, Cargo, Source};
use super::registry::Shelf;
use super::{Digest, ImagesError};
use crate::model::bundle::BundledImage;
use crate::model::image::ImageRef;

/// The most that a list or manifest may have.
const LARGEST: u64 = 4 << 20;
/// What Docker calls a manifest that does not say what it is.
const USUAL: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image to push and the name it gets; it may have several.
#[derive(Debug)]
pub struct Named<'a> {
    /// The image, which is in the store.
    pub image: &'a BundledImage,
    /// The name.
    pub name: ImageRef,
}

/// Makes images ready to be pushed, from archives that were read into the store.
///
/// # Errors
/// When an archive or the store cannot be read.
pub fn load(
    named: &[Named<'_>],
    archives: &[Utf8PathBuf],
    store: &BlobStore,
) -> Result<Vec<Cargo>, ImagesError> {
    let mut goods = Goods::default();
    for archive in archives {
        // What has no layout that can be read from any place is pushed from the store.
        if let Err(error) = goods.add(archive) {
            tracing::debug!(%archive, %error, "no layout in it");
        }
    }
    let load = |named: &Named<'_>| match goods.manifests.get(&named.image.id) {
        Some(manifest) => Ok(goods.cargo(&named.name, manifest)),
        None => stored(named, store),
    };
    named.iter().map(load).collect()
}

/// A manifest with the digests and sizes of its configuration and layers.
struct Manifest {
    bytes: Vec<u8>,
    media_type: String,
    blobs: Vec<(Digest, u64)>,
    base: String,
}

/// What archives hold and can be read from any place.
#[derive(Default)]
struct Goods {
    /// By the digest of the configuration.
    manifests: BTreeMap<String, Manifest>,
    /// The archive and the place in it.
    blobs: BTreeMap<Digest, (Utf8PathBuf, u64)>,
}

impl Goods {
    fn add(&mut self, archive: &Utf8Path) -> std::io::Result<()> {
        let mut documents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut tar = tar::Archive::new(open_joined(archive).map_err(std::io::Error::other)?);
        for entry in tar.entries_with_seek()? {
            let entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let blob = path
                .strip_prefix("blobs/sha256/")
                .and_then(Digest::from_hex);
            if let Some(digest) = blob {
                self.blobs
                    .insert(digest, (archive.to_owned(), entry.raw_file_position()));
            }
            if path == "index.json" || blob.is_some() && entry.size() <= LARGEST {
                let mut head = [0];
                let mut content = entry.take(LARGEST);
                // Small layers are blobs too.
                if content.read(&mut head)? == 1 && head == *b"{" {
                    let mut bytes = head.to_vec();
                    content.read_to_end(&mut bytes)?;
                    documents.insert(path, bytes);
                }
            }
        }
        let base =
            Contents::of(archive).map_or_else(|| archive.to_string(), |contents| contents.base());
        let index = documents
            .get("index.json")
            .map(|bytes| serde_json::from_slice::<ImageIndex>(bytes));
        for descriptor in index.transpose()?.iter().flat_map(ImageIndex::manifests) {
            let digest = descriptor.digest().to_string();
            let path = digest.replacen("sha256:", "blobs/sha256/", 1);
            if let Some(bytes) = documents
                .get(&path)
                .filter(|bytes| Digest::of(bytes).to_string() == digest)
            {
                let media_type = descriptor.media_type().to_string();
                self.manifests.extend(manifest(bytes, &media_type, &base));
            }
        }
        Ok(())
    }

    fn cargo(&self, name: &ImageRef, manifest: &Manifest) -> Cargo {
        let blobs = manifest.blobs.iter().map(|(digest, size)| Blob {
            digest: *digest,
            size: *size,
            source: match self.blobs.get(digest) {
                Some((archive, place)) => Source::File(archive.clone(), *place),
                None => Source::Elsewhere(manifest.base.clone()),
            },
        });
        Cargo {
            name: name.clone(),
            manifest: manifest.bytes.clone(),
            media_type: manifest.media_type.clone(),
            blobs: blobs.collect(),
        }
    }
}

/// Reads a manifest; `None` when it is not that of one image.
fn manifest(bytes: &[u8], media_type: &str, base: &str) -> Option<(String, Manifest)> {
    let parsed: ImageManifest = serde_json::from_slice(bytes).ok()?;
    let described = std::iter::once(parsed.config()).chain(parsed.layers());
    let blobs = described.map(|descriptor| {
        Some((
            Digest::parse(descriptor.digest().as_ref())?,
            descriptor.size(),
        ))
    });
    let manifest = Manifest {
        bytes: bytes.to_vec(),
        media_type: media_type.to_owned(),
        blobs: blobs.collect::<Option<_>>()?,
        base: base.to_owned(),
    };
    Some((parsed.config().digest().to_string(), manifest))
}

/// Makes an image ready that is in the store only; gzip is what every engine reads.
fn stored(named: &Named<'_>, store: &BlobStore) -> Result<Cargo, ImagesError> {
    let shelf = Shelf::fill(store, named.image, Encoding::Gzip)?;
    let lost = || ImagesError::Lost {
        what: named.image.to_string(),
    };
    let config = Digest::parse(&named.image.id).ok_or_else(lost)?;
    let layers = shelf
        .layers()
        .iter()
        .map(|layer| (layer.digest, layer.size));
    let blobs = layers
        .chain([(config, named.image.config_size)])
        .map(|(digest, size)| Blob {
            digest,
            size,
            source: Source::File(store.blob_path(&digest), 0),
        });
    let blobs = blobs.collect();
    Ok(Cargo {
        name: named.name.clone(),
        manifest: shelf.into_manifest(),
        media_type: USUAL.to_owned(),
        blobs,
    })
}
