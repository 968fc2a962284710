//! The matrix of hosts and phases.
//!
//! ```text
//! ┌ Hosts ────────────────────────────────────────┐
//! │   host      connect files images stack health │
//! │ ✔ ui           ✔      ✔     ✔     ✔     ⠸     │
//! │▸⠸ ray-2        ✔      ✔    62%    ·     ·     │
//! └───────────────────────────────── ray-2 decides ┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::{Facing, pane};
use crate::model::plan::Phase;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::text::{fitted, width};
use crate::ui::view::{Cell, HostView, RunView};

/// The columns with their titles.
const PHASES: [(Phase, &str); 5] = [
    (Phase::Connect, "connect"),
    (Phase::Files, "files"),
    (Phase::Images, "images"),
    (Phase::Stack, "stack"),
    (Phase::Health, "health"),
];

/// Columns that the matrix takes besides the hosts' names.
const FIXED: u16 = 38;

/// Less room than this says nothing.
const LEAST_ROOM: usize = 12;

/// Returns the row of the matrix that lies at a row of the terminal.
#[must_use]
pub(super) fn host_at(facing: &Facing<'_>, area: Rect, row: u16) -> Option<usize> {
    let inner = Block::bordered().inner(area);
    let line = usize::from(row.checked_sub(inner.y + 1)?);
    let rows = usize::from(inner.height.saturating_sub(1));
    let count = facing.view.hosts.len();
    let at = facing.host.window(count, rows).start + line;
    (line < rows && at < count).then_some(at)
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, facing: &Facing<'_>, look: Look) {
    let view = facing.view;
    let room = usize::from(area.width.saturating_sub(FIXED + 2));
    let longest = view.hosts.iter().map(|host| width(host.name.as_str()));
    let names = room.min(longest.max().unwrap_or_default().max(10) + 2);
    let rest = room - names;
    let rows = usize::from(area.height.saturating_sub(3));
    let mut lines = vec![head(names, look)];
    let window = facing.host.window(view.hosts.len(), rows);
    let chosen = facing.host.of(view.hosts.len());
    for at in window {
        let host = &view.hosts[at];
        let mut line = row(facing, host, chosen == Some(at), names, look);
        // Where there is room left, every host says what it does now.
        if rest > LEAST_ROOM {
            let doing = pane::doing(view, host);
            line.push_span(Span::raw(format!(" {}", fitted(&doing, rest - 1))));
        }
        lines.push(line);
    }
    let mut block = Block::bordered()
        .title(title(view))
        .border_style(look.faint());
    if let Some(forecast) = view.forecast(facing.now).filter(|_| view.hosts.len() > 1) {
        let decides = format!(" {} decides ", forecast.bottleneck);
        block = block.title_bottom(Line::from(decides).right_aligned());
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn title(view: &RunView) -> String {
    let ready = view.hosts.iter().filter(|h| mark(view, h) == Mark::Done);
    match view.hosts.len() {
        0..=8 => " Hosts ".to_owned(),
        count => format!(" Hosts: {} of {count} done ", ready.count()),
    }
}

fn head(names: usize, look: Look) -> Line<'static> {
    let mut text = format!("   {:names$}", "host");
    for (_, title) in PHASES {
        text.push_str(title);
        text.push(' ');
    }
    Line::styled(text, look.faint())
}

fn row(
    facing: &Facing<'_>,
    host: &HostView,
    chosen: bool,
    names: usize,
    look: Look,
) -> Line<'static> {
    let view = facing.view;
    let (text, style) = sign_of(mark(view, host), facing, look);
    let pointer = if chosen { sign::CHOSEN } else { " " };
    let name = fitted(host.name.as_str(), names.saturating_sub(1));
    let name_style = if chosen { look.strong() } else { Style::new() };
    let mut spans = vec![
        Span::styled(pointer, look.accent()),
        Span::styled(text, style),
        Span::raw(" "),
        Span::styled(format!("{name:names$}"), name_style),
    ];
    for (phase, title) in PHASES {
        let (text, style) = cell(view.cell(&host.name, phase), facing, look);
        let left = (width(title) - width(&text).min(width(title))).div_ceil(2);
        let right = (width(title) + 1).saturating_sub(left + width(&text));
        spans.push(Span::raw(" ".repeat(left)));
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" ".repeat(right)));
    }
    Line::from(spans)
}

fn cell(cell: Cell, facing: &Facing<'_>, look: Look) -> (String, Style) {
    let (text, style) = match cell {
        Cell::Nothing => (" ", Style::new()),
        Cell::Waiting => (sign::WAITING, look.faint()),
        Cell::Running(share) if share.percent() > 0 => {
            return (format!("{}%", share.percent()), look.accent());
        }
        Cell::Running(_) => (facing.busy(), look.accent()),
        Cell::Done => (sign::DONE, look.good()),
        Cell::AlreadySo => (sign::ALREADY, look.good()),
        Cell::Failed => (sign::FAILED, look.bad()),
        Cell::Blocked | Cell::Cancelled => (sign::STOPPED, look.warn()),
        Cell::Skipped => (sign::WARNING, look.warn()),
    };
    (text.to_owned(), style)
}

/// How a host stands as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Failed,
    Stopped,
    Busy,
    Done,
    Waiting,
}

/// Returns how a host stands; the worst news wins.
pub(super) fn mark(view: &RunView, host: &HostView) -> Mark {
    let cells = PHASES.map(|(phase, _)| view.cell(&host.name, phase));
    let any = |wanted: fn(&Cell) -> bool| cells.iter().any(wanted);
    if any(|cell| *cell == Cell::Failed) {
        Mark::Failed
    } else if any(|cell| matches!(cell, Cell::Blocked | Cell::Cancelled)) {
        Mark::Stopped
    } else if any(|cell| matches!(cell, Cell::Running(_))) {
        Mark::Busy
    } else if any(|cell| *cell == Cell::Waiting) || view.steps.is_empty() {
        Mark::Waiting
    } else {
        Mark::Done
    }
}

/// Returns the sign of a mark.
pub(super) fn sign_of(mark: Mark, facing: &Facing<'_>, look: Look) -> (&'static str, Style) {
    match mark {
        Mark::Failed => (sign::FAILED, look.bad()),
        Mark::Stopped => (sign::STOPPED, look.warn()),
        Mark::Busy => (facing.busy(), look.accent()),
        Mark::Done => (sign::DONE, look.good()),
        Mark::Waiting => (sign::WAITING, look.faint()),
    }
}
