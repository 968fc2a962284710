//! Puts images together from what an archive held: manifests, configurations and layers, each checked against the others.

use std::collections::{BTreeMap, BTreeSet};

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;

use super::contents::{Contents, NAME as CONTENTS};
use super::name;
use crate::images::blobs::{BlobStore, LayerRecord};
use crate::images::{Digest, ImagesError};
use crate::model::bundle::{BundledImage, BundledLayer};
use crate::model::image::ImageRef;

/// The annotations by which an index names its images.
const NAMES: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];
/// How deep an index may lie in an index.
const DEEPEST: usize = 4;
/// How often a link may lead to a link.
const LINKS: usize = 8;

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// What is read of an image's configuration.
#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    #[serde(default)]
    created: Option<String>,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

/// A document with its digest.
struct Document {
    digest: Digest,
    bytes: Vec<u8>,
}

/// What one archive held.
#[derive(Default)]
pub(super) struct Parts {
    documents: BTreeMap<String, Document>,
    layers: BTreeMap<String, LayerRecord>,
    links: BTreeMap<String, String>,
    size: u64,
}

impl Parts {
    /// Adds a document of `size` bytes; the same again is no fault.
    pub(super) fn document(
        &mut self,
        name: &str,
        digest: Digest,
        bytes: Vec<u8>,
        size: u64,
    ) -> Result<(), String> {
        self.size += size;
        let before = self
            .documents
            .insert(name.to_owned(), Document { digest, bytes });
        once(before.is_none_or(|before| before.digest == digest) && !self.layers.contains_key(name))
    }

    /// Adds a layer; the same again is no fault.
    pub(super) fn layer(&mut self, name: &str, record: LayerRecord) -> Result<(), String> {
        let before = self.layers.insert(name.to_owned(), record);
        let same = before.is_none_or(|before| before.diff_id == record.diff_id);
        once(same && !self.documents.contains_key(name))
    }

    /// Adds a link; one that says something else than a file of its name is never asked.
    pub(super) fn link(&mut self, name: String, target: String) {
        self.links.insert(name, target);
    }

    /// Returns bytes of all documents.
    pub(super) fn document_bytes(&self) -> u64 {
        self.size
    }

    /// Returns every image; none when nothing here speaks of images.
    pub(super) fn images(
        &self,
        place: &str,
        store: &BlobStore,
    ) -> Result<Vec<BundledImage>, ImagesError> {
        let mut assembly = Assembly {
            parts: self,
            place,
            store,
            images: BTreeMap::new(),
            contents: None,
        };
        let mut spoken = false;
        for (name, document) in &self.documents {
            match name::file(name) {
                "manifest.json" => {
                    spoken = true;
                    assembly.contents = self.contents(name);
                    assembly.saved(name, &document.bytes)?;
                }
                "index.json" => {
                    spoken = true;
                    assembly.contents = self.contents(name);
                    let index = assembly.parse(name, &document.bytes)?;
                    assembly.index(name::folder(name), name, &index, &BTreeSet::new(), 0)?;
                }
                _ => {}
            }
        }
        let ours = |name: &String| name::is_layer(name) || name::blob(name).is_some();
        if !spoken && (self.layers.keys().any(ours) || self.documents.contains_key("repositories"))
        {
            return Err(assembly.incomplete("neither `manifest.json` nor `index.json` is in it"));
        }
        Ok(assembly.images.into_values().collect())
    }

    /// Returns what our own archives say of themselves, beside one of their lists.
    fn contents(&self, list: &str) -> Option<Contents> {
        let path = name::join(name::folder(list), CONTENTS).ok()?;
        serde_json::from_slice(&self.documents.get(&path)?.bytes).ok()
    }

    /// Follows links to what is there under a name.
    fn resolve<'n>(&'n self, name: &'n str) -> &'n str {
        let mut name = name;
        for _ in 0..LINKS {
            if self.layers.contains_key(name) || self.documents.contains_key(name) {
                break;
            }
            match self.links.get(name) {
                Some(target) => name = target,
                None => break,
            }
        }
        name
    }
}

fn once(same: bool) -> Result<(), String> {
    if same {
        Ok(())
    } else {
        Err("it comes twice with different content".to_owned())
    }
}

/// Images as they are put together, by id.
struct Assembly<'a> {
    parts: &'a Parts,
    place: &'a str,
    store: &'a BlobStore,
    images: BTreeMap<String, BundledImage>,
    contents: Option<Contents>,
}

impl Assembly<'_> {
    /// Takes the images of a `manifest.json`.
    fn saved(&mut self, name: &str, bytes: &[u8]) -> Result<(), ImagesError> {
        let folder = name::folder(name);
        let all: Vec<Saved> = self.parse(name, bytes)?;
        for saved in all {
            let within = |part: &str| {
                name::join(folder, part).map_err(|why| ImagesError::Refused {
                    place: format!("{} > {name}", self.place),
                    detail: format!("it names `{part}`: {why}"),
                })
            };
            let config = within(&saved.config)?;
            let layers: Vec<String> = saved
                .layers
                .iter()
                .map(|layer| within(layer))
                .collect::<Result<_, _>>()?;
            let names = saved.repo_tags.unwrap_or_default().into_iter().collect();
            self.image(name, &config, &layers, names)?;
        }
        Ok(())
    }

    /// Takes the images of an index, and of indexes in it.
    fn index(
        &mut self,
        folder: &str,
        name: &str,
        index: &ImageIndex,
        names: &BTreeSet<String>,
        depth: usize,
    ) -> Result<(), ImagesError> {
        if depth > DEEPEST {
            return Err(self.damaged(name, "indexes lie in each other too deep"));
        }
        // An index for several platforms may be whole with one of them.
        let alone = index.manifests().len() == 1 || depth == 0;
        for descriptor in index.manifests() {
            let mut names = names.clone();
            names.extend(names_of(descriptor));
            let path = self.blob(folder, name, descriptor)?;
            let Some(document) = self.parts.documents.get(self.parts.resolve(&path)) else {
                if alone {
                    return Err(self.missing(name, &path));
                }
                continue;
            };
            if document.bytes.len() as u64 != descriptor.size() {
                return Err(self.damaged(name, &format!("it gives another size for `{path}`")));
            }
            let value: serde_json::Value = self.parse(&path, &document.bytes)?;
            if value.get("manifests").is_some() {
                let inner = self.parse(&path, &document.bytes)?;
                self.index(folder, &path, &inner, &names, depth + 1)?;
            } else if value.get("layers").is_some() && !is_attestation(descriptor) {
                let manifest: ImageManifest = self.parse(&path, &document.bytes)?;
                let config = self.blob(folder, &path, manifest.config())?;
                let layers = manifest.layers().iter();
                let layers: Vec<String> = layers
                    .map(|layer| self.blob(folder, &path, layer))
                    .collect::<Result<_, _>>()?;
                if depth > 0 && layers.iter().any(|layer| !self.has_layer(layer)) {
                    continue;
                }
                self.image(&path, &config, &layers, names)?;
            }
        }
        Ok(())
    }

    fn has_layer(&self, path: &str) -> bool {
        self.parts.layers.contains_key(self.parts.resolve(path))
    }

    /// Adds an image, everything about it checked.
    fn image(
        &mut self,
        manifest: &str,
        config: &str,
        layers: &[String],
        names: BTreeSet<String>,
    ) -> Result<(), ImagesError> {
        let path = self.parts.resolve(config);
        let Some(document) = self.parts.documents.get(path) else {
            return Err(self.missing(manifest, config));
        };
        if name::config(config).is_some_and(|stated| stated != document.digest) {
            return Err(self.damaged(config, "its content is not what its name says"));
        }
        let parsed: Config = self.parse(config, &document.bytes)?;
        if parsed.rootfs.diff_ids.len() != layers.len() {
            let detail = format!(
                "`{manifest}` lists {} layers and its configuration {}",
                layers.len(),
                parsed.rootfs.diff_ids.len()
            );
            return Err(self.damaged(config, &detail));
        }
        let mut found = Vec::with_capacity(layers.len());
        for (layer, diff_id) in layers.iter().zip(&parsed.rootfs.diff_ids) {
            let record = match self.parts.layers.get(self.parts.resolve(layer)) {
                Some(record) => *record,
                None => self.left_out(manifest, layer, diff_id)?,
            };
            if record.diff_id != *diff_id {
                let detail =
                    format!("its content is not the layer {diff_id} that the image is made of");
                return Err(self.damaged(layer, &detail));
            }
            found.push(BundledLayer {
                diff_id: diff_id.to_string(),
                size: record.size,
                packed: record.zstd.size,
            });
        }
        self.store.put(&document.bytes)?;
        let image = BundledImage {
            id: document.digest.to_string(),
            names: Vec::new(),
            architecture: parsed.architecture,
            os: parsed.os,
            created: parsed.created,
            config_size: document.bytes.len() as u64,
            layers: found,
        };
        let image = self.images.entry(image.id.clone()).or_insert(image);
        let sound = names
            .into_iter()
            .filter(|name| ImageRef::parse(name).is_ok());
        image.names.extend(sound);
        image.names.sort();
        image.names.dedup();
        Ok(())
    }

    /// Returns a layer that the archive says it leaves out, from the store.
    fn left_out(
        &self,
        manifest: &str,
        layer: &str,
        diff_id: &Digest,
    ) -> Result<LayerRecord, ImagesError> {
        let Some(contents) = &self.contents else {
            return Err(self.missing(manifest, layer));
        };
        if !contents.left_out().contains(diff_id) {
            return Err(self.missing(manifest, layer));
        }
        self.store
            .layer(diff_id)
            .ok_or_else(|| ImagesError::NeedsBase {
                place: self.place.to_owned(),
                base: contents.base(),
            })
    }

    /// Returns where the blob of a descriptor lies.
    fn blob(
        &self,
        folder: &str,
        name: &str,
        descriptor: &Descriptor,
    ) -> Result<String, ImagesError> {
        let digest = descriptor.digest().to_string();
        let Some(digest) = Digest::parse(&digest) else {
            return Err(self.damaged(
                name,
                &format!("it names `{digest}`, which is no SHA-256 digest"),
            ));
        };
        let path = format!("blobs/sha256/{}", digest.hex());
        name::join(folder, &path).map_err(|why| self.damaged(name, why))
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<T, ImagesError> {
        serde_json::from_slice(bytes).map_err(|error| self.damaged(name, &error.to_string()))
    }

    fn damaged(&self, name: &str, detail: &str) -> ImagesError {
        ImagesError::Damaged {
            place: format!("{} > {name}", self.place),
            detail: detail.to_owned(),
        }
    }

    fn missing(&self, by: &str, name: &str) -> ImagesError {
        self.incomplete(&format!("`{by}` names `{name}`, which is not in it"))
    }

    fn incomplete(&self, detail: &str) -> ImagesError {
        ImagesError::Incomplete {
            place: self.place.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

/// Returns the full names that an index gives; a tag alone is none.
fn names_of(descriptor: &Descriptor) -> impl Iterator<Item = String> + use<> {
    let annotations = descriptor.annotations().clone().unwrap_or_default();
    NAMES
        .into_iter()
        .filter_map(move |key| annotations.get(key).cloned())
        .filter(|name| name.contains([':', '/']))
        .map(|name| short(&name))
}

/// Returns a name as Docker shows it.
fn short(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_owned()
}

fn is_attestation(descriptor: &Descriptor) -> bool {
    let annotations = descriptor.annotations().as_ref();
    annotations.is_some_and(|all| all.contains_key("vnd.docker.reference.type"))
}
