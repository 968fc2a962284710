//! What the containers of a host print, as it comes: goes on after a break, a restart, or a container made anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::host::Post;
use super::{LogScope, Shared};
use crate::engine::redact::Washer;
use crate::logs::{Collector, Go, Hands, Heard, Reach};
use crate::model::log::{LogRecord, LogSource, Voice};
use crate::model::watch::Watched;
use crate::transport::Until;

/// How long lines wait for the secrets of hosts that are not reached yet.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two looks where nothing can be followed at present.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the containers of a scope on one host, as long as this following is the newest.
pub(super) fn follow(shared: &Shared, post: &Post, scope: &LogScope, tail: usize, number: u64) {
    shared.known.wait_for_all(PATIENCE);
    let mut collector = Collector::new(Reach {
        tail: Some(tail),
        ..Reach::default()
    });
    let mut ear = Ear {
        shared,
        post,
        number,
        version: 0,
        washers: HashMap::new(),
    };
    while ear.wanted() {
        ear.version = post.version();
        let sources = post.sources(scope);
        let Some(docker) = post.docker().filter(|_| !sources.is_empty()) else {
            thread::sleep(AGAIN / 2);
            continue;
        };
        let until = if Collector::can_follow(docker.as_ref(), sources.len()) {
            Until::Ended
        } else {
            Until::Now
        };
        let read = collector.collect(docker.as_ref(), &sources, until, &mut ear);
        if let Err(error) = read
            && ear.wanted()
        {
            shared.tell(Watched::LogsBroken {
                host: post.host.clone(),
                why: shared.known.redactor().text(&error.to_string()),
            });
        }
        if ear.go_on() == Go::On {
            thread::sleep(AGAIN);
        }
    }
}

/// Listens to the containers of one host.
struct Ear<'a> {
    shared: &'a Shared,
    post: &'a Post,
    /// Which following this is.
    number: u64,
    /// Which containers are listened to.
    version: u64,
    washers: HashMap<(String, Voice), Washer>,
}

impl Ear<'_> {
    fn wanted(&self) -> bool {
        !self.shared.is_over() && self.shared.following.load(Ordering::SeqCst) == self.number
    }
}

impl Hands for Ear<'_> {
    /// Tells a line, unless it is not wanted any more: whoever looks at something else now must not find it there.
    fn take(&mut self, heard: Heard<'_>) -> Go {
        let voice = (heard.source.container.clone(), heard.voice);
        let redactor = || self.shared.known.redactor().as_ref().clone();
        let washer = self.washers.entry(voice);
        let washer = washer.or_insert_with(|| Washer::new(redactor()));
        if let Some(text) = washer.line(heard.text, heard.ends.into())
            && self.wanted()
        {
            self.shared.tell(Watched::Logged(LogRecord {
                time: heard.time,
                source: Arc::clone(heard.source),
                voice: heard.voice,
                text: text.into_owned(),
            }));
        }
        go(self.wanted())
    }

    fn unreadable(&mut self, source: &LogSource, why: &str) {
        tracing::info!(source = %source.label(), why, "cannot be read");
    }

    fn go_on(&mut self) -> Go {
        go(self.wanted() && self.post.version() == self.version)
    }
}

fn go(on: bool) -> Go {
    if on { Go::On } else { Go::Off }
}
