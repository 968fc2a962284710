//! Contents and credentials of a run, as [`Resolved`] holds them.

use secrecy::{ExposeSecret, SecretString};

use super::action::{Material, Materials};
use super::delivery::Delivery;
use crate::images::matching;
use crate::model::bundle::BundledImage;
use crate::model::ids::{HostName, StackId};
use crate::model::image::ImageRef;
use crate::model::resolved::{PlacedStack, Resolved};
use crate::transport::{Input, RegistryLogin};

/// The secret that logs in to the registry.
const REGISTRY_PASSWORD: &str = "registry-password";

/// Gives actions what [`Resolved`] holds, and the way from archives to hosts.
#[derive(Debug, Clone, Copy)]
pub struct FromResolved<'a>(pub &'a Resolved, pub Option<&'a Delivery>);

impl FromResolved<'_> {
    fn stack(&self, host: &HostName, stack: &StackId) -> Option<&PlacedStack> {
        self.0
            .stacks
            .iter()
            .find(|placed| placed.host == *host && placed.id == *stack)
    }
}

impl Materials for FromResolved<'_> {
    fn file(&self, host: &HostName, stack: &StackId, path: &str) -> Option<Material> {
        let stack = self.stack(host, stack)?;
        let file = stack.files.iter().find(|file| file.path == path)?;
        let content = if file.secret {
            Input::Secret(file.content.clone())
        } else {
            Input::Bytes(file.content.expose_secret().as_bytes().to_vec())
        };
        Some(Material {
            content,
            masked: file.masked.clone(),
        })
    }

    fn registry_login(&self) -> Option<RegistryLogin> {
        let account = self.0.registry.as_ref()?;
        let id = REGISTRY_PASSWORD.parse().ok()?;
        Some(RegistryLogin {
            registry: account.host.clone(),
            username: account.username.clone()?,
            password: self.0.secrets.get(&id)?.clone(),
        })
    }

    fn bundled(&self, reference: &ImageRef, architecture: &str) -> Option<BundledImage> {
        matching::find(&self.0.bundled, reference, Some(architecture)).cloned()
    }

    fn delivery(&self) -> Option<&Delivery> {
        self.1
    }

    fn environment(&self, host: &HostName, stack: &StackId) -> Option<Vec<(String, SecretString)>> {
        Some(self.stack(host, stack)?.environment.clone())
    }
}
