//! Presets and assets as files: embedded in the binary, added to or overridden by a folder.
//!
//! A folder given by `--presets` holds presets as `ID.toml`, fragments as `shared/NAME.toml`, templates under `assets/` and the order in which presets are
//! offered as `order.txt`; whatever it holds wins over what is embedded. A preset from a folder is checked against itself when it is loaded. What presets mean is the model's affair.

mod describe;
mod embedded;
mod error;
mod example;
mod load;

pub use describe::{
    ImageSummary, PresetSummary, QuestionSummary, RoleSummary, StepSummary, describe,
};
pub use error::PresetError;
pub use example::answers_example;

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::ids::PresetId;
use crate::model::preset::Preset;
use crate::model::template::Assets;
use embedded::{EmbeddedAssets, EmbeddedPresets};

/// The file that says in which order presets are offered.
const ORDER: &str = "order.txt";

/// The presets and assets at hand.
#[derive(Debug, Clone, Default)]
pub struct Presets {
    folder: Option<Utf8PathBuf>,
}

impl Presets {
    /// Uses what is embedded, and `folder` over it.
    #[must_use]
    pub fn new(folder: Option<&Utf8Path>) -> Self {
        Self {
            folder: folder.map(Utf8Path::to_owned),
        }
    }

    /// Returns the ids of all presets: those that `order.txt` names first, in its order, the others behind them by name.
    #[must_use]
    pub fn ids(&self) -> Vec<PresetId> {
        let mut names: Vec<String> = EmbeddedPresets::file_names();
        if let Some(folder) = &self.folder {
            names.extend(folder_entries(folder));
        }
        let mut ids: Vec<PresetId> = names
            .iter()
            .filter_map(|name| name.strip_suffix(".toml")?.parse().ok())
            .collect();
        ids.sort();
        ids.dedup();
        let order = self.text(ORDER).map(|(_, text)| text).unwrap_or_default();
        let place = |id: &PresetId| order.lines().position(|line| line.trim() == id.as_str());
        ids.sort_by_key(|id| place(id).unwrap_or(usize::MAX));
        ids
    }

    /// Loads a preset with its fragments; one that a folder has a hand in is also checked against itself.
    ///
    /// # Errors
    /// Fails when there is no such preset, or a file of it is broken.
    pub fn load(&self, id: &PresetId) -> Result<Arc<Preset>, PresetError> {
        load::load(self, id)
    }

    /// Returns the files that templates are made of, and the operator's files.
    #[must_use]
    pub fn assets(&self) -> Arc<dyn Assets> {
        Arc::new(AssetFiles {
            folder: self.folder.as_ref().map(|folder| folder.join("assets")),
        })
    }

    /// Returns the text of a preset file or fragment with the name messages call it by.
    fn text(&self, name: &str) -> Option<(String, String)> {
        if let Some(folder) = &self.folder {
            let path = folder.join(name);
            if let Ok(text) = fs_err::read_to_string(&path) {
                return Some((path.into_string(), text));
            }
        }
        EmbeddedPresets::text(name).map(|text| (format!("presets/{name}"), text))
    }
}

fn folder_entries(folder: &Utf8Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir_utf8() else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_owned())
        .collect()
}

/// Templates from a folder over the embedded ones, and files of this machine.
#[derive(Debug)]
struct AssetFiles {
    folder: Option<Utf8PathBuf>,
}

impl Assets for AssetFiles {
    fn asset(&self, path: &str) -> Option<String> {
        let inside = Utf8Path::new(path)
            .components()
            .all(|part| matches!(part, camino::Utf8Component::Normal(_)));
        if !inside {
            return None;
        }
        let own = self.folder.as_ref().map(|folder| folder.join(path));
        own.and_then(|path| fs_err::read_to_string(path).ok())
            .or_else(|| EmbeddedAssets::text(path))
    }

    fn operator_file(&self, path: &str) -> Result<String, String> {
        fs_err::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not text".to_owned(),
            _ => error.to_string(),
        })
    }
}
