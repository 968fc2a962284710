//! How the run ended: what stands there now, what was verified, where things are, what comes next, and the hand-over record.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Facing;
use crate::model::check::Verdict;
use crate::model::event::Outcome;
use crate::model::text::visible;
use crate::ui::amounts::{count, time};
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::{width, wrapped};
use crate::ui::view::{RunView, StepState, StepView};

/// Returns the page's lines.
pub(super) fn lines(facing: &Facing<'_>, look: Look, room: u16) -> Vec<Line<'static>> {
    let view = facing.view;
    let Some(outcome) = &view.outcome else {
        return Vec::new();
    };
    let room = usize::from(room);
    let mut lines = vec![verdict(view, outcome, look), Line::raw("")];
    if let Outcome::Failed(failure) = outcome {
        let all = view
            .failures
            .iter()
            .chain(Some(failure).filter(|failure| !view.was_told(failure)));
        for failure in all {
            let place = failure.host.as_ref().map(|host| format!("{host}: "));
            let text = format!("{}{}", place.unwrap_or_default(), visible(&failure.message));
            lines.extend(item(sign::FAILED, look.bad(), &text, room));
            for cause in &failure.causes {
                lines.extend(item(" ", Style::new(), &visible(cause), room));
            }
            if let Some(hint) = &failure.hint {
                lines.extend(item("→", look.good(), &visible(hint), room));
            }
        }
        lines.push(Line::raw(""));
    }
    skipped(&mut lines, view, look, room);
    endpoints(&mut lines, view, look, room);
    lines.push(Line::styled("What next", look.strong()));
    for (what, command) in next(facing, outcome) {
        lines.push(Line::raw(format!("  {what}")));
        lines.push(Line::styled(format!("    {command}"), look.accent()));
    }
    if let Some(record) = facing.record {
        lines.push(Line::raw("  hand over (the record is below; c copies it)"));
        lines.push(Line::styled(format!("    {}", record.path), look.accent()));
    }
    lines.push(Line::raw(""));
    verified(&mut lines, view, look, room);
    record(&mut lines, facing, look, room);
    lines
}

fn verdict(view: &RunView, outcome: &Outcome, look: Look) -> Line<'static> {
    let took = view.now.map_or(Duration::ZERO, |now| view.elapsed(now));
    let took = time(took);
    let purpose = &view.purpose;
    let (sign, style, text) = match outcome {
        Outcome::NothingToDo if purpose == "verify" => (
            sign::DONE,
            look.good(),
            format!("everything is as it must be ({took})"),
        ),
        Outcome::Done => (sign::DONE, look.good(), format!("{purpose} done in {took}")),
        Outcome::NothingToDo => (
            sign::DONE,
            look.good(),
            format!("nothing to do: everything is as asked ({took})"),
        ),
        Outcome::ChecksFailed => (
            sign::FAILED,
            look.bad(),
            format!(
                "{} failed; nothing was changed ({took})",
                count(view.checks_with(Verdict::Fail), "check")
            ),
        ),
        Outcome::Failed(_) => (
            sign::FAILED,
            look.bad(),
            format!("{purpose} failed after {took}{}", tally(view)),
        ),
        Outcome::Cancelled => (
            sign::STOPPED,
            look.warn(),
            format!("{purpose} stopped after {took}{}", tally(view)),
        ),
    };
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(text, look.strong()),
    ])
}

fn tally(view: &RunView) -> String {
    if view.steps.is_empty() {
        return "; nothing was changed".to_owned();
    }
    let done = view
        .steps
        .iter()
        .filter(|step| matches!(step.state, StepState::Changed | StepState::AlreadySo))
        .count();
    format!(": {done} of {} done", count(view.steps.len(), "step"))
}

/// Lists what the operator went on without.
fn skipped(lines: &mut Vec<Line<'static>>, view: &RunView, look: Look, room: usize) {
    let skipped = |step: &&StepView| step.state == StepState::Skipped;
    let mut any = false;
    for step in view.steps.iter().filter(skipped) {
        let what = visible(&step.summary.description.summary);
        let text = format!("skipped by you: {}: {what}", step.summary.host);
        lines.extend(item(sign::WARNING, look.warn(), &text, room));
        any = true;
    }
    if any {
        lines.push(Line::raw(""));
    }
}

fn endpoints(lines: &mut Vec<Line<'static>>, view: &RunView, look: Look, room: usize) {
    if view.endpoints.is_empty() {
        return;
    }
    lines.push(Line::styled("Where it can be seen", look.strong()));
    let column = view.endpoints.iter().map(|e| width(&visible(&e.title)));
    let column = column.max().unwrap_or_default();
    for endpoint in &view.endpoints {
        let title = visible(&endpoint.title).into_owned();
        let url = Span::styled(visible(&endpoint.url).into_owned(), look.accent());
        if column + 4 + width(&url.content) > room {
            // An address that is cut is of no use.
            lines.push(Line::raw(format!("  {title}")));
            lines.push(Line::from(vec![Span::raw("    "), url]));
            continue;
        }
        let gap = " ".repeat(column.saturating_sub(width(&title)) + 2);
        lines.push(Line::from(vec![Span::raw(format!("  {title}{gap}")), url]));
    }
    lines.push(Line::raw(""));
}

/// Lists what was judged after the work; the checks before it have their own page.
fn verified(lines: &mut Vec<Line<'static>>, view: &RunView, look: Look, room: usize) {
    let judged = view.judged();
    if judged.is_empty() {
        return;
    }
    lines.push(Line::styled("What was verified", look.strong()));
    for check in judged {
        let (sign, style) = match check.verdict {
            Verdict::Pass => (sign::DONE, look.good()),
            Verdict::Warn => (sign::WARNING, look.warn()),
            Verdict::Fail => (sign::FAILED, look.bad()),
        };
        let place = check.host.as_ref().map(|host| format!("{host}: "));
        let text = format!(
            "{}{}: {}",
            place.unwrap_or_default(),
            visible(&check.title),
            visible(&check.found)
        );
        lines.extend(item(sign, style, &text, room));
    }
    lines.push(Line::raw(""));
}

/// Returns what comes next, each with its command.
fn next(facing: &Facing<'_>, outcome: &Outcome) -> Vec<(&'static str, String)> {
    let name = &facing.view.deployment;
    let again = facing.again.to_owned();
    match outcome {
        Outcome::Done | Outcome::NothingToDo => vec![
            ("see its state", format!("syntho-installer status {name}")),
            ("judge it again", format!("syntho-installer verify {name}")),
        ],
        Outcome::ChecksFailed => vec![("when it is mended (or press r)", again)],
        Outcome::Failed(_) => vec![("when the cause is gone (or press r)", again)],
        Outcome::Cancelled => vec![("go on from here (or press r)", again)],
    }
}

fn record(lines: &mut Vec<Line<'static>>, facing: &Facing<'_>, look: Look, room: usize) {
    let Some(record) = facing.record else {
        return;
    };
    lines.push(Line::styled("Hand-over record", look.strong()));
    lines.push(Line::raw(""));
    for line in record.text.lines() {
        let style = if line.starts_with('#') {
            look.strong()
        } else {
            Style::new()
        };
        let parts = wrapped(&visible(line), room.saturating_sub(4)).into_iter();
        lines.extend(parts.map(|part| Line::styled(format!("  {part}"), style)));
    }
}

fn item(sign: &'static str, style: Style, text: &str, room: usize) -> Vec<Line<'static>> {
    wrapped(text, room.saturating_sub(6))
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            let sign = if at == 0 { sign } else { " " };
            Line::from(vec![
                Span::styled(format!("  {sign} "), style),
                Span::raw(line),
            ])
        })
        .collect()
}
