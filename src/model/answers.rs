//! The answers file: values for a preset's questions, hosts and images, without secrets.
//!
//! This is the on-disk contract of design section 6. Whether the values obey the preset's rules is decided elsewhere in the model; here is only the shape.

mod read;
mod table;
mod value;

pub use read::{Reading, read};

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::ids::{DeploymentName, HostName, ImageId, PresetId, QuestionId, RoleId, StackId};
use super::image::ImageRef;
use super::secret::SecretSource;

/// A whole answers file.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnswersFile {
    /// Format version; 1.
    pub version: u32,
    /// The deployment's name.
    pub name: DeploymentName,
    /// The preset.
    pub preset: PresetId,
    /// Where images come from.
    #[serde(default)]
    pub images: ImagesSection,
    /// Login defaults for every host.
    #[serde(default)]
    pub ssh: SshSection,
    /// The hosts.
    #[serde(default)]
    pub hosts: Vec<HostSection>,
    /// Answers by question id.
    #[serde(default)]
    pub answers: BTreeMap<QuestionId, toml::Value>,
    /// Where each secret comes from.
    #[serde(default)]
    pub secrets: BTreeMap<QuestionId, SecretSource>,
    /// What was set up by hand before and goes on as stacks of this deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopted: Vec<Adopted>,
}

/// A Compose project that was set up by hand, whose place a stack takes. `adopt` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Adopted {
    /// The host.
    pub host: HostName,
    /// The stack that takes its place.
    pub stack: StackId,
    /// The `[[adopt]]` entry of the preset by which it is known.
    pub form: String,
    /// The Compose project.
    pub project: String,
    /// The folder that it was started from.
    pub folder: String,
    /// The file of its variables, from which its secrets are read.
    pub environment: String,
    /// Its volumes that go on, by the names in the stack's Compose file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, String>,
}

/// Where images come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImagesSection {
    /// `registry`, `bundle` or `present`.
    #[serde(default)]
    pub source: ImageSource,
    /// One archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Utf8PathBuf>,
    /// Several archives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<Utf8PathBuf>,
    /// The registry's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The user for the registry; the password is the secret `registry-password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whole references for single images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refs: BTreeMap<ImageId, ImageRef>,
    /// The host with a way to the registry, when the others have none: images come to this machine through it, and from here to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<HostName>,
    /// Whether the registry login stays on the hosts after the pull.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_login: bool,
}

/// How images reach the hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// Each host pulls from a registry.
    #[default]
    Registry,
    /// From archives on the operator's machine.
    Bundle,
    /// They are on the hosts already.
    Present,
}

/// How to log in; every key may stand in `[ssh]` and in a host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SshSection {
    /// Login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Private key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Utf8PathBuf>,
    /// Jump host: `[user@]host[:port]` or a name of `~/.ssh/config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
    /// Whether root's rights are used: `auto`, `never` or `always`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<SudoUse>,
}

/// Whether root's rights are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SudoUse {
    /// Where the login may not reach Docker or the folder.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// For everything.
    Always,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostSection {
    /// Its name here.
    pub name: HostName,
    /// Where SSH reaches it: a name, an address, an alias of `~/.ssh/config`, or `local`.
    pub address: String,
    /// How the other hosts reach it; found when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// What it is for.
    pub roles: Vec<RoleId>,
    /// The fingerprint of its key, `SHA256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// Login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Private key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Utf8PathBuf>,
    /// Jump host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
    /// Whether root's rights are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo: Option<SudoUse>,
}

impl SshSection {
    /// Returns the login of `host`: its own keys, then these defaults.
    #[must_use]
    pub fn for_host(&self, host: &HostSection) -> SshSection {
        SshSection {
            user: host.user.clone().or_else(|| self.user.clone()),
            port: host.port.or(self.port),
            key: host.key.clone().or_else(|| self.key.clone()),
            jump: host.jump.clone().or_else(|| self.jump.clone()),
            sudo: host.sudo.or(self.sudo),
        }
    }
}
