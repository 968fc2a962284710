//! The archive: written beside its place, read back from the first byte to the last, and put into place only when no secret was found in it.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::spool::Spool;
use super::{Order, SupportError};
use crate::engine::cancel::Cancel;
use crate::engine::redact::{Part, Redactor, Sieve, Tally, Washer};

/// Files that whoever unpacks it shall see first.
const FIRST: &[&str] = &[
    "README.txt",
    "diagnosis.md",
    "diagnosis.json",
    "missing.txt",
];

/// A line that grows beyond this is looked at in parts.
const MOST: u64 = 1 << 20;

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Packed {
    pub(in crate::engine) files: u64,
    pub(in crate::engine) bytes: u64,
}

/// Packs what was put together, and returns how much it is; `None` when the operator stopped it. Whatever goes wrong, nothing is left behind.
///
/// # Errors
/// When it cannot be written, something is there already, or a secret is in it.
pub(in crate::engine) fn pack(
    spool: &Spool,
    order: &Order,
    cancel: &Cancel,
) -> Result<Option<Packed>, SupportError> {
    let path = &order.output;
    let failed = |source: io::Error| SupportError::Write {
        path: path.clone(),
        source,
    };
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".support-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder.unwrap_or(Utf8Path::new(".")))
        .map_err(failed)?;
    let files = files(spool.root()).map_err(failed)?;
    let written = write(spool.root(), &files, order, file.as_file_mut(), cancel);
    if !written.map_err(failed)? {
        return Ok(None);
    }
    let bytes = file.as_file().metadata().map_err(failed)?.len();
    io::Seek::rewind(file.as_file_mut()).map_err(failed)?;
    if !scan(file.as_file(), spool.redactor(), cancel, &failed)? {
        return Ok(None);
    }
    // A link is made where nothing is, and never replaces anything.
    file.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists {
            SupportError::Exists { path: path.clone() }
        } else {
            failed(error.error)
        }
    })?;
    Ok(Some(Packed {
        files: files.len() as u64,
        bytes,
    }))
}

/// Returns every file below a folder by its path there, in the order in which they are packed. Their names are ours alone.
fn files(root: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let (mut folders, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.into_path());
            } else if let Ok(file) = entry.path().strip_prefix(root) {
                files.push(file.to_owned());
            }
        }
    }
    let place = |file: &Utf8PathBuf| FIRST.iter().position(|first| file == *first);
    files.sort_by_key(|file| (place(file).unwrap_or(FIRST.len()), file.clone()));
    Ok(files)
}

/// Writes the archive; returns whether it came to its end.
fn write(
    root: &Utf8Path,
    files: &[Utf8PathBuf],
    order: &Order,
    file: &mut std::fs::File,
    cancel: &Cancel,
) -> io::Result<bool> {
    let encoder = GzEncoder::new(BufWriter::new(file), Compression::default());
    let mut archive = tar::Builder::new(encoder);
    for name in files {
        if cancel.is_raised() {
            return Ok(false);
        }
        let mut content = fs_err::File::open(root.join(name))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.metadata()?.len());
        header.set_mode(0o600);
        header.set_mtime(order.began.as_second().try_into().unwrap_or(0));
        archive.append_data(&mut header, format!("{}/{name}", order.name), &mut content)?;
    }
    let mut rest = archive.into_inner()?.finish()?;
    rest.flush()?;
    rest.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    Ok(true)
}

/// Reads an archive back and refuses it when one of its files holds a secret, by its value in any encoding or by its look; returns whether it came to
/// its end.
fn scan(
    file: &std::fs::File,
    redactor: &Redactor,
    cancel: &Cancel,
    failed: &dyn Fn(io::Error) -> SupportError,
) -> Result<bool, SupportError> {
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if cancel.is_raised() {
            return Ok(false);
        }
        let name = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        if let Some(secret) = secret_in(entry, redactor).map_err(failed)? {
            return Err(SupportError::Secret { file: name, secret });
        }
    }
    Ok(true)
}

/// Returns the name of a secret in a text, when there is one.
fn secret_in(text: impl Read, redactor: &Redactor) -> io::Result<Option<String>> {
    let mut text = BufReader::new(text);
    // By its value wherever it begins, over the ends of lines too; by its look line by line.
    let mut sieve = Sieve::new(redactor.clone());
    let mut washer = Washer::new(redactor.clone());
    let (mut tally, mut rest, mut line) = (Tally::default(), Vec::new(), Vec::new());
    loop {
        line.clear();
        let count = (&mut text).take(MOST).read_until(b'\n', &mut line)?;
        if count == 0 {
            sieve.end(&mut rest, &mut tally);
        } else {
            sieve.push(&line, &mut rest, &mut tally);
            let line = String::from_utf8_lossy(&line);
            washer.line(line.trim_end_matches('\n'), Part::Last);
            tally.merge(&washer.take_tally());
        }
        rest.clear();
        if let Some(name) = tally.counts().keys().next() {
            return Ok(Some(name.clone()));
        }
        if count == 0 {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests;
