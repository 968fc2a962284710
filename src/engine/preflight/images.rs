//! Images: on the host with the right architecture, or to be brought there.

use super::scene::{Seat, canonical};
use crate::images::matching::{self, Need};
use crate::model::answers::ImageSource;
use crate::model::check::CheckResult;
use crate::model::resolved::PlacedImage;

/// Judges every image the host needs.
pub(super) fn images(seat: Seat<'_>) -> Vec<CheckResult> {
    if seat.docker().is_none() {
        return Vec::new();
    }
    let needed = seat.images();
    let mut results: Vec<CheckResult> = needed
        .iter()
        .filter_map(|image| trouble(seat, image))
        .collect();
    let missing = seat.missing_images().len();
    let there = needed.len() - missing;
    if results.is_empty() && !needed.is_empty() {
        let found = match missing {
            0 => format!("all {there} are there"),
            _ => format!("{there} are there, {missing} will be brought"),
        };
        results.push(seat.draft("images", "Images").pass(found));
    }
    results
}

fn trouble(seat: Seat<'_>, image: &PlacedImage) -> Option<CheckResult> {
    let draft = seat.draft("images", "Images");
    let wanted = &image.reference;
    let delivered = seat.resolved.image_source != ImageSource::Present;
    let Some(here) = seat.image(wanted) else {
        if seat.resolved.image_source == ImageSource::Bundle {
            return bundled(seat, image);
        }
        if delivered {
            return None;
        }
        let near = near(seat, image);
        let draft = draft.because(
            "`source = \"present\"` brings no images, and Docker may not look for them elsewhere",
        );
        return Some(match near.first() {
            Some(found) => draft
                .remedy(format!(
                    "if `{found}` is the one that is meant, write it into the answers under `[images.refs]`: {} = \"{found}\"",
                    image.id
                ))
                .command(format!("sudo docker image inspect {found}"))
                .fail(format!("{wanted} is not there; {} is", in_words(&near))),
            None => draft
                .remedy("load it first, or choose the source `registry` or `bundle`")
                .command("sudo docker load --input IMAGES.tar.gz")
                .fail(format!("{wanted} is not there")),
        });
    };
    let host = seat.facts.docker_architecture();
    if here.architecture == host || here.architecture.is_empty() {
        return None;
    }
    let found = format!("{wanted} is there, made for {}", here.architecture);
    let draft = draft.because(format!("the host is {host}"));
    if seat.resolved.image_source == ImageSource::Bundle {
        // It will be replaced by the archives' one, if that fits.
        return self::bundled(seat, image);
    }
    Some(if delivered {
        draft
            .remedy("it will be replaced by the one that is brought")
            .warn(found)
    } else {
        draft
            .remedy(format!("put the image made for {host} on the host"))
            .mended_by(format!("sudo docker pull --platform linux/{host} {wanted}"))
            .fail(found)
    })
}

/// Judges what the archives hold for an image that the host lacks.
fn bundled(seat: Seat<'_>, image: &PlacedImage) -> Option<CheckResult> {
    let draft = seat.draft("images", "Images");
    let wanted = &image.reference;
    let host = seat.facts.docker_architecture();
    let all = &seat.resolved.bundled;
    let Some(found) = matching::find(all, wanted, Some(host)) else {
        let near = matching::near(
            all,
            &Need {
                id: &image.id,
                reference: wanted,
                aliases: &image.aliases,
                tag_endings: &image.tag_endings,
            },
        );
        let told = format!("{wanted} is in none of the archives");
        let draft = draft
            .because("images come from the archives, and Docker may not look for them elsewhere");
        return Some(match near.first() {
            Some(first) => draft
                .remedy(format!(
                    "if `{first}` is the one that is meant, write it into the answers under `[images.refs]`: {} = \"{first}\"",
                    image.id
                ))
                .fail(format!("{told}; {} is", in_words(&near))),
            None if all.iter().any(|image| image.names.is_empty()) => draft
                .because("an image in them was saved by its id and has no name")
                .remedy("save it by name")
                .command(format!("docker save --output images.tar {wanted}"))
                .fail(told),
            None => draft
                .remedy("add an archive that holds it, under `[images]` as one of `bundles`")
                .command(format!("docker save --output image.tar {wanted}"))
                .fail(told),
        });
    };
    if found.architecture == host && found.os == "linux" {
        return None;
    }
    Some(
        draft
            .because(format!("the host is linux/{host}"))
            .remedy(format!("save the image made for linux/{host}"))
            .command(format!("docker pull --platform linux/{host} {wanted}"))
            .fail(format!(
                "{wanted} in the archives is made for {}/{}",
                found.os, found.architecture
            )),
    )
}

/// Returns names on the host that may be meant: same repository with another tag or registry first, then the vendor's other spellings.
fn near(seat: Seat<'_>, image: &PlacedImage) -> Vec<String> {
    let own = last_part(image.reference.repository());
    let tags: Vec<&String> = seat
        .docker()
        .into_iter()
        .flat_map(|docker| &docker.images)
        .flat_map(|found| &found.tags)
        .collect();
    let with = |repository: &str| -> Vec<String> {
        tags.iter()
            .filter(|tag| last_part(repository_of(tag)) == repository)
            .map(|tag| (*tag).clone())
            .collect()
    };
    let mut found = with(own);
    for alias in &image.aliases {
        found.extend(with(last_part(alias)));
    }
    // The same release under another name is the likeliest.
    let release = image.reference.tag().unwrap_or("latest");
    found.sort_by_key(|name| !canonical(name).ends_with(&format!(":{release}")));
    found.dedup();
    found
}

fn repository_of(tag: &str) -> &str {
    match tag.rsplit_once(':') {
        Some((repository, release)) if !release.contains('/') => repository,
        _ => tag,
    }
}

fn last_part(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

fn in_words(names: &[String]) -> String {
    names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RAY, Sample, image, told};
    use super::*;

    #[test]
    fn present_images_pass() {
        let sample = Sample::three();
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            ["pass images: all 1 are there"]
        );
    }

    #[test]
    fn what_will_be_brought_may_be_missing() {
        let mut sample = Sample::three();
        sample.resolved.image_source = ImageSource::Registry;
        sample.docker("ray-1").images.clear();
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            ["pass images: 0 are there, 1 will be brought"]
        );
    }

    #[test]
    fn a_missing_image_names_what_may_be_meant() {
        let mut sample = Sample::three();
        sample.docker("ui").images = vec![
            image("syntho.azurecr.io/syntho-core-backend:1.8.0", "amd64"),
            image("synthoregistry.azurecr.io/syntho-backend:1.9.0", "amd64"),
        ];
        assert_eq!(
            told(&images(sample.seat("ui"))),
            [
                "fail images: syntho.azurecr.io/syntho-core-backend:1.9.0 is not there; `synthoregistry.azurecr.io/syntho-backend:1.9.0`, `syntho.azurecr.io/syntho-core-backend:1.8.0` is"
            ]
        );
        sample.docker("ui").images.clear();
        assert_eq!(
            told(&images(sample.seat("ui"))),
            ["fail images: syntho.azurecr.io/syntho-core-backend:1.9.0 is not there"]
        );
    }

    #[test]
    fn the_wrong_architecture() {
        let mut sample = Sample::three();
        sample.docker("ray-1").images = vec![image(RAY, "arm64")];
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            [format!("fail images: {RAY} is there, made for arm64")]
        );
        sample.resolved.image_source = ImageSource::Registry;
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            [format!("warn images: {RAY} is there, made for arm64")]
        );
    }

    fn archived(name: &str, architecture: &str) -> crate::model::bundle::BundledImage {
        crate::model::bundle::BundledImage {
            id: format!("sha256:{name}"),
            names: vec![name.to_owned()],
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            created: None,
            config_size: 1,
            layers: Vec::new(),
        }
    }

    #[test]
    fn an_archive_that_lacks_an_image_is_refused_by_name() {
        let mut sample = Sample::three();
        sample.resolved.image_source = ImageSource::Bundle;
        sample.docker("ui").images.clear();
        assert_eq!(
            told(&images(sample.seat("ui"))),
            ["fail images: syntho.azurecr.io/syntho-core-backend:1.9.0 is in none of the archives"]
        );
        let near = archived("other.example/syntho-backend:1.9.0", "amd64");
        sample.resolved.bundled = vec![near];
        assert_eq!(
            told(&images(sample.seat("ui"))),
            [
                "fail images: syntho.azurecr.io/syntho-core-backend:1.9.0 is in none of the archives; `other.example/syntho-backend:1.9.0` is"
            ]
        );
    }

    #[test]
    fn an_archive_for_another_architecture_is_refused() {
        let mut sample = Sample::three();
        sample.resolved.image_source = ImageSource::Bundle;
        sample.docker("ray-1").images.clear();
        sample.resolved.bundled = vec![archived(RAY, "arm64")];
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            [format!(
                "fail images: {RAY} in the archives is made for linux/arm64"
            )]
        );
        sample.resolved.bundled.push(archived(RAY, "amd64"));
        assert_eq!(
            told(&images(sample.seat("ray-1"))),
            ["pass images: 0 are there, 1 will be brought"]
        );
    }
}
