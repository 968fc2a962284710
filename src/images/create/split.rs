//! Where an archive is written: one file, or parts with the list of their checksums. Nothing has its final name before all of it is on disk.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::images::bundle::PARTS;
use crate::images::{Digest, ImagesError};

/// The ending of what is not whole yet.
const UNFINISHED: &str = "unfinished";

/// Tries whether files can be written where the archive is to lie.
pub(super) fn try_place(output: &Utf8Path) -> Result<(), ImagesError> {
    let unwritable = |source: io::Error| ImagesError::Unwritable {
        path: output.to_owned(),
        source: plain(source),
    };
    if output.is_dir() {
        return Err(unwritable(io::ErrorKind::IsADirectory.into()));
    }
    let trial = unfinished(output);
    fs::File::create(&trial).map_err(unwritable)?;
    fs::remove_file(&trial).map_err(unwritable)
}

/// Returns what the system said, without the path of what is only on its way to its name.
pub(super) fn plain(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.rsplit_once(": ") {
        Some((_, said)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

/// Returns the absolute path of the archive, or of its first part.
pub(super) fn first_of(output: &Utf8Path, part: Option<u64>) -> io::Result<Utf8PathBuf> {
    let first = first(output, part);
    let folder = match output.parent() {
        Some(folder) if !folder.as_str().is_empty() => folder,
        _ => Utf8Path::new("."),
    };
    let name = first.file_name().unwrap_or_default();
    Ok(folder.canonicalize_utf8()?.join(name))
}

fn first(output: &Utf8Path, part: Option<u64>) -> Utf8PathBuf {
    if part.is_some() {
        numbered(output, 1)
    } else {
        output.to_owned()
    }
}

fn unfinished(path: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}.{UNFINISHED}"))
}

/// An archive being written.
pub(super) struct Output {
    path: Utf8PathBuf,
    part: Option<u64>,
    current: Part,
    done: Vec<(Utf8PathBuf, Digest)>,
    size: u64,
}

struct Part {
    path: Utf8PathBuf,
    file: BufWriter<fs::File>,
    hash: Sha256,
    size: u64,
}

impl Part {
    fn begin(path: Utf8PathBuf) -> io::Result<Self> {
        let file = fs::File::create(unfinished(&path))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
            hash: Sha256::new(),
            size: 0,
        })
    }

    fn end(self) -> io::Result<(Utf8PathBuf, Digest)> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((self.path, Digest::end(self.hash)))
    }
}

impl Output {
    /// Begins an archive, in parts of `part` bytes when that is given.
    pub(super) fn begin(path: &Utf8Path, part: Option<u64>) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            part,
            current: Part::begin(first(path, part))?,
            done: Vec::new(),
            size: 0,
        })
    }

    /// Gives everything its name; returns the files and how many bytes they have.
    pub(super) fn finish(self) -> io::Result<(Vec<Utf8PathBuf>, u64)> {
        let Self {
            path,
            part,
            current,
            mut done,
            size,
        } = self;
        done.push(current.end()?);
        let list = Utf8PathBuf::from(format!("{path}.sha256"));
        if part.is_some() {
            // Without its list, what is there of an older archive is none.
            forget(&list)?;
        }
        for (path, _) in &done {
            fs::rename(unfinished(path), path)?;
        }
        let mut files: Vec<Utf8PathBuf> = done.iter().map(|(path, _)| path.clone()).collect();
        if part.is_some() {
            let mut text = String::new();
            for (path, digest) in &done {
                let name = path.file_name().unwrap_or_default();
                let _ = writeln!(text, "{}  {name}", digest.hex());
            }
            fs::write(unfinished(&list), text)?;
            fs::rename(unfinished(&list), &list)?;
            forget_from(&path, done.len() + 1)?;
            files.push(list);
        }
        Ok((files, size))
    }
}

impl Output {
    /// Removes what was written so far; the next run begins it anew from the store.
    pub(super) fn abandon(self) {
        let written = self
            .done
            .iter()
            .map(|(path, _)| path)
            .chain([&self.current.path]);
        for path in written {
            if let Err(error) = forget(&unfinished(path)) {
                tracing::warn!(%path, %error, "an unfinished archive stays behind");
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut count = bytes.len();
        if let Some(most) = self.part {
            if self.current.size == most {
                let next = Part::begin(numbered(&self.path, self.done.len() + 2))?;
                self.done
                    .push(std::mem::replace(&mut self.current, next).end()?);
            }
            let room = most - self.current.size;
            count = count.min(usize::try_from(room).unwrap_or(count));
        }
        let part = &mut self.current;
        part.file.write_all(&bytes[..count])?;
        if self.part.is_some() {
            part.hash.update(&bytes[..count]);
        }
        part.size += count as u64;
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.current.file.flush()
    }
}

fn numbered(path: &Utf8Path, number: usize) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}{PARTS}{number:03}"))
}

fn forget(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes parts of an older, longer archive of the same name.
fn forget_from(path: &Utf8Path, first: usize) -> io::Result<()> {
    let mut number = first;
    while numbered(path, number).is_file() {
        fs::remove_file(numbered(path, number))?;
        number += 1;
    }
    Ok(())
}
