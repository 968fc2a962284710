//! Where the program keeps what it must remember.

use camino::Utf8PathBuf;
use directories::ProjectDirs;

use crate::cli::Global;
use crate::engine::store::Home;
use crate::model::failure::Failure;
use crate::report::usage;

/// Returns the home that was asked for, or the one of this system's user.
///
/// # Errors
/// Fails when none was asked for and the system names none.
pub(super) fn find(global: &Global) -> Result<Home, Failure> {
    if let Some(folder) = &global.home {
        return Ok(Home::new(folder.clone()));
    }
    ProjectDirs::from("", "", "syntho-installer")
        .and_then(|dirs| Utf8PathBuf::from_path_buf(dirs.data_local_dir().to_path_buf()).ok())
        .map(Home::new)
        .ok_or_else(|| {
            usage(
                "this user has no home folder",
                "name one with `--home DIR` or in `SYNTHO_INSTALLER_HOME`",
            )
        })
}
