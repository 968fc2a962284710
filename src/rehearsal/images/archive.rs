//! Packs images into files as `docker save` does, once per content.

use std::time::Duration;

use camino::Utf8PathBuf;
use fs_err as fs;
use sha2::{Digest, Sha256};

use super::super::engine::{Engine, Lock, Tell};
use super::super::error::RehearsalError;
use super::super::recipes::short_hex;
use crate::model::image::ImageRef;

/// How long saving may take.
const SAVE: Duration = Duration::from_mins(10);

/// Returns a tar archive with these images, made when there is none with just them yet; one image or a whole release.
///
/// It is called `NAME-DIGEST.tar` in the folder `archives` of the engine's cache. The file is shared: copy it before changing it.
///
/// # Errors
/// When an image is not there, or the disk is full.
pub fn archive(
    engine: &Engine,
    name: &str,
    images: &[ImageRef],
    tell: Tell<'_>,
) -> Result<Utf8PathBuf, RehearsalError> {
    if images.is_empty() {
        return Err(RehearsalError::Spec {
            reason: format!("the archive `{name}` would have no images"),
        });
    }
    let mut names: Vec<String> = images.iter().map(ToString::to_string).collect();
    names.sort();
    let docker = engine.docker();
    let ids = docker
        .call(["image", "inspect", "--format", "{{.Id}}"])
        .args(&names)
        .output()?;
    let digest = short_hex(&Sha256::digest(format!("{ids}\n{}", names.join("\n"))));
    let folder = engine.cache().join("archives");
    fs::create_dir_all(&folder)?;
    let _lock = Lock::take(&folder.join("lock"))?;
    let file = folder.join(format!("{name}-{digest}.tar"));
    if !file.exists() {
        tell(&format!("packing {} images into {file}", names.len()));
        // Docker writes to a file beside it and renames; it is ours to rename again, so a half one never has the name.
        let part = file.with_extension("part");
        docker
            .call(["save", "--output", part.as_str()])
            .args(&names)
            .limit(SAVE)
            .output()?;
        fs::rename(&part, &file)?;
    }
    Ok(file)
}
