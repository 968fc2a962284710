//! Text of a settings file with the place of every key, so that a message can say where it belongs.
//!
//! It knows nothing of presets or answers: it maps a key's path, such as `hosts[1].address`, to file, line and column, and draws the caret. Reading a file
//! is the caller's work. Used for answers files and for preset files.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::de::{DeArray, DeTable, DeValue};

/// How much of a line may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The whole line: for files of ours.
    Line,
    /// The key only: the value may be a secret that was put in the wrong place.
    Key,
}

/// A file's text with the place of its keys.
#[derive(Debug, Clone)]
pub struct SourceText {
    name: String,
    text: String,
    shown: Shown,
    keys: BTreeMap<String, Range<usize>>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the operator gave it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1 in characters.
    pub column: usize,
    /// How many characters are meant; 0 when the whole file is.
    pub width: usize,
    /// The line, as much of it as may be shown.
    pub excerpt: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Place {
    /// Returns the line with a caret below what is meant, in three lines.
    #[must_use]
    pub fn caret(&self) -> String {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let before = " ".repeat(self.column.saturating_sub(1));
        let room = self
            .excerpt
            .chars()
            .count()
            .saturating_sub(self.column.saturating_sub(1))
            .max(1);
        let carets = "^".repeat(self.width.clamp(1, room));
        format!(
            "{gutter} |\n{number} | {}\n{gutter} | {before}{carets}",
            self.excerpt
        )
    }
}

impl SourceText {
    /// Keeps `text` under `name` without looking into it.
    #[must_use]
    pub fn new(name: &str, text: &str, shown: Shown) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            shown,
            keys: BTreeMap::new(),
        }
    }

    /// Remembers where each key of the document stands.
    pub fn index(&mut self, document: &DeTable<'_>) {
        let mut keys = BTreeMap::new();
        index_table(document, "", &mut keys);
        self.keys = keys;
    }

    /// Returns the file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the place of the key at `path`, or of the nearest part of the path that stands in the file.
    #[must_use]
    pub fn place_of(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(range) = self.keys.get(path) {
                return self.place(range.clone());
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => {
                    return Place {
                        width: 0,
                        ..self.place(0..0)
                    };
                }
            }
        }
    }

    /// Returns whether a key stands at exactly this path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.keys.contains_key(path)
    }

    /// Returns the place of a range of bytes.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = floor_boundary(&self.text, range.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = self.text[line_start..]
            .find('\n')
            .map_or(self.text.len(), |at| line_start + at);
        let end = floor_boundary(&self.text, range.end.min(line_end)).max(start);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let excerpt = match self.shown {
            Shown::Line => line.to_owned(),
            Shown::Key => key_part(line),
        };
        Place {
            file: self.name.clone(),
            line: self.text[..start].matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            width: self.text[start..end].chars().count().max(1),
            excerpt,
        }
    }
}

/// Returns the line up to its first `=`; the rest is replaced by an ellipsis.
fn key_part(line: &str) -> String {
    match line.find('=') {
        Some(at) if !line[at + 1..].trim().is_empty() => format!("{}= …", &line[..at]),
        Some(_) | None if line.trim_start().starts_with(['[', '#']) => line.to_owned(),
        Some(_) => line.to_owned(),
        None => "…".to_owned(),
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn index_table(table: &DeTable<'_>, path: &str, keys: &mut BTreeMap<String, Range<usize>>) {
    for (key, value) in table {
        let name = key.get_ref();
        let here = if path.is_empty() {
            name.to_string()
        } else {
            format!("{path}.{name}")
        };
        keys.insert(here.clone(), key.span());
        index_value(value.get_ref(), &here, keys);
    }
}

fn index_value(value: &DeValue<'_>, path: &str, keys: &mut BTreeMap<String, Range<usize>>) {
    match value {
        DeValue::Table(table) => index_table(table, path, keys),
        DeValue::Array(array) => index_array(array, path, keys),
        _ => {}
    }
}

fn index_array(array: &DeArray<'_>, path: &str, keys: &mut BTreeMap<String, Range<usize>>) {
    for (number, value) in array.iter().enumerate() {
        let here = format!("{path}[{number}]");
        keys.insert(here.clone(), value.span());
        index_value(value.get_ref(), &here, keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str, shown: Shown) -> SourceText {
        let mut source = SourceText::new("acme.toml", text, shown);
        source.index(DeTable::parse(text).unwrap().get_ref());
        source
    }

    #[test]
    fn a_key_has_a_place_and_a_caret() {
        let source = source("a = 1\n[b]\n  key = \"x\"\n", Shown::Line);
        let place = source.place_of("b.key");
        assert_eq!(place.to_string(), "acme.toml:3:3");
        assert_eq!(place.caret(), "  |\n3 |   key = \"x\"\n  |   ^^^");
    }

    #[test]
    fn a_missing_key_is_placed_at_its_nearest_parent() {
        let source = source(
            "[[hosts]]\nname = \"a\"\n[[hosts]]\nname = \"b\"\n",
            Shown::Line,
        );
        assert_eq!(source.place_of("hosts[1].address").line, 3);
        assert_eq!(source.place_of("nowhere.at-all").width, 0);
    }

    #[test]
    fn a_value_that_may_be_secret_is_not_shown() {
        let source = source("[answers]\nlicense-key = \"sesame\"\n", Shown::Key);
        let caret = source.place_of("answers.license-key").caret();
        assert!(!caret.contains("sesame"), "{caret}");
        assert!(caret.contains("license-key = …"), "{caret}");
    }
}
