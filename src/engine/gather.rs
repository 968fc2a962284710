//! Gathers what a deployment's programs print, from all hosts at once, into one file in the order of time, secrets taken out.
//!
//! - [`survey`]: what there is to read on a host, and the secrets it keeps.
//! - [`reading`]: the threads that read containers, files in containers and the engine's journal; each is cut off by its own time limit.
//! - [`pen`]: how a record is written, and how much was.
//! - [`words`]: what stands before and behind a collection.
//!
//! A host that is down or hangs is named and holds up nobody else. Memory does not grow with what is read: see [`crate::logs::desk`].

mod pen;
mod reading;
pub(in crate::engine) mod survey;
mod words;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;

use super::cancel::Cancel;
use super::redact::Redactor;
use crate::logs::desk::{Patience, Taker};
use crate::logs::{Book, BookError, Go, Reach};
use crate::model::deployment::Deployment;
use crate::model::event::{Event, Listener};
use crate::model::failure::{Failure, Hinted};
use crate::model::ids::HostName;
use crate::model::log::SourceCount;
use crate::transport::Host;
use reading::{Group, Shop, Weave};
use survey::{Again, Kind, Source, Survey};

/// Time between two words on how much there is.
const TELL: Duration = Duration::from_secs(1);

/// How long a source that says nothing holds up the others, so that all stays in the order of time.
const SILENT: Duration = Duration::from_secs(5);

/// The same while lines are followed as they come.
const READ_ALONG: Duration = Duration::from_millis(250);

/// A thread that gives no sign of life for so long is not waited for: its own limits, which are shorter, have failed.
const DEAD: Duration = Duration::from_mins(3);

/// What is to be gathered.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Only from these hosts; from all when empty.
    pub hosts: Vec<HostName>,
    /// Only of these services, `service` or `stack/service`; of all when empty.
    pub services: Vec<String>,
    /// From when to when, and how many of the last lines.
    pub reach: Reach,
    /// Whether to go on with what comes until the operator stops it.
    pub follow: bool,
    /// Whether the journal of the Docker daemon is wanted, too.
    pub daemon: bool,
    /// Where to.
    pub output: Utf8PathBuf,
}

impl Order {
    fn wants(&self, stack: &str, service: &str) -> bool {
        let fits =
            |wanted: &String| wanted == service || wanted.split_once('/') == Some((stack, service));
        self.services.is_empty() || self.services.iter().any(fits)
    }
}

/// What a collection came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    /// Every source, those that are missing too.
    pub(super) counts: Vec<SourceCount>,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl Gathered {
    /// Returns what is missing: where, and why.
    pub(super) fn missing(&self) -> Vec<String> {
        let missing = self.counts.iter();
        missing
            .filter_map(|count| Some(format!("{}: {}", count.source, count.missing.as_ref()?)))
            .collect()
    }
}

/// Everything needed to gather.
pub(super) struct Gathering<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) order: &'a Order,
    /// Hosts with what was found on each.
    pub(super) surveys: Vec<(Arc<dyn Host>, Survey)>,
    /// Hosts from which nothing can be had, and why.
    pub(super) lost: Vec<(HostName, String)>,
    pub(super) redactor: Redactor,
    pub(super) listener: &'a dyn Listener,
    pub(super) cancel: &'a Cancel,
}

impl Gathering<'_> {
    /// Gathers everything into the book.
    pub(super) fn run(self, book: &mut Book) -> Result<Gathered, BookError> {
        let began = Timestamp::now();
        let head = words::head(self.deployment, self.order, began);
        let mut gathered = Gathered::default();
        let outcome = book
            .write(head.as_bytes())
            .and_then(|()| self.read(book, &mut gathered))
            .and_then(|()| {
                let tail = words::tail(&gathered, self.cancel.is_raised() && !self.order.follow);
                book.write(self.redactor.text(&tail).as_bytes())
            })
            .and_then(|()| book.flush());
        outcome.map_err(|source| book.failed(source))?;
        Ok(gathered)
    }

    fn read(&self, book: &mut Book, gathered: &mut Gathered) -> io::Result<()> {
        for count in self.missing() {
            self.listener.hear(Event::LogsEnded {
                count: count.clone(),
            });
            gathered.counts.push(count);
        }
        // Files come one after the other and their programs are few; then all the others, woven together by time.
        let files = |source: &Source| matches!(source.kind, Kind::Folder { .. });
        for weave in [Weave::OneByOne, Weave::ByTime] {
            if self.cancel.is_raised() {
                break;
            }
            let mut groups = Vec::new();
            for (host, survey) in &self.surveys {
                let own = survey.sources.iter();
                let own = own.filter(|source| files(source) == (weave == Weave::OneByOne));
                groups.extend(reading::groups(host, survey, own.cloned().collect()));
            }
            self.read_all(groups, weave, book, gathered)?;
        }
        Ok(())
    }

    /// Returns what is missing from the outset.
    fn missing(&self) -> Vec<SourceCount> {
        let surveys = self.surveys.iter();
        let missing = surveys.flat_map(|(_, survey)| survey.missing.iter().cloned());
        let lost = self
            .lost
            .iter()
            .map(|(host, why)| (host.to_string(), why.clone()));
        lost.chain(missing)
            .map(|(source, why)| SourceCount {
                source,
                missing: Some(self.redactor.text(&why)),
                ..SourceCount::default()
            })
            .collect()
    }

    /// Reads groups of sources side by side until all have ended.
    fn read_all(
        &self,
        groups: Vec<Group>,
        weave: Weave,
        book: &mut Book,
        gathered: &mut Gathered,
    ) -> io::Result<()> {
        let follow = self.order.follow && weave == Weave::ByTime;
        let shop = Shop::new(
            self.redactor.clone(),
            self.order,
            self.cancel,
            weave,
            follow,
        );
        for group in groups {
            shop.begin(group);
        }
        if follow {
            for (host, survey) in &self.surveys {
                let again = Again::new(host, survey, self.deployment, self.order);
                let shop = shop.clone();
                thread::spawn(move || shop.look_for_more(again));
            }
        }
        let mut scribe = Scribe {
            book,
            bytes: 0,
            shop: &shop,
            listener: self.listener,
            cancel: self.cancel,
            follow,
            told: Instant::now(),
        };
        let outcome = shop.desk.take_up(patience(follow), &mut scribe);
        scribe.tell();
        gathered.bytes += scribe.bytes;
        for count in shop.counts() {
            gathered.records += count.records;
            gathered.counts.push(count);
        }
        outcome
    }
}

/// Returns an error in one line, with what shows it.
pub(in crate::engine) fn in_one_line(error: &dyn Hinted) -> String {
    let failure = Failure::from_error(error);
    let parts = std::iter::once(failure.message).chain(failure.causes);
    parts.collect::<Vec<String>>().join(": ")
}

fn patience(follow: bool) -> Patience {
    Patience {
        silent: if follow { READ_ALONG } else { SILENT },
        dead: DEAD,
    }
}

/// Writes what is taken up, and tells how much there is.
struct Scribe<'a> {
    book: &'a mut Book,
    bytes: u64,
    shop: &'a Shop,
    listener: &'a dyn Listener,
    cancel: &'a Cancel,
    follow: bool,
    told: Instant,
}

impl Scribe<'_> {
    fn tell(&mut self) {
        self.told = Instant::now();
        for event in self.shop.news() {
            self.listener.hear(event);
        }
    }
}

impl Taker for Scribe<'_> {
    fn write(&mut self, records: &[u8]) -> io::Result<()> {
        self.bytes += records.len() as u64;
        self.book.write(records)
    }

    fn tick(&mut self) -> io::Result<Go> {
        if self.told.elapsed() >= TELL {
            self.tell();
            if self.follow {
                // Whoever reads along does not wait for a full page.
                self.book.flush()?;
            }
        }
        Ok(if self.cancel.is_raised() {
            Go::Off
        } else {
            Go::On
        })
    }

    fn dead(&mut self, at: usize) {
        self.shop.fail(at, "it hangs and was given up");
    }
}

#[cfg(test)]
mod tests;
