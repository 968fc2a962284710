//! How lines reach the eye: printed one after another, or above bars.

use std::sync::Arc;

use jiff::Timestamp;

use crate::report::Printer;
use crate::ui::view::RunView;

/// Shows a line that is to be read before a question.
pub type Show<'a> = &'a mut dyn FnMut(&str);

/// Says lines and draws what changes in place.
pub trait Voice {
    /// Whether steps that run are drawn in place; where they are not, their begin is said and silence is broken.
    const SHOWS_STEPS: bool;

    /// Says a line about what is going on.
    fn say(&mut self, line: &str);

    /// Says a line of what was asked for.
    fn data(&mut self, line: &str);

    /// Draws the state of the run.
    fn draw(&mut self, view: &RunView, now: Timestamp);

    /// Clears the way for a question; what is to be read before it goes to the function that is handed in.
    fn pause(&mut self, question: &mut dyn FnMut(Show<'_>));

    /// Clears what was drawn.
    fn close(&mut self);

    /// Returns whether nobody reads any more.
    fn abandoned(&self) -> bool;
}

/// Prints lines and nothing else.
#[derive(Debug)]
pub struct PlainVoice {
    printer: Arc<Printer>,
}

impl PlainVoice {
    /// Builds it over the printer.
    #[must_use]
    pub fn new(printer: Arc<Printer>) -> Self {
        Self { printer }
    }
}

impl Voice for PlainVoice {
    const SHOWS_STEPS: bool = false;

    fn say(&mut self, line: &str) {
        self.printer.note(line);
    }

    fn data(&mut self, line: &str) {
        self.printer.data(line);
    }

    fn draw(&mut self, _view: &RunView, _now: Timestamp) {}

    fn pause(&mut self, question: &mut dyn FnMut(Show<'_>)) {
        question(&mut |line| self.printer.note(line));
    }

    fn close(&mut self) {}

    fn abandoned(&self) -> bool {
        self.printer.reader_gone()
    }
}
