//! The help: the page's own words, and every key with what it does.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::text::{width, wrapped};
use crate::ui::tui::theme::Look;

/// What the help says.
#[derive(Debug, Clone, Default)]
pub struct HelpText {
    /// The page's own words, a paragraph each.
    pub words: Vec<String>,
    /// Keys of the page and what they do.
    pub here: Vec<(String, &'static str)>,
    /// Keys that work everywhere.
    pub everywhere: Vec<(String, &'static str)>,
}

impl HelpText {
    /// Returns the lines for a width.
    fn lines(&self, room: usize, look: Look) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for words in &self.words {
            lines.extend(wrapped(words, room).into_iter().map(Line::raw));
            lines.push(Line::raw(""));
        }
        let keys = self.here.iter().chain(&self.everywhere);
        let column = keys.map(|(keys, _)| width(keys)).max().unwrap_or_default();
        for (title, keys) in [("Here", &self.here), ("Everywhere", &self.everywhere)] {
            if keys.is_empty() {
                continue;
            }
            lines.push(Line::styled(title, look.strong()));
            for (names, what) in keys {
                let pad = " ".repeat(column.saturating_sub(width(names)) + 2);
                let what = wrapped(what, room.saturating_sub(column + 4));
                for (at, part) in what.into_iter().enumerate() {
                    let head = if at == 0 {
                        vec![
                            Span::raw("  "),
                            Span::styled(names.clone(), look.accent()),
                            Span::raw(pad.clone()),
                        ]
                    } else {
                        vec![Span::raw(" ".repeat(column + 4))]
                    };
                    lines.push(Line::from([head, vec![Span::raw(part)]].concat()));
                }
            }
            lines.push(Line::raw(""));
        }
        lines.pop();
        lines
    }
}

/// Draws the help over everything, beginning at line `scroll`; lines below the end are not scrolled to.
pub fn draw(frame: &mut Frame<'_>, text: &HelpText, scroll: u16, look: Look) {
    let area = inner(frame.area());
    let lines = text.lines(usize::from(area.width.saturating_sub(4)), look);
    let rows = area.height.saturating_sub(2);
    let most = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_sub(rows);
    let end = if most > 0 {
        " ↑↓ more · Esc back "
    } else {
        " Esc back "
    };
    let block = Block::bordered()
        .title(" Help ")
        .title_bottom(end)
        .border_style(look.accent())
        .padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Clear, area);
    let paragraph = Paragraph::new(lines)
        .block(block)
        .scroll((scroll.min(most), 0));
    frame.render_widget(paragraph, area);
}

fn inner(whole: Rect) -> Rect {
    let width = whole.width.min(84);
    let height = whole.height.saturating_sub(2).max(1).min(whole.height);
    Rect {
        x: whole.x + (whole.width - width) / 2,
        y: whole.y + (whole.height - height) / 2,
        width,
        height,
    }
}
