//! Brings one image to a host, or makes sure that it is there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Context, Materials, Rights};
use crate::engine::compose::DEPLOYMENT_LABEL;
use crate::model::answers::ImageSource;
use crate::model::bundle::BundledImage;
use crate::model::docker::{ImageFacts, LayerProgress};
use crate::model::ids::{HostName, ImageId};
use crate::model::image::ImageRef;
use crate::model::plan::{ByHand, Description, Probe};
use crate::transport::{Command, ContainerFilter, Input, RegistryLogin};

mod by_hand;
mod from_bundle;

/// What one layer counts for in the progress: the first half for its download, the second for its unpacking.
const LAYER: u64 = 1000;

/// Delivers one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeliverImage {
    /// Its part in the preset.
    pub image: ImageId,
    /// Its full reference.
    pub reference: ImageRef,
    /// Where it comes from.
    pub source: ImageSource,
    /// Other repository names it is known by.
    pub aliases: Vec<String>,
    /// The host's architecture in Docker's words; images of another do not run.
    pub architecture: String,
    /// Whether the registry login stays on the host.
    pub keep_login: bool,
    /// Whose rights the login is kept with.
    pub rights: Rights,
    /// The deployment's folder on the host; what runs there by itself is kept in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// The image's id on the host, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether this run pulled it while no image had this name.
    #[serde(default)]
    pub pulled: bool,
}

impl DeliverImage {
    /// Says that no image has the name, and which one nearly does.
    fn missing(&self, images: &[ImageFacts]) -> String {
        let near: Vec<&str> = images
            .iter()
            .flat_map(|image| &image.tags)
            .filter(|tag| self.is_near(tag))
            .map(String::as_str)
            .collect();
        if near.is_empty() {
            format!(
                "image `{}` is not on the host and the answers say it is present: load it with `docker load` or choose another `source`",
                self.reference
            )
        } else {
            format!(
                "image `{}` is not on the host, but `{}` is: write `refs = {{ {} = \"{}\" }}` under `[images]` if that is it",
                self.reference,
                near.join("`, `"),
                self.image,
                near[0]
            )
        }
    }

    /// Returns whether a name is this image under another registry, tag or spelling.
    fn is_near(&self, tag: &str) -> bool {
        let Ok(other) = ImageRef::parse(tag) else {
            return false;
        };
        let last = |repository: &str| {
            repository
                .rsplit('/')
                .next()
                .unwrap_or(repository)
                .to_owned()
        };
        let name = last(other.repository());
        name == last(self.reference.repository())
            || self.aliases.iter().any(|alias| last(alias) == name)
    }

    fn wrong_architecture(&self, image: &ImageFacts) -> Option<String> {
        (image.architecture != self.architecture).then(|| {
            format!(
                "image `{}` is for {} and the host is {}",
                self.reference, image.architecture, self.architecture
            )
        })
    }

    /// Returns the image of the archives that is meant.
    fn bundled(&self, cx: &Context<'_>) -> Option<BundledImage> {
        cx.materials.bundled(&self.reference, &self.architecture)
    }

    /// Returns whether an image on the host is the archives' one; as far as they say nothing, it is.
    fn is_bundled(&self, cx: &Context<'_>, found: &ImageFacts) -> Result<bool, ActionError> {
        let Some(bundled) = self.bundled(cx) else {
            return Ok(true);
        };
        // Only layers are the same in every image store.
        Ok(bundled.is(found, false)
            || bundled.is(found, cx.host.docker()?.engine()?.containerd_store))
    }

    fn deliver(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        match (cx.materials.delivery(), self.bundled(cx)) {
            (Some(delivery), Some(image)) => from_bundle::deliver(self, cx, delivery, &image),
            _ => Err(ActionError::Situation {
                message: self.not_bundled(),
                evidence: Vec::new(),
                remedy: Some(
                    "see what the archives hold: `syntho-installer bundle inspect FILE`".to_owned(),
                ),
                command: None,
            }),
        }
    }

    fn not_bundled(&self) -> String {
        format!("image `{}` is in none of the archives", self.reference)
    }

    /// Returns the login that belongs to this image's registry.
    fn login(&self, materials: &dyn Materials) -> Option<RegistryLogin> {
        materials
            .registry_login()
            .filter(|login| self.reference.registry() == Some(login.registry.as_str()))
    }

    /// Returns whether what goes by the name is what we brought when nothing did.
    fn brought(&self, cx: &Context<'_>) -> Result<bool, ActionError> {
        if !self.pulled || self.id.is_none() {
            return Ok(false);
        }
        let found = cx.host.docker()?.image(&self.reference)?;
        Ok(found.map(|image| image.id) == self.id)
    }

    /// Returns a container that uses the image and is none of this deployment's.
    fn foreign_user(&self, cx: &Context<'_>) -> Result<Option<String>, ActionError> {
        let deployment = self.folder.rsplit('/').next().unwrap_or_default();
        let containers = cx.host.docker()?.containers(&ContainerFilter::default())?;
        let foreign = containers.into_iter().find(|container| {
            Some(&container.image_id) == self.id.as_ref()
                && container.labels.get(DEPLOYMENT_LABEL).map(String::as_str) != Some(deployment)
        });
        Ok(foreign.map(|container| container.name))
    }

    fn pull(&self, cx: &Context<'_>) -> Result<(), ActionError> {
        let login = self.login(cx.materials);
        let mut layers = Layers::default();
        cx.host
            .docker()?
            .pull(&self.reference, login.as_ref(), &mut |layer| {
                layers.note(&layer);
                let (done, total) = layers.sum();
                cx.progress.at(done, Some(total));
                cx.progress.layer(layer);
            })?;
        if let Some(login) = login.filter(|_| self.keep_login) {
            self.keep(cx, &login)?;
        }
        Ok(())
    }

    /// Leaves the login on the host, as asked; the password goes in on standard input.
    fn keep(&self, cx: &Context<'_>, login: &RegistryLogin) -> Result<(), ActionError> {
        let words = [
            "docker",
            "login",
            "--username",
            &login.username,
            "--password-stdin",
            &login.registry,
        ];
        let command = Command::program(words)?
            .with_input(Input::Secret(login.password.clone()))
            .with_privilege(self.rights.privilege());
        cx.host.must(&command)?;
        Ok(())
    }
}

/// Progress summed over layers; each layer only ever grows.
#[derive(Default)]
struct Layers(BTreeMap<String, u64>);

impl Layers {
    fn note(&mut self, layer: &LayerProgress) {
        let half = |from: u64| match (layer.done, layer.total) {
            (Some(done), Some(total)) if total > 0 => from + LAYER / 2 * done.min(total) / total,
            _ => from,
        };
        let points = match layer.status.as_str() {
            "Pulling fs layer" | "Waiting" => 0,
            "Downloading" => half(0),
            "Verifying Checksum" | "Download complete" => LAYER / 2,
            "Extracting" => half(LAYER / 2),
            "Pull complete" | "Already exists" => LAYER,
            _ => return,
        };
        let known = self.0.entry(layer.layer.clone()).or_default();
        *known = points.max(*known);
    }

    fn sum(&self) -> (u64, u64) {
        (self.0.values().sum(), LAYER * self.0.len() as u64)
    }
}

impl Action for DeliverImage {
    fn describe(&self) -> Description {
        let (summary, reason) = match self.source {
            ImageSource::Present => (
                format!("check image `{}`", self.reference),
                "the answers say it is on the host already",
            ),
            ImageSource::Registry => (
                format!("pull image `{}`", self.reference),
                "from its registry; Docker fetches only the layers it lacks",
            ),
            ImageSource::Bundle => (
                format!("deliver image `{}`", self.reference),
                "from the archives; Docker fetches only the layers it lacks",
            ),
        };
        Description {
            summary,
            reasons: vec![reason.to_owned()],
            difference: None,
        }
    }

    fn describe_revert(&self) -> Description {
        Description {
            summary: if self.pulled {
                format!(
                    "remove image `{}` unless somebody else uses it",
                    self.reference
                )
            } else {
                format!("leave image `{}`, which was there before", self.reference)
            },
            reasons: Vec::new(),
            difference: None,
        }
    }

    fn by_hand(&self, _host: &HostName, materials: &dyn Materials) -> Vec<ByHand> {
        let login = self.login(materials);
        by_hand::delivered(self, login.as_ref().map(|login| login.username.as_str()))
    }

    fn probe(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        let docker = cx.host.docker()?;
        let found = docker.image(&self.reference)?;
        let wrong = found
            .as_ref()
            .and_then(|image| self.wrong_architecture(image));
        Ok(match (self.source, found, wrong) {
            (ImageSource::Bundle, Some(found), None) if !self.is_bundled(cx, &found)? => {
                Probe::Needed
            }
            (_, Some(_), None) => Probe::AlreadySo,
            (ImageSource::Bundle, _, _) if self.bundled(cx).is_some() => Probe::Needed,
            (ImageSource::Bundle, None, _) => Probe::Conflict(self.not_bundled()),
            (ImageSource::Registry, _, _) => Probe::Needed,
            (_, Some(_), Some(wrong)) => Probe::Conflict(wrong),
            (ImageSource::Present, None, _) => Probe::Conflict(self.missing(&docker.images()?)),
        })
    }

    fn prepare(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        self.pulled = cx.host.docker()?.image(&self.reference)?.is_none();
        Ok(())
    }

    fn execute(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if self.source == ImageSource::Bundle {
            self.deliver(cx)?;
        } else {
            self.pull(cx)?;
        }
        let Some(image) = cx.host.docker()?.image(&self.reference)? else {
            return Err(ActionError::Situation {
                message: format!("image `{}` was brought and is not there", self.reference),
                evidence: Vec::new(),
                remedy: Some(
                    "check the space under Docker's folder and run the same command again"
                        .to_owned(),
                ),
                command: None,
            });
        };
        if let Some(wrong) = self.wrong_architecture(&image) {
            return Err(ActionError::Situation {
                message: wrong,
                evidence: Vec::new(),
                remedy: Some(format!(
                    "name an image for {} in `[images] refs`",
                    self.architecture
                )),
                command: None,
            });
        }
        self.id = Some(image.id);
        Ok(())
    }

    fn probe_revert(&self, cx: &Context<'_>) -> Result<Probe, ActionError> {
        Ok(if self.brought(cx)? && self.foreign_user(cx)?.is_none() {
            Probe::Needed
        } else {
            Probe::AlreadySo
        })
    }

    fn revert(&mut self, cx: &Context<'_>) -> Result<(), ActionError> {
        if !self.brought(cx)? {
            return Ok(());
        }
        if let Some(user) = self.foreign_user(cx)? {
            cx.progress.line(&format!("it stays: `{user}` uses it"));
            return Ok(());
        }
        Ok(cx.host.docker()?.untag(&self.reference)?)
    }
}

#[cfg(test)]
mod tests;
