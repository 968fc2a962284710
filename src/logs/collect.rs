//! Reads the output of a host's containers, one stream for each, and goes on where it stopped after a break.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use super::lines::Lines;
use crate::model::log::{LogRecord, LogSource, Voice};
use crate::transport::{Docker, LogNews, LogWanted, Stream, TransportError, Until};

/// Streams that stay free for others where a host bears only a few.
const LEFT_FREE: usize = 2;

/// How far back is read, the first time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Only what was printed from then on.
    pub since: Option<Timestamp>,
    /// Only the last so many lines of each container.
    pub tail: Option<usize>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Yes.
    On,
    /// No: leave off as soon as possible.
    Off,
}

/// What a collector does with the lines, and who takes secrets out of them.
pub struct Hands<'a> {
    /// Takes secrets out of a whole line.
    pub clean: &'a dyn Fn(&str) -> String,
    /// Gets each line.
    pub take: &'a mut dyn FnMut(LogRecord) -> Go,
    /// Asked at least every second.
    pub go_on: &'a dyn Fn() -> Go,
}

/// Where the reading of one container stands.
#[derive(Debug, Default)]
struct Place {
    out: Lines,
    err: Lines,
    /// The newest line that was handed over: a later reading begins after it.
    last: Option<Timestamp>,
    /// Where this reading began.
    resumed: Option<Timestamp>,
}

/// Reads containers of one host. It remembers where it stopped in each.
#[derive(Debug, Default)]
pub struct Collector {
    reach: Reach,
    places: HashMap<String, Place>,
}

impl Collector {
    /// Returns a collector that reads so far back in containers that it has not read before.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            places: HashMap::new(),
        }
    }

    /// Returns whether the host bears a stream that stays open for each of so many containers; where it does not, [`Until::Now`] is to be repeated.
    #[must_use]
    pub fn can_follow(docker: &dyn Docker, containers: usize) -> bool {
        containers <= docker.at_once().saturating_sub(LEFT_FREE)
    }

    /// Reads until there is no more, or it is told to leave off.
    ///
    /// # Errors
    /// When the engine does not answer; called again, it goes on where it stopped.
    pub fn collect(
        &mut self,
        docker: &dyn Docker,
        sources: &[Arc<LogSource>],
        until: Until,
        hands: &mut Hands<'_>,
    ) -> Result<(), TransportError> {
        let wanted: Vec<LogWanted> = sources.iter().map(|source| self.wanted(source)).collect();
        // Where nothing stays open, streams are few: one after the other is enough.
        let at_once = match until {
            Until::Ended => wanted.len(),
            Until::Now => 1,
        };
        for (chunk, sources) in wanted
            .chunks(at_once.max(1))
            .zip(sources.chunks(at_once.max(1)))
        {
            let mut go = Go::On;
            docker.read_logs(chunk, until, &mut |news| {
                go = self.heed(news, sources, hands);
                match go {
                    Go::On => ControlFlow::Continue(()),
                    Go::Off => ControlFlow::Break(()),
                }
            })?;
            if go == Go::Off {
                break;
            }
        }
        Ok(())
    }

    fn wanted(&mut self, source: &LogSource) -> LogWanted {
        let place = self.places.entry(source.container.clone()).or_default();
        // What a broken stream left unfinished comes once more, whole.
        place.out = Lines::default();
        place.err = Lines::default();
        place.resumed = place.last;
        LogWanted {
            container: source.container.clone(),
            since: place.last.or(self.reach.since),
            tail: match place.last {
                Some(_) => None,
                None => self.reach.tail,
            },
        }
    }

    fn heed(&mut self, news: LogNews<'_>, sources: &[Arc<LogSource>], hands: &mut Hands<'_>) -> Go {
        let (at, piece) = match news {
            LogNews::Quiet => return (hands.go_on)(),
            LogNews::Piece(at, stream, bytes) => (at, Some((stream, bytes))),
            LogNews::Ended(at) => (at, None),
        };
        let Some(source) = sources.get(at) else {
            return Go::On;
        };
        let place = self.places.entry(source.container.clone()).or_default();
        let before = place.resumed;
        let mut newest = place.last;
        let mut go = (hands.go_on)();
        let mut tell = |voice: Voice, time: Timestamp, text: &str| {
            // An engine answers from whole seconds on: what was told before is passed over.
            if before.is_some_and(|before| time <= before) || go == Go::Off {
                return;
            }
            newest = newest.max(Some(time));
            go = (hands.take)(LogRecord {
                time,
                source: Arc::clone(source),
                voice,
                text: (hands.clean)(text),
            });
        };
        match piece {
            Some((Stream::Out, bytes)) => {
                place
                    .out
                    .take(bytes, &mut |time, text| tell(Voice::Out, time, text));
            }
            Some((Stream::Err, bytes)) => {
                place
                    .err
                    .take(bytes, &mut |time, text| tell(Voice::Err, time, text));
            }
            None => {
                place
                    .out
                    .end(&mut |time, text| tell(Voice::Out, time, text));
                place
                    .err
                    .end(&mut |time, text| tell(Voice::Err, time, text));
            }
        }
        place.last = newest;
        go
    }
}
