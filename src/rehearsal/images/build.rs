//! Builds what is missing or stale, and knows which that is: each image carries the digest of its recipe and of all below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest, Sha256};

use super::super::engine::{Engine, Lock, Tell};
use super::super::error::RehearsalError;
use super::super::recipes::{Recipe, short_hex};
use super::packages::{self, proxies};
use super::queue::{self, Job};
use super::table::{self, Below, Packages, StandIn};

/// How many builds run at a time: more only wait for each other's disk.
const WIDTH: usize = 2;
/// How long one build may take.
const BUILD: Duration = Duration::from_mins(15);
/// The label with the digest.
const LABEL: &str = "syntho-rehearsal.recipe";

/// Builds images on one engine; nobody else does meanwhile.
pub(super) struct Builder<'a> {
    engine: &'a Engine,
    tell: Tell<'a>,
    base: String,
    digests: BTreeMap<&'static str, String>,
    recipes: BTreeMap<&'static str, Recipe>,
    _lock: Lock,
}

impl<'a> Builder<'a> {
    /// Makes sure of the base image and works out what every image should be like.
    pub(super) fn new(engine: &'a Engine, tell: Tell<'a>) -> Result<Self, RehearsalError> {
        let lock = Lock::take(&engine.cache().join("images.lock"))?;
        let base = engine.ensure_base(tell)?;
        let base_id = engine
            .docker()
            .call(["image", "inspect", "--format", "{{.Id}}", &base])
            .output()?;
        let mut builder = Self {
            engine,
            tell,
            base,
            digests: BTreeMap::new(),
            recipes: BTreeMap::new(),
            _lock: lock,
        };
        for image in table::ALL {
            let recipe = Recipe::write_out(engine.cache(), &format!("images/{}", image.folder))?;
            let digest = builder.digest(image, &recipe, &base_id);
            builder.digests.insert(image.image, digest);
            builder.recipes.insert(image.image, recipe);
        }
        Ok(builder)
    }

    fn digest(&self, image: &StandIn, recipe: &Recipe, base_id: &str) -> String {
        let mut parts = vec![format!("{image:?}"), recipe.digest.clone()];
        if image.below == Below::Debian {
            parts.push(base_id.to_owned());
        }
        // What an image needs stands before it in the table, so their digests are known.
        parts.extend(
            image
                .needs()
                .filter_map(|needed| self.digests.get(needed).cloned()),
        );
        short_hex(&Sha256::digest(parts.join("\n")))
    }

    /// Builds those of `wanted` that are missing or stale, and what they need for it.
    pub(super) fn make(&self, wanted: &[&'static StandIn]) -> Result<(), RehearsalError> {
        let fresh = self.fresh()?;
        let mut missing = BTreeSet::new();
        let mut look: Vec<&StandIn> = wanted.to_vec();
        while let Some(image) = look.pop() {
            if !fresh.contains(image.image) && missing.insert(image.image) {
                for needed in image.needs() {
                    look.push(table::named(needed)?);
                }
            }
        }
        let jobs = table::ALL
            .iter()
            .filter(|image| missing.contains(image.image))
            .map(|image| Job {
                name: image.image,
                after: image.needs().collect(),
                work: image,
            })
            .collect();
        queue::run(jobs, WIDTH, |image| self.build(image))
    }

    /// Returns the images that are there with the digest that they should have.
    fn fresh(&self) -> Result<BTreeSet<&'static str>, RehearsalError> {
        let format =
            format!("{{{{index .Config.Labels \"{LABEL}\"}}}} {{{{join .RepoTags \" \"}}}}");
        let names = table::ALL.iter().map(|image| image.image);
        // It fails for those that are not there, and still tells of the others.
        let found = self
            .engine
            .docker()
            .call(["image", "inspect", "--format", &format])
            .args(names)
            .run()?;
        let is_fresh = |image: &&StandIn| {
            let digest = &self.digests[image.image];
            found.stdout.lines().any(|line| {
                let mut words = line.split(' ');
                words.next() == Some(digest) && words.any(|name| name == image.image)
            })
        };
        Ok(table::ALL
            .iter()
            .filter(is_fresh)
            .map(|image| image.image)
            .collect())
    }

    fn build(&self, image: &StandIn) -> Result<(), RehearsalError> {
        let started = Instant::now();
        let before = self.id(image)?;
        let contexts = self.engine.cache().join("contexts");
        fs::create_dir_all(&contexts)?;
        let fetched = tempfile::tempdir_in(&contexts)?;
        let context = match &image.packages {
            None => self.recipes[image.image].folder.clone(),
            Some(packages) => self.fetch(image, packages, fetched.path())?,
        };
        (self.tell)(&format!("building {}", image.image));
        self.engine
            .docker()
            .call(["build", "--quiet", "--force-rm", "--network", "host"])
            .args(["--tag", image.image])
            .args(["--label", &format!("{LABEL}={}", self.digests[image.image])])
            .args(self.arguments(image))
            .arg(context.as_str())
            // The classic builder needs no plugin and no image of its own.
            .env("DOCKER_BUILDKIT", "0")
            .limit(BUILD)
            .output()?;
        if !before.is_empty() && before != self.id(image)? {
            // The one it replaces has lost its name; where a container still uses it, it stays.
            self.engine.docker().call(["image", "rm", &before]).run()?;
        }
        let seconds = started.elapsed().as_secs();
        (self.tell)(&format!("built {} in {seconds} s", image.image));
        Ok(())
    }

    /// Makes a context of the recipe and what it unpacks.
    fn fetch(
        &self,
        image: &StandIn,
        wanted: &Packages,
        folder: &Path,
    ) -> Result<Utf8PathBuf, RehearsalError> {
        let recipe = &self.recipes[image.image];
        let context =
            Utf8PathBuf::try_from(folder.to_owned()).map_err(|error| RehearsalError::Spec {
                reason: error.to_string(),
            })?;
        (self.tell)(&format!("fetching the Python packages of {}", image.image));
        copy(&recipe.folder, &context)?;
        let name = format!("syntho-rehearsal-fetch-{}", self.digests[image.image]);
        packages::fetch(
            self.engine,
            recipe,
            wanted,
            &name,
            &context.join("packages.tar"),
        )?;
        Ok(context)
    }

    /// Returns the ID of the image that has the name now, or nothing.
    fn id(&self, image: &StandIn) -> Result<String, RehearsalError> {
        let found = self
            .engine
            .docker()
            .call(["image", "inspect", "--format", "{{.Id}}", image.image])
            .run()?;
        Ok(found.text().to_owned())
    }

    /// Returns the build's arguments, each behind its flag.
    fn arguments(&self, image: &StandIn) -> Vec<String> {
        let below = match image.below {
            Below::Debian => &self.base,
            Below::Image(name) => name,
        };
        let mut arguments = vec![format!("BASE={below}")];
        arguments.extend(image.services.map(|name| format!("SERVICES={name}")));
        arguments.extend(image.release.map(|release| format!("RELEASE={release}")));
        arguments.extend(proxies());
        let as_flag = |argument| ["--build-arg".to_owned(), argument];
        arguments.into_iter().flat_map(as_flag).collect()
    }
}

/// Copies a recipe, so that what was fetched can lie beside it.
fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), RehearsalError> {
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target: Utf8PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
