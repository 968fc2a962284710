//! Builds the images of the rehearsal: a Debian base from packages, and what stands on it.

use std::time::Duration;

use super::lock::Lock;
use super::{Engine, Tell, as_root};
use crate::rehearsal::call::Call;
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::recipes::Recipe;
use crate::rehearsal::spec::InnerEngine;

/// The Debian release below every image; 12 because its systemd also runs where control groups are of the first version.
const SUITE: &str = "bookworm";
/// How long one image may take; the first one waits for downloads.
const BUILD: Duration = Duration::from_mins(20);

impl Engine {
    /// Returns the Debian base image, made first when it is not there yet.
    ///
    /// On Debian it is bootstrapped from the machine's own mirror. Elsewhere that mirror has no Debian packages, so the official
    /// image is pulled; without debootstrap as well.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ensure_base(&self, tell: Tell<'_>) -> Result<String, RehearsalError> {
        let image = format!("syntho-rehearsal/debian:{SUITE}");
        let _lock = Lock::take(&self.cache.join("base.lock"))?;
        if self.has_image(&image)? {
            return Ok(image);
        }
        let made = if can_bootstrap()? {
            self.bootstrap(&image, tell)
        } else {
            self.pull(&image, tell)
        };
        made.map_err(|error| RehearsalError::NoBase {
            reason: error.to_string(),
        })?;
        Ok(image)
    }

    fn bootstrap(&self, image: &str, tell: Tell<'_>) -> Result<(), RehearsalError> {
        tell("building the Debian base image from packages");
        let recipe = Recipe::write_out(&self.cache, "engine")?;
        let made = as_root("sh")
            .args([recipe.folder.join("base.sh").as_str(), SUITE])
            .limit(BUILD);
        made.pipe_into(&self.docker.call(["import", "-", image]).limit(BUILD))
            .map(drop)
    }

    fn pull(&self, image: &str, tell: Tell<'_>) -> Result<(), RehearsalError> {
        tell("pulling the Debian base image");
        let official = format!("debian:{SUITE}-slim");
        self.docker
            .call(["pull", "--quiet", &official])
            .limit(BUILD)
            .output()?;
        self.docker
            .call(["tag", &official, image])
            .output()
            .map(drop)
    }

    /// Returns the image of a VM, built first when its recipe is new.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn ensure_vm_image(
        &self,
        inner: InnerEngine,
        tell: Tell<'_>,
    ) -> Result<String, RehearsalError> {
        let recipe = Recipe::write_out(&self.cache, "vm")?;
        let kind = inner.as_str();
        let image = format!("syntho-rehearsal/vm:{kind}-{}", recipe.digest);
        if self.has_image(&image)? {
            return Ok(image);
        }
        let base = self.ensure_base(tell)?;
        let _lock = Lock::take(&self.cache.join(format!("vm-{kind}.lock")))?;
        if !self.has_image(&image)? {
            tell("building the image of the virtual machines");
            self.build(&recipe, &image, &[("base", &base), ("engine", kind)])?;
        }
        Ok(image)
    }

    /// Builds `recipe` as `image`, with the machine's network, so that its package mirror and proxies serve.
    pub(crate) fn build(
        &self,
        recipe: &Recipe,
        image: &str,
        arguments: &[(&str, &str)],
    ) -> Result<(), RehearsalError> {
        let arguments = arguments
            .iter()
            .flat_map(|(name, value)| ["--build-arg".to_owned(), format!("{name}={value}")]);
        self.docker
            .call(["build", "--quiet", "--network", "host", "--tag", image])
            .args(arguments)
            .arg(recipe.folder.as_str())
            // The classic builder needs no plugin and no image of its own.
            .env("DOCKER_BUILDKIT", "0")
            .limit(BUILD)
            .output()
            .map(drop)
    }

    /// Returns whether the engine holds `image`.
    pub(crate) fn has_image(&self, image: &str) -> Result<bool, RehearsalError> {
        Ok(self
            .docker
            .call(["image", "inspect", "--format", "{{.Id}}", image])
            .run()?
            .ok())
    }
}

/// Returns whether a Debian can be bootstrapped here: the machine's own mirror has its packages, the tool is
/// installed, and there is a way to root's rights.
fn can_bootstrap() -> Result<bool, RehearsalError> {
    let release = fs_err::read_to_string("/etc/os-release").unwrap_or_default();
    let debian = release.lines().any(|line| line == "ID=debian");
    let search = Call::new("sh").args(["-c", "PATH=$PATH:/usr/sbin:/sbin; command -v debootstrap && { [ \"$(id -u)\" = 0 ] || command -v sudo; }"]);
    Ok(debian && search.run()?.ok())
}
