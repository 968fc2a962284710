//! The one layout: title line, rail of pages, page, key bar.
//!
//! ```text
//!  syntho-installer   acme-prod · Some product              step 3/9 Hosts    04:12 elapsed
//! ┌ Pages ─────┐┌ … ──────────────────────────────────────────────────────────────────────┐
//! │✔ Option    ││ the page                                                                │
//! │▸ Hosts     ││                                                                         │
//! └────────────┘└─────────────────────────────────────────────────────────────────────────┘
//!  ↑↓ host   Tab pane   ? help   Ctrl-C stop
//! ```
//!
//! A terminal smaller than 80x24 gets a sentence instead; nothing is lost, and the screen comes back with the room.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::keys::Hint;
use super::screen::{Rail, RailState, Screen, Title};
use super::theme::{Look, sign};
use super::widgets::text::{fitted, width};

/// The least that every screen is complete in.
pub const LEAST: Size = Size {
    width: 80,
    height: 24,
};

/// The width of the rail with its frame.
const RAIL: u16 = 17;

/// Where the parts of the layout lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The title line.
    pub title: Rect,
    /// The rail; empty without one.
    pub rail: Rect,
    /// The page.
    pub page: Rect,
    /// The key bar.
    pub keys: Rect,
}

impl Areas {
    /// Divides the terminal; `None` when it is too small.
    #[must_use]
    pub fn of(whole: Rect, with_rail: bool) -> Option<Self> {
        if whole.width < LEAST.width || whole.height < LEAST.height {
            return None;
        }
        let [title, body, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(whole);
        let rail = if with_rail { RAIL } else { 0 };
        let [rail, page] =
            Layout::horizontal([Constraint::Length(rail), Constraint::Min(0)]).areas(body);
        Some(Self {
            title,
            rail,
            page,
            keys,
        })
    }

    /// Returns the entry of the rail at a position.
    #[must_use]
    pub fn rail_entry(&self, rail: &Rail, at: Position) -> Option<usize> {
        let inner = Block::bordered().inner(self.rail);
        let row = usize::from(at.y.checked_sub(inner.y)?);
        (inner.contains(at) && row < rail.entries.len()).then_some(row)
    }
}

/// Draws a screen with everything around it.
pub fn draw<S: Screen>(
    frame: &mut Frame<'_>,
    screen: &S,
    hints: &[Hint],
    look: Look,
    now: Timestamp,
) {
    let rail = screen.rail();
    let Some(areas) = Areas::of(frame.area(), rail.is_some()) else {
        return too_small(frame, look);
    };
    title(frame, areas.title, &screen.title(now), look);
    if let Some(rail) = &rail {
        draw_rail(frame, areas.rail, rail, look);
    }
    screen.draw(frame, areas.page, look, now);
    keys(frame, areas.keys, hints, look);
}

/// Says that there is too little room, in as little room as there is.
fn too_small(frame: &mut Frame<'_>, look: Look) {
    let area = frame.area();
    let text = vec![
        Line::styled("Please enlarge the terminal", look.strong()),
        Line::raw(format!(
            "It has {}x{}, needed are {}x{}.",
            area.width, area.height, LEAST.width, LEAST.height
        )),
        Line::raw("Nothing is lost, and what runs goes on."),
        Line::styled("Ctrl-C asks to stop", look.faint()),
    ];
    let paragraph = Paragraph::new(text).wrap(Wrap { trim: true });
    frame.render_widget(paragraph, area);
}

fn title(frame: &mut Frame<'_>, area: Rect, title: &Title, look: Look) {
    let name = " syntho-installer";
    let right = [title.step.as_str(), title.time.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("   ");
    let room = usize::from(area.width);
    // What is worked on says more than the program's name.
    let whole = width(name) + width(&title.what) + width(&right) + 6;
    let name = if whole > room { "" } else { name };
    let left = room.saturating_sub(width(name) + width(&right) + 5);
    let what = fitted(&title.what, left);
    let between = if name.is_empty() { " " } else { "   " };
    let used = width(name) + between.len() + width(&what) + width(&right) + 1;
    let gap = room.saturating_sub(used);
    let line = Line::from(vec![
        Span::styled(name, look.strong()),
        Span::raw(between),
        Span::raw(what.into_owned()),
        Span::raw(" ".repeat(gap)),
        Span::raw(right),
        Span::raw(" "),
    ]);
    frame.render_widget(Paragraph::new(line).style(look.chosen()), area);
}

fn draw_rail(frame: &mut Frame<'_>, area: Rect, rail: &Rail, look: Look) {
    let lines: Vec<Line<'_>> = rail
        .entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            let here = at == rail.here;
            let (mark, tone) = match entry.state {
                RailState::Waiting => (sign::WAITING, look.faint()),
                RailState::Busy => ("•", look.accent()),
                RailState::Done => (sign::DONE, look.good()),
                RailState::Trouble => (sign::FAILED, look.bad()),
            };
            let pointer = if here { sign::CHOSEN } else { " " };
            let style = if here { look.strong() } else { Style::new() };
            Line::from(vec![
                Span::styled(pointer, look.accent()),
                Span::styled(mark, tone),
                Span::raw(" "),
                Span::styled(entry.title.clone(), style),
            ])
        })
        .collect();
    let block = Block::bordered().border_style(look.faint());
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Draws as many hints as fit; the last one, the help, is always there.
fn keys(frame: &mut Frame<'_>, area: Rect, hints: &[Hint], look: Look) {
    let room = usize::from(area.width).saturating_sub(1);
    let long = |hint: &Hint| width(&hint.keys) + 1 + width(hint.label) + 3;
    let Some((last, others)) = hints.split_last() else {
        return;
    };
    let mut used = long(last);
    let mut shown: Vec<&Hint> = Vec::new();
    for hint in others {
        if used + long(hint) <= room + 3 {
            used += long(hint);
            shown.push(hint);
        }
    }
    shown.push(last);
    let spans: Vec<Span<'_>> = std::iter::once(Span::raw(" "))
        .chain(shown.into_iter().flat_map(|hint| {
            [
                Span::styled(hint.keys.as_str(), look.accent().patch(look.strong())),
                Span::raw(" "),
                Span::raw(hint.label),
                Span::raw("   "),
            ]
        }))
        .collect();
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
