//! The rules that belong to each kind of question: what a value must look like, said in words with a valid example.
//!
//! The answers file, the wizard's fields and defaults of presets all pass here, so that a rule exists once. Rules over several answers are the preset's
//! own; files are read by whoever calls, through [`Files`].

mod certificate;
mod network;
mod text;

pub use certificate::{
    CertificateDetails, CertificateProblem, check_certificate, check_key, permits, read_certificate,
};
pub use network::{is_host_name, problem_of_host};
pub use text::{accept_plain_secret, accept_secret, from_text, value_of_text};

use std::fmt;

use super::deployment::AnswerValue;
use super::preset::{Question, QuestionKind};
use super::size;

/// Reads files that answers name.
pub trait Files {
    /// Returns where the file is: `~` expanded, relative paths taken from the answers file's folder.
    fn locate(&self, path: &str) -> String;

    /// Returns its bytes.
    ///
    /// # Errors
    /// Fails with the reason when it cannot be read.
    fn read(&self, located: &str) -> Result<Vec<u8>, String>;
}

/// A rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule, in words; no secret.
    pub rule: String,
    /// Something valid to write instead.
    pub example: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; for example `{}`", self.rule, self.example)
    }
}

impl Broken {
    /// Says that a value of `question` breaks `rule`.
    #[must_use]
    pub fn rule(question: &Question, rule: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            example: example_of(question),
        }
    }
}

/// Returns a valid example for a question: its own, or one for its kind.
#[must_use]
pub fn example_of(question: &Question) -> String {
    if let Some(example) = &question.example {
        return example.clone();
    }
    match question.kind {
        QuestionKind::Text => "text".to_owned(),
        QuestionKind::Choice => question.choices.first().cloned().unwrap_or_default(),
        QuestionKind::Boolean => "true".to_owned(),
        QuestionKind::Integer => question.min.unwrap_or(1).to_string(),
        QuestionKind::Port => "3000".to_owned(),
        QuestionKind::Host => "syntho.acme.example".to_owned(),
        QuestionKind::Email => "admin@acme.example".to_owned(),
        QuestionKind::Size => "4gb".to_owned(),
        QuestionKind::Cpus => "4".to_owned(),
        QuestionKind::List => "[\"one\", \"two\"]".to_owned(),
        QuestionKind::Url => "https://login.acme.example".to_owned(),
        QuestionKind::File => "file.txt".to_owned(),
        QuestionKind::Certificate => "certs/server.crt".to_owned(),
        QuestionKind::PrivateKey => "certs/server.key".to_owned(),
        QuestionKind::Secret => format!(
            "{} = {{ env = \"{}\" }}",
            question.id,
            super::secret::variable_of(&question.id)
        ),
    }
}

/// Checks a value as the answers file holds it, without looking into files.
///
/// # Errors
/// Fails with the rule that is broken.
pub fn check(question: &Question, value: &toml::Value) -> Result<AnswerValue, Broken> {
    let broken = |rule: String| Broken::rule(question, rule);
    match question.kind {
        QuestionKind::Boolean => match value {
            toml::Value::Boolean(value) => Ok(AnswerValue::Boolean(*value)),
            _ => Err(broken("must be true or false, without quotes".to_owned())),
        },
        QuestionKind::Integer | QuestionKind::Port => match value {
            toml::Value::Integer(number) => check_integer(question, *number),
            _ => Err(broken("must be a whole number, without quotes".to_owned())),
        },
        QuestionKind::Cpus => check_cpus(question, value),
        QuestionKind::List => check_list(question, value),
        QuestionKind::Secret => Err(broken(
            "is a secret and never stands here: say under `[secrets]` where it comes from"
                .to_owned(),
        )),
        _ => match value {
            toml::Value::String(value) => {
                text::check(question, value)?;
                Ok(AnswerValue::Text(value.clone()))
            }
            _ => Err(broken("must be a text in quotes".to_owned())),
        },
    }
}

fn check_integer(question: &Question, number: i64) -> Result<AnswerValue, Broken> {
    let (least, most) = match question.kind {
        QuestionKind::Port => (question.min.unwrap_or(1), question.max.unwrap_or(65_535)),
        _ => (
            question.min.unwrap_or(0),
            question.max.unwrap_or(u64::from(u32::MAX)),
        ),
    };
    match u64::try_from(number) {
        Ok(value) if (least..=most).contains(&value) => Ok(AnswerValue::Integer(number)),
        _ => Err(Broken::rule(
            question,
            format!("is {number}, and must be from {least} to {most}"),
        )),
    }
}

fn check_cpus(question: &Question, value: &toml::Value) -> Result<AnswerValue, Broken> {
    let number = match value {
        toml::Value::Integer(number) => u32::try_from(*number).ok().map(f64::from),
        toml::Value::Float(number) => Some(*number),
        _ => None,
    };
    match number {
        Some(number) if number > 0.0 && number <= 4096.0 => Ok(AnswerValue::Number(number)),
        _ => Err(Broken::rule(
            question,
            "must be a number of CPUs above 0, without quotes",
        )),
    }
}

fn check_list(question: &Question, value: &toml::Value) -> Result<AnswerValue, Broken> {
    let broken = |rule: &str| Broken::rule(question, rule);
    let toml::Value::Array(items) = value else {
        return Err(broken("must be a list of texts"));
    };
    let items = items
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| broken("must be a list of texts in quotes"))?;
    for item in &items {
        text::check(question, item)
            .map_err(|Broken { rule, .. }| Broken::rule(question, format!("`{item}`: {rule}")))?;
    }
    if items.is_empty() && !question.optional {
        return Err(broken("must name at least one"));
    }
    Ok(AnswerValue::List(items))
}

/// Returns the bytes that an answer of kind `size` says.
#[must_use]
pub fn bytes_of(value: &AnswerValue) -> Option<u64> {
    match value {
        AnswerValue::Text(text) => size::parse(text).ok(),
        _ => None,
    }
}
