//! `replay`: the saved events of a run, played in the same screens that showed it, or as lines.

use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};

use super::drive::{Show, Shown, front};
use super::{Session, screens};
use crate::cli::ReplayArgs;
use crate::engine::store::Records;
use crate::model::event::Record;
use crate::model::failure::Failure;
use crate::report::usage;
use crate::ui::channel::Message;
use crate::ui::line::Wanted;
use crate::ui::tui;
use crate::ui::tui::run::{Heard, RunScreen, Setup, Source};

/// Plays a run.
pub(super) fn run(session: &Session, args: &ReplayArgs) -> Result<u8, Failure> {
    let path = find(session, &args.run)?;
    let tape = Tape::open(&path, args.speed)?;
    let again = format!("syntho-installer replay {}", args.run);
    if args.plain || !screens::fit(session) {
        return Ok(lines(session, tape, again));
    }
    let setup = Setup {
        again,
        shells: std::collections::BTreeMap::new(),
        host_keys: std::collections::BTreeMap::new(),
        save_folder: screens::save_folder(session),
        zone: jiff::tz::TimeZone::system(),
        recorded: true,
        for_wizard: false,
        expected: std::collections::HashMap::new(),
        place: None,
    };
    let screen = RunScreen::new(Box::new(tape), setup);
    tui::show(screen, screens::look(session)).map_err(|error| Failure::from_error(&error))?;
    Ok(0)
}

/// Plays it as lines.
fn lines(session: &Session, mut tape: Tape, again: String) -> u8 {
    let show = Show {
        shown: Shown::Plain,
        wanted: Wanted::Changes,
        again,
    };
    let mut front = front(session, &show);
    while let Some(record) = tape.take() {
        thread::sleep(tape.wait(record.time, Timestamp::now()));
        front.told(&record);
        front.tick(record.time);
        if front.abandoned() {
            break;
        }
    }
    front.finish();
    0
}

/// Returns the event log that is meant: a file, a run's id, or the last run of a deployment.
fn find(session: &Session, wanted: &str) -> Result<Utf8PathBuf, Failure> {
    let file = Utf8PathBuf::from(wanted);
    if file.is_file() {
        return Ok(file);
    }
    let mut known = Vec::new();
    for state in session.home.deployments()? {
        let folder = session.home.deployment(&state.name);
        for run in folder.recorded_runs()? {
            if run.0 == wanted || state.name.as_str() == wanted && run == state.last_run {
                return Ok(folder.events_path(&run));
            }
            known.push(run.0);
        }
    }
    known.sort();
    let hint = match known.last() {
        Some(last) => format!(
            "the newest is `{last}`; a deployment's name plays its last run, and a file of events is taken, too"
        ),
        None => {
            "no run was recorded yet; every `deploy`, `check` and `verify` records one".to_owned()
        }
    };
    Err(usage(format!("there is no recorded run `{wanted}`"), &hint))
}

/// A recorded run, read as it is played.
struct Tape {
    path: Utf8PathBuf,
    records: Records,
    next: Option<Record>,
    speed: f64,
    /// The time of the first record, and when it was played.
    begin: Option<(Timestamp, Timestamp)>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape({})", self.path)
    }
}

impl Tape {
    fn open(path: &Utf8Path, speed: f64) -> Result<Self, Failure> {
        let records = Records::open(path).map_err(|error| {
            usage(
                error.to_string(),
                "name a run, a deployment or a file of events",
            )
        })?;
        let mut tape = Self {
            path: path.to_owned(),
            records,
            next: None,
            speed,
            begin: None,
        };
        tape.read();
        if tape.next.is_none() {
            return Err(usage(
                format!("{path} holds no events"),
                "a run's events are in the folder `events` of its deployment",
            ));
        }
        Ok(tape)
    }

    fn read(&mut self) {
        self.next = self.records.next();
    }

    fn take(&mut self) -> Option<Record> {
        let record = self.next.take();
        self.read();
        record
    }

    /// Returns the time in the recorded run at a moment of the replay.
    fn at(&self, now: Timestamp) -> Timestamp {
        let Some((first, began)) = self.begin else {
            return now;
        };
        let played = now.duration_since(began).as_secs_f64() * self.speed;
        SignedDuration::try_from_secs_f64(played)
            .ok()
            .and_then(|played| first.checked_add(played).ok())
            .unwrap_or(first)
    }

    /// Returns how long to wait until something of `time` is played.
    fn wait(&mut self, time: Timestamp, now: Timestamp) -> Duration {
        let (first, began) = *self.begin.get_or_insert((time, now));
        if self.speed <= 0.0 {
            return Duration::ZERO;
        }
        let after = time.duration_since(first).as_secs_f64() / self.speed;
        let gone = now.duration_since(began).as_secs_f64();
        Duration::try_from_secs_f64(after - gone).unwrap_or_default()
    }
}

impl Source for Tape {
    fn next(&mut self, now: Timestamp) -> Heard {
        let Some(time) = self.next.as_ref().map(|record| record.time) else {
            return Heard::Over;
        };
        if !self.wait(time, now).is_zero() {
            return Heard::Nothing;
        }
        match self.take() {
            Some(record) => Heard::Message(Message::Told(Box::new(record))),
            None => Heard::Over,
        }
    }

    fn stop(&mut self) {}

    fn again(&mut self) -> bool {
        match Self::open(&self.path, self.speed) {
            Ok(tape) => {
                *self = tape;
                true
            }
            Err(_) => false,
        }
    }

    fn clock(&self, now: Timestamp) -> Timestamp {
        self.at(now)
    }
}
