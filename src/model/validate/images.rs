//! Where images come from, and the full reference of each.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::model::answers::{AnswersFile, ImageSource, ImagesSection};
use crate::model::fault::Fault;
use crate::model::ids::ImageId;
use crate::model::image::ImageRef;
use crate::model::preset::Preset;
use crate::model::rules::{Files, problem_of_host};
use crate::model::suggest;
use crate::model::template::{Kind, Scope};

/// Checks `[images]` and returns it with paths made absolute.
pub(super) fn check(
    file: &AnswersFile,
    preset: &Preset,
    files: &dyn Files,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> ImagesSection {
    let images = &file.images;
    check_source(images, faults);
    check_registry(images, faults);
    check_tag(images, faults);
    check_through(file, faults);
    let known: Vec<&str> = preset
        .parts
        .images
        .iter()
        .map(|image| image.id.as_str())
        .collect();
    for id in images
        .refs
        .keys()
        .filter(|id| !known.contains(&id.as_str()))
    {
        let message = format!(
            "is not an image of this preset; {}",
            suggest::advice(id.as_str(), &known)
        );
        faults.push(Fault::new(format!("images.refs.{id}"), message));
    }
    // What a bad registry or tag leads to needs no word of its own.
    let cause = |fault: &Fault| fault.at == "images.registry" || fault.at == "images.tag";
    if !faults.iter().any(cause) {
        faults.extend(references(preset, images, scope).1);
    }
    let mut images = images.clone();
    let locate = |path: &camino::Utf8PathBuf| files.locate(path.as_str()).into();
    images.bundle = images.bundle.as_ref().map(locate);
    images.bundles = images.bundles.iter().map(locate).collect();
    images
}

fn check_source(images: &ImagesSection, faults: &mut Vec<Fault>) {
    let has_bundle = images.bundle.is_some() || !images.bundles.is_empty();
    match images.source {
        ImageSource::Bundle if !has_bundle => faults.push(
            Fault::new(
                "images.bundle",
                "is missing: `source = \"bundle\"` needs the archive's path",
            )
            .example("bundle = \"images.tar.gz\""),
        ),
        ImageSource::Registry | ImageSource::Present if has_bundle => {
            let key = if images.bundle.is_some() {
                "bundle"
            } else {
                "bundles"
            };
            faults.push(
                Fault::new(
                    format!("images.{key}"),
                    "is given, and images do not come from it: say so in `source`",
                )
                .example("source = \"bundle\""),
            );
        }
        _ => {}
    }
    if images.bundle.is_some() && !images.bundles.is_empty() {
        faults.push(
            Fault::new(
                "images.bundles",
                "stands beside `bundle`: put every archive here",
            )
            .example("bundles = [\"one.tar.gz\", \"two.tar.gz\"]"),
        );
    }
    if images.source != ImageSource::Registry && images.username.is_some() {
        faults.push(
            Fault::new(
                "images.username",
                "is for a registry, and images do not come from one",
            )
            .example("source = \"registry\""),
        );
    }
}

fn check_through(file: &AnswersFile, faults: &mut Vec<Fault>) {
    let Some(through) = &file.images.through else {
        return;
    };
    let names: Vec<&str> = file.hosts.iter().map(|host| host.name.as_str()).collect();
    if file.images.source != ImageSource::Registry {
        faults.push(
            Fault::new(
                "images.through",
                "is the way to a registry, and images do not come from one",
            )
            .example("source = \"registry\""),
        );
    } else if !names.contains(&through.as_str()) {
        let advice = suggest::advice(through.as_str(), &names);
        faults.push(Fault::new(
            "images.through",
            format!("is none of the hosts; {advice}"),
        ));
    }
}

fn check_registry(images: &ImagesSection, faults: &mut Vec<Fault>) {
    let Some(registry) = &images.registry else {
        return;
    };
    let host = registry.split('/').next().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => name,
        _ => host,
    };
    if registry.contains("://") || problem_of_host(name).is_some() {
        faults.push(
            Fault::new(
                "images.registry",
                "must be the registry's host, with a port if it has one, without a scheme",
            )
            .example("registry = \"registry.acme.example:5000\""),
        );
    }
}

fn check_tag(images: &ImagesSection, faults: &mut Vec<Fault>) {
    let Some(tag) = &images.tag else { return };
    let example = "tag = \"1.9.0\"";
    if ImageRef::parse(&format!("a:{tag}")).is_err() || tag.contains('@') {
        let rule = "must be a tag: up to 128 letters, digits, `.`, `_` or `-`, not starting with `.` or `-`";
        faults.push(Fault::new("images.tag", rule).example(example));
    } else if tag.split('-').next() == Some("latest") {
        let rule = "moves: hosts that pull on different days get different releases, and there is no way back; name a release";
        faults.push(Fault::new("images.tag", rule).example(example));
    }
}

/// Returns the full reference of every image that applies, and what is wrong with the others.
#[must_use]
pub fn references(
    preset: &Preset,
    images: &ImagesSection,
    scope: &Scope,
) -> (BTreeMap<ImageId, ImageRef>, Vec<Fault>) {
    let mut references = BTreeMap::new();
    let mut faults: Vec<Fault> = Vec::new();
    let text = |text: &Option<String>| text.as_deref().map_or(Value::from(()), Value::from);
    let scope = scope
        .with("registry", text(&images.registry))
        .with("tag", text(&images.tag));
    for image in &preset.parts.images {
        let name = format!("image.{}", image.id);
        match scope.holds(&name, image.when.as_deref()) {
            Ok(true) => {}
            // Not wanted, or a question that `when` names is broken and has its own fault.
            Ok(false) | Err(_) => continue,
        }
        if let Some(reference) = images.refs.get(&image.id) {
            references.insert(image.id.clone(), reference.clone());
            continue;
        }
        if images.tag.is_none() && image.reference.contains("tag") {
            if !faults.iter().any(|fault| fault.at == "images.tag") {
                let message = format!(
                    "is missing: the release of `{}` ({})",
                    image.id, image.title
                );
                faults.push(Fault::new("images.tag", message).example("tag = \"1.9.0\""));
            }
            continue;
        }
        let rendered = scope.render(Kind::Text, &name, &image.reference);
        let parsed = rendered
            .map_err(|error| error.to_string())
            .and_then(|text| ImageRef::parse(&text).map_err(|error| error.to_string()));
        match parsed {
            Ok(reference) => {
                references.insert(image.id.clone(), reference);
            }
            Err(reason) => {
                let message = format!("gives no image for `{}`: {reason}", image.id);
                faults.push(Fault::new("images", message));
            }
        }
    }
    (references, faults)
}

/// Returns what a preset needs at a release when every question keeps its default: for judging an archive before there are answers.
#[must_use]
pub fn usual_references(preset: &Preset, tag: &str) -> BTreeMap<ImageId, ImageRef> {
    let images = ImagesSection {
        tag: Some(tag.to_owned()),
        ..ImagesSection::default()
    };
    usual_references_from(preset, &images).0
}

/// As [`usual_references`], with everything that `[images]` may say, and what is wrong with it.
#[must_use]
pub fn usual_references_from(
    preset: &Preset,
    images: &ImagesSection,
) -> (BTreeMap<ImageId, ImageRef>, Vec<Fault>) {
    let mut scope = Scope::default();
    for question in &preset.parts.questions {
        let name = question.id.variable();
        let default = question.default.as_deref().unwrap_or_default();
        let value = scope.render(Kind::Text, &name, default).unwrap_or_default();
        scope.set(
            &name,
            match value.as_str() {
                "" => Value::from(()),
                "true" => Value::from(true),
                "false" => Value::from(false),
                text => Value::from(text),
            },
        );
    }
    references(preset, images, &scope)
}

/// Returns every image that a preset may need, whatever the answers: for an archive that is made before there are any.
#[must_use]
pub fn every_reference(
    preset: &Preset,
    images: &ImagesSection,
) -> (BTreeMap<ImageId, ImageRef>, Vec<Fault>) {
    let mut whole = preset.clone();
    for image in &mut whole.parts.images {
        image.when = None;
    }
    usual_references_from(&whole, images)
}

/// Returns references as templates see them.
pub(in crate::model) fn texts(
    references: &BTreeMap<ImageId, ImageRef>,
) -> BTreeMap<String, String> {
    references
        .iter()
        .map(|(id, reference)| (id.to_string(), reference.to_string()))
        .collect()
}
