//! Files that answers name, on the operator's machine.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::rules::Files;

/// Largest file an answer may name: certificates and keys are small, and a typo may hit anything.
const LARGEST: u64 = 1 << 20;

/// Takes paths from the answers file's folder, with `~` for the home folder.
#[derive(Debug, Clone)]
pub struct FolderFiles {
    folder: Utf8PathBuf,
    home: Option<Utf8PathBuf>,
}

impl FolderFiles {
    /// Paths begin at `folder`; `~` is `home`.
    #[must_use]
    pub fn new(folder: &Utf8Path, home: Option<&Utf8Path>) -> Self {
        Self {
            folder: folder.to_owned(),
            home: home.map(Utf8Path::to_owned),
        }
    }
}

impl Files for FolderFiles {
    fn locate(&self, path: &str) -> String {
        match (path.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.to_string(),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                home.join(&rest[1..]).into_string()
            }
            _ => self.folder.join(path).into_string(),
        }
    }

    fn read(&self, located: &str) -> Result<Vec<u8>, String> {
        let metadata = fs_err::metadata(located).map_err(|error| plain(&error))?;
        if !metadata.is_file() {
            return Err("it is not a file".to_owned());
        }
        if metadata.len() > LARGEST {
            return Err(format!(
                "it has {} bytes, more than any file of this kind",
                metadata.len()
            ));
        }
        fs_err::read(located).map_err(|error| plain(&error))
    }
}

/// Returns what the system said, without the path that the caller names already.
pub(super) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
