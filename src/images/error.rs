//! What can be wrong with an archive or the store, and what to do about it.

use camino::Utf8PathBuf;

use super::client::RemoteError;
use crate::model::failure::{FailureKind, Hinted};

/// Why an archive could not be read or the store not be used. `place` is the archive, and inside it the entry, such as
/// `images.tar.gz > app.tar > manifest.json`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImagesError {
    /// The file cannot be opened or read.
    #[error("cannot read the archive {path}: {detail}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// A folder, where an archive is wanted.
    #[error("{path} is a folder and not an archive")]
    Folder {
        /// The folder.
        path: String,
    },
    /// Neither a tar archive nor one compressed by gzip or zstd.
    #[error("{place} is not an image archive: {detail}")]
    NotAnArchive {
        /// Where.
        place: String,
        /// What it looks like.
        detail: String,
    },
    /// It ends too early.
    #[error("{place} ends too early, at byte {at}: the file is cut off")]
    Truncated {
        /// Where.
        place: String,
        /// Bytes of the file that were read.
        at: u64,
    },
    /// Its content is not what a digest or a checksum says.
    #[error("{place} is damaged: {detail}")]
    Damaged {
        /// Where.
        place: String,
        /// What differs.
        detail: String,
    },
    /// Something that no image archive holds and that could do harm.
    #[error("{place} is refused: {detail}")]
    Refused {
        /// Where.
        place: String,
        /// What it is.
        detail: String,
    },
    /// It says that it holds something, and does not.
    #[error("{place} is incomplete: {detail}")]
    Incomplete {
        /// Where.
        place: String,
        /// What is missing.
        detail: String,
    },
    /// There is no image in it.
    #[error("{place} holds no images")]
    Empty {
        /// Where.
        place: String,
    },
    /// The store has no room for it.
    #[error("the image store {path} is full: {detail}")]
    Full {
        /// The store.
        path: Utf8PathBuf,
        /// How much there is and how much is needed.
        detail: String,
    },
    /// Another run works with the store.
    #[error("the image store {path} is in use")]
    InUse {
        /// The store.
        path: Utf8PathBuf,
    },
    /// The store cannot be used; the source names the path.
    #[error("cannot use the image store: {source}")]
    Store {
        /// What the system said.
        #[from]
        source: std::io::Error,
    },
    /// A layer or configuration is no longer in the store.
    #[error("the image store has lost {what}")]
    Lost {
        /// Which.
        what: String,
    },
    /// It leaves out layers that another archive has, and that one was not read.
    #[error("{place} leaves out layers that are in {base}")]
    NeedsBase {
        /// The archive.
        place: String,
        /// The archive it builds on.
        base: String,
    },
    /// A part of an archive in parts is not what it should be.
    #[error("the part {place} {detail}")]
    Part {
        /// The part.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Unwritable {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A registry does not do what is asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The operator stopped it.
    #[error("stopped by the operator")]
    Cancelled,
}

impl Hinted for ImagesError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Unreadable { .. } => "check the path and that you may read it (`ls -l`)",
            Self::Folder { .. } => {
                "give the archive itself, or pack the folder: `tar -C FOLDER -cf images.tar .`"
            }
            Self::NotAnArchive { .. } => {
                "give a file made by `docker save`, plain or compressed by gzip or zstd, or a tar of such files"
            }
            Self::Truncated { .. } | Self::Damaged { .. } => {
                "copy the file again and compare its size and `sha256sum` with the original's; when they are equal, save the images anew"
            }
            Self::Refused { .. } => {
                "make the archive anew with `docker save`; do not use one from an unknown source"
            }
            Self::Incomplete { .. } => {
                "copy the file again and compare sizes; when they are equal, save the images anew with a current Docker: `docker save NAME:TAG …`"
            }
            Self::Empty { .. } => {
                "save the images by name: `docker save --output images.tar NAME:TAG …`"
            }
            Self::Full { .. } => {
                "see what is in it with `syntho-installer bundle store`, let it grow with `--limit SIZE`, clear it with `--clear`, or make room on the disk"
            }
            Self::InUse { .. } => "wait for the other run to end, then run the same command again",
            Self::Store { .. } => {
                "see that you may write there and that the disk has room, or name another folder with `--home`"
            }
            Self::Lost { .. } => {
                "run `syntho-installer bundle verify FILE`: it reads the archive into the store again"
            }
            Self::NeedsBase { base, .. } => {
                return Some(format!(
                    "read {base} first, or name it before this one: `syntho-installer bundle verify BASE THIS`"
                ));
            }
            Self::Part { .. } => {
                "copy that part again; all parts and the list of their checksums (`.sha256`) belong in one folder"
            }
            Self::Unwritable { source, .. }
                if source.kind() == std::io::ErrorKind::FileTooLarge =>
            {
                "the file system takes no files of this size: make parts with `--split 4GB`"
            }
            Self::Unwritable { .. } => {
                "make room there or name another place with `--output`; nothing is fetched twice"
            }
            Self::Remote(error) => return error.hint(),
            Self::Cancelled => "run the same command again",
        };
        Some(text.to_owned())
    }

    fn evidence(&self) -> Vec<String> {
        match self {
            Self::Remote(error) => error.evidence(),
            _ => Vec::new(),
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Cancelled => FailureKind::Cancelled,
            _ => FailureKind::Situation,
        }
    }
}
