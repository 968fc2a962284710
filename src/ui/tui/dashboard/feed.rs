//! Where a dashboard's news come from.

use crate::engine::watch::LogScope;
use crate::model::watch::Watched;
use crate::ui::channel::Ask;

/// What a feed gives.
#[derive(Debug)]
pub enum News {
    /// Something was seen.
    Seen(Watched),
    /// Somebody waits for an answer.
    Asked(Ask),
}

/// Tells how a deployment fares, and can be told what to look at.
pub trait Feed: std::fmt::Debug {
    /// Returns what comes next, without waiting for it.
    fn next(&mut self) -> Option<News>;

    /// Has every host read now, also those that were given up.
    fn refresh(&mut self);

    /// Has it tell what these containers print, their last lines first, and nothing else.
    fn follow(&mut self, scope: &LogScope);

    /// Has it tell no lines any more.
    fn unfollow(&mut self);
}
