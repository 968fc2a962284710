//! Where images come from, looked into while typing goes on: archives are read, a registry is asked.

use super::Desk;
use secrecy::SecretString;

use crate::engine::trial::{Lacking, Offer, Order, Reading};
use crate::model::facts::HostFacts;
use crate::model::ids::QuestionId;
use crate::model::secret::SecretSource;
use crate::wizard::{FieldKind, Key, Look, SecretState};

/// The secret that logs in to a registry.
const PASSWORD: &str = "registry-password";

impl Desk {
    /// Reads the image archives that the draft names, when others were named before.
    pub fn read_archives(&mut self, look: &Look) {
        let key = Key::new("images.bundle");
        let named = look.field(&key).and_then(|field| field.value.as_deref());
        let files = named.unwrap_or_default().split(',').map(str::trim);
        let files = files.filter(|file| !file.is_empty());
        let files = files.map(|file| self.locate(file).into()).collect();
        self.archives.choose(files);
    }

    /// Takes in how far the archives are read; returns whether anything was heard.
    pub fn hear_archives(&mut self) -> bool {
        self.archives.hear()
    }

    /// Returns how far the archives are read.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        self.archives.reading()
    }

    /// Returns the images that the archives lack; nothing before all of them are read.
    #[must_use]
    pub fn lacking(&self, look: &Look) -> Vec<Lacking> {
        let preset = self.wizard.preset();
        preset.map_or_else(Vec::new, |preset| {
            self.archives.lacking(preset, &look.references)
        })
    }

    /// Asks the registry that the draft names for every image, when another was named before or asked for other images.
    pub fn ask_registry(&mut self, look: &Look) {
        if self.outfit.asks_registries {
            let order = self.order(look);
            self.shopping.choose(order);
        }
    }

    /// Takes in what the registry says; returns whether anything was heard.
    pub fn hear_registry(&mut self) -> bool {
        self.shopping.hear()
    }

    /// Lets the registry say something of what is asked now.
    #[cfg(test)]
    pub(crate) fn say_of_registry(&mut self, offer: Offer) {
        let order = self.order(&self.look());
        self.shopping.say(order, offer);
    }

    /// Returns what the registry says.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        self.shopping.offer()
    }

    /// Returns what there is to ask for; nothing while that is not wholly said, or the password is not at hand.
    fn order(&self, look: &Look) -> Option<Order> {
        let said = |key: &str| {
            let field = look.field(&Key::new(key))?;
            field.trouble.is_none().then(|| field.effective())?
        };
        if said("images.source")? != "registry" || look.references.is_empty() {
            return None;
        }
        let login = match said("images.username") {
            Some(user) => Some((user.to_owned(), self.password(look)?)),
            None => None,
        };
        let mut references = look.references.values();
        let registry = said("images.registry")
            .or_else(|| references.find_map(|reference| reference.registry()))?;
        Some(Order {
            registry: registry.split('/').next().unwrap_or(registry).to_owned(),
            login,
            references: look.references.values().cloned().collect(),
            architecture: self.architecture(),
        })
    }

    /// Returns the registry's password as far as it is at hand: typed, or in the environment. No command is run and no file opened for a try.
    fn password(&self, look: &Look) -> Option<SecretString> {
        let id: QuestionId = PASSWORD.parse().ok()?;
        if let Some(typed) = self.secrets().get(&id) {
            return Some(typed.clone());
        }
        let field = look.field(&Key::secret(&id))?;
        let FieldKind::Secret(
            SecretState::InEnvironment(variable) | SecretState::From(SecretSource::Env(variable)),
        ) = &field.kind
        else {
            return None;
        };
        std::env::var(variable).ok().map(SecretString::from)
    }

    /// Returns the hosts' architecture in Docker's words; the usual one while none is known.
    fn architecture(&self) -> String {
        let mut hosts = self.wizard.draft().hosts.iter();
        let known = hosts.find_map(|host| self.wizard.facts(host.slot));
        known
            .map_or("amd64", HostFacts::docker_architecture)
            .to_owned()
    }
}
