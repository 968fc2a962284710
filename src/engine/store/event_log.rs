//! The event log of one run: the lines that `--json` prints, on disk, and how they are read again.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;

use super::{StoreError, private};
use crate::model::event::{Event, Listener, Record};

/// Writes each event as a line of JSON as soon as it is told.
#[derive(Debug)]
pub struct EventLog {
    file: Mutex<Option<fs_err::File>>,
}

impl EventLog {
    /// Opens the log at `path`, appending.
    ///
    /// # Errors
    /// Fails when it cannot be created.
    pub(super) fn open(path: &Utf8Path) -> Result<Self, StoreError> {
        Ok(Self {
            file: Mutex::new(Some(private::append(path)?)),
        })
    }
}

impl Listener for EventLog {
    fn hear(&self, event: Event) {
        let record = Record {
            time: jiff::Timestamp::now(),
            event,
        };
        let line = match serde_json::to_string(&record) {
            Ok(line) => line,
            Err(error) => {
                tracing::error!(%error, "an event cannot be written as JSON");
                return;
            }
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_mut().map(|file| writeln!(file, "{line}"));
        if let Some(Err(error)) = written {
            // The run is worth more than its log: say it once and go on without.
            tracing::error!(%error, "the event log cannot be written any more");
            *file = None;
        }
    }
}

/// The records of a log, read one by one.
#[derive(Debug)]
pub struct Records {
    lines: Lines<BufReader<fs_err::File>>,
}

impl Records {
    /// Opens the log at `path`.
    ///
    /// # Errors
    /// Fails when it cannot be opened.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        Ok(Self {
            lines: BufReader::new(fs_err::File::open(path)?).lines(),
        })
    }
}

impl Iterator for Records {
    type Item = Record;

    /// Reads the next record; what a newer release wrote and this one does not know is passed over, as is the half of a line that a kill leaves.
    fn next(&mut self) -> Option<Record> {
        self.lines.by_ref().map_while(Result::ok).find_map(|line| {
            serde_json::from_str(&line)
                .inspect_err(|error| tracing::info!(%error, "an event is passed over"))
                .ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Outcome;

    #[test]
    fn every_event_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("run.jsonl");
        let log = EventLog::open(&path).unwrap();
        let event = Event::RunEnded {
            outcome: Outcome::NothingToDo,
            took_ms: 7,
        };
        log.hear(event.clone());
        log.hear(event.clone());
        let mut file = private::append(&path).unwrap();
        write!(file, "{{\"time\":\"2026").unwrap();
        let records: Vec<Record> = Records::open(&path).unwrap().collect();
        assert_eq!(records.len(), 2, "half a line is passed over");
        assert_eq!(records[0].event, event);
    }
}
