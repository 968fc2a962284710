//! Reads the output of a host's containers, one stream for each, and goes on where it stopped after a break.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use super::lines::{Ends, Lines};
use crate::model::log::{LogSource, Voice};
use crate::transport::{Docker, LogNews, LogWanted, Stream, TransportError, Until};

/// Streams that stay free for others where a host bears only a few.
const LEFT_FREE: usize = 2;

/// How far back is read, the first time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Only what was printed from then on.
    pub since: Option<Timestamp>,
    /// Only what was printed until then.
    pub until: Option<Timestamp>,
    /// Only the last so many lines of each container.
    pub tail: Option<usize>,
}

impl Reach {
    /// Returns whether a time is within it.
    #[must_use]
    pub fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Yes.
    On,
    /// No: leave off as soon as possible.
    Off,
}

/// A line that a container printed, or a part of one that is too long to be held whole.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// When, by the host's clock.
    pub time: Timestamp,
    /// Where.
    pub source: &'a Arc<LogSource>,
    /// Which voice.
    pub voice: Voice,
    /// The text, secrets and control sequences in it, without the line break.
    pub text: &'a str,
    /// Whether the line ends with it.
    pub ends: Ends,
}

/// What is done with the lines.
pub trait Hands {
    /// Gets each line.
    fn take(&mut self, heard: Heard<'_>) -> Go;

    /// Hears of a container that cannot be read, in the engine's words.
    fn unreadable(&mut self, source: &LogSource, why: &str);

    /// Asked at least every second.
    fn go_on(&mut self) -> Go;
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
        hands: &mut dyn Hands,
    ) -> Result<(), TransportError> {
        // Taken out meanwhile: a map is too slow for every piece.
        let mut places: Vec<Place> = sources
            .iter()
            .map(|source| self.places.remove(&source.container).unwrap_or_default())
            .collect();
        let wanted: Vec<LogWanted> = sources
            .iter()
            .zip(&mut places)
            .map(|(source, place)| self.wanted(source, place))
            .collect();
        // Where nothing stays open, streams are few: one after the other is enough.
        let at_once = match until {
            Until::Ended => wanted.len().max(1),
            Until::Now => 1,
        };
        let mut read = Ok(());
        for (number, chunk) in wanted.chunks(at_once).enumerate() {
            let from = number * at_once;
            let mut go = Go::On;
            read = docker.read_logs(chunk, until, &mut |news| {
                go = self.heed(news, &sources[from..], &mut places[from..], hands);
                match go {
                    Go::On => ControlFlow::Continue(()),
                    Go::Off => ControlFlow::Break(()),
                }
            });
            if go == Go::Off || read.is_err() {
                break;
            }
        }
        let names = sources.iter().map(|source| source.container.clone());
        self.places.extend(names.zip(places));
        read
    }

    fn wanted(&self, source: &LogSource, place: &mut Place) -> LogWanted {
        // What a broken stream left unfinished comes once more, whole.
        place.out = Lines::default();
        place.err = Lines::default();
        place.resumed = place.last;
        LogWanted {
            container: source.container.clone(),
            since: place.last.or(self.reach.since),
            until: self.reach.until,
            tail: match place.last {
                Some(_) => None,
                None => self.reach.tail,
            },
        }
    }

    fn heed(
        &self,
        news: LogNews<'_>,
        sources: &[Arc<LogSource>],
        places: &mut [Place],
        hands: &mut dyn Hands,
    ) -> Go {
        let (at, piece) = match news {
            LogNews::Quiet => return hands.go_on(),
            LogNews::Piece(at, stream, bytes) => (at, Some((stream, bytes))),
            LogNews::Ended(at) => (at, None),
            LogNews::Unreadable(at, why) => {
                if let Some(source) = sources.get(at) {
                    hands.unreadable(source, why);
                }
                return hands.go_on();
            }
        };
        let (Some(source), Some(place)) = (sources.get(at), places.get_mut(at)) else {
            return Go::On;
        };
        let Place {
            out,
            err,
            last,
            resumed,
        } = place;
        let mut go = hands.go_on();
        let mut tell = |voice: Voice, time: Timestamp, text: &str, ends: Ends| {
            // An engine answers in whole seconds, and what was told before is passed over.
            if resumed.is_some_and(|before| time <= before)
                || !self.reach.holds(time)
                || go == Go::Off
            {
                return;
            }
            *last = (*last).max(Some(time));
            go = hands.take(Heard {
                time,
                source,
                voice,
                text,
                ends,
            });
        };
        match piece {
            Some((Stream::Out, bytes)) => {
                out.take(bytes, &mut |time, text, ends| {
                    tell(Voice::Out, time, text, ends);
                });
            }
            Some((Stream::Err, bytes)) => {
                err.take(bytes, &mut |time, text, ends| {
                    tell(Voice::Err, time, text, ends);
                });
            }
            None => {
                out.end(&mut |time, text, ends| tell(Voice::Out, time, text, ends));
                err.end(&mut |time, text, ends| tell(Voice::Err, time, text, ends));
            }
        }
        go
    }
}
