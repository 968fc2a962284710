//! Which stand-in images there are, what each stands on, and what is fetched for it.

use super::super::error::RehearsalError;
use super::{Product, Release};
use crate::model::image::ImageRef;

/// What an image is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// The Debian base of the fleet.
    Debian,
    /// Another image of this table.
    Image(&'static str),
}

/// Python packages that a recipe unpacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packages {
    /// How they are installed; see `pip/fetch.sh`.
    pub(super) kind: &'static str,
    /// Where.
    pub(super) path: &'static str,
    /// What, as arguments of pip.
    pub(super) wanted: &'static [&'static str],
}

/// One image: its name and how it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StandIn {
    /// Its name and tag.
    pub(super) image: &'static str,
    /// The recipe's folder.
    pub(super) folder: &'static str,
    /// What it is built on.
    pub(super) below: Below,
    /// Another image that its files are taken from.
    pub(super) services: Option<&'static str>,
    /// The release written into it.
    pub(super) release: Option<&'static str>,
    /// What is fetched for it.
    pub(super) packages: Option<Packages>,
}

/// The image that fetches Python packages.
pub(super) const PIP: &str = "syntho-rehearsal/pip:3.11";
const PYTHON: &str = "syntho-rehearsal/python:3.11";
const TOOLS: &str = "syntho-rehearsal/tools:3.11";
const SERVICES: &str = "syntho-rehearsal/services:3.11";
const RAY_DEPS: &str = "syntho-rehearsal/ray-deps:3.11";
const HUB_DEPS: &str = "syntho-rehearsal/hub-deps:3.11";
const NOTEBOOK_DEPS: &str = "syntho-rehearsal/notebook-deps:3.11";
const NEXT_NOTEBOOK_DEPS: &str = "syntho-rehearsal/notebook-next:3.11";
const REGISTRY: &str = "registry:2.8.2";
const IDENTITY: &str = "syntho-rehearsal/identity:3.11";

const OLD_LAUNCHER: &str = "syntho-rehearsal/ray-launcher:1.9.0";
const NEW_LAUNCHER: &str = "syntho-rehearsal/ray-launcher:1.10.0";

const OLD_RAY: &str = "syntho.azurecr.io/syntho-ray:1.9.0";
const OLD_CORE: &str = "syntho.azurecr.io/syntho-core-api:1.9.0";
const OLD_BACKEND: &str = "syntho.azurecr.io/syntho-core-backend:1.9.0";
const OLD_FRONTEND: &str = "syntho.azurecr.io/syntho-core-frontend:1.9.0";
const OLD_HUB: &str = "syntho.azurecr.io/hub-syntho-jupyterhub:1.9.0";
const OLD_NOTEBOOK: &str = "syntho.azurecr.io/syntho-jupyterhub:1.9.0";
const NEW_RAY: &str = "syntho.azurecr.io/syntho-ray:1.10.0";
const NEW_CORE: &str = "syntho.azurecr.io/syntho-core-api:1.10.0";
const NEW_BACKEND: &str = "syntho.azurecr.io/syntho-core-backend:1.10.0";
const NEW_FRONTEND: &str = "syntho.azurecr.io/syntho-core-frontend:1.10.0";
const NEW_HUB: &str = "syntho.azurecr.io/hub-syntho-jupyterhub:1.10.0";
const NEW_NOTEBOOK: &str = "syntho.azurecr.io/syntho-jupyterhub:1.10.0";
const BROKEN_RAY: &str = "syntho.azurecr.io/syntho-ray:1.11.0";
const BROKEN_CORE: &str = "syntho.azurecr.io/syntho-core-api:1.11.0";
const BROKEN_BACKEND: &str = "syntho.azurecr.io/syntho-core-backend:1.11.0";
const BROKEN_FRONTEND: &str = "syntho.azurecr.io/syntho-core-frontend:1.11.0";
const BROKEN_HUB: &str = "syntho.azurecr.io/hub-syntho-jupyterhub:1.11.0";
const BROKEN_NOTEBOOK: &str = "syntho.azurecr.io/syntho-jupyterhub:1.11.0";

/// Every image. The long way is Ray's, so the images on it stand first: builds start in this order.
pub(super) const ALL: &[StandIn] = &[
    plain(PYTHON, "python", Below::Debian),
    plain(PIP, "pip", Below::Image(PYTHON)),
    plain(TOOLS, "tools", Below::Image(PYTHON)),
    fetched(
        plain(RAY_DEPS, "ray-deps", Below::Image(TOOLS)),
        "venv",
        "/opt/ray",
        &["-r", "requirements.txt"],
    ),
    fetched(
        plain(SERVICES, "services", Below::Image(TOOLS)),
        "lib",
        "/opt/syntho/lib",
        &["-r", "requirements.txt"],
    ),
    plain("postgres:14.5", "postgres", Below::Debian),
    plain("redis:6.2-alpine", "redis", Below::Debian),
    plain("nginx:1.26", "proxy", Below::Debian),
    plain(REGISTRY, "registry", Below::Debian),
    fetched(
        plain(IDENTITY, "identity", Below::Image(PYTHON)),
        "lib",
        "/opt/identity",
        &["-r", "requirements.txt"],
    ),
    fetched(
        released(OLD_RAY, "ray", RAY_DEPS, "1.9.0"),
        "more",
        "/opt/ray",
        &["ray==2.47.1"],
    ),
    fetched(
        released(NEW_RAY, "ray", RAY_DEPS, "1.10.0"),
        "more",
        "/opt/ray",
        &["ray==2.60.0"],
    ),
    with_services(released(OLD_CORE, "core", OLD_RAY, "1.9.0")),
    with_services(released(NEW_CORE, "core", NEW_RAY, "1.10.0")),
    released(OLD_BACKEND, "backend", SERVICES, "1.9.0"),
    released(NEW_BACKEND, "backend", SERVICES, "1.10.0"),
    released(OLD_FRONTEND, "frontend", PYTHON, "1.9.0"),
    released(NEW_FRONTEND, "frontend", PYTHON, "1.10.0"),
    released(BROKEN_RAY, "broken", NEW_RAY, "1.11.0"),
    released(BROKEN_CORE, "broken", NEW_CORE, "1.11.0"),
    released(BROKEN_BACKEND, "broken", NEW_BACKEND, "1.11.0"),
    released(BROKEN_FRONTEND, "broken", NEW_FRONTEND, "1.11.0"),
    fetched(
        plain(HUB_DEPS, "hub-deps", Below::Image(PYTHON)),
        "venv",
        "/opt/hub",
        &["-r", "requirements.txt"],
    ),
    fetched(
        plain(NOTEBOOK_DEPS, "notebook-deps", Below::Image(PYTHON)),
        "more",
        "/opt/ray",
        &["-r", "requirements.txt"],
    ),
    released(OLD_HUB, "hub", HUB_DEPS, "1.9.0"),
    fetched(
        released(NEW_HUB, "jupyterhub-next", OLD_HUB, "1.10.0"),
        "more",
        "/opt/hub",
        &["-r", "requirements.txt"],
    ),
    fetched(
        plain(
            NEXT_NOTEBOOK_DEPS,
            "jupyterhub-next",
            Below::Image(NOTEBOOK_DEPS),
        ),
        "more",
        "/opt/ray",
        &["-r", "requirements.txt"],
    ),
    with_files_of(
        NOTEBOOK_DEPS,
        released(OLD_NOTEBOOK, "notebook", OLD_RAY, "1.9.0"),
    ),
    with_files_of(
        NEXT_NOTEBOOK_DEPS,
        released(NEW_NOTEBOOK, "notebook", NEW_RAY, "1.10.0"),
    ),
    released(BROKEN_HUB, "broken", NEW_HUB, "1.11.0"),
    released(BROKEN_NOTEBOOK, "broken", NEW_NOTEBOOK, "1.11.0"),
    plain(OLD_LAUNCHER, "ray-launcher", Below::Image(OLD_RAY)),
    plain(NEW_LAUNCHER, "ray-launcher", Below::Image(NEW_RAY)),
];

const fn plain(image: &'static str, folder: &'static str, below: Below) -> StandIn {
    StandIn {
        image,
        folder,
        below,
        services: None,
        release: None,
        packages: None,
    }
}

const fn released(
    image: &'static str,
    folder: &'static str,
    below: &'static str,
    release: &'static str,
) -> StandIn {
    StandIn {
        release: Some(release),
        ..plain(image, folder, Below::Image(below))
    }
}

const fn with_services(image: StandIn) -> StandIn {
    with_files_of(SERVICES, image)
}

const fn with_files_of(other: &'static str, image: StandIn) -> StandIn {
    StandIn {
        services: Some(other),
        ..image
    }
}

const fn fetched(
    image: StandIn,
    kind: &'static str,
    path: &'static str,
    wanted: &'static [&'static str],
) -> StandIn {
    StandIn {
        packages: Some(Packages { kind, path, wanted }),
        ..image
    }
}

impl StandIn {
    /// Returns the name, parsed.
    pub(super) fn reference(&self) -> Result<ImageRef, RehearsalError> {
        ImageRef::parse(self.image).map_err(|error| RehearsalError::Spec {
            reason: error.to_string(),
        })
    }

    /// Returns whether a deployment of the release runs it: the vendor's images have the release's tag, the others serve all.
    pub(super) fn serves(&self, product: Product, tag: &str) -> bool {
        let is_step = self.image.starts_with("syntho-rehearsal/") || self.image == REGISTRY;
        !is_step && self.is_part_of(product) && self.release.is_none_or(|release| release == tag)
    }

    /// Returns whether the product runs it; by name, since what is said of an image here decides whether it is built anew.
    fn is_part_of(&self, product: Product) -> bool {
        let named = |part: &str| self.image.contains(part);
        match product {
            Product::Application => !named("jupyterhub"),
            Product::Notebooks => !(named("syntho-core-") || named("redis")),
        }
    }

    /// Returns the images that must be there before it can be built.
    pub(super) fn needs(&self) -> impl Iterator<Item = &'static str> + use<> {
        let below = match self.below {
            Below::Debian => None,
            Below::Image(image) => Some(image),
        };
        below
            .into_iter()
            .chain(self.services)
            .chain(self.packages.is_some().then_some(PIP))
    }
}

/// Returns the image of this name.
pub(super) fn named(image: &str) -> Result<&'static StandIn, RehearsalError> {
    ALL.iter()
        .find(|stand_in| stand_in.image == image)
        .ok_or_else(|| unknown(image))
}

/// Returns the registry.
pub(super) fn registry() -> Result<&'static StandIn, RehearsalError> {
    named(REGISTRY)
}

/// Returns the identity providers.
pub(super) fn identity() -> Result<&'static StandIn, RehearsalError> {
    named(IDENTITY)
}

/// Returns a release's Ray with what Ray's cluster launcher needs.
pub(super) fn launcher(release: Release) -> Result<&'static StandIn, RehearsalError> {
    named(match release {
        Release::Old => OLD_LAUNCHER,
        Release::New => NEW_LAUNCHER,
        Release::Broken => BROKEN_RAY,
    })
}

/// The error for a name that no recipe makes.
pub(super) fn unknown(image: &str) -> RehearsalError {
    RehearsalError::Spec {
        reason: format!("no recipe makes the image `{image}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_stands_behind_what_it_needs_and_has_a_name() {
        for (position, image) in ALL.iter().enumerate() {
            assert!(image.reference().is_ok(), "{}", image.image);
            for needed in image.needs() {
                let before = ALL.iter().position(|other| other.image == needed);
                assert!(
                    before.is_some_and(|before| before < position),
                    "{} needs {needed}",
                    image.image
                );
            }
        }
    }
}
