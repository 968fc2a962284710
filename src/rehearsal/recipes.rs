//! The recipes that the binary carries: how the engine is fetched and the images are built.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::error::RehearsalError;
use crate::model::text::hexadecimal;

/// Everything under `assets/rehearsal`.
#[derive(RustEmbed)]
#[folder = "assets/rehearsal"]
struct Recipes;

/// One recipe written out to disk: a folder of scripts, or the context of an image build.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// The folder it was written to.
    pub(crate) folder: Utf8PathBuf,
    /// Twelve hex digits that change whenever the recipe does.
    pub(crate) digest: String,
}

impl Recipe {
    /// Writes the recipe `name`, such as `vm`, below `cache`, once per content.
    pub(crate) fn write_out(cache: &Utf8Path, name: &str) -> Result<Self, RehearsalError> {
        let prefix = format!("{name}/");
        let mut files: Vec<(String, Vec<u8>)> = Recipes::iter()
            .filter(|path| path.starts_with(&prefix))
            .filter_map(|path| {
                Some((
                    path[prefix.len()..].to_owned(),
                    Recipes::get(&path)?.data.into_owned(),
                ))
            })
            .collect();
        files.sort();
        if files.is_empty() {
            return Err(RehearsalError::Spec {
                reason: format!("there is no recipe `{name}`"),
            });
        }
        let digest = digest(&files);
        let folder = cache
            .join("recipes")
            .join(format!("{}-{digest}", name.replace('/', "-")));
        if !folder.exists() {
            let fresh = cache
                .join("recipes")
                .join(format!(".{digest}-{}", std::process::id()));
            for (path, content) in &files {
                let path = fresh.join(path);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(path, content)?;
            }
            // Somebody else may have written the same one meanwhile.
            if fs::rename(&fresh, &folder).is_err() {
                fs::remove_dir_all(&fresh)?;
            }
        }
        Ok(Self { folder, digest })
    }
}

fn digest(files: &[(String, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (path, content) in files {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(content);
        hash.update([0]);
    }
    short_hex(&hash.finalize())
}

/// Returns the first twelve hex digits of a digest.
pub(crate) fn short_hex(digest: &[u8]) -> String {
    hexadecimal(digest.get(..6).unwrap_or(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_written_once_and_its_digest_follows_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        let first = Recipe::write_out(cache, "vm").unwrap();
        assert!(first.folder.join("Dockerfile").exists());
        assert!(
            first
                .folder
                .join("files/usr/local/lib/vm/setup.sh")
                .exists()
        );
        assert_eq!(Recipe::write_out(cache, "vm").unwrap().digest, first.digest);
        assert_ne!(
            digest(&[("a".into(), vec![1])]),
            digest(&[("a".into(), vec![2])])
        );
    }

    #[test]
    fn an_unknown_recipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        assert!(Recipe::write_out(cache, "nothing").is_err());
    }
}
