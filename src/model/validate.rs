//! An answers file held against its preset: everything that can be judged before a host is seen.
//!
//! All faults are collected. The result is a [`Deployment`] without secrets; which secrets it wants is said by [`wanted_secrets`]. The settings layer
//! reads the file and the secrets; the wizard calls the same functions with an answers file that was never on disk.

mod answers;
mod hosts;
mod images;
mod secrets;

pub(super) use images::texts;
pub use images::{references, usual_references};
pub(super) use secrets::answers_scope;
pub use secrets::{WantedSecret, wanted_secrets};

use std::sync::Arc;

use super::answers::AnswersFile;
use super::deployment::{AnswerValue, Deployment, HostSettings};
use super::fault::Fault;
use super::preset::Preset;
use super::rules::Files;
use super::secret::Secrets;
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
    let mut faults = Vec::new();
    let hosts = hosts::check(file, preset, around.files, &mut faults);
    let base = base_scope(file.name.as_str(), &hosts);
    let (answers, scope) = answers::check(file, preset, around, &base, &mut faults);
    let images = images::check(file, preset, around.files, &scope, &mut faults);
    let known = images::texts(&images::references(preset, &images, &scope).0);
    let scope = with_values(preset, scope.with_images(known));
    answers::check_rules(preset, &scope, &answers, &mut faults);
    secrets::check(file, preset, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Deployment {
        name: file.name.clone(),
        preset: Arc::clone(preset),
        hosts,
        images,
        answers: answers.given,
        secrets: Secrets::default(),
        base_folder: BASE_FOLDER.to_owned(),
    })
}

/// Adds the preset's values as far as they can be known before a host was seen.
fn with_values(preset: &Preset, mut scope: Scope) -> Scope {
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
