//! The presets and templates in the binary.

use rust_embed::RustEmbed;

/// `presets/` of the source tree.
#[derive(RustEmbed)]
#[folder = "presets/"]
#[include = "*.toml"]
#[include = "order.txt"]
pub(super) struct EmbeddedPresets;

/// What presets name under `assets/` of the source tree.
#[derive(RustEmbed)]
#[folder = "assets/"]
#[exclude = "rehearsal/*"]
pub(super) struct EmbeddedAssets;

impl EmbeddedPresets {
    /// Returns the files' names, fragments among them.
    pub(super) fn file_names() -> Vec<String> {
        Self::iter().map(std::borrow::Cow::into_owned).collect()
    }

    /// Returns a file's text.
    pub(super) fn text(name: &str) -> Option<String> {
        text(Self::get(name)?)
    }
}

impl EmbeddedAssets {
    /// Returns a file's text.
    pub(super) fn text(path: &str) -> Option<String> {
        text(Self::get(path)?)
    }
}

fn text(file: rust_embed::EmbeddedFile) -> Option<String> {
    String::from_utf8(file.data.into_owned()).ok()
}
