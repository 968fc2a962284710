//! Names of things as types of their own, so that a host name is never taken for a role or a path.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Tells why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{value}` is not a valid {what}: use lower-case letters, digits and hyphens, starting with a letter, at most {max} characters"
)]
pub struct InvalidName {
    what: &'static str,
    value: String,
    max: usize,
}

/// Returns whether `text` is lower-case letters, digits and inner hyphens, starting with a letter.
fn is_slug(text: &str, max: usize) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-')
        && text.len() <= max
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                if is_slug(&value, $max) {
                    Ok(Self(value))
                } else {
                    Err(InvalidName { what: $what, value, max: $max })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(value: &str) -> Result<Self, InvalidName> {
                Self::try_from(value.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug!(
    /// Names one installation at one customer; it becomes a folder and part of Compose project names.
    DeploymentName, "deployment name", 40
);
slug!(
    /// Names a host inside one deployment; not its network name.
    HostName, "host name", 63
);
slug!(
    /// Names what a host is for, as its preset declares it.
    RoleId, "role", 40
);
slug!(
    /// Names a deployable product.
    PresetId, "preset", 60
);
slug!(
    /// Names a question of a preset.
    QuestionId, "question", 60
);
slug!(
    /// Names an image of a preset by its part, such as `backend`.
    ImageId, "image", 40
);
slug!(
    /// Names a stack (one Compose project on one role) of a preset.
    StackId, "stack", 40
);

slug!(
    /// Names a step that a stack takes by a tool, unique in the stack.
    StepName, "step", 40
);

impl QuestionId {
    /// Returns the name under which templates see this question: hyphens become underscores.
    #[must_use]
    pub fn variable(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// Names one step of a plan; stable between runs of the same plan, such as `ray-2/images/ray`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one execution of a plan: the UTC time it began plus a random part, such as `20261120T120000Z-4f2a`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("acme-prod", true)]
    #[case("a", true)]
    #[case("", false)]
    #[case("Acme", false)]
    #[case("-acme", false)]
    #[case("acme-", false)]
    #[case("1acme", false)]
    #[case("acme_prod", false)]
    #[case("acme/prod", false)]
    fn deployment_names(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(text.parse::<DeploymentName>().is_ok(), valid);
    }

    #[test]
    fn a_question_is_seen_by_templates_with_underscores() {
        assert_eq!(
            "public-host".parse::<QuestionId>().unwrap().variable(),
            "public_host"
        );
    }
}
