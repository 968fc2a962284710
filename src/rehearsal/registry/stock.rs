//! What a registry holds, kept for the next one: pushing packs every layer, which takes a minute on a small machine.

use sha2::{Digest, Sha256};

use super::{PUSH, Registry};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::recipes::short_hex;

/// The volumes of the engine in which stocks are kept; the rest of the name follows from the images.
const STOCK: &str = "syntho-rehearsal-stock-";
/// Lies in a stock that is whole.
const WHOLE: &str = ".whole";

impl Registry {
    /// Puts images of the rehearsal's engine into the registry under the last part of their names, such as `syntho-ray:1.9.0`.
    ///
    /// # Errors
    /// As [`Registry::push`].
    pub fn stock(&self, images: &[String]) -> Result<(), RehearsalError> {
        let kept = self.stock_name(images)?;
        if self.is_whole(&kept)? {
            return self.copy(&kept, &self.volume(), "");
        }
        for image in images {
            let name = image.rsplit('/').next().unwrap_or(image);
            self.push(image, name)?;
        }
        self.forget_other_stocks(&kept)?;
        self.docker.call(["volume", "create", &kept]).output()?;
        self.copy(&self.volume(), &kept, &format!(" && touch /to/{WHOLE}"))
    }

    /// Returns the volume for exactly these images as they are now.
    fn stock_name(&self, images: &[String]) -> Result<String, RehearsalError> {
        let ids = self
            .docker
            .call(["image", "inspect", "--format", "{{.Id}} {{.RepoTags}}"])
            .args(images)
            .output()?;
        Ok(format!("{STOCK}{}", short_hex(&Sha256::digest(ids))))
    }

    fn is_whole(&self, stock: &str) -> Result<bool, RehearsalError> {
        if !self.docker.call(["volume", "inspect", stock]).run()?.ok() {
            return Ok(false);
        }
        let look = format!("[ -e /to/{WHOLE} ]");
        let mount = format!("{stock}:/to:ro");
        Ok(self
            .docker
            .call(["run", "--rm", "--volume", &mount, "--entrypoint", "sh"])
            .args([&self.image, "-c", &look])
            .run()?
            .ok())
    }

    fn copy(&self, from: &str, to: &str, then: &str) -> Result<(), RehearsalError> {
        self.docker
            .call(["run", "--rm", "--entrypoint", "sh"])
            .args(["--volume", &format!("{from}:/from:ro")])
            .args(["--volume", &format!("{to}:/to")])
            .args([&self.image, "-c", &format!("cp -a /from/. /to/{then}")])
            .limit(PUSH)
            .output()
            .map(drop)
    }

    /// Removes the stocks of images that have changed since.
    fn forget_other_stocks(&self, kept: &str) -> Result<(), RehearsalError> {
        let filter = format!("name=^{STOCK}");
        let all = self
            .docker
            .call(["volume", "ls", "--quiet", "--filter", &filter])
            .output()?;
        for stock in all.lines().filter(|stock| *stock != kept) {
            // One that is in use stays; the next run tries again.
            self.docker.call(["volume", "rm", stock]).run()?;
        }
        Ok(())
    }
}
