//! What is still to be sent to a command's standard input.

use std::sync::Arc;

use crate::transport::Input;

/// Pieces of input in their order, and how far they have been sent.
pub(super) struct Feed {
    pieces: Arc<[Input]>,
    piece: usize,
    sent: usize,
}

impl Feed {
    /// Returns a feed of these pieces.
    pub(super) fn new(pieces: Arc<[Input]>) -> Self {
        let mut feed = Self {
            pieces,
            piece: 0,
            sent: 0,
        };
        feed.skip();
        feed
    }

    /// Returns a feed of nothing.
    pub(super) fn empty() -> Self {
        Self::new(Arc::default())
    }

    /// Returns the bytes to send next; empty when all are sent.
    pub(super) fn front(&self) -> &[u8] {
        let piece = self.pieces.get(self.piece).map_or(&[][..], Input::bytes);
        piece.get(self.sent..).unwrap_or_default()
    }

    /// Notes that `count` bytes of the front have been sent.
    pub(super) fn advance(&mut self, count: usize) {
        self.sent += count;
        self.skip();
    }

    /// Returns whether all is sent.
    pub(super) fn is_empty(&self) -> bool {
        self.piece == self.pieces.len()
    }

    /// Goes past pieces that have nothing left.
    fn skip(&mut self) {
        while !self.is_empty() && self.front().is_empty() {
            self.piece += 1;
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_and_empty_ones_are_left_out() {
        let mut feed = Feed::new(Arc::new([
            Input::Empty,
            Input::Secret("pw\n".to_owned().into()),
            Input::Empty,
            Input::Bytes(b"data".to_vec()),
        ]));
        assert_eq!(feed.front(), b"pw\n");
        feed.advance(2);
        assert_eq!(feed.front(), b"\n");
        feed.advance(1);
        assert_eq!(feed.front(), b"data");
        feed.advance(4);
        assert!(feed.is_empty() && feed.front().is_empty());
        assert!(Feed::empty().is_empty());
    }
}
