//! Images found held against images needed: what is there, what is missing, what may be meant instead, and what nobody needs.
//!
//! Which spellings the vendor has used stands in the preset, as an image's `aliases` and `tag-endings`. Called by preflight and `bundle inspect`.

use serde::Serialize;

use crate::model::bundle::BundledImage;
use crate::model::ids::ImageId;
use crate::model::image::{ImageRef, canonical};

/// An image that is needed.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// Its part in the preset.
    pub id: &'a ImageId,
    /// Its full reference.
    pub reference: &'a ImageRef,
    /// Other repository names it is known by.
    pub aliases: &'a [String],
    /// Endings that its tag has had.
    pub tag_endings: &'a [String],
}

/// A needed image that is in no archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Missing {
    /// Its part in the preset.
    pub id: ImageId,
    /// Its full reference.
    pub reference: ImageRef,
    /// Names in the archives that may be meant, the likeliest first.
    pub near: Vec<String>,
}

/// What came of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// Needed images that are there, by part.
    pub found: Vec<ImageId>,
    /// Needed images that are not.
    pub missing: Vec<Missing>,
    /// Images that nothing needs, by name, or by id where there is none.
    pub superfluous: Vec<String>,
}

/// Returns the image that goes by this name; where several do, one for `architecture` comes first.
#[must_use]
pub fn find<'b>(
    bundled: &'b [BundledImage],
    reference: &ImageRef,
    architecture: Option<&str>,
) -> Option<&'b BundledImage> {
    let wanted = canonical(&reference.to_string());
    let named = || {
        let by_name =
            |image: &&BundledImage| image.names.iter().any(|name| canonical(name) == wanted);
        bundled.iter().filter(by_name)
    };
    let fitting = |image: &&BundledImage| Some(image.architecture.as_str()) == architecture;
    named().find(fitting).or_else(|| named().next())
}

/// Returns names in the archives that may be meant by `need`, the likeliest first.
#[must_use]
pub fn near(bundled: &[BundledImage], need: &Need<'_>) -> Vec<String> {
    let mut found: Vec<(u32, &String)> = bundled
        .iter()
        .flat_map(|image| &image.names)
        .filter_map(|name| Some((distance(name, need)?, name)))
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Returns how far a name is from what is needed; `None` when it is something else.
fn distance(name: &str, need: &Need<'_>) -> Option<u32> {
    let other = ImageRef::parse(name).ok()?;
    let repository = last(other.repository());
    let spelling = if repository == last(need.reference.repository()) {
        0
    } else if need.aliases.iter().any(|alias| last(alias) == repository) {
        1
    } else {
        return None;
    };
    let (tag, wanted) = (
        other.tag().unwrap_or("latest"),
        need.reference.tag().unwrap_or("latest"),
    );
    let same_but = |longer: &str, shorter: &str| {
        need.tag_endings
            .iter()
            .any(|ending| longer.strip_suffix(ending.as_str()) == Some(shorter))
    };
    let release = if tag == wanted {
        0
    } else if same_but(tag, wanted) || same_but(wanted, tag) {
        2
    } else {
        4
    };
    Some(release + spelling)
}

fn last(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

/// Holds everything found against everything needed.
#[must_use]
pub fn compare(bundled: &[BundledImage], needs: &[Need<'_>]) -> Comparison {
    let mut comparison = Comparison::default();
    let mut used: Vec<&BundledImage> = Vec::new();
    for need in needs {
        if let Some(image) = find(bundled, need.reference, None) {
            comparison.found.push(need.id.clone());
            used.push(image);
        } else {
            comparison.missing.push(Missing {
                id: need.id.clone(),
                reference: need.reference.clone(),
                near: near(bundled, need),
            });
        }
    }
    let proposed = |image: &BundledImage| {
        let near = comparison.missing.iter().flat_map(|missing| &missing.near);
        near.into_iter().any(|name| image.names.contains(name))
    };
    comparison.superfluous = bundled
        .iter()
        .filter(|image| !used.contains(image) && !proposed(image))
        .map(ToString::to_string)
        .collect();
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn bundled(name: &str, architecture: &str) -> BundledImage {
        BundledImage {
            id: format!("sha256:{name}/{architecture}"),
            names: vec![name.to_owned()],
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            created: None,
            config_size: 1,
            layers: Vec::new(),
        }
    }

    fn all(names: &[&str]) -> Vec<BundledImage> {
        names.iter().map(|name| bundled(name, "amd64")).collect()
    }

    /// Asks for `reg.example/team-core-backend:1.9.0`, also known as `team-backend`, with the ending `-cpu`.
    fn asked<T>(ask: impl FnOnce(&Need<'_>) -> T) -> T {
        ask(&Need {
            id: &"backend".parse().unwrap(),
            reference: &ImageRef::parse("reg.example/team-core-backend:1.9.0").unwrap(),
            aliases: &["team-backend".to_owned()],
            tag_endings: &["-cpu".to_owned()],
        })
    }

    #[rstest]
    #[case::alias("reg.example/team-backend:1.9.0", true)]
    #[case::other_host("other.example:5000/mirror/team-core-backend:1.9.0", true)]
    #[case::ending("reg.example/team-core-backend:1.9.0-cpu", true)]
    #[case::release("reg.example/team-core-backend:1.8.0", true)]
    #[case::another("reg.example/team-core-frontend:1.9.0", false)]
    fn near_misses(#[case] name: &str, #[case] expected: bool) {
        let found = asked(|need| near(&all(&[name]), need));
        assert_eq!(
            found,
            if expected {
                vec![name.to_owned()]
            } else {
                Vec::new()
            }
        );
    }

    #[test]
    fn the_same_release_is_likelier_than_the_same_name() {
        let there = all(&[
            "a/team-core-backend:1.8.0",
            "b/team-backend:1.9.0",
            "c/team-backend:1.9.0-cpu",
        ]);
        assert_eq!(
            asked(|need| near(&there, need)),
            [
                "b/team-backend:1.9.0",
                "c/team-backend:1.9.0-cpu",
                "a/team-core-backend:1.8.0"
            ]
        );
    }

    #[test]
    fn names_mean_what_docker_means() {
        let there = all(&["docker.io/library/db:14.5"]);
        let wanted = ImageRef::parse("db:14.5").unwrap();
        assert!(find(&there, &wanted, None).is_some());
    }

    #[test]
    fn the_architecture_decides_between_two_of_one_name() {
        let there = [bundled("db:1", "arm64"), bundled("db:1", "amd64")];
        let wanted = ImageRef::parse("db:1").unwrap();
        let found = |architecture| find(&there, &wanted, Some(architecture)).unwrap();
        assert_eq!(found("amd64").architecture, "amd64");
        assert_eq!(found("s390x").architecture, "arm64");
    }

    #[test]
    fn missing_and_superfluous_are_told_by_name() {
        let told = asked(|need| compare(&all(&["b/team-backend:1.9.0", "left:1"]), &[*need]));
        assert_eq!(told.missing[0].near, ["b/team-backend:1.9.0"]);
        assert_eq!(told.superfluous, ["left:1"]);
        let told = asked(|need| compare(&all(&["reg.example/team-core-backend:1.9.0"]), &[*need]));
        assert_eq!(told.found.len(), 1);
        assert!(told.missing.is_empty() && told.superfluous.is_empty());
    }
}
