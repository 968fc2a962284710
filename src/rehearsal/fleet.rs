//! A set of VMs on a network of their own: brought up together, taken down together, and never left behind.
//!
//! Everything that belongs to a fleet carries its name and its owner's process as labels. Whoever brings up a fleet first removes
//! those whose owner has died.

mod leftovers;
mod up;

use std::net::Ipv4Addr;

use camino::{Utf8Path, Utf8PathBuf};
use ipnet::Ipv4Net;

use super::engine::{Docker, Engine, Tell};
use super::error::RehearsalError;
use super::network;
use super::spec::{FleetSpec, Keep};
use super::vm::Vm;

/// A running fleet; taken down when dropped unless it is to be kept.
#[derive(Debug)]
pub struct Fleet {
    pub(crate) docker: Docker,
    pub(crate) cache: Utf8PathBuf,
    pub(crate) folder: Utf8PathBuf,
    pub(crate) name: String,
    pub(crate) subnet: Ipv4Net,
    pub(crate) labels: Vec<String>,
    pub(crate) vms: Vec<Vm>,
    keep: Keep,
}

impl Fleet {
    /// Brings up a fleet and waits until SSH and Docker answer on every VM.
    ///
    /// # Errors
    /// When an image cannot be built, no subnet is free, or a VM does not boot; nothing is left behind then.
    pub fn up(engine: &Engine, spec: &FleetSpec, tell: Tell<'_>) -> Result<Self, RehearsalError> {
        up::up(engine, spec, tell)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its VMs in the order they were asked for.
    #[must_use]
    pub fn vms(&self) -> &[Vm] {
        &self.vms
    }

    /// Returns one VM.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn vm(&self, name: &str) -> Result<&Vm, RehearsalError> {
        let found = self.vms.iter().find(|vm| vm.name() == name);
        found.ok_or_else(|| RehearsalError::UnknownVm {
            name: name.to_owned(),
        })
    }

    /// Returns the network that the VMs share.
    #[must_use]
    pub fn subnet(&self) -> Ipv4Net {
        self.subnet
    }

    /// Returns the address of the machine below, as the VMs see it.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        network::gateway(self.subnet)
    }

    /// Returns the folder with the fleet's key pair and `known_hosts`.
    #[must_use]
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Returns the private key that every user of every VM accepts.
    #[must_use]
    pub fn private_key(&self) -> Utf8PathBuf {
        self.folder.join("id_ed25519")
    }

    /// Returns the `known_hosts` file with every VM's host key, by address and by name.
    #[must_use]
    pub fn known_hosts(&self) -> Utf8PathBuf {
        self.folder.join("known_hosts")
    }

    /// Takes the fleet down: VMs, volumes, network and keys.
    ///
    /// # Errors
    /// When something of it could not be removed.
    pub fn down(mut self) -> Result<(), RehearsalError> {
        // Nothing is left for `drop`.
        self.keep = Keep::Yes;
        leftovers::remove(&self.docker, &self.cache, &self.name)
    }

    /// Takes down the fleet of this name, whoever brought it up.
    ///
    /// # Errors
    /// When something of it could not be removed.
    pub fn take_down(engine: &Engine, name: &str) -> Result<(), RehearsalError> {
        leftovers::remove(engine.docker(), engine.cache(), name)
    }

    /// Removes the fleets whose owner has died, and returns their names.
    ///
    /// # Errors
    /// When something of them could not be removed.
    pub fn sweep(engine: &Engine) -> Result<Vec<String>, RehearsalError> {
        leftovers::sweep(engine.docker(), engine.cache())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if self.keep == Keep::No
            && let Err(error) = leftovers::remove(&self.docker, &self.cache, &self.name)
        {
            tracing::warn!(fleet = self.name, %error, "a rehearsal was not taken down");
        }
    }
}
