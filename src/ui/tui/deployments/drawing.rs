//! Draws the list of deployments, and what there is to say of the chosen one.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::{DeploymentsScreen, Entry, Kind};
use crate::model::event::Outcome;
use crate::model::text::visible;
use crate::ui::amounts::count;
use crate::ui::tui::dashboard::long;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::{fitted, width, wrapped};
use crate::ui::view::between;

pub(super) fn draw_list(
    screen: &DeploymentsScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
    now: Timestamp,
) {
    let block = Block::bordered()
        .title(" Deployments ")
        .border_style(look.faint());
    let inner = block.inner(area);
    let names = screen.entries.iter().map(|entry| width(&entry.name));
    let presets = screen.entries.iter().map(|entry| width(&entry.preset));
    let name = names.max().unwrap_or(0).clamp(8, 24) + 2;
    let preset = presets.max().unwrap_or(0).clamp(8, 28) + 2;
    let last = 26;
    let rest = usize::from(inner.width).saturating_sub(3 + name + preset + last);
    let head = format!(
        "   {:name$}{:preset$}{:last$}{}",
        "name", "preset", "last run", "hosts"
    );
    let mut lines = vec![Line::styled(head, look.faint())];
    let rows = usize::from(inner.height.saturating_sub(1));
    let here = screen.place();
    for at in screen.chosen.window(screen.entries.len(), rows) {
        let entry = &screen.entries[at];
        let (sign, style, words) = standing(entry, look);
        let said = match entry.when {
            Some(when) => format!("{words}, {}", since(when, now)),
            None => words.to_owned(),
        };
        let column = |text: &str, room: usize| {
            let text = fitted(text, room.saturating_sub(2)).into_owned();
            let gap = room.saturating_sub(width(&text));
            text + &" ".repeat(gap)
        };
        let pointer = if at == here { sign::CHOSEN } else { " " };
        let line = Line::from(vec![
            Span::styled(pointer, look.accent()),
            Span::styled(sign, style),
            Span::raw(" "),
            Span::raw(column(&visible(&entry.name), name)),
            Span::raw(column(&visible(&entry.preset), preset)),
            Span::styled(column(&said, last), style),
            Span::raw(fitted(&visible(&entry.hosts.join(", ")), rest).into_owned()),
        ]);
        lines.push(if at == here {
            line.style(look.strong())
        } else {
            line
        });
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

pub(super) fn draw_details(
    screen: &DeploymentsScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
) {
    let Some(entry) = screen.entry() else {
        return;
    };
    let block = Block::bordered()
        .title(format!(" {} ", visible(&entry.name)))
        .border_style(look.faint());
    let inner = block.inner(area);
    let hosts = match entry.hosts.as_slice() {
        [] => "no hosts yet".to_owned(),
        hosts => format!(
            "{}: {}",
            count(hosts.len(), "host"),
            visible(&hosts.join(", "))
        ),
    };
    let mut said = vec![
        (advice(entry).to_owned(), Style::new()),
        (hosts, Style::new()),
    ];
    if let Kind::Deployment {
        outcome: Some(Outcome::Failed(failure)),
        ..
    } = &entry.kind
    {
        said.insert(
            0,
            (
                format!("{} {}", sign::FAILED, visible(&failure.message)),
                look.bad(),
            ),
        );
    }
    let lines: Vec<Line<'_>> = said
        .into_iter()
        .flat_map(|(text, style)| {
            let lines = wrapped(&text, usize::from(inner.width));
            lines.into_iter().map(move |line| Line::styled(line, style))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns how a row stands: a sign, its style, and a word or two.
fn standing(entry: &Entry, look: Look) -> (&'static str, Style, &'static str) {
    match &entry.kind {
        Kind::Draft => (sign::WAITING, look.accent(), "draft"),
        Kind::Deployment { outcome, .. } => match outcome {
            Some(Outcome::Done | Outcome::NothingToDo) => (sign::DONE, look.good(), "deployed"),
            Some(Outcome::ChecksFailed) => (sign::FAILED, look.bad(), "checks failed"),
            Some(Outcome::Failed(_)) => (sign::FAILED, look.bad(), "failed"),
            Some(Outcome::Cancelled) => (sign::STOPPED, look.warn(), "stopped"),
            None => (sign::STOPPED, look.warn(), "interrupted"),
        },
    }
}

/// Returns what comes next for a row.
fn advice(entry: &Entry) -> &'static str {
    match &entry.kind {
        Kind::Draft => "Its answers are unfinished: Enter goes on where they were left.",
        Kind::Deployment { outcome, .. } => match outcome {
            Some(Outcome::Done | Outcome::NothingToDo) => {
                "Enter shows how its hosts and services fare now."
            }
            _ => {
                "Its last run did not come to a good end: Enter shows how it fares now, and `d` there goes on with it."
            }
        },
    }
}

fn since(when: Timestamp, now: Timestamp) -> String {
    match between(when, now).as_secs() {
        0..60 => "just now".to_owned(),
        seconds => format!("{} ago", long(seconds)),
    }
}
