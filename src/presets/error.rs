//! What can be wrong with presets.

use crate::model::failure::{FailureKind, Hinted};
use crate::model::fault::Faults;
use crate::model::ids::PresetId;
use crate::model::suggest;

/// Why a preset cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// There is no such preset.
    #[error("there is no preset `{id}`")]
    Unknown {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<PresetId>,
    },
    /// A file of the preset is broken.
    #[error("preset `{id}`: {}", faults.summary())]
    Broken {
        /// The preset.
        id: PresetId,
        /// Where and how.
        #[source]
        faults: Faults,
    },
}

impl Hinted for PresetError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { id, known } => {
                let known: Vec<&str> = known.iter().map(PresetId::as_str).collect();
                Some(suggest::advice(id, &known))
            }
            Self::Broken { .. } => {
                Some("mend the file that is named, in the folder given by `--presets`".to_owned())
            }
        }
    }

    fn kind(&self) -> FailureKind {
        FailureKind::Usage
    }
}
