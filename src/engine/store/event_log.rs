//! The event log of one run: the lines that `--json` prints, on disk.

use std::io::Write;
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
        let text = fs_err::read_to_string(&path).unwrap();
        let records: Vec<Record> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].event, event);
    }
}
