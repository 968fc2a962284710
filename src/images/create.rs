//! An archive made from a registry, without Docker: fetched into the store, then written in one go.
//!
//! It is two formats in one: `docker load` of any engine since 20.10 reads `manifest.json`, newer ones and other tools the OCI layout, and both lists
//! name the same blobs, which are byte for byte those of the registry. The same images give the same archive, to the byte. Everything that was fetched
//! stays in the store, so that a run that was killed goes on there; the archive gets its name when it is whole.

mod archive;
mod split;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::blobs::{ArchiveRecord, BlobStore, Fetching, Stamp};
use super::bundle::{self, Contents, HeldImage, HeldLayer};
use super::client::{Platform, Remote, RemoteImage, Told, Wanted, Watch};
use super::{Digest, ImagesError};
use crate::model::bundle::{BundledImage, BundledLayer};
use crate::model::ids::{ImageId, PresetId};
use crate::model::image::ImageRef;

/// What to make.
#[derive(Debug)]
pub struct Order<'a> {
    /// The images, by their part in the preset.
    pub images: &'a BTreeMap<ImageId, ImageRef>,
    /// What they are made for.
    pub platform: Platform,
    /// The preset.
    pub preset: PresetId,
    /// The release.
    pub tag: Option<String>,
    /// Every preset that the images are enough for.
    pub serves: Vec<PresetId>,
    /// The archive.
    pub output: &'a Utf8Path,
    /// Bytes of one part, when it is to be split.
    pub split: Option<u64>,
    /// What the site has.
    pub without: Base,
}

/// Images that a site has.
#[derive(Debug, Default)]
pub struct Base {
    /// What they are known from, by name: archives, or lists of what archives hold.
    pub names: Vec<String>,
    /// The archives among those.
    pub archives: Vec<Utf8PathBuf>,
    /// The images.
    pub images: Vec<BundledImage>,
}

/// What was found in the registry, before anything is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Images.
    pub images: usize,
    /// Layers that belong into the archive.
    pub layers: usize,
    /// Bytes of them.
    pub size: u64,
    /// Bytes of them that are here already.
    pub here: u64,
    /// Layers left out because the site has them.
    pub left_out: usize,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The files, in order.
    pub files: Vec<Utf8PathBuf>,
    /// Bytes of them.
    pub size: u64,
    /// Its images.
    pub images: Vec<BundledImage>,
}

/// Hears what was found, and then everything else.
pub trait Audience: Watch {
    /// Another run fetches into the same store; this one waits for it.
    fn waits(&self);
    /// Hears what was found.
    fn found(&self, found: &Found);
    /// Everything is here; so many bytes are written.
    fn writes(&self, bytes: u64);
}

/// Fetches images into the store and returns them, without making an archive of them: they are known by the name of `order.output`, which is never
/// written, until the store needs their room.
///
/// # Errors
/// As [`create`].
pub fn gather(
    order: &Order<'_>,
    remote: &Remote,
    store: &Arc<BlobStore>,
    audience: &dyn Audience,
) -> Result<Vec<BundledImage>, ImagesError> {
    let _fetching = fetching(store, audience)?;
    let plan = fetch(order, remote, store, audience)?;
    let images = plan.bundled(store, &order.without);
    plan.claim(order, store)?;
    store.hold(&images)?;
    Ok(images)
}

/// Fetches images and makes an archive of them.
///
/// # Errors
/// When a registry does not give an image, something is not what its digest says, or there is no room.
pub fn create(
    order: &Order<'_>,
    remote: &Remote,
    store: &Arc<BlobStore>,
    audience: &dyn Audience,
) -> Result<Created, ImagesError> {
    let _fetching = fetching(store, audience)?;
    // A place that cannot be written to is told before hours of fetching.
    split::try_place(order.output)?;
    let plan = fetch(order, remote, store, audience)?;
    let (files, size) = archive::write(&plan, order, store, audience)?;
    let images = plan.bundled(store, &order.without);
    if let Some(first) = files.first()
        && images.iter().all(|image| store.holds(image))
    {
        bundle::remember(first, &images, store)?;
    }
    Ok(Created {
        files,
        size,
        images,
    })
}

/// Waits until nobody else fetches into the store.
fn fetching(store: &BlobStore, audience: &dyn Audience) -> Result<Fetching, ImagesError> {
    let mut waited = false;
    store.fetching(&mut || {
        if !std::mem::replace(&mut waited, true) {
            audience.waits();
        }
        !audience.stopped()
    })
}

/// Brings everything that is not in the store yet.
fn fetch(
    order: &Order<'_>,
    remote: &Remote,
    store: &Arc<BlobStore>,
    audience: &dyn Audience,
) -> Result<Plan, ImagesError> {
    let mut images = Vec::with_capacity(order.images.len());
    for (id, reference) in order.images {
        images.push((
            id.clone(),
            remote.image(reference, &order.platform, audience)?,
        ));
    }
    let plan = Plan::new(order, images);
    let found = plan.found(store);
    audience.found(&found);
    make_room(&plan, store, found.size - found.here, audience)?;
    plan.claim(order, store)?;
    let missing = plan.missing(store);
    let begun = |layer: &Wanted| layer.size.saturating_sub(store.begun(&layer.digest));
    audience.hear(Told::Total(missing.iter().map(begun).sum()));
    remote.fetch(&missing, store, audience)?;
    Ok(plan)
}

/// Makes room for what will be fetched, in both its forms.
fn make_room(
    plan: &Plan,
    store: &BlobStore,
    bytes: u64,
    audience: &dyn Audience,
) -> Result<(), ImagesError> {
    let _filling = store.fill(&mut || !audience.stopped())?;
    for (_, image) in &plan.images {
        store.put(&image.config)?;
    }
    store.make_room(bytes.saturating_mul(2))
}

/// What goes into the archive.
struct Plan {
    images: Vec<(ImageId, RemoteImage)>,
    contents: Contents,
}

impl Plan {
    fn new(order: &Order<'_>, images: Vec<(ImageId, RemoteImage)>) -> Self {
        let left_out = left_out(&images, &order.without.images);
        let held = images.iter().map(|(id, image)| held(id, image, &left_out));
        Self {
            contents: Contents {
                version: 1,
                tool: concat!("syntho-installer ", env!("CARGO_PKG_VERSION")).to_owned(),
                preset: order.preset.clone(),
                tag: order.tag.clone(),
                platform: order.platform.to_string(),
                serves: order.serves.clone(),
                images: held.collect(),
                without: if left_out.is_empty() {
                    Vec::new()
                } else {
                    order.without.names.clone()
                },
            },
            images,
        }
    }

    /// Returns the layers that belong into the archive, each once.
    fn layers(&self) -> Vec<Wanted> {
        let left_out = self.contents.left_out();
        let mut seen = BTreeSet::new();
        let mut layers = Vec::new();
        for (_, image) in &self.images {
            for layer in &image.layers {
                if !left_out.contains(&layer.diff_id) && seen.insert(layer.digest) {
                    layers.push(Wanted {
                        image: image.reference.clone(),
                        digest: layer.digest,
                        size: layer.size,
                        diff_id: layer.diff_id,
                    });
                }
            }
        }
        layers
    }

    fn missing(&self, store: &BlobStore) -> Vec<Wanted> {
        let mut layers = self.layers();
        layers.retain(|layer| store.fetched(&layer.diff_id, &layer.digest).is_none());
        // The largest first: the last one to end decides when all is done.
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.size));
        layers
    }

    fn found(&self, store: &BlobStore) -> Found {
        let layers = self.layers();
        let here = layers.iter().map(|layer| {
            if store.fetched(&layer.diff_id, &layer.digest).is_some() {
                layer.size
            } else {
                store.begun(&layer.digest).min(layer.size)
            }
        });
        Found {
            images: self.images.len(),
            layers: layers.len(),
            size: layers.iter().map(|layer| layer.size).sum(),
            here: here.sum(),
            left_out: self.contents.left_out().len(),
        }
    }

    /// Notes that what is fetched is needed, so that nobody sweeps it away before the archive is there.
    fn claim(&self, order: &Order<'_>, store: &BlobStore) -> Result<(), ImagesError> {
        store.remember(&ArchiveRecord {
            path: split::first_of(order.output, order.split)?,
            stamp: Stamp::UNWRITTEN,
            used: jiff::Timestamp::now(),
            images: self.bundled(store, &order.without),
        })
    }

    /// Returns the images as readers of archives know them.
    fn bundled(&self, store: &BlobStore, base: &Base) -> Vec<BundledImage> {
        let known: BTreeMap<&str, &BundledLayer> = base
            .images
            .iter()
            .flat_map(|image| &image.layers)
            .map(|layer| (layer.diff_id.as_str(), layer))
            .collect();
        let layer = |diff_id: &Digest| {
            let text = diff_id.to_string();
            let record = store.layer(diff_id);
            let other = known.get(text.as_str());
            let size = record
                .map(|record| record.size)
                .or(other.map(|layer| layer.size));
            let packed = record
                .map(|record| record.zstd.size)
                .or(other.map(|layer| layer.packed));
            BundledLayer {
                diff_id: text,
                size: size.unwrap_or(0),
                packed: packed.unwrap_or(0),
            }
        };
        let image = |image: &RemoteImage| BundledImage {
            id: Digest::of(&image.config).to_string(),
            names: vec![image.reference.to_string()],
            architecture: image.platform.architecture.clone(),
            os: image.platform.os.clone(),
            created: None,
            config_size: image.config.len() as u64,
            layers: image
                .layers
                .iter()
                .map(|found| layer(&found.diff_id))
                .collect(),
        };
        let mut images: Vec<BundledImage> = Vec::new();
        for one in self.images.iter().map(|(_, found)| image(found)) {
            // Two names of one image, as a reader finds them.
            match images.iter_mut().find(|other| other.id == one.id) {
                Some(other) => other.names.extend(one.names),
                None => images.push(one),
            }
        }
        for image in &mut images {
            image.names.sort();
            image.names.dedup();
        }
        images.sort_by(|one, other| one.id.cmp(&other.id));
        images
    }
}

/// Returns the layers that need not go into the archive. Docker takes a layer as there only when all below it are, so only whole stacks count; and what
/// another image needs for itself goes in.
fn left_out(images: &[(ImageId, RemoteImage)], base: &[BundledImage]) -> BTreeSet<Digest> {
    let mut out = BTreeSet::new();
    let mut needed = BTreeSet::new();
    for (_, image) in images {
        let common = |other: &BundledImage| {
            let pairs = image.layers.iter().zip(&other.layers);
            pairs
                .take_while(|(ours, theirs)| ours.diff_id.to_string() == theirs.diff_id)
                .count()
        };
        let there = base.iter().map(common).max().unwrap_or(0);
        out.extend(image.layers[..there].iter().map(|layer| layer.diff_id));
        needed.extend(image.layers[there..].iter().map(|layer| layer.diff_id));
    }
    out.retain(|layer| !needed.contains(layer));
    out
}

fn held(id: &ImageId, image: &RemoteImage, left_out: &BTreeSet<Digest>) -> HeldImage {
    let layers = image.layers.iter().map(|layer| HeldLayer {
        digest: layer.digest,
        diff_id: layer.diff_id,
        size: layer.size,
        left_out: left_out.contains(&layer.diff_id),
    });
    HeldImage {
        id: id.clone(),
        name: image.reference.to_string(),
        manifest: Digest::of(&image.manifest),
        config: Digest::of(&image.config),
        layers: layers.collect(),
    }
}
