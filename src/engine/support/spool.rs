//! The folder in which an archive is put together: for its owner alone, gone with the value, and no line in it with a secret.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::SupportError;
use crate::engine::redact::{Part, Redactor, Tally, Washer};
use crate::engine::store::private;
use crate::model::log::SourceCount;
use crate::model::text::visible;

/// Masking one thing may make another one recognisable; so often a line is looked at once more.
const ROUNDS: usize = 4;

/// A line beyond this is cut: nobody reads it, and it is no log.
const LONGEST: usize = 64 << 10;

/// What is put together.
#[derive(Debug)]
pub(in crate::engine) struct Spool {
    folder: TempDir,
    root: Utf8PathBuf,
    redactor: Redactor,
    missing: Mutex<Vec<(String, String)>>,
    masked: Mutex<BTreeMap<String, u64>>,
}

impl Spool {
    /// Opens an empty one below `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(in crate::engine) fn open(
        parent: &Utf8Path,
        redactor: Redactor,
    ) -> Result<Self, SupportError> {
        let failed = |source| SupportError::Spool {
            folder: parent.to_owned(),
            source,
        };
        let folder = tempfile::Builder::new()
            .prefix(".support-")
            .tempdir_in(parent)
            .map_err(failed)?;
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned())
            .map_err(|path| failed(io::Error::other(format!("{} is not UTF-8", path.display()))))?;
        private::folder(&root).map_err(failed)?;
        Ok(Self {
            folder,
            root,
            redactor,
            missing: Mutex::default(),
            masked: Mutex::default(),
        })
    }

    /// Returns where it is.
    pub(in crate::engine) fn root(&self) -> &Utf8Path {
        debug_assert_eq!(self.folder.path(), self.root.as_std_path());
        &self.root
    }

    /// Returns who takes secrets out.
    pub(in crate::engine) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Returns where a file of the archive is until it is packed, its folders made.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(in crate::engine) fn path(&self, file: &str) -> Result<Utf8PathBuf, SupportError> {
        let path = self.root.join(file);
        let parent = path.parent().unwrap_or(&self.root);
        private::folder(parent).map_err(|source| self.failed(source))?;
        Ok(path)
    }

    /// Writes a file, secrets taken out, control characters made visible; returns what it came to under the name `source`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(in crate::engine) fn write(
        &self,
        file: &str,
        source: &str,
        text: &str,
    ) -> Result<SourceCount, SupportError> {
        let path = self.path(file)?;
        let (clean, tally) = wash(&self.redactor, text);
        let written = private::append(&path).and_then(|file| {
            let mut file = BufWriter::new(file);
            file.write_all(clean.as_bytes())?;
            file.flush()
        });
        written.map_err(|source| self.failed(source))?;
        let mut masked = lock(&self.masked);
        for (name, count) in tally.counts() {
            *masked.entry(name.clone()).or_default() += count;
        }
        Ok(SourceCount {
            source: source.to_owned(),
            records: clean.lines().count() as u64,
            bytes: clean.len() as u64,
            masked: tally.counts().clone(),
            missing: None,
        })
    }

    /// Goes once more over a file that was written line by line without this: what was masked may have laid bare the look of something else.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(in crate::engine) fn go_over(&self, file: &str) -> Result<(), SupportError> {
        let path = self.path(file)?;
        let new = self.path(&format!("{file}.new"))?;
        let over = || -> io::Result<()> {
            let mut lines = BufReader::new(fs_err::File::open(&path)?);
            let mut out = BufWriter::new(private::append(&new)?);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line)? > 0 {
                let (clean, _) = wash(&self.redactor, &String::from_utf8_lossy(&line));
                out.write_all(clean.as_bytes())?;
                line.clear();
            }
            out.flush()?;
            fs_err::rename(&new, &path)
        };
        over().map_err(|source| self.failed(source))
    }

    /// Names something that could not be had.
    pub(in crate::engine) fn miss(&self, what: impl Into<String>, why: &str) {
        let why = self.redactor.text(why);
        lock(&self.missing).push((what.into(), visible(&why).into_owned()));
    }

    /// Counts what was masked elsewhere.
    pub(in crate::engine) fn count_masked<'a>(
        &self,
        counts: impl IntoIterator<Item = (&'a String, &'a u64)>,
    ) {
        let mut masked = lock(&self.masked);
        for (name, count) in counts {
            *masked.entry(name.clone()).or_default() += count;
        }
    }

    /// Returns everything that could not be had, with why.
    pub(in crate::engine) fn missing(&self) -> Vec<(String, String)> {
        let mut missing = lock(&self.missing).clone();
        missing.sort();
        missing.dedup();
        missing
    }

    /// Returns how often each secret was replaced by its name.
    pub(in crate::engine) fn masked(&self) -> BTreeMap<String, u64> {
        lock(&self.masked).clone()
    }

    fn failed(&self, source: io::Error) -> SupportError {
        SupportError::Spool {
            folder: self.root.parent().unwrap_or(&self.root).to_owned(),
            source,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a text as it may be kept.
fn wash(redactor: &Redactor, text: &str) -> (String, Tally) {
    let mut tally = Tally::default();
    let mut clean = text.to_owned();
    // A secret may go over several lines, and what is masked in one round may lay bare the look of another.
    for round in 0..ROUNDS {
        let mut washer = Washer::new(redactor.clone());
        let lines = clean.lines().filter_map(|line| {
            let line: &str = if line.len() > LONGEST {
                let cut = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at));
                &line[..cut.unwrap_or(0)]
            } else {
                line
            };
            let line = if round == 0 {
                visible(line)
            } else {
                line.into()
            };
            Some(washer.line(&line, Part::Last)?.into_owned() + "\n")
        });
        let next: String = lines.collect();
        let found = washer.take_tally();
        clean = next;
        if found == Tally::default() {
            break;
        }
        tally.merge(&found);
    }
    (clean, tally)
}
