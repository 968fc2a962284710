//! A bar that fills.

use ratatui::text::Span;

use crate::ui::tui::theme::{Look, sign};
use crate::ui::view::Share;

/// Returns a bar of `columns` columns.
#[must_use]
pub fn bar(share: Share, columns: u16, look: Look) -> [Span<'static>; 2] {
    let columns = usize::from(columns);
    let full = usize::from(share.thousandths()) * columns / 1000;
    [
        Span::styled(sign::FULL.repeat(full), look.accent()),
        Span::styled(sign::EMPTY.repeat(columns - full), look.faint()),
    ]
}
