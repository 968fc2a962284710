//! What a stack that was set up by hand says of itself, by the `[[adopt]]` entry of the preset that knows it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::Value;
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};

use super::dotenv;
use super::ids::QuestionId;
use super::preset::{Adopt, Preset, Trap};
use super::template::{Scope, TemplateError};
use super::validate;

/// The names of variables in expressions.
static NAMES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\benv\.([A-Za-z_][A-Za-z0-9_]*)").ok());

/// What stands on a host by hand, as far as expressions see it.
#[derive(Debug, Clone, Default)]
pub struct ByHand {
    /// The text of the project's `.env`.
    pub environment: Option<SecretString>,
    /// The names of its services.
    pub services: Vec<String>,
    /// The text of its Compose files.
    pub files: String,
}

/// Returns the first entry of a preset that a project fits.
///
/// # Errors
/// Fails when an expression of the preset is broken.
pub fn fitting<'p>(
    preset: &'p Preset,
    by_hand: &ByHand,
) -> Result<Option<&'p Adopt>, TemplateError> {
    for adopt in &preset.parts.adopts {
        let has = |service: &String| by_hand.services.contains(service);
        if adopt.services.iter().all(has) && fits(preset, adopt, by_hand)? {
            return Ok(Some(adopt));
        }
    }
    Ok(None)
}

/// Returns whether an entry's condition holds for a project.
///
/// # Errors
/// As [`fitting`].
pub(super) fn fits(
    preset: &Preset,
    adopt: &Adopt,
    by_hand: &ByHand,
) -> Result<bool, TemplateError> {
    let scope = validate::with_values(preset, scope(adopt, by_hand));
    scope.holds(&format!("adopt.{}.fits", adopt.id), adopt.fits.as_deref())
}

/// Returns the secrets that a project's `.env` holds, by question; what it does not hold, or holds in a form that must not go on, is left out.
///
/// # Errors
/// Fails when an expression of the preset is broken.
pub fn secrets(
    adopt: &Adopt,
    by_hand: &ByHand,
) -> Result<BTreeMap<QuestionId, SecretString>, TemplateError> {
    let scope = scope(adopt, by_hand);
    let mut secrets = BTreeMap::new();
    for (id, expression) in &adopt.secrets {
        if let Some(text) = text(
            &scope,
            &format!("adopt.{}.secrets.{id}", adopt.id),
            expression,
        )? {
            secrets.insert(id.clone(), SecretString::from(text));
        }
    }
    Ok(secrets)
}

/// Returns the answers that it gives, as they would be typed.
///
/// # Errors
/// As [`secrets`].
pub fn answers(
    adopt: &Adopt,
    by_hand: &ByHand,
) -> Result<BTreeMap<QuestionId, String>, TemplateError> {
    let scope = scope(adopt, by_hand);
    let mut answers = BTreeMap::new();
    for (id, expression) in &adopt.answers {
        if let Some(text) = text(
            &scope,
            &format!("adopt.{}.answers.{id}", adopt.id),
            expression,
        )? {
            answers.insert(id.clone(), text);
        }
    }
    Ok(answers)
}

/// Returns what is wrong with it.
///
/// # Errors
/// As [`secrets`].
pub fn traps<'a>(adopt: &'a Adopt, by_hand: &ByHand) -> Result<Vec<&'a Trap>, TemplateError> {
    let scope = scope(adopt, by_hand);
    let mut traps = Vec::new();
    for (number, trap) in adopt.traps.iter().enumerate() {
        if scope.holds(
            &format!("adopt.{}.trap[{number}]", adopt.id),
            Some(&trap.found),
        )? {
            traps.push(trap);
        }
    }
    Ok(traps)
}

fn text(scope: &Scope, name: &str, expression: &str) -> Result<Option<String>, TemplateError> {
    let value = scope.evaluate(name, expression)?;
    let text = if value.is_none() {
        String::new()
    } else {
        value.to_string()
    };
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// A variable that is not there is empty, as Compose takes it.
fn scope(adopt: &Adopt, by_hand: &ByHand) -> Scope {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for expression in expressions(adopt) {
        let names = NAMES
            .iter()
            .flat_map(|names| names.captures_iter(expression));
        for name in names.filter_map(|found| found.get(1)) {
            variables.insert(name.as_str().to_owned(), String::new());
        }
    }
    if let Some(text) = &by_hand.environment {
        variables.extend(dotenv::parse(text.expose_secret()));
    }
    Scope::default()
        .with("env", Value::from_pairs(variables))
        .with(
            "services",
            by_hand
                .services
                .iter()
                .map(String::as_str)
                .collect::<Value>(),
        )
        .with("files", Value::from(by_hand.files.as_str()))
}

fn expressions(adopt: &Adopt) -> impl Iterator<Item = &String> {
    let traps = adopt
        .traps
        .iter()
        .map(|trap| &trap.found)
        .chain(&adopt.fits);
    adopt
        .answers
        .values()
        .chain(adopt.secrets.values())
        .chain(traps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out_and_what_is_wrong_is_told() {
        let adopt: Adopt = toml::from_str(
            r#"
            id = "x"
            title = "X"
            stack = "app"
            services = ["web"]
            answers = { port = "env.PORT or '3000'", host = "env.HOST" }
            secrets = { key = "env.KEY if env.KEY != 'published' else ''" }
            trap = [{ found = "'5432:5432' in files and 'db' in services", title = "open", why = "w", repair = "r" }]
            "#,
        )
        .unwrap();
        let mut by_hand = ByHand::default();
        let typed = |by_hand: &ByHand| -> Vec<(String, String)> {
            let answers = answers(&adopt, by_hand).unwrap().into_iter();
            answers.map(|(id, text)| (id.to_string(), text)).collect()
        };
        assert_eq!(typed(&by_hand), [("port".to_owned(), "3000".to_owned())]);
        assert!(secrets(&adopt, &by_hand).unwrap().is_empty());
        assert!(traps(&adopt, &by_hand).unwrap().is_empty());

        by_hand.environment = Some("PORT=80\nHOST='a b'\nKEY=published\n".into());
        by_hand.services = vec!["db".to_owned()];
        by_hand.files = "ports: [\"5432:5432\"]".to_owned();
        assert_eq!(
            typed(&by_hand),
            [
                ("host".to_owned(), "a b".to_owned()),
                ("port".to_owned(), "80".to_owned())
            ]
        );
        assert!(secrets(&adopt, &by_hand).unwrap().is_empty());
        assert_eq!(traps(&adopt, &by_hand).unwrap().len(), 1);

        by_hand.environment = Some("KEY='it is ours'".into());
        let found = secrets(&adopt, &by_hand).unwrap();
        let found: Vec<&str> = found.values().map(ExposeSecret::expose_secret).collect();
        assert_eq!(found, ["it is ours"]);
    }
}
