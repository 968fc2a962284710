//! The certificate that a deployment serves: whose it is, and which questions take another one.

use super::answers_scope;
use crate::model::deployment::Deployment;
use crate::model::ids::QuestionId;
use crate::model::preset::{Preset, Question, QuestionKind};

/// Whose certificate a deployment serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// None: plain http, or somebody else ends TLS.
    None,
    /// One that was given, as a file.
    Given,
    /// One by its own authority.
    Made,
}

/// The questions that take a certificate and its key.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'p> {
    /// Takes the certificate's file.
    pub certificate: &'p Question,
    /// Takes the file of the key that belongs to it.
    pub key: &'p Question,
}

/// Returns the questions of a preset that take a certificate and its key; none when it has no such pair.
#[must_use]
pub fn pair(preset: &Preset) -> Option<Pair<'_>> {
    let questions = &preset.parts.questions;
    let key_of = |id: &QuestionId| {
        questions.iter().find(|question| {
            question.kind == QuestionKind::PrivateKey && question.matches.as_ref() == Some(id)
        })
    };
    questions
        .iter()
        .filter(|question| question.kind == QuestionKind::Certificate)
        .find_map(|certificate| {
            let key = key_of(&certificate.id)?;
            Some(Pair { certificate, key })
        })
}

/// Returns whose certificate `deployment` serves, as its answers say.
#[must_use]
pub fn served(deployment: &Deployment) -> Served {
    let preset = &deployment.preset;
    let given = pair(preset).is_some_and(|pair| {
        let certificate = &pair.certificate.id;
        deployment.answers.contains_key(certificate)
    });
    if given {
        return Served::Given;
    }
    let scope = answers_scope(deployment);
    let made = preset.parts.certificates.iter().any(|made| {
        let name = format!("certificate.{}.when", made.id);
        scope.holds(&name, made.when.as_deref()) == Ok(true)
    });
    if made { Served::Made } else { Served::None }
}
