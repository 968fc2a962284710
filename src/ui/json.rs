//! One record a line on standard output and nothing else there, for automation.
//!
//! Nothing is asked: whoever reads JSON is not there to answer. What is meant for people goes to standard error.

use std::sync::Arc;

use jiff::Timestamp;

use super::FrontEnd;
use super::channel::Ask;
use crate::model::event::{Event, Outcome, Record};
use crate::report::Printer;

/// Prints records as they come.
#[derive(Debug)]
pub struct JsonFront {
    printer: Arc<Printer>,
    outcome: Option<Outcome>,
}

impl JsonFront {
    /// Builds it over the printer.
    #[must_use]
    pub fn new(printer: Arc<Printer>) -> Self {
        Self {
            printer,
            outcome: None,
        }
    }
}

/// Prints one record as a line.
pub fn print(printer: &Printer, record: &Record) {
    match serde_json::to_string(record) {
        Ok(line) => printer.data(&line),
        Err(error) => tracing::error!(%error, "a record cannot be written as JSON"),
    }
}

impl FrontEnd for JsonFront {
    fn told(&mut self, record: &Record) {
        if let Event::RunEnded { outcome, .. } = &record.event {
            self.outcome = Some(outcome.clone());
        }
        print(&self.printer, record);
    }

    fn tick(&mut self, _now: Timestamp) {}

    /// Lets every question go: dropping it answers that nobody is there.
    fn ask(&mut self, _ask: Ask) {}

    fn stopping(&mut self) {
        self.printer
            .note("stopping at the next safe point; once more leaves at once");
    }

    fn finish(&mut self) {}

    fn outcome(&self) -> Option<Outcome> {
        self.outcome.clone()
    }

    fn abandoned(&self) -> bool {
        self.printer.reader_gone()
    }
}
