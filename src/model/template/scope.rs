//! What templates and expressions can see.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use minijinja::Value;

use crate::model::ids::RoleId;

/// Files of the product that presets name, and files of the operator that answers name.
pub trait Assets: fmt::Debug + Send + Sync {
    /// Returns the text of a file under `assets/`.
    fn asset(&self, path: &str) -> Option<String>;

    /// Returns the text of a file on the operator's machine.
    ///
    /// # Errors
    /// Fails with the reason when it cannot be read.
    fn operator_file(&self, path: &str) -> Result<String, String>;
}

/// A host as templates see it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostView {
    /// Its name here.
    pub name: String,
    /// Where SSH reaches it.
    pub address: String,
    /// Where the operator's machine would open a connection to it.
    pub operator_address: String,
    /// How the other hosts reach it, once that is known.
    pub private_address: Option<IpAddr>,
    /// What it is for.
    pub roles: Vec<RoleId>,
    /// Logical CPUs, memory in bytes and the hard limit of open files, once they are known.
    pub size: Option<(u32, u64, u64)>,
}

impl HostView {
    /// Returns it as a value with the keys that templates use; what is not known is not defined.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut pairs = vec![
            ("name", Value::from(self.name.as_str())),
            ("address", Value::from(self.address.as_str())),
            (
                "operator_address",
                Value::from(self.operator_address.as_str()),
            ),
            (
                "roles",
                self.roles
                    .iter()
                    .map(|role| Value::from(role.as_str()))
                    .collect(),
            ),
        ];
        if let Some(address) = self.private_address {
            pairs.push(("private_address", Value::from(address.to_string())));
        }
        if let Some((cpus, memory, nofile)) = self.size {
            pairs.push(("cpus", Value::from(cpus)));
            pairs.push(("memory", Value::from(memory)));
            pairs.push(("nofile_limit", Value::from(nofile)));
        }
        Value::from_pairs(pairs)
    }

    /// Returns whether it carries `role`.
    #[must_use]
    pub fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.as_str() == role)
    }
}

/// Everything a template or expression can name.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    variables: BTreeMap<String, Value>,
    pub(super) hosts: Arc<Vec<HostView>>,
    pub(super) images: Arc<BTreeMap<String, String>>,
    pub(super) assets: Option<Arc<dyn Assets>>,
    pub(super) masked: bool,
}

impl Scope {
    /// Defines a variable, replacing an earlier one.
    pub fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Returns the same scope with one more variable.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut scope = self.clone();
        scope.set(name, value);
        scope
    }

    /// Gives the hosts that `count` and `hosts` know.
    #[must_use]
    pub fn with_hosts(mut self, hosts: Vec<HostView>) -> Self {
        self.hosts = Arc::new(hosts);
        self
    }

    /// Gives the references that `image` knows.
    #[must_use]
    pub fn with_images(mut self, images: BTreeMap<String, String>) -> Self {
        self.images = Arc::new(images);
        self
    }

    /// Gives the files that `asset` knows.
    #[must_use]
    pub fn with_assets(mut self, assets: Arc<dyn Assets>) -> Self {
        self.assets = Some(assets);
        self
    }

    /// Says that secrets stand here under their names, so that functions leave them readable.
    #[must_use]
    pub fn masked(mut self) -> Self {
        self.masked = true;
        self
    }

    /// Returns whether a variable is defined.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    pub(super) fn context(&self) -> Value {
        Value::from_pairs(
            self.variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        )
    }
}
