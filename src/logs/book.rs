//! The file that logs are appended to: one writer at a time, whole lines, valid whatever happens.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::os::unix::fs::OpenOptionsExt;
use rustix::fs::{FlockOperation, flock};

use crate::model::failure::Hinted;

/// So much is written in one go.
const ENOUGH: usize = 256 << 10;

/// Why the file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// It cannot be opened.
    #[error("cannot write {path}")]
    Open {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program writes to it.
    #[error("another collection writes to {path} now")]
    Taken {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Writing failed in the middle.
    #[error("cannot go on writing {path}, which holds {kept} bytes of whole records")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Bytes that are valid.
        kept: u64,
        /// Why.
        source: io::Error,
    },
}

impl Hinted for BookError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Open { .. } => {
                "name a file in a folder that you may write to with `--output FILE`".to_owned()
            }
            Self::Taken { .. } => {
                "wait for it to end, or name another file with `--output FILE`".to_owned()
            }
            Self::Write { path, source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
                let folder = folder.unwrap_or(Utf8Path::new("."));
                format!(
                    "make room on the disk of {folder} (`df -h {folder}`), name a file on another disk with `--output FILE`, or gather less with `--since` or `--tail`; what was written is valid"
                )
            }
            Self::Write { .. } => {
                "name a file on another disk with `--output FILE`; what was written is valid"
                    .to_owned()
            }
        })
    }
}

/// A file of records.
#[derive(Debug)]
pub struct Book {
    path: Utf8PathBuf,
    file: fs_err::File,
    waiting: Vec<u8>,
    /// Bytes in the file, all of them whole lines.
    kept: u64,
}

impl Book {
    /// Opens the file, made for its owner alone when it is new. Half a line that a kill left behind is ended.
    ///
    /// # Errors
    /// When it cannot be opened, or somebody else writes to it.
    pub fn open(path: &Utf8Path) -> Result<Self, BookError> {
        let open = |source| BookError::Open {
            path: path.to_owned(),
            source,
        };
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(open)?;
        if !file.metadata().map_err(open)?.is_file() {
            return Err(open(io::Error::other("it is no regular file")));
        }
        if flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(BookError::Taken {
                path: path.to_owned(),
            });
        }
        let kept = file.seek(SeekFrom::End(0)).map_err(open)?;
        let mut book = Self {
            path: path.to_owned(),
            file,
            waiting: Vec::new(),
            kept,
        };
        if book.ends_in_a_line().map_err(open)? {
            book.waiting.push(b'\n');
        }
        Ok(book)
    }

    fn ends_in_a_line(&mut self) -> io::Result<bool> {
        if self.kept == 0 {
            return Ok(false);
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// When they cannot be written; then the file ends with the last line that could.
    pub fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(lines);
        if self.waiting.len() < ENOUGH {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn flush(&mut self) -> io::Result<()> {
        let mut rest = self.waiting.as_slice();
        let mut written = 0;
        let outcome = loop {
            match self.file.write(rest) {
                Ok(0) if rest.is_empty() => break Ok(()),
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    written += count;
                    rest = &rest[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let whole = self.waiting[..written]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.kept += whole as u64;
        if outcome.is_err() {
            // Half a record is taken back; where even that fails the next collection ends the line.
            let _ = self.file.set_len(self.kept);
        }
        self.waiting.clear();
        outcome
    }

    /// Returns the error of a write that failed.
    #[must_use]
    pub fn failed(&self, source: io::Error) -> BookError {
        BookError::Write {
            path: self.path.clone(),
            kept: self.kept,
            source,
        }
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn path(dir: &tempfile::TempDir) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(dir.path().join("syntho_logs.log")).unwrap()
    }

    #[test]
    fn it_is_for_its_owner_alone_and_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["one\n", "two\n"] {
            let mut book = Book::open(&path(&dir)).unwrap();
            book.write(text.as_bytes()).unwrap();
            book.flush().unwrap();
        }
        assert_eq!(fs_err::read_to_string(path(&dir)).unwrap(), "one\ntwo\n");
        let mode = fs_err::metadata(path(&dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn half_a_line_is_ended_and_two_do_not_write_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(path(&dir), "half a li").unwrap();
        let mut book = Book::open(&path(&dir)).unwrap();
        let other = Book::open(&path(&dir)).unwrap_err();
        assert!(matches!(other, BookError::Taken { .. }) && other.hint().is_some());
        book.write(b"whole\n").unwrap();
        book.flush().unwrap();
        assert_eq!(
            fs_err::read_to_string(path(&dir)).unwrap(),
            "half a li\nwhole\n"
        );
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let refused = Book::open(Utf8Path::new("/dev/null")).unwrap_err();
        assert!(matches!(refused, BookError::Open { .. }), "{refused}");
    }
}
