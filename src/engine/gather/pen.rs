//! How one source's records are written: its place on the desk, what it prints made harmless, and how much there was.

use std::borrow::Cow;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::engine::redact::{Redactor, Tally, Washer};
use crate::logs::{Batch, Desk, Ends, Go, Stamps};
use crate::model::log::{SourceCount, Voice};
use crate::model::text::visible;

/// A batch of this size is laid down.
const FULL: usize = 64 << 10;

/// One that is smaller is laid down after this long.
const SOON: Duration = Duration::from_millis(200);

/// What is known of a source while and after it is read.
#[derive(Debug)]
pub(super) struct Place {
    /// Its place on the desk.
    pub(super) at: usize,
    /// Host, stack and service.
    pub(super) label: String,
    records: AtomicU64,
    bytes: AtomicU64,
    /// How much there was when somebody was told last.
    told: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    masked: Tally,
    missing: Option<String>,
    ended: bool,
    end_told: bool,
}

impl Place {
    pub(super) fn new(at: usize, label: String) -> Self {
        Self {
            at,
            label,
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            told: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that something of it is missing.
    pub(super) fn fail(&self, why: String) {
        self.state().missing.get_or_insert(why);
    }

    /// Says that it was read, or given up.
    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    /// Returns how much there is when there is more than at the last time.
    pub(super) fn news(&self) -> Option<(u64, u64)> {
        let records = self.records.load(Ordering::Relaxed);
        let known = self.told.swap(records, Ordering::Relaxed);
        (known != records).then(|| (records, self.bytes.load(Ordering::Relaxed)))
    }

    /// Returns what it came to, once, after it has ended.
    pub(super) fn outcome(&self) -> Option<SourceCount> {
        let mut state = self.state();
        let first = state.ended && !state.end_told;
        state.end_told |= first;
        drop(state);
        first.then(|| self.count())
    }

    /// Returns what it came to by now.
    pub(super) fn count(&self) -> SourceCount {
        let state = self.state();
        SourceCount {
            source: self.label.clone(),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            masked: state.masked.counts().clone(),
            missing: state.missing.clone(),
        }
    }
}

/// Writes the records of one source.
pub(super) struct Pen {
    desk: Arc<Desk>,
    place: Arc<Place>,
    /// The time under which records are sorted, where it is not their own.
    sorted: Option<Timestamp>,
    name: String,
    out: Washer,
    err: Washer,
    redactor: Redactor,
    stamps: Stamps,
    batch: Batch,
    laid: Instant,
}

impl Pen {
    pub(super) fn new(
        desk: &Arc<Desk>,
        place: &Arc<Place>,
        redactor: &Redactor,
        sorted: Option<Timestamp>,
    ) -> Self {
        Self {
            desk: Arc::clone(desk),
            place: Arc::clone(place),
            sorted,
            name: place.label.clone(),
            out: Washer::new(redactor.clone()),
            err: Washer::new(redactor.clone()),
            redactor: redactor.clone(),
            stamps: Stamps::default(),
            batch: Batch::default(),
            laid: Instant::now(),
        }
    }

    /// Writes under this name from now on; what came before has ended.
    pub(super) fn turn_to(&mut self, file: &str) {
        let name = format!("{}:{}", self.place.label, visible(file));
        if self.name != name {
            self.name = name;
            self.note_masks();
            self.out = Washer::new(self.redactor.clone());
        }
    }

    /// Writes a record.
    pub(super) fn write(&mut self, voice: Voice, time: Timestamp, text: &str, ends: Ends) -> Go {
        let washer = match voice {
            Voice::Out => &mut self.out,
            Voice::Err => &mut self.err,
        };
        let text = harmless(text);
        let Some(clean) = washer.line(&text, ends.into()) else {
            return Go::On;
        };
        let before = self.batch.len();
        let (stamps, name) = (&mut self.stamps, &self.name);
        self.batch.add(self.sorted.unwrap_or(time), |out| {
            stamps.write(time, out);
            // Writing to a Vec cannot fail.
            let _ = writeln!(out, " {name} | {clean}");
        });
        let bytes = (self.batch.len() - before) as u64;
        self.place.records.fetch_add(1, Ordering::Relaxed);
        self.place.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.batch.len() >= FULL {
            return self.lay();
        }
        Go::On
    }

    /// Lays down what has waited long enough; returns whether more is wanted.
    pub(super) fn tick(&mut self) -> Go {
        if self.laid.elapsed() < SOON {
            return Go::On;
        }
        self.lay()
    }

    /// Lays down what there is.
    pub(super) fn lay(&mut self) -> Go {
        let wanted = self
            .desk
            .lay(self.place.at, std::mem::take(&mut self.batch));
        self.laid = Instant::now();
        if wanted { Go::On } else { Go::Off }
    }

    /// Tells what was replaced by names so far.
    fn note_masks(&mut self) {
        let mut state = self.place.state();
        for washer in [&mut self.out, &mut self.err] {
            state.masked.merge(&washer.take_tally());
        }
    }

    /// Lays down the rest; nothing more comes for now.
    pub(super) fn rest(&mut self) {
        let _ = self.lay();
        self.note_masks();
        self.desk.rest(self.place.at);
    }

    /// Lays down the rest; nothing more will come.
    pub(super) fn end(&mut self) {
        let _ = self.lay();
        self.note_masks();
        self.place.end();
        self.desk.end(self.place.at);
    }
}

/// Returns text of which a terminal or an editor is told nothing but what it says.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    visible(text)
}
