//! What can be wrong with settings.

use camino::Utf8PathBuf;

use crate::model::failure::{FailureKind, Hinted};
use crate::model::fault::Faults;
use crate::model::secret::variable_of;
use crate::model::validate::WantedSecret;
use crate::presets::PresetError;

/// Why there is no deployment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The answers file cannot be read.
    #[error("cannot read the answers file `{path}`")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The answers file breaks rules.
    #[error("answers file `{name}`: {}", faults.summary())]
    Invalid {
        /// The file.
        name: String,
        /// Each broken rule.
        #[source]
        faults: Faults,
    },
    /// The answers file gave nothing, without a reason.
    #[error("answers file `{name}` cannot be understood")]
    Unreadable {
        /// The file.
        name: String,
    },
    /// Its preset is broken.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// Secrets are missing.
    #[error("{}", missing_text(.missing))]
    SecretsMissing {
        /// Which.
        missing: Vec<WantedSecret>,
    },
}

fn missing_text(missing: &[WantedSecret]) -> String {
    let ids: Vec<String> = missing
        .iter()
        .map(|secret| format!("`{}`", secret.id))
        .collect();
    match ids.as_slice() {
        [one] => format!("the secret {one} is missing"),
        many => format!("the secrets {} are missing", many.join(", ")),
    }
}

impl Hinted for SettingsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("give the file's path with `--answers FILE`".to_owned()),
            Self::Invalid { .. } | Self::Unreadable { .. } => Some(
                "mend the lines named; `syntho-installer answers example ID` prints a valid file"
                    .to_owned(),
            ),
            Self::Preset(error) => error.hint(),
            Self::SecretsMissing { missing } => {
                let names: Vec<String> = missing
                    .iter()
                    .map(|secret| variable_of(&secret.id))
                    .collect();
                Some(format!(
                    "say under `[secrets]` where each comes from, or set {}",
                    names.join(", ")
                ))
            }
        }
    }

    fn kind(&self) -> FailureKind {
        FailureKind::Usage
    }
}
