//! A blob on its way out: read piece by piece from the store, each piece counted when it is taken.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::lock;
use crate::images::Digest;

/// How much goes out in one go.
const CHUNK: usize = 256 << 10;

/// Bytes of each blob that went out.
type Sent = Arc<Mutex<BTreeMap<Digest, u64>>>;

/// What a response carries.
pub(super) enum Payload {
    /// These bytes, once.
    Whole(Option<Bytes>),
    /// Part of a file.
    File {
        file: fs_err::File,
        left: u64,
        digest: Digest,
        sent: Sent,
    },
}

impl Payload {
    /// Returns the rest of a blob from `from` on.
    pub(super) fn file(
        mut file: fs_err::File,
        from: u64,
        size: u64,
        digest: Digest,
        sent: Sent,
    ) -> std::io::Result<Self> {
        file.seek(SeekFrom::Start(from))?;
        // What comes before has arrived, perhaps from an earlier run; what was sent behind it has not.
        lock(&sent).insert(digest, from);
        Ok(Self::File {
            file,
            left: size - from,
            digest,
            sent,
        })
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::File { left: 0, .. } => Poll::Ready(None),
            Self::File {
                file,
                left,
                digest,
                sent,
            } => {
                let room = usize::try_from(*left).unwrap_or(CHUNK).min(CHUNK);
                let mut buffer = vec![0; room];
                if let Err(error) = file.read_exact(&mut buffer) {
                    return Poll::Ready(Some(Err(error)));
                }
                *left -= room as u64;
                *lock(sent).entry(*digest).or_default() += room as u64;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from(buffer)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None) | Self::File { left: 0, .. })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::File { left, .. } => *left,
        })
    }
}
