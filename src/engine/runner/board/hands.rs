//! Who takes which step of a host: one does everything in turn, and helpers bring images beside him.

use serde::Serialize;

use super::{Board, End, State};
use crate::model::ids::HostName;
use crate::model::plan::Phase;

/// Who asks for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::runner) enum Hand {
    /// The one who does everything on a host.
    First,
    /// One of those who help with images.
    Helper,
}

impl<A: Serialize + Clone> Board<A> {
    /// Returns how many images come to a host.
    pub(in crate::engine::runner) fn images(&self, host: &HostName) -> usize {
        let state = self.lock();
        let all = 0..state.ends.len();
        all.filter(|&i| state.is_of(i, host) && state.is_image(i))
            .count()
    }
}

impl<A: Serialize + Clone> State<A> {
    fn is_image(&self, index: usize) -> bool {
        self.receipt.steps[index].phase == Phase::Images
    }

    /// Returns whether a step waits, or runs in other hands: what becomes of it may be left to the first one.
    pub(super) fn has_open(&self, host: &HostName) -> bool {
        let open = |end: &End| matches!(end, End::Waiting | End::Running);
        (0..self.ends.len()).any(|i| open(&self.ends[i]) && self.is_of(i, host))
    }

    pub(super) fn has_images_waiting(&self, host: &HostName) -> bool {
        (0..self.ends.len())
            .any(|i| self.ends[i] == End::Waiting && self.is_image(i) && self.is_of(i, host))
    }

    /// Returns the first step that may begin, when it may begin now: an image beside images, everything else beside nothing. What stands before an image
    /// comes before it, also when somebody has a hand free for the image already.
    pub(super) fn ready(&self, host: &HostName, hand: Hand) -> Option<usize> {
        let first = (0..self.ends.len()).find(|&i| {
            self.ends[i] == End::Waiting
                && self.is_of(i, host)
                && self.needs[i]
                    .after
                    .iter()
                    .all(|&need| matches!(self.ends[need], End::Changed | End::AlreadySo))
        })?;
        let mut beside =
            (0..self.ends.len()).filter(|&i| self.ends[i] == End::Running && self.is_of(i, host));
        let alone = if self.is_image(first) {
            beside.all(|i| self.is_image(i))
        } else {
            hand == Hand::First && beside.next().is_none()
        };
        alone.then_some(first)
    }
}
