//! What the containers of a host print, as it comes: goes on after a break, a restart, or a container made anew.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::host::Post;
use super::{LogScope, Shared};
use crate::logs::{Collector, Go, Hands, Reach};
use crate::model::log::LogRecord;
use crate::model::watch::Watched;
use crate::transport::Until;

/// How long lines wait for the secrets of hosts that are not reached yet.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two looks where nothing can be followed at present.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the containers of a scope on one host, as long as this following is the newest.
pub(super) fn follow(shared: &Shared, post: &Post, scope: &LogScope, tail: usize, number: u64) {
    let wanted = || !shared.is_over() && shared.following.load(Ordering::SeqCst) == number;
    shared.known.wait_for_all(PATIENCE);
    let mut collector = Collector::new(Reach {
        since: None,
        tail: Some(tail),
    });
    while wanted() {
        let version = post.version();
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
        let read = collector.collect(
            docker.as_ref(),
            &sources,
            until,
            &mut Hands {
                clean: &|text| shared.known.redactor().text(text),
                take: &mut |record| tell(shared, record, &wanted),
                go_on: &|| go(wanted() && post.version() == version),
            },
        );
        if let Err(error) = read
            && wanted()
        {
            shared.tell(Watched::LogsBroken {
                host: post.host.clone(),
                why: shared.known.redactor().text(&error.to_string()),
            });
        }
        if wanted() && post.version() == version {
            thread::sleep(AGAIN);
        }
    }
}

/// Tells a line, unless it is not wanted any more: whoever looks at something else now must not find it there.
fn tell(shared: &Shared, record: LogRecord, wanted: &dyn Fn() -> bool) -> Go {
    if wanted() {
        shared.tell(Watched::Logged(record));
    }
    go(wanted())
}

fn go(on: bool) -> Go {
    if on { Go::On } else { Go::Off }
}
