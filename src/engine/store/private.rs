//! Folders and files for their owner alone, replaced whole.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use camino::Utf8Path;

/// Creates `folder` and its parents with mode 0700; an existing `folder` is set to it, existing parents are left alone.
pub(in crate::engine) fn folder(folder: &Utf8Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{folder}: {error}")))?;
    fs_err::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Replaces `path` by `content` with mode 0600: written beside it, synced, renamed, and the rename synced too.
pub(in crate::engine) fn replace(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(parent)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs_err::File::open(parent)?.sync_all()
}

/// Opens `path` for appending, created with mode 0600.
pub(in crate::engine) fn append(path: &Utf8Path) -> io::Result<fs_err::File> {
    let mut options = fs_err::OpenOptions::new();
    options.create(true).append(true);
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Utf8Path) -> u32 {
        fs_err::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn everything_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs_err::create_dir(root.join("a")).unwrap();
        fs_err::set_permissions(root.join("a"), Permissions::from_mode(0o755)).unwrap();
        folder(&root.join("a")).unwrap();
        replace(&root.join("a/file"), b"one").unwrap();
        append(&root.join("a/log"))
            .unwrap()
            .write_all(b"x")
            .unwrap();
        assert_eq!(mode(&root.join("a")), 0o700);
        assert_eq!(mode(&root.join("a/file")), 0o600);
        assert_eq!(mode(&root.join("a/log")), 0o600);
    }

    #[test]
    fn a_replaced_file_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        replace(&root.join("file"), b"one").unwrap();
        replace(&root.join("file"), b"two").unwrap();
        assert_eq!(fs_err::read(root.join("file")).unwrap(), b"two");
        assert_eq!(fs_err::read_dir(root).unwrap().count(), 1);
    }
}
