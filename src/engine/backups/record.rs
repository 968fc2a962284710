//! The folder of a backup: its record is written last, and every file is compared with it before anything is done with it.

use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::engine::store::private;
use crate::model::backup::{Backup, RECORD, SavedFile};
use crate::model::failure::{FailureKind, Hinted};
use crate::model::text::hexadecimal;

/// The version of the record's format.
pub(super) const VERSION: u32 = 1;

/// Files by name with their checksums.
pub(in crate::engine) type Sums = Vec<(String, String)>;

/// A backup whose every file is what its record says.
#[derive(Debug)]
pub struct Whole {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What it holds.
    pub backup: Backup,
    /// SHA-256 of its record, which no other backup has.
    pub mark: String,
}

/// Why a folder is no backup to rely on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is no record.
    #[error("{0} holds no complete backup: there is no {RECORD} in it")]
    NoRecord(Utf8PathBuf),
    /// A file cannot be read or written.
    #[error("cannot use the backup: {0}")]
    File(#[from] io::Error),
    /// The record says nothing that we understand.
    #[error("{path} cannot be read: {detail}")]
    Unreadable {
        /// The record.
        path: Utf8PathBuf,
        /// Why.
        detail: String,
    },
    /// A file is not what it was.
    #[error("{path} is damaged: {how}")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What differs.
        how: String,
    },
}

impl Hinted for BackupError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoRecord(_) => {
                    "name the folder that `backup` wrote; one that was interrupted has no record"
                }
                Self::File(_) => "see that the folder is there and may be read",
                Self::Unreadable { .. } => {
                    "it may be of a newer release of this program; take another backup"
                }
                Self::Damaged { .. } => {
                    "nothing was changed; copy the backup once more from where it was kept, or take another one"
                }
            }
            .to_owned(),
        )
    }

    fn kind(&self) -> FailureKind {
        FailureKind::Situation
    }
}

/// Reads a backup, every file of it to its end.
///
/// # Errors
/// Fails when a file is missing or is not what the record says.
pub fn open(folder: &Utf8Path) -> Result<Whole, BackupError> {
    let path = folder.join(RECORD);
    if !path.is_file() {
        return Err(BackupError::NoRecord(folder.to_owned()));
    }
    let text = fs_err::read(&path)?;
    let unreadable = |detail: String| BackupError::Unreadable {
        path: path.clone(),
        detail,
    };
    let backup: Backup =
        serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    if backup.version != VERSION {
        return Err(unreadable(format!("its version is {}", backup.version)));
    }
    for set in &backup.sets {
        for file in &set.files {
            compare(&folder.join(&set.folder).join(&file.name), file)?;
        }
    }
    Ok(Whole {
        folder: folder.to_owned(),
        backup,
        mark: sha256(&path)?,
    })
}

fn compare(path: &Utf8Path, file: &SavedFile) -> Result<(), BackupError> {
    let damaged = |how: String| BackupError::Damaged {
        path: path.to_owned(),
        how,
    };
    let size = fs_err::metadata(path)?.len();
    if size != file.size {
        return Err(damaged(format!(
            "it has {size} bytes instead of {}",
            file.size
        )));
    }
    if sha256(path)? != file.sha256 {
        return Err(damaged("its content is another than was saved".to_owned()));
    }
    Ok(())
}

/// Completes a backup with its record: what is to be found in each set's folder by now.
///
/// # Errors
/// Fails when a file cannot be read, or the record not be written.
pub fn write(folder: &Utf8Path, mut backup: Backup) -> Result<Backup, BackupError> {
    for set in &mut backup.sets {
        let inner = folder.join(&set.folder);
        let sums = inner.join("SHA256SUMS");
        let text = fs_err::read_to_string(&sums)?;
        for (name, sha256) in parse_sums(&text).unwrap_or_default() {
            let path = inner.join(&name);
            let size = fs_err::metadata(&path)?.len();
            set.files.push(SavedFile { name, size, sha256 });
        }
    }
    let path = folder.join(RECORD);
    let text = serde_json::to_vec_pretty(&backup).unwrap_or_default();
    private::replace(&path, &text)?;
    Ok(backup)
}

/// Reads what `sha256sum` prints; `None` when it is something else, or names a file in another folder.
pub(in crate::engine) fn parse_sums(text: &str) -> Option<Sums> {
    let sums: Option<Sums> = text
        .lines()
        .map(|line| {
            let (sum, name) = line.split_once("  ")?;
            let plain = !name.contains('/') && !name.starts_with('.');
            let right = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
            (plain && right).then(|| (name.to_owned(), sum.to_owned()))
        })
        .collect();
    sums.filter(|sums| !sums.is_empty())
}

/// Returns the SHA-256 of a file in hexadecimal.
pub(in crate::engine) fn sha256(path: &Utf8Path) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hexadecimal(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backup::SavedSet;
    use crate::model::ids::RunId;

    /// A backup of one file.
    fn backup() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let inner = folder.join("ui.x");
        fs_err::create_dir(&inner).unwrap();
        fs_err::write(inner.join("a.dump"), "rows").unwrap();
        let sum = sha256(&inner.join("a.dump")).unwrap();
        fs_err::write(inner.join("SHA256SUMS"), format!("{sum}  a.dump\n")).unwrap();
        let empty = Backup {
            version: VERSION,
            run: RunId("1".to_owned()),
            taken: "2026-11-20T12:00:00Z".parse().unwrap(),
            deployment: "acme".parse().unwrap(),
            preset: "syntho-app-ray".parse().unwrap(),
            installer: "1".to_owned(),
            sets: vec![SavedSet {
                host: "ui".parse().unwrap(),
                stack: "ui".parse().unwrap(),
                service: "x".to_owned(),
                title: "Data".to_owned(),
                folder: "ui.x".into(),
                files: Vec::new(),
            }],
        };
        write(&folder, empty).unwrap();
        (dir, folder)
    }

    #[test]
    fn a_backup_that_is_whole_is_read_and_a_damaged_one_is_named() {
        let (_dir, folder) = backup();
        let whole = open(&folder).unwrap();
        assert_eq!(whole.backup.sets[0].files[0].size, 4);
        let file = folder.join("ui.x/a.dump");
        for (content, how) in [("row", "3 bytes instead of 4"), ("rowz", "another than")] {
            fs_err::write(&file, content).unwrap();
            let error = open(&folder).unwrap_err().to_string();
            assert!(
                error.contains("a.dump is damaged") && error.contains(how),
                "{error}"
            );
        }
        fs_err::remove_file(&file).unwrap();
        assert!(matches!(open(&folder), Err(BackupError::File(_))));
    }

    #[test]
    fn one_without_its_record_is_none() {
        let (_dir, folder) = backup();
        fs_err::remove_file(folder.join(RECORD)).unwrap();
        assert!(matches!(open(&folder), Err(BackupError::NoRecord(_))));
    }

    #[test]
    fn sums_name_files_of_their_own_folder_only() {
        let sum = "a".repeat(64);
        assert_eq!(parse_sums(&format!("{sum}  x.dump\n")).unwrap().len(), 1);
        for wrong in [
            "",
            "abc  x.dump\n",
            &format!("{sum}  ../x\n"),
            &format!("{sum} x\n"),
        ] {
            assert!(parse_sums(wrong).is_none(), "{wrong}");
        }
    }
}
