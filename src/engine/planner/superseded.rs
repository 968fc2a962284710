//! Images of earlier releases, which nothing of the deployment needs any more.

use std::collections::BTreeSet;

use crate::model::docker::ImageFacts;
use crate::model::image::ImageRef;
use crate::model::resolved::PlacedImage;

/// What becomes of images that newer ones have replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Superseded {
    /// They stay, so that the way back is short.
    #[default]
    Keep,
    /// They go at the end, unless a container uses them.
    Remove,
}

/// An image that goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Old<'a> {
    pub(super) name: ImageRef,
    pub(super) by: &'a ImageRef,
    pub(super) size: u64,
}

/// Returns every name on a host that is another release of an image that it needs.
pub(super) fn old<'a>(there: &[ImageFacts], needed: &[&'a PlacedImage]) -> Vec<Old<'a>> {
    let kept: BTreeSet<String> = needed
        .iter()
        .map(|image| image.reference.to_string())
        .collect();
    let mut old = Vec::new();
    for image in there {
        // Under another name it is the very image that is needed.
        if image.tags.iter().any(|tag| kept.contains(tag)) {
            continue;
        }
        for name in image
            .tags
            .iter()
            .filter_map(|tag| ImageRef::parse(tag).ok())
        {
            if let Some(by) = needed.iter().find(|needed| is_release_of(&name, needed)) {
                old.push(Old {
                    name,
                    by: &by.reference,
                    size: image.size,
                });
            }
        }
    }
    old
}

/// Only the very repository counts: an image that is merely called alike may be somebody else's.
fn is_release_of(name: &ImageRef, image: &PlacedImage) -> bool {
    name.registry() == image.reference.registry()
        && name.repository() == image.reference.repository()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(names: &[&str]) -> ImageFacts {
        ImageFacts {
            id: "sha256:1".to_owned(),
            tags: names.iter().map(|name| (*name).to_owned()).collect(),
            digests: Vec::new(),
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            size: 7,
            created: None,
            layers: Vec::new(),
        }
    }

    #[test]
    fn other_releases_of_what_is_needed_and_nothing_else() {
        let needed = PlacedImage {
            id: "app".parse().unwrap(),
            reference: ImageRef::parse("reg.example/app:2").unwrap(),
            unpacked: 1,
            aliases: vec!["application".to_owned()],
            tag_endings: Vec::new(),
        };
        let images = [
            there(&["reg.example/app:2", "reg.example/app:latest"]),
            there(&["reg.example/app:1", "mine:1"]),
            there(&[
                "other.example/app:1",
                "reg.example/apps:1",
                "app:1",
                "reg.example/application:1",
            ]),
            there(&[]),
        ];
        let found = old(&images, &[&needed]);
        let names: Vec<String> = found.iter().map(|old| old.name.to_string()).collect();
        assert_eq!(names, ["reg.example/app:1"]);
        assert_eq!((found[0].by, found[0].size), (&needed.reference, 7));
    }
}
