//! The plan as rows: each host with its steps, each step with its reasons and the difference it makes.

use ratatui::text::{Line, Span};

use super::rows::Row;
use crate::model::ids::HostName;
use crate::model::plan::{Probe, StepSummary};
use crate::model::text::visible;
use crate::ui::amounts::{count, time};
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::wrapped;
use crate::ui::view::RunView;

/// Returns the rows; what is already so is counted in its host's row.
pub(super) fn rows(view: &RunView, look: Look, room: u16) -> Vec<Row> {
    let mut hosts: Vec<&HostName> = Vec::new();
    for step in &view.steps {
        if !hosts.contains(&&step.summary.host) {
            hosts.push(&step.summary.host);
        }
    }
    let mut rows = Vec::new();
    for host in hosts {
        let own: Vec<&StepSummary> = view
            .steps
            .iter()
            .map(|step| &step.summary)
            .filter(|step| step.host == *host)
            .collect();
        rows.push(host_row(host, &own, look));
        let to_do = own.iter().filter(|step| step.probe != Probe::AlreadySo);
        rows.extend(to_do.map(|step| step_row(step, look, room)));
    }
    rows
}

/// Returns how much there is to do, in a few words.
pub(super) fn sum(view: &RunView) -> String {
    let to_do = |probe: &Probe| *probe != Probe::AlreadySo;
    let steps = view.steps.iter().filter(|s| to_do(&s.summary.probe));
    let mut text = format!(
        "Plan: {} on {}",
        count(steps.count(), "step"),
        count(view.hosts.len(), "host")
    );
    // Only what was measured before is told; later the title line tells what is left.
    let began = view.steps.iter().any(|step| step.began.is_some());
    let forecast = view
        .now
        .filter(|_| !began)
        .and_then(|now| view.forecast(now));
    if let Some(forecast) = forecast.filter(|forecast| !forecast.left.is_zero()) {
        let least = if forecast.complete {
            "about"
        } else {
            "at least"
        };
        text.push_str(&format!(", {least} {}", time(forecast.left)));
    }
    text
}

fn host_row(host: &HostName, own: &[&StepSummary], look: Look) -> Row {
    let already = own.iter().filter(|s| s.probe == Probe::AlreadySo);
    let inside: Vec<Line<'static>> = already
        .clone()
        .map(|step| {
            let text = format!(
                "      {} {}",
                sign::ALREADY,
                visible(&step.description.summary)
            );
            Line::styled(text, look.faint())
        })
        .collect();
    let already = already.count();
    let amount = match (own.len() - already, already) {
        (0, _) => "nothing to do".to_owned(),
        (to_do, 0) => format!("{} to do", count(to_do, "step")),
        (to_do, already) => format!("{} to do, {already} already so", count(to_do, "step")),
    };
    Row {
        head: Line::from(vec![
            Span::styled(host.to_string(), look.strong()),
            Span::raw(format!(": {amount}")),
        ]),
        inside,
        copied: format!("{host}: {amount}"),
    }
}

fn step_row(step: &StepSummary, look: Look, room: u16) -> Row {
    let wide = usize::from(room).saturating_sub(10);
    let summary = visible(&step.description.summary).into_owned();
    let mut head = vec![Span::raw("   ")];
    let mut inside = Vec::new();
    if let Probe::Conflict(why) = &step.probe {
        head.push(Span::styled(
            format!("{} conflict: ", sign::FAILED),
            look.bad(),
        ));
        inside.extend(
            wrapped(&visible(why), wide)
                .into_iter()
                .map(|line| Line::styled(format!("        {line}"), look.bad())),
        );
    }
    head.push(Span::raw(summary.clone()));
    for reason in &step.description.reasons {
        inside.extend(
            wrapped(&visible(reason), wide)
                .into_iter()
                .map(|line| Line::styled(format!("        {line}"), look.faint())),
        );
    }
    if let Some(difference) = &step.description.difference {
        head.push(Span::styled(
            format!("  {}", amount_of(difference)),
            look.faint(),
        ));
        inside.extend(difference.lines().map(|line| changed(line, look)));
    }
    let copied = match &step.description.difference {
        Some(difference) => format!("{summary}\n{difference}"),
        None => summary,
    };
    Row {
        head: Line::from(head),
        inside,
        copied,
    }
}

/// Returns how many lines a difference adds and takes away.
fn amount_of(difference: &str) -> String {
    let body = difference
        .lines()
        .filter(|line| !line.starts_with("---") && !line.starts_with("+++"));
    let with = |sign: char| body.clone().filter(|line| line.starts_with(sign)).count();
    match (with('+'), with('-')) {
        (added, 0) => format!("+{added}"),
        (added, removed) => format!("+{added} -{removed}"),
    }
}

fn changed(line: &str, look: Look) -> Line<'static> {
    let style = match line.chars().next() {
        Some('+') => look.good(),
        Some('-') => look.bad(),
        _ => look.faint(),
    };
    Line::styled(format!("        {}", visible(line)), style)
}
