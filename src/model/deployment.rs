//! One named installation as checked values: what the answers file and the preset say together, before any host was seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::{Adopted, ImagesSection, SshSection};
use super::ids::{DeploymentName, HostName, QuestionId, RoleId, StackId};
use super::preset::Preset;
use super::secret::Secrets;

/// A deployment whose answers obey every rule that can be judged without a host.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Its name.
    pub name: DeploymentName,
    /// Its preset, fragments merged in.
    pub preset: Arc<Preset>,
    /// Its hosts, in the order of the answers.
    pub hosts: Vec<HostSettings>,
    /// Where images come from.
    pub images: ImagesSection,
    /// Checked answers with defaults filled in; questions that do not apply are absent.
    pub answers: BTreeMap<QuestionId, AnswerValue>,
    /// Secrets that were given; generated and kept ones join them once the hosts were seen.
    pub secrets: Secrets,
    /// Folder on the hosts that holds every deployment: `/opt/syntho`.
    pub base_folder: String,
    /// What was set up by hand before and goes on as stacks of it.
    pub adopted: Vec<Adopted>,
}

impl Deployment {
    /// Returns what a stack on a host was before, when it was set up by hand.
    #[must_use]
    pub fn adopted(&self, host: &HostName, stack: &StackId) -> Option<&Adopted> {
        let mut all = self.adopted.iter();
        all.find(|adopted| adopted.host == *host && adopted.stack == *stack)
    }
}

/// One host's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// Its name here.
    pub name: HostName,
    /// Where SSH reaches it, or `local`.
    pub address: String,
    /// How the other hosts reach it, when the answers say.
    pub private_address: Option<String>,
    /// What it is for.
    pub roles: Vec<RoleId>,
    /// The fingerprint its key must have.
    pub host_key: Option<String>,
    /// How to log in; defaults merged.
    pub login: SshSection,
}

/// A checked answer.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerValue {
    /// Text of any kind that is not below.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A whole number or a port.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// Several texts.
    List(Vec<String>),
}
