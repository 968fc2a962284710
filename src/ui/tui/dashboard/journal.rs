//! What containers printed, in a bounded amount of memory, and the part of it that is wanted.

use std::collections::BTreeSet;

use crate::model::ids::HostName;
use crate::model::log::{LogRecord, LogSource};
use crate::model::text::visible_lines;
use crate::ui::tui::run::scrollback::{Kind, Scrollback, Wanted};
use crate::ui::tui::widgets::text::{fitted, width};

/// What all lines may take, in bytes; as much again may those take that are wanted.
const MOST: usize = 12 << 20;

/// Columns for the name of whoever printed a line, at most.
const NAMES: usize = 24;

/// Lines, and which of them are wanted.
#[derive(Debug)]
pub(super) struct Journal {
    all: Scrollback,
    wanted: Scrollback,
    sources: BTreeSet<String>,
    one: Option<String>,
    text: Option<Wanted>,
    names: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            all: Scrollback::new(MOST),
            wanted: Scrollback::new(MOST),
            sources: BTreeSet::new(),
            one: None,
            text: None,
            names: 0,
        }
    }
}

impl Journal {
    /// Returns the lines that are wanted.
    pub(super) fn shown(&self) -> &Scrollback {
        if self.is_filtered() {
            &self.wanted
        } else {
            &self.all
        }
    }

    /// Returns whether nothing was printed so far.
    pub(super) fn is_empty(&self) -> bool {
        self.all.end() == 0
    }

    /// Returns whether only a part of the lines is wanted.
    pub(super) fn is_filtered(&self) -> bool {
        self.one.is_some() || self.text.is_some()
    }

    /// Returns what is wanted, in words.
    pub(super) fn words(&self) -> String {
        let one = self
            .one
            .as_ref()
            .map(|one| format!("only {}", one.trim_end()));
        let text = self
            .text
            .as_ref()
            .map(|text| format!("with `{}`", text.text()));
        let words: Vec<String> = one.into_iter().chain(text).collect();
        words.join(" ")
    }

    /// Takes in a line.
    pub(super) fn add(&mut self, record: &LogRecord) {
        let name = name(&record.source);
        self.names = self.names.max(width(&name)).min(NAMES);
        let label = self.label(&name);
        // A line that was rewritten in place must not take the name before it away.
        let mut lines = visible_lines(&record.text).peekable();
        if lines.peek().is_none() {
            self.put(record.time, &label);
        }
        for line in lines {
            self.put(record.time, &format!("{label}{line}"));
        }
        if !self.sources.contains(&name) {
            self.sources.insert(name);
        }
    }

    /// Says something of our own between the lines.
    pub(super) fn note(&mut self, time: jiff::Timestamp, host: &HostName, why: &str) {
        let text = format!("──── the lines of {host} do not come at present: {why} ────");
        self.all.add(time, Kind::Bad, &text);
        if self.is_filtered() {
            self.wanted.add(time, Kind::Bad, &text);
        }
    }

    fn put(&mut self, time: jiff::Timestamp, text: &str) {
        let before = self.all.end();
        // Many programs say everything on standard error: which of the two it was says nothing.
        self.all.add(time, Kind::Said, text);
        if self.is_filtered() {
            let fresh = self.all.from(before).map(|(_, line)| line.clone());
            let wanted: Vec<_> = fresh.filter(|line| self.wants(&line.text)).collect();
            for line in wanted {
                self.wanted.add(line.time, line.kind, &line.text);
            }
        }
    }

    fn label(&self, name: &str) -> String {
        let room = self.names;
        let name = fitted(name, room);
        let gap = room.saturating_sub(width(&name));
        format!("{name}{} | ", " ".repeat(gap))
    }

    fn wants(&self, line: &str) -> bool {
        let of_one = self.one.as_ref().is_none_or(|one| {
            line.split_once(" | ")
                .is_some_and(|(label, _)| label.trim_end() == fitted(one, NAMES))
        });
        of_one && self.text.as_ref().is_none_or(|text| text.is_in(line))
    }

    /// Wants only lines with this text; an empty one wants all.
    pub(super) fn want_text(&mut self, text: &str) {
        self.text = Wanted::new(text);
        self.sift();
    }

    /// Wants only the lines of one service, of the next one, or of all after the last.
    pub(super) fn want_next_service(&mut self) {
        self.one = match &self.one {
            None => self.sources.first().cloned(),
            Some(one) => self.sources.range(one.clone()..).nth(1).cloned(),
        };
        self.sift();
    }

    fn sift(&mut self) {
        let mut wanted = Scrollback::new(MOST);
        for (_, line) in self.all.from(self.all.first()) {
            if self.wants(&line.text) {
                wanted.add(line.time, line.kind, &line.text);
            }
        }
        self.wanted = wanted;
    }
}

/// Returns the name under which a source's lines stand.
fn name(source: &LogSource) -> String {
    format!(
        "{}/{}",
        source.host,
        crate::model::text::visible(&source.service)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::Voice;
    use std::sync::Arc;

    fn record(host: &str, service: &str, text: &str) -> LogRecord {
        LogRecord {
            time: jiff::Timestamp::UNIX_EPOCH,
            source: Arc::new(LogSource {
                host: host.parse().unwrap(),
                stack: "application".to_owned(),
                service: service.to_owned(),
                container: "c".to_owned(),
            }),
            voice: Voice::Out,
            text: text.to_owned(),
        }
    }

    fn lines(journal: &Journal) -> Vec<String> {
        let shown = journal.shown();
        shown
            .from(0)
            .map(|(_, line)| line.text.to_string())
            .collect()
    }

    #[test]
    fn lines_are_wanted_by_service_and_by_text_also_those_that_come_later() {
        let mut journal = Journal::default();
        journal.add(&record("ui", "web", "an error"));
        journal.add(&record("ui", "store", "an error | of the store"));
        journal.add(&record("node-1", "web", "started"));
        assert_eq!(lines(&journal).len(), 3);
        journal.want_text("error");
        journal.add(&record("ui", "web", "one more ERROR"));
        journal.add(&record("ui", "web", "fine"));
        assert_eq!(lines(&journal).len(), 3);
        journal.want_next_service();
        assert_eq!(journal.words(), "only node-1/web with `error`");
        assert!(lines(&journal).is_empty());
        journal.want_next_service();
        assert_eq!(lines(&journal).len(), 1);
        journal.want_next_service();
        assert_eq!(lines(&journal).len(), 2);
        journal.want_next_service();
        journal.want_text("");
        assert_eq!(lines(&journal).len(), 5);
    }

    #[test]
    fn memory_stays_bounded() {
        let mut journal = Journal::default();
        journal.want_text("x");
        let line = "x".repeat(4000);
        for _ in 0..8000 {
            journal.add(&record("ui", "web", &line));
        }
        assert!(lines(&journal).iter().map(String::len).sum::<usize>() <= MOST);
    }
}
