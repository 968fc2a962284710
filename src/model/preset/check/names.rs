//! Names: what templates see is one thing only, and no list holds an id twice.

use std::collections::BTreeMap;

use super::Problem;
use crate::model::preset::Preset;

/// Names that templates see anyway.
const RESERVED: [&str; 11] = [
    "host",
    "deployment",
    "stack",
    "project",
    "folder",
    "adopted_volumes",
    "registry",
    "tag",
    "image_source",
    "found",
    "loop",
];

/// Every name that templates see must be one thing only.
pub(super) fn check(preset: &Preset, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, String> = RESERVED
        .map(|name| (name.to_owned(), "a name of the format".to_owned()))
        .into();
    let questions = preset
        .parts
        .questions
        .iter()
        .map(|q| (q.id.variable(), format!("question.{}", q.id)));
    let values = preset
        .parts
        .values
        .iter()
        .map(|v| (v.id.variable(), format!("value.{}", v.id)));
    let yields = preset.parts.stacks.iter().flat_map(|stack| {
        let names = stack.yields.keys();
        names.map(|name| {
            (
                name.replace('-', "_"),
                format!("stack.{}.yields.{name}", stack.id),
            )
        })
    });
    for (variable, entry) in questions.chain(values).chain(yields) {
        if let Some(first) = seen.insert(variable.clone(), entry.clone()) {
            problems.push(Problem::new(
                entry,
                format!("`{variable}` is taken by {first}"),
            ));
        }
    }
    ids(preset, problems);
}

/// No list holds two entries of one id.
fn ids(preset: &Preset, problems: &mut Vec<Problem>) {
    unique(
        "role",
        preset.roles.iter().map(|role| role.id.as_str()),
        problems,
    );
    unique(
        "image",
        preset.parts.images.iter().map(|image| image.id.as_str()),
        problems,
    );
    unique(
        "stack",
        preset.parts.stacks.iter().map(|stack| stack.id.as_str()),
        problems,
    );
    unique(
        "certificate",
        preset
            .parts
            .certificates
            .iter()
            .map(|made| made.id.as_str()),
        problems,
    );
    unique(
        "file-set",
        preset.parts.file_sets.iter().map(|set| set.id.as_str()),
        problems,
    );
    unique(
        "step-set",
        preset.parts.step_sets.iter().map(|set| set.id.as_str()),
        problems,
    );
    unique(
        "check",
        preset.parts.checks.iter().map(|check| check.id.as_str()),
        problems,
    );
    unique(
        "health",
        preset.parts.health.iter().map(|health| health.id.as_str()),
        problems,
    );
}

fn unique<'p>(list: &str, ids: impl Iterator<Item = &'p str>, problems: &mut Vec<Problem>) {
    let mut seen: Vec<&str> = Vec::new();
    for id in ids {
        if seen.contains(&id) {
            problems.push(Problem::new(
                format!("{list}.{id}"),
                format!("there are two of `{id}`"),
            ));
        }
        seen.push(id);
    }
}
