//! The figures of a run: for each subject ours, then the others with their ratio to ours.

use std::fmt;
use std::time::Duration;

/// Rows in the order they were measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<(String, String, Duration, Option<Duration>)>,
    notes: Vec<String>,
}

impl Table {
    /// Adds our own figure for a subject.
    pub fn ours(&mut self, subject: &str, how: &str, took: Duration) {
        self.add(subject, &format!("syntho-installer, {how}"), took, None);
    }

    /// Adds another way of doing the subject of the last own figure.
    pub fn other(&mut self, how: &str, took: Duration) {
        let own = self
            .rows
            .iter()
            .rev()
            .find(|row| row.3.is_none())
            .map(|row| (row.0.clone(), row.2));
        let (subject, ours) = own.expect("our own figure comes first");
        self.add(&subject, how, took, Some(ours));
    }

    /// Adds a figure that is no time.
    pub fn note(&mut self, text: String) {
        eprintln!("{text}");
        self.notes.push(text);
    }

    fn add(&mut self, subject: &str, how: &str, took: Duration, ours: Option<Duration>) {
        eprintln!("{subject}: {how}: {:.3} s", took.as_secs_f64());
        self.rows
            .push((subject.to_owned(), how.to_owned(), took, ours));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| what | how | seconds | ratio to ours |\n| --- | --- | ---: | ---: |"
        )?;
        for (subject, how, took, ours) in &self.rows {
            let ratio = ours.map_or_else(
                || "1".to_owned(),
                |ours| format!("{:.1}", took.as_secs_f64() / ours.as_secs_f64()),
            );
            writeln!(
                f,
                "| {subject} | {how} | {:.3} | {ratio} |",
                took.as_secs_f64()
            )?;
        }
        writeln!(f)?;
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "- {note}"))
    }
}
