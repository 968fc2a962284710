//! One table of an answers file, read key by key, so that every fault in it is found and not only the first.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::model::fault::Fault;
use crate::model::source::SourceText;
use crate::model::suggest;

/// A table with the keys that were asked for.
pub(super) struct Table<'d> {
    entries: &'d DeTable<'d>,
    path: String,
    known: Vec<&'static str>,
    source: &'d SourceText,
}

impl<'d> Table<'d> {
    /// Looks at `table`, which stands at `path`.
    pub(super) fn new(table: &'d DeTable<'d>, path: &str, source: &'d SourceText) -> Self {
        Self {
            entries: table,
            path: path.to_owned(),
            known: Vec::new(),
            source,
        }
    }

    /// Returns the path of a key of this table.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Returns the raw value of a key, which is known from now on.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.push(key);
        self.entries.get(key)
    }

    /// Returns the value of a key as `T`; says what it must be when it is something else.
    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        what: &str,
        example: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        let value = self.raw(key)?;
        let path = self.path_of(key);
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                let shape = ["invalid type", "invalid value", "unknown variant"];
                let message = if shape.iter().any(|start| error.message().starts_with(start)) {
                    format!("must be {what}")
                } else {
                    error.message().trim_end().to_owned()
                };
                faults.push(
                    Fault::new(&path, message)
                        .example(example)
                        .placed_in(self.source),
                );
                None
            }
        }
    }

    /// As [`Self::optional`], for a key that must be there.
    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        what: &str,
        example: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            self.known.push(key);
            faults.push(
                Fault::new(self.path_of(key), format!("is missing: it is {what}"))
                    .example(example)
                    .placed_in(self.source),
            );
            return None;
        }
        self.optional(key, what, example, faults)
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(self, faults: &mut Vec<Fault>) {
        for key in self.entries.keys() {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                faults.push(
                    Fault::new(
                        self.path_of(name),
                        format!("is not a key here; {}", suggest::advice(name, &self.known)),
                    )
                    .place(self.source.place(key.span())),
                );
            }
        }
    }
}
