//! The run before this one, when it was interrupted: what its hosts said comes first into their panes, and is not said twice.
//!
//! Its records are read from disk a few at a time and folded as they come, so that a long run takes no more memory than a short one. A long step that went on
//! by itself is followed from its beginning once more; the lines that were seen already are left out.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::RunScreen;
use super::story::Logs;
use crate::model::event::{Event, Record};
use crate::model::ids::StepId;
use crate::ui::view::RunView;

/// Most lines of one step that are known again.
const MOST_LINES: usize = 20_000;

/// What is known of the run before.
#[derive(Debug)]
pub(super) struct Earlier {
    /// The run as far as it was read; gone when there is no more of it.
    view: Option<Box<RunView>>,
    /// The lines of steps that had not ended, as their hashes.
    said: HashMap<StepId, VecDeque<u64>>,
}

impl Default for Earlier {
    fn default() -> Self {
        Self {
            view: Some(Box::default()),
            said: HashMap::new(),
        }
    }
}

impl Earlier {
    /// Returns whether there may be more of it to read.
    pub(super) fn is_open(&self) -> bool {
        self.view.is_some()
    }

    /// Takes in its next record.
    pub(super) fn take_in(&mut self, record: &Record, logs: &mut Logs) {
        let Some(view) = &mut self.view else { return };
        view.apply(record);
        logs.take_in(record, view);
        match &record.event {
            Event::StepOutput { step, line } => {
                let said = self.said.entry(step.clone()).or_default();
                if said.len() < MOST_LINES {
                    said.push_back(hash(line));
                }
            }
            Event::StepStarted { step } | Event::StepEnded { step, .. } => {
                self.said.remove(step);
            }
            _ => {}
        }
    }

    /// Says in every pane where this run begins.
    pub(super) fn close(&mut self, logs: &mut Logs, now: Timestamp, zone: &TimeZone) {
        let began = self.view.take().and_then(|view| view.began);
        if let Some(began) = began {
            let began = began.to_zoned(zone.clone()).strftime("%H:%M");
            logs.mark(
                now,
                &format!("──── above: the run of {began}; here this one begins ────"),
            );
        }
    }

    /// Returns whether a line was told by the run before already: a step is then followed through what was seen.
    pub(super) fn told(&mut self, event: &Event) -> bool {
        let Event::StepOutput { step, line } = event else {
            return false;
        };
        let Some(said) = self.said.get_mut(step) else {
            return false;
        };
        if said.pop_front() == Some(hash(line)) {
            return true;
        }
        // It says something else: it was begun anew, or has come to what is new.
        self.said.remove(step);
        false
    }
}

fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

impl RunScreen {
    /// Keeps which host is looked at, so that the next run begins there.
    pub(super) fn remember_host(&self) {
        if let (Some(path), Some(host)) = (&self.setup.place, self.chosen_host())
            && let Err(error) = fs_err::write(path, host.as_str())
        {
            // It is only a convenience.
            tracing::info!(%error, "the chosen host is not kept");
        }
    }

    /// Chooses the host that was looked at the last time.
    pub(super) fn choose_as_before(&mut self) {
        let kept = self.setup.place.as_ref();
        let Some(kept) = kept.and_then(|path| fs_err::read_to_string(path).ok()) else {
            return;
        };
        let at = self
            .view
            .hosts
            .iter()
            .position(|host| host.name.as_str() == kept.trim());
        if let Some(at) = at {
            self.host.choose(at);
        }
    }
}
