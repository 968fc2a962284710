//! An archive's file, or the parts of one that was split: read as one, from any place in it.
//!
//! Parts are `NAME.part-001`, `NAME.part-002` and so on; beside them lies `NAME.sha256`, which `sha256sum -c` reads too. Any part names the whole. The
//! reader of the archive proves the content; the checksums say which part is at fault when it is not right.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::images::blobs::Stamp;
use crate::images::{Digest, ImagesError};

/// What comes between an archive's name and a part's number.
pub const PARTS: &str = ".part-";
/// The most that a list of checksums may have.
const LARGEST: u64 = 1 << 20;

/// One file of it.
#[derive(Debug)]
struct Piece {
    path: Utf8PathBuf,
    size: u64,
    /// Its checksum, when it is a part.
    expected: Option<Digest>,
}

/// The files, read as one.
#[derive(Debug)]
pub struct Joined {
    path: Utf8PathBuf,
    pieces: Vec<Piece>,
    stamp: Stamp,
    position: u64,
    open: Option<(usize, fs::File)>,
}

/// Opens an archive, or the parts of one.
///
/// # Errors
/// When a file cannot be read, or a part is missing.
pub fn open(path: &Utf8Path) -> Result<Joined, ImagesError> {
    let unreadable = |error: io::Error| ImagesError::Unreadable {
        path: path.to_string(),
        detail: error.to_string(),
    };
    let pieces = match whole_of(path) {
        Some(whole) => parts(&whole)?,
        None => vec![Piece {
            path: path.to_owned(),
            size: 0,
            expected: None,
        }],
    };
    let mut joined = Joined {
        path: Utf8PathBuf::new(),
        pieces,
        stamp: Stamp::UNWRITTEN,
        position: 0,
        open: None,
    };
    for piece in &mut joined.pieces {
        let metadata =
            fs::metadata(&piece.path).map_err(|error| match (&piece.expected, error.kind()) {
                (Some(_), io::ErrorKind::NotFound) => ImagesError::Part {
                    place: piece.path.to_string(),
                    detail: "is missing".to_owned(),
                },
                _ => unreadable(error),
            })?;
        if metadata.is_dir() {
            return Err(ImagesError::Folder {
                path: piece.path.to_string(),
            });
        }
        piece.size = metadata.len();
        let modified =
            i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        let stamp = &mut joined.stamp;
        stamp.size += piece.size;
        stamp.modified = stamp.modified.max(modified);
        // Two parts that changed places are another archive.
        stamp.inode = stamp.inode.rotate_left(7) ^ metadata.ino();
    }
    joined.begin(0).map_err(unreadable)?;
    if let Some(first) = joined.pieces.first() {
        joined.path = first.path.canonicalize_utf8().map_err(unreadable)?;
    }
    Ok(joined)
}

/// Returns the name of the archive that a part belongs to, or that is here in parts only.
fn whole_of(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let name = path.file_name()?;
    if let Some((whole, number)) = name.rsplit_once(PARTS)
        && number.len() >= 3
        && number.bytes().all(|digit| digit.is_ascii_digit())
    {
        return Some(path.with_file_name(whole));
    }
    (!path.exists() && list_of(path).is_file()).then(|| path.to_owned())
}

fn list_of(whole: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{whole}.sha256"))
}

/// Reads the list of parts.
fn parts(whole: &Utf8Path) -> Result<Vec<Piece>, ImagesError> {
    let list = list_of(whole);
    let wrong = |detail: &str| ImagesError::Part {
        place: list.to_string(),
        detail: detail.to_owned(),
    };
    let large = fs::metadata(&list)
        .map_err(|_| wrong("is missing: it is the list of all parts"))?
        .len()
        > LARGEST;
    let text = if large {
        None
    } else {
        fs::read_to_string(&list).ok()
    };
    let text = text.ok_or_else(|| wrong("is no list of parts"))?;
    let stem = whole.file_name().unwrap_or_default();
    let mut pieces = Vec::new();
    for line in text.lines() {
        let piece = line.split_once("  ").and_then(|(hex, name)| {
            // Only files beside the list, and only parts of this archive.
            let number = name.strip_prefix(stem)?.strip_prefix(PARTS)?;
            let counts = number.bytes().all(|digit| digit.is_ascii_digit());
            counts.then_some(())?;
            Some(Piece {
                path: whole.with_file_name(name),
                size: 0,
                expected: Some(Digest::from_hex(hex)?),
            })
        });
        pieces.push(piece.ok_or_else(|| wrong("is no list of parts"))?);
    }
    if pieces.is_empty() {
        return Err(wrong("is no list of parts"));
    }
    Ok(pieces)
}

impl Joined {
    /// Returns the absolute path of the file, or of the first part.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns by what it is known to be unchanged.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns which part is not what its checksum says; `None` when all are, or there are none.
    pub(super) fn blame(&self) -> Option<ImagesError> {
        self.pieces.iter().find_map(|piece| {
            let expected = piece.expected?;
            let found = digest_of(&piece.path);
            let detail = match found {
                Ok(found) if found == expected => return None,
                Ok(found) => match self
                    .pieces
                    .iter()
                    .find(|other| other.expected == Some(found))
                {
                    Some(other) => {
                        format!("is in truth {}", other.path.file_name().unwrap_or_default())
                    }
                    None => "is damaged: its checksum is another".to_owned(),
                },
                Err(error) => format!("cannot be read: {error}"),
            };
            Some(ImagesError::Part {
                place: piece.path.to_string(),
                detail,
            })
        })
    }

    fn begin(&mut self, at: usize) -> io::Result<()> {
        if let Some(piece) = self.pieces.get(at) {
            self.open = Some((at, fs::File::open(&piece.path)?));
        }
        Ok(())
    }
}

fn digest_of(path: &Utf8Path) -> io::Result<Digest> {
    let mut file = fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::end(hash)),
            count => hash.update(&buffer[..count]),
        }
    }
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some((at, file)) = &mut self.open {
            let count = file.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.position += count as u64;
                return Ok(count);
            }
            let next = *at + 1;
            if next >= self.pieces.len() {
                break;
            }
            self.begin(next)?;
        }
        Ok(0)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.stamp.size.checked_add_signed(by),
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        let mut before = 0;
        let last = self.pieces.len() - 1;
        for at in 0..=last {
            let size = self.pieces[at].size;
            if target < before + size || at == last {
                self.begin(at)?;
                if let Some((_, file)) = &mut self.open {
                    file.seek(SeekFrom::Start(target - before))?;
                }
                break;
            }
            before += size;
        }
        self.position = target;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[&str]) -> (tempfile::TempDir, Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(keep.path().to_owned()).unwrap();
        let mut list = String::new();
        for (at, text) in parts.iter().enumerate() {
            let name = format!("a.tar{PARTS}{:03}", at + 1);
            fs::write(folder.join(&name), text).unwrap();
            list.push_str(&format!("{}  {name}\n", Digest::of(text.as_bytes()).hex()));
        }
        fs::write(folder.join("a.tar.sha256"), list).unwrap();
        (keep, folder)
    }

    #[test]
    fn parts_are_read_as_one_from_any_place() {
        let (_keep, folder) = written(&["abc", "def", "g"]);
        for name in ["a.tar.part-001", "a.tar.part-003", "a.tar"] {
            let mut text = String::new();
            let mut joined = open(&folder.join(name)).unwrap();
            joined.read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), joined.stamp().size), ("abcdefg", 7));
            for from in 0..=7 {
                joined.seek(SeekFrom::Start(from)).unwrap();
                let mut rest = String::new();
                joined.read_to_string(&mut rest).unwrap();
                assert_eq!(rest, text[usize::try_from(from).unwrap()..]);
            }
        }
    }

    #[test]
    fn the_part_at_fault_is_named() {
        let (_keep, folder) = written(&["abc", "def", "g"]);
        let blamed = || {
            open(&folder.join("a.tar.part-001"))
                .unwrap()
                .blame()
                .map(|error| error.to_string())
        };
        assert_eq!(blamed(), None);
        let before = open(&folder.join("a.tar")).unwrap().stamp();
        fs::rename(folder.join("a.tar.part-001"), folder.join("x")).unwrap();
        fs::rename(folder.join("a.tar.part-002"), folder.join("a.tar.part-001")).unwrap();
        fs::rename(folder.join("x"), folder.join("a.tar.part-002")).unwrap();
        assert!(
            blamed()
                .unwrap()
                .ends_with("a.tar.part-001 is in truth a.tar.part-002")
        );
        assert_ne!(open(&folder.join("a.tar")).unwrap().stamp(), before);
        fs::remove_file(folder.join("a.tar.part-003")).unwrap();
        let error = open(&folder.join("a.tar.part-001"))
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("a.tar.part-003 is missing"), "{error}");
    }

    #[test]
    fn a_list_names_nothing_but_its_own_parts() {
        let (_keep, folder) = written(&["abc"]);
        let hex = Digest::of(b"abc").hex();
        for wrong in [
            "",
            "abc  a.tar.part-001",
            &format!("{hex}  ../etc/passwd"),
            &format!("{hex}  a.tar.part-../x"),
        ] {
            fs::write(folder.join("a.tar.sha256"), wrong).unwrap();
            assert!(open(&folder.join("a.tar.part-001")).is_err(), "{wrong}");
        }
    }
}
