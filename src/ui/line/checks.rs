//! Results of checks for people: what failed first, with cause, remedy and command; and the sheet for whoever runs the network.

use std::collections::BTreeSet;

use crate::model::check::{CheckResult, Opening, Verdict};
use crate::model::text::visible;
use crate::report::{Paint, Tone, Volume};
use crate::ui::amounts::count;

/// Returns results grouped by verdict, the worst first; what passed is counted, and listed when verbose.
#[must_use]
pub fn report(checks: &[CheckResult], paint: Paint, volume: Volume) -> Vec<String> {
    let with = |verdict| checks.iter().filter(move |check| check.verdict == verdict);
    let mut lines = Vec::new();
    for check in with(Verdict::Fail) {
        lines.extend(block(check, &paint.tone(Tone::Bad, "✖ failed "), paint));
    }
    if volume == Volume::Quiet {
        return lines;
    }
    for check in with(Verdict::Warn) {
        lines.extend(block(check, &paint.tone(Tone::Warn, "! warning"), paint));
    }
    let passed = with(Verdict::Pass).count();
    if volume == Volume::Verbose {
        for check in with(Verdict::Pass) {
            lines.push(line(check, &paint.tone(Tone::Good, "✔ passed ")));
        }
    } else if passed > 0 {
        let sign = paint.tone(Tone::Good, "✔");
        lines.push(format!("{sign} {} passed", count(passed, "check")));
    }
    lines
}

/// Returns the openings that are missing as a sheet: from, to, ports, why; empty when none is.
#[must_use]
pub fn sheet(checks: &[CheckResult], paint: Paint) -> Vec<String> {
    let openings: BTreeSet<&Opening> = checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .filter_map(|check| check.opening.as_ref())
        .collect();
    if openings.is_empty() {
        return Vec::new();
    }
    let head = ["from", "to", "ports", "why"].map(str::to_owned);
    let rows = openings.iter().map(|opening| {
        [&opening.from, &opening.to, &opening.ports, &opening.why]
            .map(|text| visible(text).into_owned())
    });
    let table: Vec<[String; 4]> = std::iter::once(head).chain(rows).collect();
    let title = "To be opened in the network (for whoever runs it)";
    std::iter::once(paint.tone(Tone::Strong, title))
        .chain(aligned(&table))
        .collect()
}

/// Returns the rows of a table, set in, each column as wide as its widest cell.
fn aligned(table: &[[String; 4]]) -> Vec<String> {
    let mut widths = [0; 4];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let row = |row: &[String; 4]| {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    table.iter().map(row).collect()
}

/// Returns one result with everything that helps.
fn block(check: &CheckResult, sign: &str, paint: Paint) -> Vec<String> {
    let mut lines = vec![line(check, sign)];
    let parts = [
        ("cause", &check.cause),
        ("remedy", &check.remedy),
        ("command", &check.command),
    ];
    for (word, text) in parts {
        let Some(text) = text else { continue };
        for (at, text) in text.lines().enumerate() {
            let word = if at == 0 { word } else { "" };
            let word = paint.tone(Tone::Faint, &format!("{word:8}"));
            lines.push(format!("            {word} {}", visible(text)));
        }
    }
    lines
}

/// Returns one result in one line.
fn line(check: &CheckResult, sign: &str) -> String {
    let place = match &check.host {
        Some(host) => format!("{host}: "),
        None => String::new(),
    };
    format!(
        "{sign}   {place}{}: {}",
        visible(&check.title),
        visible(&check.found)
    )
}
