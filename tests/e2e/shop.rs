//! A registry at the customer's site that wants a login, with the old release in it.

use secrecy::SecretString;
use syntho_installer::rehearsal::Registry;
use syntho_installer::rehearsal::images::{self, Release};
use toml::{Table, Value};

use crate::site::{Site, engine, release, section, tell};

/// The registry and how its images are called.
pub struct Shop {
    registry: Registry,
    refs: Vec<(&'static str, String)>,
}

impl Shop {
    pub const USER: &'static str = "robot";
    pub const PASSWORD: &'static str = "CANARY reg'istry $word";

    /// Starts it and fills it.
    pub fn open(site: &Site) -> Self {
        let image = images::ensure_registry(engine(), &tell)
            .unwrap()
            .to_string();
        let password = SecretString::from(Self::PASSWORD);
        let registry = site.fleet.registry(&image, Self::USER, password).unwrap();
        let images = release(Release::Old);
        registry.stock(&images).unwrap();
        let mut refs = Vec::new();
        for image in images {
            let short = image.rsplit('/').next().unwrap().to_owned();
            // The others follow from the registry's name.
            let named = ["postgres", "redis"]
                .into_iter()
                .find(|id| short.starts_with(id));
            refs.extend(named.map(|id| (id, format!("{}/{short}", registry.name()))));
        }
        Self { registry, refs }
    }

    /// Returns how it calls the image of the database or of Redis.
    pub fn image(&self, id: &str) -> String {
        let mut refs = self.refs.iter();
        refs.find(|(name, _)| *name == id).unwrap().1.clone()
    }

    /// Returns its name as this machine reaches it.
    pub fn at(&self) -> String {
        format!("{}:5000", self.registry.address())
    }

    /// Returns the file with the certificate of its authority.
    pub fn ca(&self) -> &str {
        self.registry.ca().as_str()
    }

    /// Makes it the source of the images.
    pub fn put_into(&self, answers: &mut Table) {
        let images = section(answers, "images");
        images.insert("source".into(), "registry".into());
        images.insert("registry".into(), self.registry.name().into());
        images.insert("username".into(), self.registry.username().into());
        let refs = section(images, "refs");
        for (id, reference) in &self.refs {
            refs.insert((*id).into(), Value::from(reference.as_str()));
        }
    }
}
