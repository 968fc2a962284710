//! The stand-in images: under the vendor's names, with the real Ray, PostgreSQL, Redis and Celery, and small services that
//! behave like the vendor's. They let a rehearsal and the end-to-end tests deploy, upgrade and roll back without the vendor's registry.
//!
//! [`ensure`] builds what is missing on the fleet's engine, [`archive`] packs images as `docker save` does, as an engineer would
//! carry them to a site. What is in an image stands in `assets/rehearsal/images`; this module knows names, order and freshness only.
//! It never puts an image on a VM: delivering images is what the rehearsal is there to try.

mod archive;
mod build;
mod packages;
mod queue;
mod table;

use crate::model::image::ImageRef;

use self::build::Builder;
use self::table::StandIn;
use super::engine::{Engine, Tell};
use super::error::RehearsalError;

pub use self::archive::archive;

/// What a release is deployed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// The application with Ray.
    Application,
    /// JupyterHub with Ray.
    Notebooks,
}

/// A release of the stand-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Release {
    /// 1.9.0, with Ray 2.47.1: the last one that knows `--storage`.
    Old,
    /// 1.10.0, with Ray 2.60.0: the one to upgrade to.
    New,
    /// 1.11.0: every container of it ends with status 1, so an upgrade to it has to be rolled back.
    Broken,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Broken];

    /// Returns the tag of the release's images.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Old => "1.9.0",
            Self::New => "1.10.0",
            Self::Broken => "1.11.0",
        }
    }

    /// Returns all images that a deployment of the release uses: the vendor's four, the database, Redis and the TLS proxy.
    ///
    /// # Errors
    /// Never with the recipes as they are; a malformed name in them would be told.
    pub fn images(self) -> Result<Vec<ImageRef>, RehearsalError> {
        self.images_of(Product::Application)
    }

    /// Returns all images that a deployment of the release as this product uses.
    ///
    /// # Errors
    /// As [`Self::images`].
    pub fn images_of(self, product: Product) -> Result<Vec<ImageRef>, RehearsalError> {
        self.stand_ins(product).map(StandIn::reference).collect()
    }

    fn stand_ins(self, product: Product) -> impl Iterator<Item = &'static StandIn> {
        table::ALL
            .iter()
            .filter(move |image| image.serves(product, self.tag()))
    }
}

/// Makes sure that the engine holds all images of these releases of the application, and returns their names.
///
/// An image is built when it is missing, or when its recipe or anything below it has changed. Two builds run at a time.
///
/// # Errors
/// When an image cannot be built, naming it; what was built before stays.
pub fn ensure(
    engine: &Engine,
    releases: &[Release],
    tell: Tell<'_>,
) -> Result<Vec<ImageRef>, RehearsalError> {
    ensure_of(engine, Product::Application, releases, tell)
}

/// Makes sure that the engine holds all images of these releases of a product, and returns their names.
///
/// # Errors
/// As [`ensure`].
pub fn ensure_of(
    engine: &Engine,
    product: Product,
    releases: &[Release],
    tell: Tell<'_>,
) -> Result<Vec<ImageRef>, RehearsalError> {
    let mut wanted: Vec<&StandIn> = Vec::new();
    for image in releases
        .iter()
        .flat_map(|release| release.stand_ins(product))
    {
        if !wanted.contains(&image) {
            wanted.push(image);
        }
    }
    make(engine, &wanted, tell)
}

/// Makes sure that the engine holds the registry image, which no release uses, and returns its name.
///
/// # Errors
/// When it cannot be built.
pub fn ensure_registry(engine: &Engine, tell: Tell<'_>) -> Result<ImageRef, RehearsalError> {
    make_one(engine, table::registry()?, tell)
}

/// Makes sure that the engine holds the image of identity providers, which no release uses, and returns its name.
///
/// # Errors
/// When it cannot be built.
pub fn ensure_identity(engine: &Engine, tell: Tell<'_>) -> Result<ImageRef, RehearsalError> {
    make_one(engine, table::identity()?, tell)
}

/// Makes sure that the engine holds a release's Ray image with what Ray's cluster launcher needs, which no release uses, and returns its name.
///
/// # Errors
/// When it cannot be built.
pub fn ensure_launcher(
    engine: &Engine,
    release: Release,
    tell: Tell<'_>,
) -> Result<ImageRef, RehearsalError> {
    make_one(engine, table::launcher(release)?, tell)
}

fn make_one(
    engine: &Engine,
    image: &'static StandIn,
    tell: Tell<'_>,
) -> Result<ImageRef, RehearsalError> {
    make(engine, &[image], tell)?;
    image.reference()
}

fn make(
    engine: &Engine,
    wanted: &[&'static StandIn],
    tell: Tell<'_>,
) -> Result<Vec<ImageRef>, RehearsalError> {
    Builder::new(engine, tell)?.make(wanted)?;
    wanted.iter().map(|image| image.reference()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_the_images_of_a_deployment() {
        let names = |release: Release| -> Vec<String> {
            release
                .images()
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            names(Release::Old),
            [
                "postgres:14.5",
                "redis:6.2-alpine",
                "nginx:1.26",
                "syntho.azurecr.io/syntho-ray:1.9.0",
                "syntho.azurecr.io/syntho-core-api:1.9.0",
                "syntho.azurecr.io/syntho-core-backend:1.9.0",
                "syntho.azurecr.io/syntho-core-frontend:1.9.0",
            ]
        );
        assert_eq!(names(Release::New).len(), 7);
        let hub = Release::Old.images_of(Product::Notebooks).unwrap();
        assert_eq!(
            hub.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "postgres:14.5",
                "nginx:1.26",
                "syntho.azurecr.io/syntho-ray:1.9.0",
                "syntho.azurecr.io/hub-syntho-jupyterhub:1.9.0",
                "syntho.azurecr.io/syntho-jupyterhub:1.9.0",
            ]
        );
        assert_eq!(
            names(Release::Broken)
                .iter()
                .filter(|name| name.ends_with(":1.11.0"))
                .count(),
            4
        );
    }
}
