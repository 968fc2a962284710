//! An answers file held against its preset: everything that can be judged before a host is seen.
//!
//! All faults are collected. The result is a [`Deployment`] without secrets; which secrets it wants is said by [`wanted_secrets`]. The settings layer
//! reads the file and the secrets; the wizard calls the same functions with an answers file that was never on disk.

mod adopted;
mod answers;
mod certificate;
mod hosts;
mod images;
mod proposals;
mod secrets;
mod survey;

pub use answers::Unasked;
pub use certificate::{Pair, Served, pair, served};
pub(super) use images::texts;
pub use images::{every_reference, references, usual_references, usual_references_from};
pub(super) use proposals::render as proposed;
pub(super) use secrets::answers_scope;
pub use secrets::{WantedSecret, accept_secret, wanted_secrets, way_secrets};
pub use survey::{Applies, Asked, Proposal, Survey, survey};

use std::sync::Arc;

use super::answers::AnswersFile;
use super::deployment::{AnswerValue, Deployment, HostSettings};
use super::facts::HostFacts;
use super::fault::Fault;
use super::preset::Preset;
use super::rules::Files;
use super::template::{HostView, Scope};

/// Folder on the hosts that holds every deployment.
pub const BASE_FOLDER: &str = "/opt/syntho";

/// What is needed beside the answers.
pub struct Surroundings<'a> {
    /// Reads files that answers name.
    pub files: &'a dyn Files,
    /// The time, for certificates.
    pub now: jiff::Timestamp,
}

/// Holds `file` against `preset`.
///
/// # Errors
/// Fails with every rule that is broken.
pub fn validate(
    file: &AnswersFile,
    preset: &Arc<Preset>,
    around: &Surroundings<'_>,
) -> Result<Deployment, Vec<Fault>> {
    let survey = survey::survey(file, preset, around, &[], Unasked::Refuse);
    if survey.faults.is_empty() {
        Ok(survey.deployment)
    } else {
        Err(survey.faults)
    }
}

/// Adds the preset's values as far as they can be known before a host was seen.
pub(super) fn with_values(preset: &Preset, mut scope: Scope) -> Scope {
    for value in &preset.parts.values {
        if let Ok(known) = scope.evaluate(value.id.as_str(), &value.is) {
            scope.set(&value.id.variable(), known);
        }
    }
    scope
}

/// Returns what templates see of a deployment before its hosts were seen.
pub(super) fn base_scope(name: &str, hosts: &[HostSettings]) -> Scope {
    let views = hosts.iter().map(host_view).collect();
    Scope::default()
        .with_hosts(views)
        .with("deployment", name.into())
}

/// Open files that the product's containers ask for, when nothing is known of the host.
pub(super) const NOFILE: u64 = 65_536;

/// Returns a host as templates see it once it was looked at.
fn seen_view(host: &HostSettings, facts: &[HostFacts]) -> HostView {
    let mut view = host_view(host);
    let own = facts.iter().find(|facts| facts.host == host.name);
    view.size = own.map(|facts| {
        (
            facts.cpus,
            facts.memory,
            facts.nofile_limit.unwrap_or(NOFILE),
        )
    });
    view
}

/// Returns what templates see of a deployment whose hosts were seen.
pub(super) fn seen_scope(deployment: &Deployment, facts: &[HostFacts]) -> Scope {
    let hosts = deployment.hosts.iter();
    let views = hosts.map(|host| seen_view(host, facts)).collect();
    let scope = answers_scope(deployment).with_hosts(views);
    with_values(&deployment.preset, scope)
}

/// Returns a host as templates see it before it was seen.
pub(super) fn host_view(host: &HostSettings) -> HostView {
    HostView {
        name: host.name.to_string(),
        address: host.address.clone(),
        operator_address: operator_address(host),
        private_address: host
            .private_address
            .as_ref()
            .and_then(|address| address.parse().ok()),
        roles: host.roles.clone(),
        size: None,
    }
}

/// Returns where the operator's machine would open a connection to a host: an alias of `~/.ssh/config` means nothing outside SSH.
fn operator_address(host: &HostSettings) -> String {
    let is_alias = !host.address.contains(['.', ':']);
    match &host.private_address {
        _ if host.address == "local" => "127.0.0.1".to_owned(),
        Some(private) if is_alias || host.login.jump.is_some() => private.clone(),
        _ => host.address.clone(),
    }
}

/// Returns an answer as templates see it.
#[must_use]
pub fn template_value(value: &AnswerValue) -> minijinja::Value {
    match value {
        AnswerValue::Text(text) => text.as_str().into(),
        AnswerValue::Boolean(value) => (*value).into(),
        AnswerValue::Integer(number) => (*number).into(),
        AnswerValue::Number(number) => number_value(*number),
        AnswerValue::List(items) => items
            .iter()
            .map(|item| minijinja::Value::from(item.as_str()))
            .collect(),
    }
}

/// Returns a whole number as one, so that `4.0` is written `4`.
fn number_value(number: f64) -> minijinja::Value {
    let text = number.to_string();
    text.parse::<i64>()
        .map_or_else(|_| number.into(), Into::into)
}
