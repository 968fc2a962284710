//! The archive itself: lists first, then every blob once.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use camino::Utf8PathBuf;
use serde_json::json;

use super::split::{self, Output};
use super::{Audience, Order, Plan};
use crate::images::blobs::BlobStore;
use crate::images::bundle::CONTENTS;
use crate::images::client::{RemoteImage, Told};
use crate::images::{Digest, ImagesError};
use crate::model::image::{ImageRef, canonical};

/// How much is moved in one go.
const CHUNK: usize = 256 << 10;

/// Writes the archive; returns its files and their size.
pub(super) fn write(
    plan: &Plan,
    order: &Order<'_>,
    store: &BlobStore,
    audience: &dyn Audience,
) -> Result<(Vec<Utf8PathBuf>, u64), ImagesError> {
    let unwritable = |source: io::Error| ImagesError::Unwritable {
        path: order.output.to_owned(),
        source: split::plain(source),
    };
    audience.writes(plan.layers().iter().map(|layer| layer.size).sum());
    let mut output = Output::begin(order.output, order.split).map_err(unwritable)?;
    let filled = documents(plan, &mut output)
        .map_err(unwritable)
        .and_then(|()| layers(plan, store, &mut output, audience, &unwritable));
    match filled {
        Ok(()) => output.finish().map_err(unwritable),
        Err(error) => {
            output.abandon();
            Err(error)
        }
    }
}

/// Writes the layers, and the archive's end.
fn layers(
    plan: &Plan,
    store: &BlobStore,
    output: &mut Output,
    audience: &dyn Audience,
    unwritable: &dyn Fn(io::Error) -> ImagesError,
) -> Result<(), ImagesError> {
    let mut buffer = vec![0; CHUNK];
    for layer in plan.layers() {
        let (file, size) = store.blob(&layer.digest)?;
        let mut file = file.take(size);
        head(output, &path_of(&layer.digest), size).map_err(unwritable)?;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            if audience.stopped() {
                return Err(ImagesError::Cancelled);
            }
            output.write_all(&buffer[..count]).map_err(unwritable)?;
            audience.hear(Told::Moved(count as u64));
        }
        pad(output, size).map_err(unwritable)?;
    }
    output.write_all(&[0; 1024]).map_err(unwritable)
}

/// Writes the lists, and the manifests and configurations that they name.
fn documents(plan: &Plan, output: &mut Output) -> io::Result<()> {
    file(output, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    file(output, CONTENTS, &serde_json::to_vec(&plan.contents)?)?;
    let images: Vec<&RemoteImage> = plan.images.iter().map(|(_, image)| image).collect();
    let index: Vec<_> = images.iter().map(|image| described(image)).collect();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": index,
    });
    file(output, "index.json", index.to_string().as_bytes())?;
    let saved: Vec<_> = images.iter().map(|image| saved(image)).collect();
    file(output, "manifest.json", json!(saved).to_string().as_bytes())?;
    let mut written = BTreeSet::new();
    for document in images
        .iter()
        .flat_map(|image| [&image.manifest, &image.config])
    {
        let digest = Digest::of(document);
        if written.insert(digest) {
            file(output, &path_of(&digest), document)?;
        }
    }
    Ok(())
}

/// Returns an image as the OCI layout lists it.
fn described(image: &RemoteImage) -> serde_json::Value {
    json!({
        "mediaType": image.media_type,
        "digest": Digest::of(&image.manifest),
        "size": image.manifest.len(),
        "platform": {"architecture": image.platform.architecture, "os": image.platform.os},
        "annotations": {
            "io.containerd.image.name": full_name(&image.reference),
            "org.opencontainers.image.ref.name": image.reference.tag().unwrap_or("latest"),
        },
    })
}

/// Returns an image as `docker save` lists it.
fn saved(image: &RemoteImage) -> serde_json::Value {
    let layers: Vec<String> = image
        .layers
        .iter()
        .map(|layer| path_of(&layer.digest))
        .collect();
    json!({
        "Config": path_of(&Digest::of(&image.config)),
        "RepoTags": [tagged(&image.reference)],
        "Layers": layers,
    })
}

/// Returns the name that an image is loaded under; a digest is not part of it.
fn tagged(reference: &ImageRef) -> String {
    let name = reference.to_string();
    let name = name.split('@').next().unwrap_or(&name);
    canonical(name)
}

/// Returns the name as containerd has it, with the registry that Docker leaves unsaid.
fn full_name(reference: &ImageRef) -> String {
    let name = tagged(reference);
    match (reference.registry(), reference.repository().contains('/')) {
        (Some(_), _) => name,
        (None, true) => format!("docker.io/{name}"),
        (None, false) => format!("docker.io/library/{name}"),
    }
}

fn path_of(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn file(output: &mut Output, path: &str, content: &[u8]) -> io::Result<()> {
    head(output, path, content.len() as u64)?;
    output.write_all(content)?;
    pad(output, content.len() as u64)
}

fn head(output: &mut Output, path: &str, size: u64) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_path(path)?;
    header.set_size(size);
    header.set_mode(0o644);
    // The same images give the same archive.
    header.set_mtime(0);
    header.set_cksum();
    output.write_all(header.as_bytes())
}

fn pad(output: &mut Output, size: u64) -> io::Result<()> {
    let zeros = [0; 512];
    let count = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
    output.write_all(&zeros[..count])
}
