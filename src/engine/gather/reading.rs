//! The threads that read: one for each source where a host bears that, one for all where it bears few streams.
//!
//! A source that says nothing is not a source that hangs: its host is asked whether it is alive. One that does not answer, or whose engine stays silent
//! too long, is cut off and named.

mod journal;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::pen::{Pen, Place};
use super::survey::{Again, Kind, Source, Survey};
use super::{Order, in_one_line};
use crate::engine::cancel::Cancel;
use crate::engine::redact::Redactor;
use crate::logs::files::{self, Folder};
use crate::logs::{Collector, Desk, Go, Hands, Heard};
use crate::model::event::Event;
use crate::model::log::{LogSource, SourceCount, Voice};
use crate::transport::{Command, Docker, Host, Input, TransportError, Until};

/// After so long without a word a host is asked whether it is alive, and must answer within as long.
const PROBE: Duration = Duration::from_secs(10);

/// An engine that is silent for so long on a living host hangs; a long log is searched for its beginning in less.
const SILENCE: Duration = Duration::from_secs(90);

/// Time between two looks at what ended while lines are followed.
const AGAIN: Duration = Duration::from_secs(1);

/// Time between two looks for new containers.
const MORE: Duration = Duration::from_secs(5);

/// How records of different sources are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weave {
    /// By their times.
    ByTime,
    /// One source after the other.
    OneByOne,
}

/// Sources that one thread reads, and by what.
pub(super) struct Group {
    host: Arc<dyn Host>,
    docker: Option<Arc<dyn Docker>>,
    sources: Vec<Source>,
}

/// Divides the sources of a host into what is read side by side.
pub(super) fn groups(host: &Arc<dyn Host>, survey: &Survey, sources: Vec<Source>) -> Vec<Group> {
    let group = |sources| Group {
        host: Arc::clone(host),
        docker: survey.docker.clone(),
        sources,
    };
    let needs_stream = |source: &Source| source.kind != Kind::Daemon;
    let (streams, others): (Vec<_>, Vec<_>) = sources.into_iter().partition(needs_stream);
    let bears_all = survey
        .docker
        .as_ref()
        .is_some_and(|docker| Collector::can_follow(docker.as_ref(), streams.len()));
    let mut groups: Vec<Group> = others
        .into_iter()
        .map(|source| group(vec![source]))
        .collect();
    if bears_all {
        groups.extend(streams.into_iter().map(|source| group(vec![source])));
    } else if !streams.is_empty() {
        groups.push(group(streams));
    }
    groups
}

/// What all reading threads share.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) desk: Arc<Desk>,
    places: Arc<Mutex<Vec<Arc<Place>>>>,
    redactor: Redactor,
    order: Arc<Order>,
    cancel: Cancel,
    weave: Weave,
    follow: bool,
}

impl Shop {
    pub(super) fn new(
        redactor: Redactor,
        order: &Order,
        cancel: &Cancel,
        weave: Weave,
        follow: bool,
    ) -> Self {
        Self {
            desk: Arc::default(),
            places: Arc::default(),
            redactor,
            order: Arc::new(order.clone()),
            cancel: cancel.clone(),
            weave,
            follow,
        }
    }

    fn places(&self) -> MutexGuard<'_, Vec<Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is to be told since the last time.
    pub(super) fn news(&self) -> Vec<Event> {
        let mut news = Vec::new();
        for place in self.places().iter() {
            if let Some((records, bytes)) = place.news() {
                news.push(Event::LogsProgressed {
                    source: place.label.clone(),
                    records,
                    bytes,
                });
            }
            if let Some(count) = place.outcome() {
                news.push(Event::LogsEnded { count });
            }
        }
        news
    }

    /// Returns what each source came to.
    pub(super) fn counts(&self) -> Vec<SourceCount> {
        self.places().iter().map(|place| place.count()).collect()
    }

    /// Says of a source that it is cut short.
    pub(super) fn fail(&self, at: usize, why: &str) {
        if let Some(place) = self.places().iter().find(|place| place.at == at) {
            place.fail(why.to_owned());
            place.end();
        }
    }

    /// Begins to read a group on a thread of its own.
    pub(super) fn begin(&self, group: Group) {
        let places: Vec<Arc<Place>> = group
            .sources
            .iter()
            .map(|source| {
                let at = self.desk.place();
                let place = Arc::new(Place::new(at, source.log.label()));
                self.places().push(Arc::clone(&place));
                place
            })
            .collect();
        if let [place] = places.as_slice() {
            // One that is read at once is waited for from the beginning.
            self.desk.begin(place.at);
        }
        let shop = self.clone();
        thread::spawn(move || shop.read(&group, &places));
    }

    /// Reads the sources of a group, one after the other; again and again where lines are followed.
    fn read(&self, group: &Group, places: &[Arc<Place>]) {
        let mut readers: Vec<Reader<'_>> = group
            .sources
            .iter()
            .zip(places)
            .map(|(source, place)| Reader::new(self, group, source, place))
            .collect();
        let until = match (self.follow, group.sources.len()) {
            (true, 1) => Until::Ended,
            _ => Until::Now,
        };
        while self.follow && !self.cancel.is_raised() && !readers.is_empty() {
            readers.retain_mut(|reader| match reader.read(until) {
                Go::On => {
                    reader.pen.rest();
                    true
                }
                Go::Off => {
                    reader.pen.end();
                    false
                }
            });
            let _ = self.cancel.wait(AGAIN);
        }
        for mut reader in readers {
            if !self.follow && !self.cancel.is_raised() {
                reader.read(Until::Now);
            }
            reader.pen.end();
        }
    }

    /// Begins to read containers that come while lines are followed.
    pub(super) fn look_for_more(&self, mut again: Again) {
        while !self.cancel.wait(MORE) {
            let Some(mut survey) = again.look() else {
                continue;
            };
            let new = std::mem::take(&mut survey.sources);
            for group in groups(&again.host, &survey, new) {
                self.begin(group);
            }
        }
    }
}

/// Reads one source.
struct Reader<'a> {
    shop: &'a Shop,
    group: &'a Group,
    source: &'a Source,
    place: &'a Arc<Place>,
    pen: Pen,
    collector: Collector,
    /// When something was heard last, and when the host was last asked whether it lives.
    heard: Instant,
    asked: Instant,
    /// Why nothing more can be had.
    why: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(shop: &'a Shop, group: &'a Group, source: &'a Source, place: &'a Arc<Place>) -> Self {
        let sorted = match shop.weave {
            Weave::ByTime => None,
            Weave::OneByOne => i64::try_from(place.at)
                .ok()
                .and_then(|at| Timestamp::from_second(at).ok()),
        };
        Self {
            shop,
            group,
            source,
            place,
            pen: Pen::new(&shop.desk, place, &shop.redactor, sorted),
            collector: Collector::new(shop.order.reach),
            heard: Instant::now(),
            asked: Instant::now(),
            why: None,
        }
    }

    /// Reads what there is; returns whether there may be more later.
    fn read(&mut self, until: Until) -> Go {
        self.heard = Instant::now();
        self.asked = Instant::now();
        loop {
            let read = match &self.source.kind {
                Kind::Container => self.container(until),
                Kind::Folder { path } => self.folder(path),
                Kind::Daemon => journal::read(self),
            };
            let error = match read {
                Ok(()) if self.why.is_some() => break,
                Ok(()) => return Go::On,
                Err(error) => error,
            };
            // A connection that broke is made anew, and reading goes on where it stopped; a folder would come twice.
            let again = error.is_link_fault()
                && self.source.kind == Kind::Container
                && self.heard.elapsed() < SILENCE;
            if !again || self.shop.cancel.wait(AGAIN) {
                self.why.get_or_insert(in_one_line(&error));
                break;
            }
        }
        if let Some(why) = self.why.take()
            && !self.shop.cancel.is_raised()
        {
            self.place.fail(self.shop.redactor.text(&why));
        }
        Go::Off
    }

    fn docker(&self) -> Result<Arc<dyn Docker>, TransportError> {
        match &self.group.docker {
            Some(docker) => Ok(Arc::clone(docker)),
            None => self.group.host.docker(),
        }
    }

    fn container(&mut self, until: Until) -> Result<(), TransportError> {
        let docker = self.docker()?;
        let mut collector = std::mem::take(&mut self.collector);
        let source = Arc::clone(&self.source.log);
        let read = collector.collect(docker.as_ref(), &[source], until, self);
        self.collector = collector;
        read
    }

    fn folder(&mut self, path: &str) -> Result<(), TransportError> {
        let docker = self.docker()?;
        let folder = Folder {
            container: self.source.log.container.clone(),
            path: path.to_owned(),
            offset: offset(docker.as_ref(), &self.source.log.container),
        };
        let reach = self.shop.order.reach;
        let pen = &mut self.pen;
        files::read(docker.as_ref(), &folder, reach, &mut |line| {
            pen.turn_to(line.file);
            pen.write(Voice::Out, line.time, line.text, line.ends)
        })
    }

    /// Asks a host that has said nothing for a while whether it lives.
    fn lives(&mut self) -> Go {
        if self.shop.follow || self.heard.elapsed() < PROBE {
            return Go::On;
        }
        if self.heard.elapsed() > SILENCE {
            let silence = SILENCE.as_secs();
            self.why = Some(format!("its Docker said nothing for {silence} s"));
            return Go::Off;
        }
        if self.asked.elapsed() < PROBE {
            return Go::On;
        }
        let answer = self.group.host.run(&Command::sh("true").within(PROBE));
        self.asked = Instant::now();
        if let Err(error) = answer {
            self.why = Some(format!("the host does not answer: {}", in_one_line(&error)));
            return Go::Off;
        }
        Go::On
    }
}

impl Hands for Reader<'_> {
    fn take(&mut self, heard: Heard<'_>) -> Go {
        self.pen
            .write(heard.voice, heard.time, heard.text, heard.ends)
    }

    fn unreadable(&mut self, _: &LogSource, why: &str) {
        // While lines are followed containers come and go.
        if !self.shop.follow {
            self.why = Some(format!("Docker does not show what it prints: {why}"));
        }
    }

    fn go_on(&mut self) -> Go {
        let wanted = self.pen.tick();
        if wanted == Go::Off || self.shop.cancel.is_raised() {
            return Go::Off;
        }
        self.lives()
    }
}

/// Returns how far a container's clock is from UTC; one that does not say goes by UTC.
fn offset(docker: &dyn Docker, container: &str) -> jiff::tz::Offset {
    let program = ["date".to_owned(), "+%z".to_owned()];
    let told = docker.exec(container, &program, &Input::Empty, PROBE);
    let told = told.ok().filter(crate::transport::Output::ok);
    let minutes = told.and_then(|output| minutes(&output.text()));
    minutes
        .and_then(|minutes| jiff::tz::Offset::from_seconds(minutes * 60).ok())
        .unwrap_or(jiff::tz::Offset::UTC)
}

/// Reads `+0130`.
fn minutes(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("+0000", Some(0))]
    #[case("+0130", Some(90))]
    #[case("-0800", Some(-480))]
    #[case("UTC", None)]
    #[case("", None)]
    fn clocks(#[case] text: &str, #[case] wanted: Option<i32>) {
        assert_eq!(minutes(text), wanted);
    }
}
