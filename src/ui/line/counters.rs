//! What has come from each source of logs by now, as lines that change in place.
//!
//! ```text
//! ui/application/backend        123456 records   12 MB
//! node-1/head/head                 482 records   61 kB
//! 4 of 9 sources still come · 1204882 records, 131 MB
//! ```

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::model::text::{shortened, visible};
use crate::ui::amounts::bytes;
use crate::ui::view::{LogsView, RunView};

/// How many sources have a line of their own; the others are in the sum.
const MOST: usize = 12;

/// The widest name.
const WIDEST: usize = 44;

/// The lines.
#[derive(Debug, Default)]
pub(super) struct Counters {
    lines: HashMap<String, ProgressBar>,
    sum: Option<ProgressBar>,
}

impl Counters {
    pub(super) fn draw(&mut self, bars: &MultiProgress, view: &RunView) {
        let sum = self.sum.get_or_insert_with(|| bars.add(line()));
        sum.set_message(sum_of(view));
        for (source, logs) in &view.logs {
            if logs.ended {
                if let Some(line) = self.lines.remove(source) {
                    line.finish_and_clear();
                }
                continue;
            }
            if !self.lines.contains_key(source) && self.lines.len() < MOST {
                let line = bars.insert_before(sum, line());
                self.lines.insert(source.clone(), line);
            }
            if let Some(line) = self.lines.get(source) {
                line.set_message(row(source, *logs));
            }
        }
    }

    pub(super) fn clear(&mut self) {
        for line in self.lines.values().chain(&self.sum) {
            line.finish_and_clear();
        }
    }
}

fn line() -> ProgressBar {
    // A template that does not parse would be our bug; the plain bar is no reason to gather nothing.
    let style = ProgressStyle::with_template("{wide_msg}");
    let line = ProgressBar::no_length();
    line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    line
}

fn row(source: &str, logs: LogsView) -> String {
    let name = visible(source);
    let name = shortened(&name, WIDEST);
    format!(
        "{name:WIDEST$} {:>12} records  {:>7}",
        logs.records,
        bytes(logs.bytes)
    )
}

/// Returns what has come from all sources together.
pub(super) fn sum_of(view: &RunView) -> String {
    let logs = view.logs.values();
    let (records, size) = logs.fold((0, 0), |(records, size), logs| {
        (records + logs.records, size + logs.bytes)
    });
    let coming = view.logs.values().filter(|logs| !logs.ended).count();
    format!(
        "{coming} of {} sources still come · {records} records, {}",
        view.logs.len(),
        bytes(size)
    )
}
