//! Results of checks as rows, the worst first; a row hides cause, remedy and command.

use std::cmp::Reverse;

use ratatui::text::{Line, Span};

use super::rows::Row;
use crate::model::check::{CheckResult, Verdict};
use crate::model::text::visible;
use crate::ui::amounts::count;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::tui::widgets::text::wrapped;
use crate::ui::view::RunView;

/// Returns the rows.
pub(super) fn rows(view: &RunView, look: Look, room: u16) -> Vec<Row> {
    let checks = sorted(view).into_iter();
    checks.map(|check| row(check, look, room)).collect()
}

fn sorted(view: &RunView) -> Vec<&CheckResult> {
    let mut checks: Vec<&CheckResult> = view.checks.iter().collect();
    checks.sort_by_key(|check| Reverse(check.verdict));
    checks
}

/// Returns the check whose row is chosen.
pub(super) fn chosen(view: &RunView, chosen: Chosen) -> Option<&CheckResult> {
    let at = chosen.of(view.checks.len())?;
    sorted(view).get(at).copied()
}

/// Returns how the checks ended, in a few words.
pub(super) fn sum(view: &RunView) -> String {
    let of = |verdict| view.checks_with(verdict);
    let mut text = format!("Checks: {} passed", of(Verdict::Pass));
    match of(Verdict::Warn) {
        0 => {}
        warnings => text.push_str(&format!(", {}", count(warnings, "warning"))),
    }
    match of(Verdict::Fail) {
        0 => {}
        failed => text.push_str(&format!(", {failed} failed")),
    }
    text
}

fn row(check: &CheckResult, look: Look, room: u16) -> Row {
    let (sign, word, style) = match check.verdict {
        Verdict::Pass => (sign::DONE, "passed ", look.good()),
        Verdict::Warn => (sign::WARNING, "warning", look.warn()),
        Verdict::Fail => (sign::FAILED, "failed ", look.bad()),
    };
    let place = check.host.as_ref().map(|host| format!("{host}: "));
    let title = format!("{}{}: ", place.unwrap_or_default(), visible(&check.title));
    let found = visible(&check.found).into_owned();
    let parts = [
        ("found", Some(&check.found)),
        ("cause", check.cause.as_ref()),
        ("remedy", check.remedy.as_ref()),
        ("command", check.command.as_ref()),
    ];
    let wide = usize::from(room).saturating_sub(18);
    let mut inside = Vec::new();
    for (word, text) in parts {
        let Some(text) = text else { continue };
        let lines = text.lines().flat_map(|line| wrapped(&visible(line), wide));
        for (at, line) in lines.enumerate() {
            let word = if at == 0 { word } else { "" };
            inside.push(Line::from(vec![
                Span::styled(format!("      {word:8} "), look.faint()),
                Span::raw(line),
            ]));
        }
    }
    let copied = check.command.clone().unwrap_or_else(|| {
        let remedy = check.remedy.as_deref().unwrap_or_default();
        format!("{title}{found}\n{remedy}")
    });
    Row {
        head: Line::from(vec![
            Span::styled(format!("{sign} {word} "), style),
            Span::styled(title, look.strong()),
            Span::raw(found),
        ]),
        inside,
        copied,
    }
}
