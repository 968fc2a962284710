//! The only place that turns an error into what the operator reads, and picks the exit code.
//!
//! Every module's error carries its advice ([`Hinted`]); here it becomes a [`Failure`] with the same three parts for every front end: the message, its causes,
//! and what to do next. [`Printer`] decides how much is printed, where, and with what colour.

mod paint;
mod printer;

pub use paint::{Paint, Tone};
pub use printer::{Ground, Looks, Printer, Volume};

use crate::model::event::{Event, Outcome, Record};
use crate::model::failure::{Failure, FailureKind, Hinted};
use crate::model::text::{visible, visible_lines};

impl<E: Hinted> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::from_error(&error)
    }
}

/// Returns a failure of the command line itself, for what clap cannot judge.
#[must_use]
pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Usage,
        host: None,
        message: message.into(),
        causes: Vec::new(),
        hint: Some(hint.into()),
        command: None,
    }
}

/// Returns a failure as lines for people: message, causes, hint.
#[must_use]
pub fn for_people(failure: &Failure, paint: Paint) -> Vec<String> {
    let place = failure
        .host
        .as_ref()
        .map(|host| format!("{host}: "))
        .unwrap_or_default();
    let word = match failure.kind {
        FailureKind::Cancelled => paint.tone(Tone::Warn, "cancelled:"),
        FailureKind::Bug => paint.tone(Tone::Bad, "bug:"),
        _ => paint.tone(Tone::Bad, "error:"),
    };
    let mut lines = part(&format!("{word} {place}"), 2, &failure.message);
    let mut said = failure.message.as_str();
    for cause in &failure.causes {
        // An error that only carries another one says the same words; once is enough.
        if !said.ends_with(cause.as_str()) {
            lines.extend(part("  because: ", 11, cause));
        }
        said = cause;
    }
    if let Some(hint) = &failure.hint {
        let word = paint.tone(Tone::Strong, "next:");
        lines.extend(part(&format!("  {word}    "), 11, hint));
    }
    if failure.kind == FailureKind::Bug {
        let text = "this is our fault, not yours: please report it with the log file `logs/installer.log` of the home folder";
        lines.extend(part("  report:  ", 11, text));
    }
    lines
}

/// Returns a failure as the record that ends a `--json` stream, so that automation always finds the same last line.
#[must_use]
pub fn for_machines(failure: &Failure, time: jiff::Timestamp) -> Record {
    let outcome = if failure.kind == FailureKind::Cancelled {
        Outcome::Cancelled
    } else {
        Outcome::Failed(failure.clone())
    };
    Record {
        time,
        event: Event::RunEnded {
            outcome,
            took_ms: 0,
        },
    }
}

/// Returns `text` behind `head`; further lines of it are set in by `indent`.
fn part(head: &str, indent: usize, text: &str) -> Vec<String> {
    let mut lines = visible_lines(text).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_else(|| visible(text));
    std::iter::once(format!("{head}{first}"))
        .chain(lines.map(|line| format!("{:indent$}{line}", "")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure {
            kind: FailureKind::Situation,
            host: "ray-3".parse().ok(),
            message: "cannot write `/opt/syntho`".to_owned(),
            causes: vec![
                "`mv` failed with status 1".to_owned(),
                "mv: cannot move\u{1b}[2J\nmv: no space left".to_owned(),
            ],
            hint: Some("free some space, then run the same command again".to_owned()),
            command: None,
        }
    }

    #[test]
    fn a_failure_reads_in_three_parts() {
        insta::assert_snapshot!(for_people(&failure(), Paint::PLAIN).join("\n"), @r"
        error: ray-3: cannot write `/opt/syntho`
          because: `mv` failed with status 1
          because: mv: cannot move␛[2J
                   mv: no space left
          next:    free some space, then run the same command again
        ");
    }

    #[test]
    fn only_a_bug_asks_for_a_report() {
        let bug = Failure {
            kind: FailureKind::Bug,
            ..failure()
        };
        let has = |failure: &Failure| {
            for_people(failure, Paint::PLAIN)
                .iter()
                .any(|line| line.contains("report:"))
        };
        assert!(has(&bug));
        assert!(!has(&failure()));
    }

    #[test]
    fn a_machine_gets_the_same_parts() {
        let line = serde_json::to_string(&for_machines(&failure(), jiff::Timestamp::UNIX_EPOCH));
        insta::assert_snapshot!(line.unwrap(), @r#"{"time":"1970-01-01T00:00:00Z","event":"run-ended","outcome":{"outcome":"failed","kind":"situation","host":"ray-3","message":"cannot write `/opt/syntho`","causes":["`mv` failed with status 1","mv: cannot move\u001b[2J\nmv: no space left"],"hint":"free some space, then run the same command again"},"took-ms":0}"#);
    }

    #[test]
    fn a_cause_that_repeats_the_message_is_left_out() {
        let repeated = Failure {
            message: "file `a`: 2 rules are broken".to_owned(),
            causes: vec!["2 rules are broken".to_owned(), "the first".to_owned()],
            hint: None,
            ..failure()
        };
        insta::assert_snapshot!(for_people(&repeated, Paint::PLAIN).join("\n"), @r"
        error: ray-3: file `a`: 2 rules are broken
          because: the first
        ");
    }

    #[test]
    fn an_empty_message_still_gives_a_line() {
        let empty = Failure {
            message: String::new(),
            host: None,
            causes: Vec::new(),
            hint: None,
            ..failure()
        };
        assert_eq!(for_people(&empty, Paint::PLAIN), ["error: "]);
    }
}
