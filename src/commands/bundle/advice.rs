//! What to write into an answers file so that it finds images that were fetched or pushed.

use camino::Utf8PathBuf;

use crate::model::answers::{ImageSource, ImagesSection};
use crate::model::preset::Preset;
use crate::model::validate::every_reference;

/// Returns the lines; of `refs` only those that do not follow from registry and tag.
pub(super) fn advice(preset: &Preset, section: &ImagesSection) -> Vec<String> {
    let follows = ImagesSection {
        refs: std::collections::BTreeMap::default(),
        ..section.clone()
    };
    let usual = every_reference(preset, &follows).0;
    let mut lines = vec!["  [images]".to_owned()];
    let mut line = |key: &str, value: &str| lines.push(format!("  {key} = \"{value}\""));
    line(
        "source",
        match section.source {
            ImageSource::Registry => "registry",
            ImageSource::Bundle => "bundle",
            ImageSource::Present => "present",
        },
    );
    if let Some(bundle) = &section.bundle {
        line("bundle", bundle.as_str());
    }
    for (key, value) in [
        ("registry", &section.registry),
        ("username", &section.username),
        ("tag", &section.tag),
    ] {
        if let Some(value) = value {
            line(key, value);
        }
    }
    if !section.bundles.is_empty() {
        let quoted: Vec<String> = section
            .bundles
            .iter()
            .map(|name: &Utf8PathBuf| format!("\"{name}\""))
            .collect();
        lines.insert(2, format!("  bundles = [{}]", quoted.join(", ")));
    }
    let mut others = section
        .refs
        .iter()
        .filter(|(id, name)| usual.get(*id) != Some(name))
        .peekable();
    if others.peek().is_some() {
        lines.push(String::new());
        lines.push("  [images.refs]".to_owned());
    }
    lines.extend(others.map(|(id, name)| format!("  {id} = \"{name}\"")));
    lines
}
