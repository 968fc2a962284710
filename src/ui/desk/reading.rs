//! Image archives read while typing goes on.

use super::Desk;
use crate::engine::trial::{Lacking, Reading};
use crate::wizard::{Key, Look};

impl Desk {
    /// Reads the image archives that the draft names, when others were named before.
    pub fn read_archives(&mut self, look: &Look) {
        let key = Key::new("images.bundle");
        let named = look.field(&key).and_then(|field| field.value.as_deref());
        let files = named.unwrap_or_default().split(',').map(str::trim);
        let files = files.filter(|file| !file.is_empty());
        let files = files.map(|file| self.locate(file).into()).collect();
        self.archives.choose(files);
    }

    /// Takes in how far the archives are read; returns whether anything was heard.
    pub fn hear_archives(&mut self) -> bool {
        self.archives.hear()
    }

    /// Returns how far the archives are read.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        self.archives.reading()
    }

    /// Returns the images that the archives lack; nothing before all of them are read.
    #[must_use]
    pub fn lacking(&self, look: &Look) -> Vec<Lacking> {
        let preset = self.wizard.preset();
        preset.map_or_else(Vec::new, |preset| {
            self.archives.lacking(preset, &look.references)
        })
    }
}
