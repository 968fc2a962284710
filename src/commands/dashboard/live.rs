//! A watched deployment as the feed of its dashboard.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use crate::engine::watch::{LogScope, Watch};
use crate::model::watch::Watched;
use crate::ui::channel::Message;
use crate::ui::tui::dashboard::{Feed, News};

/// Lines of each container that are shown at first.
const TAIL: usize = 500;

/// The engine's eyes, and the questions of those who reach hosts.
#[derive(Debug)]
pub(super) struct Live {
    watch: Arc<Watch>,
    seen: Receiver<Watched>,
    asked: Receiver<Message>,
}

impl Live {
    pub(super) fn new(
        watch: Arc<Watch>,
        seen: Receiver<Watched>,
        asked: Receiver<Message>,
    ) -> Self {
        Self { watch, seen, asked }
    }
}

impl Feed for Live {
    fn next(&mut self) -> Option<News> {
        // Somebody waits for an answer; what is told of is only looked at.
        if let Ok(Message::Asked(ask)) = self.asked.try_recv() {
            return Some(News::Asked(ask));
        }
        self.seen.try_recv().ok().map(News::Seen)
    }

    fn refresh(&mut self) {
        self.watch.refresh();
    }

    fn follow(&mut self, scope: &LogScope) {
        self.watch.follow(scope, TAIL);
    }

    fn unfollow(&mut self) {
        self.watch.unfollow();
    }
}
