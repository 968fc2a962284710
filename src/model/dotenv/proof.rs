//! The proof that Compose on a host reads a `.env` file as it was meant, before anything is started.
//!
//! [`proof_file`] is a Compose file that only names the variables; `docker compose --env-file .env -f - config --format json` fills them in, and
//! [`compare`] holds the result against what was meant. The real Compose file stays free of it. The output holds secrets: it is never logged.

use secrecy::{ExposeSecret, SecretString};

/// The service that holds the variables in [`proof_file`].
const SERVICE: &str = "proof";

/// A variable that Compose reads otherwise than it was meant; without its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It arrives as something else.
    #[error("`{name}` arrives altered: {got} characters instead of {meant}")]
    Altered {
        /// The variable.
        name: String,
        /// Characters that arrive.
        got: usize,
        /// Characters that were meant.
        meant: usize,
    },
    /// It does not arrive.
    #[error("`{name}` does not arrive at all")]
    Absent {
        /// The variable.
        name: String,
    },
    /// The output is not what Compose prints.
    #[error("Compose did not print a configuration: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// Returns a Compose file with one service whose environment is every variable named; nothing in it is ever started.
#[must_use]
pub fn proof_file(names: &[&str]) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "name: env-proof\nservices:\n  {SERVICE}:\n    image: env-proof\n    environment:\n"
    );
    for name in names {
        // Writing into a `String` cannot fail.
        let _ = writeln!(text, "      {name}: \"${{{name}}}\"");
    }
    text
}

/// Compares what `docker compose config --format json` made of [`proof_file`] with what was meant; returns every difference.
#[must_use]
pub fn compare(config_json: &str, meant: &[(String, SecretString)]) -> Vec<Mismatch> {
    let config: serde_json::Value = match serde_json::from_str(config_json) {
        Ok(config) => config,
        Err(error) => {
            return vec![Mismatch::Unreadable {
                reason: format!(
                    "not JSON at line {} column {}",
                    error.line(),
                    error.column()
                ),
            }];
        }
    };
    let environment = &config["services"][SERVICE]["environment"];
    meant
        .iter()
        .filter_map(|(name, value)| {
            let value = value.expose_secret();
            let Some(got) = environment.get(name).and_then(|got| got.as_str()) else {
                return Some(Mismatch::Absent { name: name.clone() });
            };
            // Compose doubles `$` in its output; a few releases of 2021 did not.
            if got.replace("$$", "$") == *value || got == value {
                return None;
            }
            Some(Mismatch::Altered {
                name: name.clone(),
                got: got.replace("$$", "$").chars().count(),
                meant: value.chars().count(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(value: &str) -> Vec<(String, SecretString)> {
        vec![("KEY".to_owned(), value.to_owned().into())]
    }

    fn config(value: &str) -> String {
        serde_json::json!({"services": {"proof": {"environment": {"KEY": value}}}}).to_string()
    }

    #[test]
    fn doubled_dollars_are_undone() {
        assert!(compare(&config("a$$b"), &meant("a$b")).is_empty());
        assert!(compare(&config("a$$$$b"), &meant("a$$b")).is_empty());
        assert!(compare(&config("a$b"), &meant("a$b")).is_empty());
    }

    #[test]
    fn a_difference_is_told_without_the_value() {
        let found = compare(&config("sesam"), &meant("sesame"));
        assert_eq!(found.len(), 1);
        assert!(!found[0].to_string().contains("sesam"), "{}", found[0]);
        assert!(matches!(
            compare("{}", &meant("x"))[0],
            Mismatch::Absent { .. }
        ));
        assert!(matches!(
            compare("WARN", &meant("x"))[0],
            Mismatch::Unreadable { .. }
        ));
    }

    #[test]
    fn the_proof_file_names_every_variable() {
        insta::assert_snapshot!(proof_file(&["A", "B"]), @r#"
        name: env-proof
        services:
          proof:
            image: env-proof
            environment:
              A: "${A}"
              B: "${B}"
        "#);
    }
}
