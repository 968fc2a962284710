//! Line mode: bars on a terminal, plain lines elsewhere.
//!
//! What is said is decided here and in [`story`], once for both; a [`Voice`] decides how it reaches the eye. Without a terminal there is one line for each
//! step's begin and end, no control sequence, and never more than five seconds of silence.

pub mod checks;
pub mod prompt;
pub mod review;
pub mod wizard;

mod bars;
mod counters;
mod diagnosis;
mod story;
mod summary;
mod voice;

pub use bars::BarsVoice;
pub use voice::{PlainVoice, Show, Voice};

use std::time::Duration;

use jiff::Timestamp;

use super::FrontEnd;
use super::channel::Ask;
use super::grid;
use super::view::{RunView, between};
use crate::model::event::{Event, Outcome, Record};
use crate::model::plan::StepSummary;
use crate::report::{Paint, Printer, Volume};

/// After so long without a line something is said.
const SILENCE: Duration = Duration::from_secs(5);

/// What the operator asked for: it goes to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Results of checks.
    Checks,
    /// The plan.
    Plan,
    /// Changes, and where they can be seen.
    Changes,
}

/// What a line-mode front end is set up with.
#[derive(Debug, Clone)]
pub struct Manner {
    /// How much is said.
    pub volume: Volume,
    /// Colours for standard error.
    pub paint: Paint,
    /// Colours for standard output.
    pub data_paint: Paint,
    /// What was asked for.
    pub wanted: Wanted,
    /// The command that goes on after an interruption.
    pub again: String,
    /// Whether somebody is there to answer.
    pub can_ask: bool,
}

/// Shows a run as lines.
#[derive(Debug)]
pub struct LineFront<V> {
    view: RunView,
    manner: Manner,
    voice: V,
    spoke: Option<Timestamp>,
    checks_shown: usize,
    reach_shown: bool,
}

impl<V: Voice> LineFront<V> {
    /// Builds it over a voice.
    #[must_use]
    pub fn new(manner: Manner, voice: V) -> Self {
        Self {
            view: RunView::default(),
            manner,
            voice,
            spoke: None,
            checks_shown: 0,
            reach_shown: false,
        }
    }

    fn say_all(&mut self, lines: Vec<String>, now: Timestamp) {
        if !lines.is_empty() {
            self.spoke = Some(now);
        }
        for line in lines {
            self.voice.say(&line);
        }
    }

    /// Shows checks that have ended since the last time, worst first, at the end of their stage.
    fn show_checks(&mut self, now: Timestamp) {
        let new = &self.view.checks[self.checks_shown..];
        let are_data = self.manner.wanted == Wanted::Checks;
        let paint = if are_data {
            self.manner.data_paint
        } else {
            self.manner.paint
        };
        let mut lines = checks::report(new, paint, self.manner.volume);
        if !self.reach_shown && !self.view.reach.is_empty() {
            self.reach_shown = true;
            if self.manner.volume > Volume::Quiet {
                lines.extend(grid::lines(&self.view.reach, paint));
            }
        }
        lines.extend(checks::sheet(new, paint));
        self.checks_shown = self.view.checks.len();
        if are_data {
            self.show_data(lines, now);
        } else {
            self.say_all(lines, now);
        }
    }

    /// Shows the plan when that is what was asked for; otherwise the review shows it.
    fn show_plan(&mut self, steps: &[StepSummary], now: Timestamp) {
        if self.manner.wanted != Wanted::Plan {
            return;
        }
        let files = match self.manner.volume {
            Volume::Verbose => review::Files::Everything,
            Volume::Normal | Volume::Quiet => review::Files::Changes,
        };
        let lines = review::plan(steps, files, self.manner.data_paint);
        self.show_data(lines, now);
    }

    fn show_data(&mut self, lines: Vec<String>, now: Timestamp) {
        for line in lines {
            self.voice.data(&line);
        }
        self.spoke = Some(now);
    }
}

/// Says how a run ended that was shown otherwise, so that it stays readable when the screens are gone.
pub fn say_how_it_ended(view: &RunView, manner: &Manner, printer: &Printer) {
    for line in summary::lines(view, manner) {
        printer.note(&line);
    }
    for line in summary::endpoints(view, manner.data_paint) {
        printer.data(&line);
    }
}

impl<V: Voice> FrontEnd for LineFront<V> {
    fn told(&mut self, record: &Record) {
        // What ended is shown before what begins.
        if matches!(
            record.event,
            Event::StageStarted { .. } | Event::RunEnded { .. }
        ) && (self.checks_shown < self.view.checks.len()
            || !self.reach_shown && !self.view.reach.is_empty())
        {
            self.show_checks(record.time);
        }
        let known = self.view.failures.len();
        self.view.apply(record);
        let lines = story::lines(
            &record.event,
            &self.view,
            known,
            &self.manner,
            V::SHOWS_STEPS,
        );
        self.say_all(lines, record.time);
        if let Event::PlanReady { steps } = &record.event {
            self.show_plan(steps, record.time);
        }
    }

    fn tick(&mut self, now: Timestamp) {
        self.voice.draw(&self.view, now);
        let spoke = *self.spoke.get_or_insert(now);
        if !V::SHOWS_STEPS
            && self.manner.volume > Volume::Quiet
            && self.view.outcome.is_none()
            && between(spoke, now) >= SILENCE
        {
            let line = story::still(&self.view, now);
            self.say_all(vec![line], now);
        }
    }

    fn ask(&mut self, ask: Ask) {
        if !self.manner.can_ask {
            return;
        }
        let manner = &self.manner;
        self.voice
            .pause(&mut |out| prompt::answer(&ask, manner.paint, out));
        self.spoke = Some(Timestamp::now());
    }

    fn stopping(&mut self) {
        let lines = vec![
            "stopping at the next safe point; once more leaves at once".to_owned(),
            format!("  next:    `{}` goes on from here", self.manner.again),
        ];
        self.say_all(lines, Timestamp::now());
    }

    fn finish(&mut self) {
        self.voice.close();
        if self.view.outcome.is_none() {
            return;
        }
        for line in summary::lines(&self.view, &self.manner) {
            self.voice.say(&line);
        }
        if self.manner.volume > Volume::Quiet {
            for line in summary::endpoints(&self.view, self.manner.data_paint) {
                self.voice.data(&line);
            }
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        self.view.outcome.clone()
    }

    fn abandoned(&self) -> bool {
        self.voice.abandoned()
    }
}

#[cfg(test)]
mod tests;
