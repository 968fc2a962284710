//! A page of rows that open and close: the plan, and the results of checks.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;

/// One row that may be chosen, with what it hides until it is opened.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What it says.
    pub(super) head: Line<'static>,
    /// What it hides.
    pub(super) inside: Vec<Line<'static>>,
    /// What copying it gives.
    pub(super) copied: String,
}

/// Which row is chosen and which are open.
#[derive(Debug, Default)]
pub(super) struct RowsPage {
    pub(super) chosen: Chosen,
    open: BTreeSet<usize>,
    /// Lines scrolled past inside the chosen row when it is open.
    inner: u16,
}

impl RowsPage {
    /// Opens or closes the chosen row.
    pub(super) fn toggle(&mut self, count: usize) {
        if let Some(at) = self.chosen.of(count) {
            self.inner = 0;
            if !self.open.remove(&at) {
                self.open.insert(at);
            }
        }
    }

    /// Opens the chosen row, or closes it.
    pub(super) fn fold(&mut self, count: usize, open: bool) {
        if let Some(at) = self.chosen.of(count) {
            self.inner = 0;
            if open {
                self.open.insert(at);
            } else {
                self.open.remove(&at);
            }
        }
    }

    /// Opens every row, or closes all when all are open.
    pub(super) fn toggle_all(&mut self, count: usize) {
        self.inner = 0;
        if self.open.len() >= count {
            self.open.clear();
        } else {
            self.open = (0..count).collect();
        }
    }

    /// Opens a row.
    pub(super) fn open(&mut self, at: usize) {
        self.open.insert(at);
    }

    /// Moves by some lines: through what the chosen row shows, then to the next row.
    pub(super) fn scroll(&mut self, lines: i16, rows: &[Row]) {
        let Some(at) = self.chosen.of(rows.len()) else {
            return;
        };
        let shown = if self.open.contains(&at) {
            u16::try_from(rows[at].inside.len()).unwrap_or(u16::MAX)
        } else {
            0
        };
        if lines > 0 && self.inner < shown {
            let step = lines.unsigned_abs();
            self.inner = self.inner.saturating_add(step).min(shown);
        } else if lines < 0 && self.inner > 0 {
            self.inner = self.inner.saturating_sub(lines.unsigned_abs());
        } else {
            self.inner = 0;
            self.chosen.move_by(lines.signum().into(), rows.len());
        }
    }

    /// Draws the rows in a frame with a title.
    pub(super) fn draw(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        (title, rows): (&str, &[Row]),
        look: Look,
    ) {
        let block = Block::bordered()
            .title(format!(" {title} "))
            .border_style(look.faint());
        let inner = block.inner(area);
        let chosen = self.chosen.of(rows.len());
        let mut lines = Vec::new();
        let mut here = 0;
        for (at, row) in rows.iter().enumerate() {
            let open = self.open.contains(&at);
            if chosen == Some(at) {
                here = lines.len() + usize::from(self.inner);
            }
            let pointer = if chosen == Some(at) {
                sign::CHOSEN
            } else {
                " "
            };
            let fold = match (row.inside.is_empty(), open) {
                (true, _) => "  ",
                (false, true) => "- ",
                (false, false) => "+ ",
            };
            let mut spans = vec![
                Span::styled(pointer, look.accent()),
                Span::styled(fold, look.accent()),
            ];
            spans.extend(row.head.spans.clone());
            let head = Line::from(spans);
            lines.push(if chosen == Some(at) {
                head.style(look.strong())
            } else {
                head
            });
            if open {
                lines.extend(row.inside.iter().cloned());
            }
        }
        // The chosen row keeps a third of the page above it.
        let height = usize::from(inner.height);
        let top = here
            .saturating_sub(height / 3)
            .min(lines.len().saturating_sub(height));
        let shown: Vec<Line<'_>> = lines.into_iter().skip(top).take(height).collect();
        frame.render_widget(block, area);
        frame.render_widget(Paragraph::new(shown), inner);
    }
}
