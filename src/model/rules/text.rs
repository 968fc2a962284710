//! Rules over text: what each textual kind must look like, what was typed turned into a value, and what a secret must obey.

use regex::Regex;

use super::{Broken, network};
use crate::model::deployment::AnswerValue;
use crate::model::dotenv;
use crate::model::preset::{Question, QuestionKind};
use crate::model::size;

/// Checks a text of a textual kind.
pub(super) fn check(question: &Question, value: &str) -> Result<(), Broken> {
    let broken = |rule: String| Broken::rule(question, rule);
    if value.is_empty() && !question.optional {
        return Err(broken("must not be empty".to_owned()));
    }
    if let Err(reason) = dotenv::check(value) {
        return Err(broken(reason.to_string()));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(broken("holds a control character".to_owned()));
    }
    if value.is_empty() {
        return Ok(());
    }
    check_kind(question, value).map_err(&broken)?;
    check_length(question, value).map_err(&broken)?;
    check_pattern(question, value).map_err(&broken)?;
    if question.refuse.iter().any(|refused| refused == value) {
        return Err(broken(
            "is a published example that everybody knows: choose another".to_owned(),
        ));
    }
    Ok(())
}

fn check_kind(question: &Question, value: &str) -> Result<(), String> {
    match question.kind {
        QuestionKind::Choice if !question.choices.iter().any(|choice| choice == value) => {
            Err(format!(
                "is `{value}`, and must be one of {}",
                question.choices.join(", ")
            ))
        }
        QuestionKind::Host => network::problem_of_host(value).map_or(Ok(()), Err),
        QuestionKind::Email => network::problem_of_email(value).map_or(Ok(()), Err),
        QuestionKind::Url => network::problem_of_url(value).map_or(Ok(()), Err),
        QuestionKind::Size => match size::parse(value) {
            Ok(bytes) if bytes > 0 => Ok(()),
            _ => Err("must be a size above 0: a whole number and a unit".to_owned()),
        },
        _ => Ok(()),
    }
}

fn check_length(question: &Question, value: &str) -> Result<(), String> {
    if !matches!(question.kind, QuestionKind::Text | QuestionKind::Secret) {
        return Ok(());
    }
    let length = value.chars().count() as u64;
    match (question.min, question.max) {
        (Some(least), _) if length < least => Err(format!(
            "must have at least {least} characters; this has {length}"
        )),
        (_, Some(most)) if length > most => Err(format!(
            "must have at most {most} characters; this has {length}"
        )),
        _ => Ok(()),
    }
}

fn check_pattern(question: &Question, value: &str) -> Result<(), String> {
    let Some(pattern) = &question.pattern else {
        return Ok(());
    };
    // A pattern that does not compile is the preset's fault and found by its own check.
    let whole =
        Regex::new(&format!(r"\A(?:{})\z", pattern.regex)).map_err(|error| error.to_string())?;
    if whole.is_match(value) {
        Ok(())
    } else {
        Err(pattern.rule.clone())
    }
}

/// Checks the value of a secret and returns it as it is used: surrounding blanks are cut off where the question says so.
///
/// # Errors
/// Fails with the rule that is broken; never with the value.
pub fn accept_secret(question: &Question, value: &str) -> Result<String, Broken> {
    let value = if question.trim { value.trim() } else { value };
    check(question, value)?;
    Ok(value.to_owned())
}

/// Turns typed text, or a rendered default, into the value that the answers file would hold.
///
/// # Errors
/// Fails with the rule when the text is no value of this kind.
pub fn from_text(question: &Question, text: &str) -> Result<AnswerValue, Broken> {
    super::check(question, &value_of_text(question, text))
}

/// Turns typed text into what the answers file would hold, right or wrong: a text that is no value of the question's kind stays text, and the rule says so.
#[must_use]
pub fn value_of_text(question: &Question, text: &str) -> toml::Value {
    match question.kind {
        QuestionKind::Boolean => match text {
            "true" | "yes" => toml::Value::Boolean(true),
            "false" | "no" => toml::Value::Boolean(false),
            other => toml::Value::String(other.to_owned()),
        },
        QuestionKind::Integer | QuestionKind::Port => text.parse().map_or_else(
            |_| toml::Value::String(text.to_owned()),
            toml::Value::Integer,
        ),
        QuestionKind::Cpus => match (text.parse(), text.parse()) {
            (Ok(whole), _) => toml::Value::Integer(whole),
            (_, Ok(number)) => toml::Value::Float(number),
            _ => toml::Value::String(text.to_owned()),
        },
        QuestionKind::List => toml::Value::Array(
            text.split([',', '\n'])
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| toml::Value::String(item.to_owned()))
                .collect(),
        ),
        _ => toml::Value::String(text.to_owned()),
    }
}

/// Checks a secret of the way to hosts and registries, which takes anything on one line.
///
/// # Errors
/// Fails with the rule that is broken; never with the value.
pub fn accept_plain_secret(value: &str) -> Result<String, Broken> {
    let broken = |rule: &str| Broken {
        rule: rule.to_owned(),
        example: "a password on one line".to_owned(),
    };
    if value.is_empty() {
        return Err(broken("is empty"));
    }
    match dotenv::check(value) {
        Ok(()) | Err(dotenv::NotRenderable::TrailingBackslash) => Ok(value.to_owned()),
        Err(_) => Err(broken("holds a line break or a NUL character")),
    }
}
