//! Image references: parsed, completed with registry and tag, compared.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A full image reference such as `syntho.azurecr.io/syntho-ray:1.9.0` or `postgres:14.5`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Tells why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an image reference: {rule}, for example `registry.example/team/app:1.9.0`"
)]
pub struct InvalidImageRef {
    text: String,
    rule: &'static str,
}

impl ImageRef {
    /// Parses a reference, refusing what Docker would refuse.
    ///
    /// # Errors
    /// Fails with the broken rule when the text is empty, has upper-case letters in the repository, or a malformed tag or digest.
    pub fn parse(text: &str) -> Result<Self, InvalidImageRef> {
        let wrong = |rule| InvalidImageRef {
            text: text.to_owned(),
            rule,
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest))
                if digest.strip_prefix("sha256:").is_some_and(|hex| {
                    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
                }) =>
            {
                (rest, Some(digest.to_owned()))
            }
            Some(_) => return Err(wrong("a digest is `sha256:` and 64 hexadecimal digits")),
            None => (text, None),
        };
        let (registry, rest) = match rest.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (Some(first.to_owned()), rest)
            }
            _ => (None, rest),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !repository.split('/').all(is_path_component) {
            return Err(wrong(
                "the repository is lower-case letters, digits and `.`, `_`, `-` between them, in parts separated by `/`",
            ));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong(
                "a tag is up to 128 letters, digits, `.`, `_` or `-`, not starting with `.` or `-`",
            ));
        }
        Ok(Self {
            registry,
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }

    /// Returns the registry host, when the reference names one.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// Returns the repository without registry and tag.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag; Docker reads a missing one as `latest`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, when the reference is pinned by one.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

fn is_path_component(part: &str) -> bool {
    let ends_well =
        |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends_well(part.chars().next())
        && ends_well(part.chars().last())
        && part
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

impl TryFrom<String> for ImageRef {
    type Error = InvalidImageRef;

    fn try_from(text: String) -> Result<Self, InvalidImageRef> {
        Self::parse(&text)
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Writes an image name as Docker means it: `docker.io/library/` in front is silent, a missing tag is `latest`.
#[must_use]
pub fn canonical(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    // A name pinned by a digest is found by it; the tag beside it is not looked at.
    if let Some((named, digest)) = name.split_once('@') {
        let repository = match named.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => repository,
            _ => named,
        };
        return format!("{repository}@{digest}");
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("postgres:14.5", None, "postgres", Some("14.5"))]
    #[case(
        "syntho.azurecr.io/syntho-ray:1.9.0",
        Some("syntho.azurecr.io"),
        "syntho-ray",
        Some("1.9.0")
    )]
    #[case("localhost:5000/a/b", Some("localhost:5000"), "a/b", None)]
    #[case("team/app", None, "team/app", None)]
    fn parts(
        #[case] text: &str,
        #[case] registry: Option<&str>,
        #[case] repository: &str,
        #[case] tag: Option<&str>,
    ) {
        let image = ImageRef::parse(text).unwrap();
        assert_eq!(
            (image.registry(), image.repository(), image.tag()),
            (registry, repository, tag)
        );
        assert_eq!(image.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("Syntho-Ray:1")]
    #[case("registry.example/app:")]
    #[case("app@sha256:12")]
    #[case("a//b")]
    fn refused(#[case] text: &str) {
        assert!(ImageRef::parse(text).is_err());
    }

    #[rstest]
    #[case("postgres:14.5", "postgres:14.5")]
    #[case("docker.io/library/postgres:14.5", "postgres:14.5")]
    #[case("docker.io/team/app", "team/app:latest")]
    #[case("registry.lan:5000/app", "registry.lan:5000/app:latest")]
    #[case("registry.lan:5000/app:1@sha256:aa", "registry.lan:5000/app@sha256:aa")]
    fn names_as_docker_means_them(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(canonical(name), expected);
    }
}
