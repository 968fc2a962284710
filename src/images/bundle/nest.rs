//! What an entry is: a document, a layer, or an archive of its own; and its bytes as they stand in the archive.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::name;
use super::sniff::{Content, HEAD, Packing, content, first_name};
use super::stream::Opened;
use crate::images::Digest;

/// What an entry is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A manifest, index or configuration.
    Document,
    /// A layer, at least as far as anybody can say before the manifest comes.
    Layer,
    /// An archive of images in this one.
    Archive,
    /// Nothing of interest.
    Other,
}

/// Says what an entry is; `small` entries only can be documents.
pub(super) fn judge(name: &str, small: bool, opened: &Opened<'_>) -> Kind {
    let content = content(&opened.head);
    let document = opened.packing == Packing::None && content == Content::Json;
    if name::is_layer(name) {
        return Kind::Layer;
    }
    match content {
        _ if document && small => Kind::Document,
        Content::Tar if name::blob(name).is_some() => Kind::Layer,
        Content::Tar if holds_images(&opened.head) => Kind::Archive,
        Content::Tar => Kind::Layer,
        _ => Kind::Other,
    }
}

fn holds_images(head: &[u8]) -> bool {
    // What stands in for another entry has a made-up name; layers with names that say nothing hardly begin with one.
    first_name(head).is_some_and(|(name, stands_in)| stands_in || name::begins_images(&name))
}

/// An entry's bytes as they stand in the archive: counted, and hashed where a digest is stated and what comes out of it will have another.
pub(super) struct Raw<R> {
    inner: io::Chain<io::Cursor<Vec<u8>>, R>,
    hash: Option<Sha256>,
    pub(super) count: u64,
}

impl<R: Read> Raw<R> {
    pub(super) fn begin(mut inner: R, stated: bool) -> io::Result<Self> {
        let mut head = Vec::with_capacity(HEAD);
        inner.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let plain = Packing::of(&head) == Packing::None;
        let known = plain && matches!(content(&head), Content::Tar | Content::Json);
        let hash = (stated && !known).then(Sha256::new);
        Ok(Self {
            inner: io::Cursor::new(head).chain(inner),
            hash,
            count: 0,
        })
    }

    /// Returns the digest of all that was read, where it was asked for.
    pub(super) fn digest(&mut self) -> Option<Digest> {
        self.hash.take().map(Digest::end)
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        Ok(count)
    }
}
