//! Where a deployment can be used, and the record of its hand-over.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};

use super::Access;
use crate::model::text::visible;
use crate::ui::tui::theme::Look;

/// Returns the page's lines.
pub(super) fn lines(access: &Access, strong: Style) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Where it can be used", strong)];
    for (title, url) in &access.endpoints {
        lines.push(Line::raw(format!(
            "  {:20} {}",
            visible(title),
            visible(url)
        )));
    }
    if access.endpoints.is_empty() {
        lines.push(Line::raw(
            "  no run on this machine has told an address yet; `verify` tells them",
        ));
    }
    lines.push(Line::raw(""));
    if let Some(record) = &access.record {
        let title = format!("The hand-over record, {}", record.path);
        lines.push(Line::styled(title, strong));
        let text = record.text.lines();
        lines.extend(text.map(|line| Line::raw(format!("  {}", visible(line)))));
    } else {
        lines.push(Line::styled("The hand-over record", strong));
        lines.push(Line::raw("  none was written on this machine;"));
        lines.push(Line::raw(
            "  a deployment that comes to a good end writes it",
        ));
    }
    lines
}

/// Draws the page, from a line on.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, access: &Access, scrolled: u16, look: Look) {
    let block = Block::bordered()
        .title(" Addresses and hand-over ")
        .border_style(look.faint());
    let lines = lines(access, look.strong());
    let most = lines
        .len()
        .saturating_sub(usize::from(block.inner(area).height));
    let most = u16::try_from(most).unwrap_or(u16::MAX);
    let block = if most > 0 {
        block.title_bottom(" ↑↓ more ")
    } else {
        block
    };
    let paragraph = Paragraph::new(lines)
        .block(block)
        .scroll((scrolled.min(most), 0));
    frame.render_widget(paragraph, area);
}

/// Returns what copying gives: the addresses, and the record as it is.
pub(super) fn text(access: &Access) -> String {
    let mut text = String::new();
    for (title, url) in &access.endpoints {
        let _ = writeln!(text, "{title}: {url}");
    }
    if let Some(record) = &access.record {
        let _ = write!(text, "\n{}", record.text);
    }
    text
}
