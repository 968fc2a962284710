//! Preset files read, their fragments put before them, and every fault placed in its file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeTable, ValueDeserializer};

use super::{PresetError, Presets};
use crate::model::fault::{Fault, Faults};
use crate::model::ids::PresetId;
use crate::model::preset::{Preset, PresetFile, Problem};
use crate::model::source::{Place, Shown, SourceText};

/// Loads a preset; see [`Presets::load`].
pub(super) fn load(presets: &Presets, id: &PresetId) -> Result<Arc<Preset>, PresetError> {
    let Some((name, text)) = presets.text(&format!("{id}.toml")) else {
        return Err(PresetError::Unknown {
            id: id.to_string(),
            known: presets.ids(),
        });
    };
    let broken = |faults: Vec<Fault>| match Faults::gather(faults) {
        Some(faults) => PresetError::Broken {
            id: id.clone(),
            faults,
        },
        None => PresetError::Unknown {
            id: id.to_string(),
            known: Vec::new(),
        },
    };
    let (own, source) = read(&name, &text).map_err(broken)?;
    let mut sources = Vec::new();
    let mut fragments = Vec::new();
    for include in own.include() {
        let (fragment, fragment_source) = fragment(presets, include, &source).map_err(broken)?;
        fragments.push(fragment);
        sources.push(fragment_source);
    }
    sources.push(source);
    let origins = Origins::build(fragments.iter().chain([&own]), sources);
    let preset = own
        .into_preset(fragments)
        .map_err(|key| broken(vec![origins.head(key, "is missing")]))?;
    if preset.id != *id {
        return Err(broken(vec![
            origins.head("id", &format!("must be the file's name, `{id}`")),
        ]));
    }
    let preset = Arc::new(preset);
    if presets.folder.is_some() {
        let problems = preset.check(&presets.assets());
        let faults: Vec<Fault> = problems
            .iter()
            .map(|problem| origins.fault(&preset, problem))
            .collect();
        if !faults.is_empty() {
            return Err(broken(faults));
        }
    }
    Ok(preset)
}

fn fragment(
    presets: &Presets,
    include: &str,
    source: &SourceText,
) -> Result<(PresetFile, SourceText), Vec<Fault>> {
    let Some((name, text)) = presets.text(&format!("shared/{include}.toml")) else {
        let fault = Fault::new(
            "include",
            format!("there is no fragment `shared/{include}.toml`"),
        );
        return Err(vec![fault.placed_in(source)]);
    };
    let (fragment, source) = read(&name, &text)?;
    match fragment.head_key() {
        Some(key) => Err(vec![
            Fault::new(key, "does not belong in a fragment").placed_in(&source),
        ]),
        None => Ok((fragment, source)),
    }
}

fn read(name: &str, text: &str) -> Result<(PresetFile, SourceText), Vec<Fault>> {
    let mut source = SourceText::new(name, text, Shown::Line);
    let (document, errors) = DeTable::parse_recoverable(text);
    let fault = |error: &toml::de::Error| {
        let place = source.place(error.span().unwrap_or(0..0));
        Fault::new("", error.message().trim_end()).place(place)
    };
    if !errors.is_empty() {
        return Err(errors.iter().map(fault).collect());
    }
    let value = toml::Spanned::new(
        document.span(),
        toml::de::DeValue::Table(document.get_ref().clone()),
    );
    let file = PresetFile::deserialize(ValueDeserializer::from(value))
        .map_err(|error| vec![fault(&error)])?;
    source.index(document.get_ref());
    Ok((file, source))
}

/// Where the entries of a merged preset came from.
struct Origins {
    sources: Vec<SourceText>,
    /// List and number in the merged preset to the file and the number there.
    entries: BTreeMap<(String, usize), (usize, usize)>,
}

impl Origins {
    /// Follows the order in which files are merged; `sources` are those of `files`.
    fn build<'f>(files: impl Iterator<Item = &'f PresetFile>, sources: Vec<SourceText>) -> Self {
        let mut entries = BTreeMap::new();
        let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
        for (file, preset) in files.enumerate() {
            for (list, count) in preset.counts() {
                let total = totals.entry(list).or_default();
                for number in 0..count {
                    entries.insert((list.to_owned(), *total), (file, number));
                    *total += 1;
                }
            }
        }
        Self { sources, entries }
    }

    /// Says something about a head key of the preset's own file.
    fn head(&self, key: &str, message: &str) -> Fault {
        let fault = Fault::new(key, message);
        match self.sources.last() {
            Some(source) => fault.placed_in(source),
            None => fault,
        }
    }

    fn fault(&self, preset: &Preset, problem: &Problem) -> Fault {
        let message = match problem.line {
            Some(line) if problem.entry.contains('/') => {
                format!("line {line}: {}", problem.message)
            }
            _ => problem.message.clone(),
        };
        let fault = Fault::new(&problem.entry, message);
        match self.place(preset, problem) {
            Some(place) => fault.place(place),
            None => fault,
        }
    }

    fn place(&self, preset: &Preset, problem: &Problem) -> Option<Place> {
        let entry = problem.entry.as_str();
        let list = entry.split(['.', '[']).next().unwrap_or(entry);
        let rest = &entry[list.len()..];
        let (number, key) = if let Some(rest) = rest.strip_prefix('[') {
            let (number, key) = rest.split_once(']')?;
            (number.parse().ok()?, key)
        } else {
            let id = rest.strip_prefix('.')?;
            let id = id.split('.').next().unwrap_or(id);
            (number_of(preset, list, id)?, &rest[1 + id.len()..])
        };
        if list == "role" {
            return Some(
                self.sources
                    .last()?
                    .place_of(&format!("role[{number}]{key}")),
            );
        }
        let (file, number) = self.entries.get(&(list.to_owned(), number))?;
        Some(
            self.sources
                .get(*file)?
                .place_of(&format!("{list}[{number}]{key}")),
        )
    }
}

fn number_of(preset: &Preset, list: &str, id: &str) -> Option<usize> {
    let parts = &preset.parts;
    match list {
        "role" => preset.roles.iter().position(|role| role.id.as_str() == id),
        "question" => parts
            .questions
            .iter()
            .position(|question| question.id.as_str() == id),
        "value" => parts
            .values
            .iter()
            .position(|value| value.id.as_str() == id),
        "image" => parts
            .images
            .iter()
            .position(|image| image.id.as_str() == id),
        "stack" => parts
            .stacks
            .iter()
            .position(|stack| stack.id.as_str() == id),
        "certificate" => parts.certificates.iter().position(|made| made.id == id),
        "file-set" => parts.file_sets.iter().position(|set| set.id == id),
        "health" => parts.health.iter().position(|health| health.id == id),
        _ => None,
    }
}
