//! The full log of one host: scrolled, searched, followed, copied.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::pane::{log_line, style_of};
use super::scrollback::{LogLine, Scrollback, Wanted};
use crate::ui::amounts::count;
use crate::ui::tui::theme::Look;
use crate::ui::tui::widgets::field::Field;
use crate::ui::tui::widgets::text::{beginning_at, fitted, width};

/// How many columns one step to the side is.
const SIDE: usize = 16;

/// Where in the log the page stands.
#[derive(Debug, Default)]
pub(in crate::ui::tui) struct LogPage {
    /// The number of the first line shown; `None` follows the newest.
    top: Option<u64>,
    skipped: usize,
    wanted: Option<Wanted>,
    found: Option<u64>,
    /// What is searched for, while it is typed.
    pub(in crate::ui::tui) typing: Option<Field>,
}

impl LogPage {
    /// Goes back to following the newest line.
    pub(in crate::ui::tui) fn follow(&mut self) {
        self.top = None;
        self.skipped = 0;
    }

    /// Follows, or stands still where it is.
    pub(in crate::ui::tui) fn toggle_follow(&mut self, log: &Scrollback) {
        self.top = match self.top {
            Some(_) => None,
            None => Some(log.end().saturating_sub(1).max(log.first())),
        };
    }

    /// Moves by some lines; at the end it follows again.
    pub(in crate::ui::tui) fn scroll(&mut self, lines: i64, log: &Scrollback, rows: u64) {
        let last_top = log.end().saturating_sub(rows).max(log.first());
        let top = self.top.unwrap_or(last_top).max(log.first());
        let top = top.saturating_add_signed(lines).max(log.first());
        self.top = (top < last_top).then_some(top);
    }

    /// Goes to the oldest line.
    pub(in crate::ui::tui) fn home(&mut self, log: &Scrollback) {
        self.top = Some(log.first());
    }

    /// Moves to the side.
    pub(in crate::ui::tui) fn side(&mut self, right: bool) {
        self.skipped = if right {
            (self.skipped + SIDE).min(4096)
        } else {
            self.skipped.saturating_sub(SIDE)
        };
    }

    /// Searches for what was typed, backwards from the newest line: what went wrong last is wanted first.
    pub(in crate::ui::tui) fn search(&mut self, text: &str, log: &Scrollback) -> bool {
        self.wanted = Wanted::new(text);
        self.found = None;
        self.go_on(log, false)
    }

    /// Goes to the next place, or the one before; returns whether there is one.
    pub(in crate::ui::tui) fn go_on(&mut self, log: &Scrollback, forward: bool) -> bool {
        let Some(wanted) = &self.wanted else {
            return true;
        };
        let from = self.found.unwrap_or_else(|| log.end());
        self.found = log.find(wanted, from, forward);
        if let Some(found) = self.found {
            self.top = Some(found.saturating_sub(5).max(log.first()));
        }
        self.found.is_some()
    }

    /// Draws the page.
    pub(in crate::ui::tui) fn draw(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (host, log, zone): (&str, &Scrollback, &TimeZone),
        look: Look,
    ) {
        let title = format!("{host}: log");
        self.draw_titled(frame, area, (&title, log, zone), "/", look);
    }

    /// Draws the page under a title; `prompt` stands before what is being typed.
    pub(in crate::ui::tui) fn draw_titled(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (title, log, zone): (&str, &Scrollback, &TimeZone),
        prompt: &str,
        look: Look,
    ) {
        let state = match self.top {
            None => "following".to_owned(),
            Some(top) => format!("line {} of {}", top + 1, log.end()),
        };
        let gone = match log.first() {
            0 => String::new(),
            gone => format!("the oldest {} made room · ", count_of(gone)),
        };
        let block = Block::bordered()
            .title(format!(" {title} "))
            .title_bottom(self.bottom(prompt, look))
            .title_bottom(Line::from(format!(" {gone}{state} ")).right_aligned())
            .border_style(look.faint());
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let rows = u64::from(inner.height);
        let last_top = log.end().saturating_sub(rows).max(log.first());
        let top = self.top.unwrap_or(last_top);
        let lines: Vec<Line<'_>> = log
            .from(top)
            .take(usize::from(inner.height))
            .map(|(at, line)| self.line(at, line, zone, inner.width, look))
            .collect();
        frame.render_widget(Paragraph::new(lines), inner);
        if let Some(field) = &self.typing {
            let (_, column) = field.line(40, look);
            let before = u16::try_from(width(prompt)).unwrap_or(0);
            let x = area.x + 2 + before + column;
            frame.set_cursor_position((x.min(area.right().saturating_sub(1)), area.bottom() - 1));
        }
    }

    fn bottom(&self, prompt: &str, look: Look) -> Line<'static> {
        if let Some(field) = &self.typing {
            let (line, _) = field.line(40, look);
            let mut spans = vec![Span::raw(format!(" {prompt}"))];
            spans.extend(line.spans);
            spans.push(Span::raw(" "));
            return Line::from(spans);
        }
        match (&self.wanted, self.found) {
            (Some(wanted), Some(_)) => Line::from(format!(" /{} ", wanted.text())),
            (Some(wanted), None) => {
                Line::styled(format!(" /{}: not found ", wanted.text()), look.warn())
            }
            (None, _) => Line::raw(""),
        }
    }

    fn line(
        &self,
        at: u64,
        line: &LogLine,
        zone: &TimeZone,
        room: u16,
        look: Look,
    ) -> Line<'static> {
        let plain = log_line(line, zone, self.skipped, room, look);
        let Some(place) = self.wanted.as_ref().and_then(|w| w.place(&line.text)) else {
            return plain;
        };
        // What was cut away on the left is not marked.
        let cut = line.text.len() - beginning_at(&line.text, self.skipped).len();
        if place.start < cut {
            return plain;
        }
        let time = plain.spans.first().cloned().unwrap_or_default();
        let style = style_of(line.kind, look);
        let mark = if self.found == Some(at) {
            look.chosen().patch(look.strong())
        } else {
            style.add_modifier(Modifier::UNDERLINED)
        };
        let left = usize::from(room).saturating_sub(time.content.len());
        let shown = fitted(&line.text[cut..], left).into_owned();
        let (begin, end) = (place.start - cut, place.end - cut);
        let (Some(before), Some(hit), Some(after)) =
            (shown.get(..begin), shown.get(begin..end), shown.get(end..))
        else {
            return plain;
        };
        Line::from(vec![
            time,
            Span::styled(before.to_owned(), style),
            Span::styled(hit.to_owned(), mark),
            Span::styled(after.to_owned(), style),
        ])
    }
}

fn count_of(lines: u64) -> String {
    count(usize::try_from(lines).unwrap_or(usize::MAX), "line")
}
