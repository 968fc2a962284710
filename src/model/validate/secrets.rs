//! Which secrets a deployment wants, and whether `[secrets]` names only secrets there are.

use crate::model::answers::{AnswersFile, ImageSource};
use crate::model::deployment::Deployment;
use crate::model::fault::Fault;
use crate::model::ids::QuestionId;
use crate::model::preset::{Preset, QuestionKind};
use crate::model::rules::{self, Broken};
use crate::model::suggest;

use super::template_value;

/// Secrets of the way to the hosts and images, which no preset declares.
const FIXED: [(&str, &str, &str); 4] = [
    (
        "registry-password",
        "Registry password",
        "Logs in to the registry that images come from",
    ),
    (
        "ssh-password",
        "SSH password",
        "Logs in to the hosts where no key is accepted",
    ),
    (
        "ssh-passphrase",
        "Passphrase of the SSH key",
        "Opens the private key file",
    ),
    (
        "sudo-password",
        "Password for sudo",
        "Gains root's rights where the login alone may not reach Docker",
    ),
];

/// A secret that a deployment uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedSecret {
    /// Its id.
    pub id: QuestionId,
    /// The field's label.
    pub prompt: String,
    /// What it is used for.
    pub help: String,
    /// Whether it must be given: it is not made when left out, and nothing works without it.
    pub required: bool,
}

/// Returns the secrets of the way to hosts and images, which no preset declares: id, label and what it is used for.
#[must_use]
pub fn way_secrets() -> [(&'static str, &'static str, &'static str); 4] {
    FIXED
}

/// Checks the value of a secret, of the preset or of the way, and returns it as it is used.
///
/// # Errors
/// Fails with the rule that is broken; never with the value.
pub fn accept_secret(preset: &Preset, id: &QuestionId, value: &str) -> Result<String, Broken> {
    match preset.question(id) {
        Some(question) => rules::accept_secret(question, value),
        None => rules::accept_plain_secret(value),
    }
}

/// Refuses entries of `[secrets]` that nothing asks for.
pub(super) fn check(file: &AnswersFile, preset: &Preset, faults: &mut Vec<Fault>) {
    let mut known: Vec<&str> = preset
        .parts
        .questions
        .iter()
        .filter(|question| question.kind == QuestionKind::Secret)
        .map(|question| question.id.as_str())
        .collect();
    known.extend(FIXED.map(|(id, _, _)| id));
    for id in file
        .secrets
        .keys()
        .filter(|id| !known.contains(&id.as_str()))
    {
        let message = format!(
            "is not a secret of this preset; {}",
            suggest::advice(id.as_str(), &known)
        );
        faults.push(Fault::new(format!("secrets.{id}"), message));
    }
}

/// Returns every secret that `deployment` uses, in the order of the preset, then those of the registry and the login.
#[must_use]
pub fn wanted_secrets(deployment: &Deployment) -> Vec<WantedSecret> {
    let scope = answers_scope(deployment);
    let mut wanted = Vec::new();
    for question in &deployment.preset.parts.questions {
        let active = scope.holds(question.id.as_str(), question.when.as_deref());
        if question.kind != QuestionKind::Secret || active != Ok(true) {
            continue;
        }
        let generated = question.generate.is_some()
            && scope.holds(question.id.as_str(), question.generate_when.as_deref()) == Ok(true);
        wanted.push(WantedSecret {
            id: question.id.clone(),
            prompt: question.prompt.clone(),
            help: question.help.clone(),
            required: !generated && !question.optional,
        });
    }
    let login =
        deployment.images.source == ImageSource::Registry && deployment.images.username.is_some();
    for (id, prompt, help) in FIXED {
        let is_registry = id == "registry-password";
        if is_registry && !login {
            continue;
        }
        if let Ok(id) = id.parse() {
            wanted.push(WantedSecret {
                id,
                prompt: prompt.to_owned(),
                help: help.to_owned(),
                required: is_registry,
            });
        }
    }
    wanted
}

/// Returns what expressions see of a deployment's answers; questions that do not apply have no value.
pub(in crate::model) fn answers_scope(deployment: &Deployment) -> crate::model::template::Scope {
    let mut scope = super::base_scope(deployment.name.as_str(), &deployment.hosts);
    for question in &deployment.preset.parts.questions {
        if question.kind != QuestionKind::Secret {
            let value = deployment.answers.get(&question.id);
            scope.set(
                &question.id.variable(),
                value.map_or(().into(), template_value),
            );
        }
    }
    scope.set("image_source", source_word(deployment.images.source).into());
    scope
}

/// Returns the word of the answers file for a source.
pub(super) fn source_word(source: ImageSource) -> &'static str {
    match source {
        ImageSource::Registry => "registry",
        ImageSource::Bundle => "bundle",
        ImageSource::Present => "present",
    }
}
