//! The hosts of `~/.ssh/config`, to be chosen and imported.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::WizardScreen;
use crate::model::text::visible;
use crate::ui::desk::Importable;
use crate::ui::tui::theme::{Look, sign};
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::tui::widgets::text::fitted;
use crate::wizard::Pasted;

/// What can be imported, and what is chosen of it.
#[derive(Debug, Default)]
pub(super) struct Importing {
    pub(super) hosts: Vec<Importable>,
    pub(super) list: Chosen,
    taken: BTreeSet<usize>,
}

impl Importing {
    pub(super) fn new(hosts: Vec<Importable>) -> Self {
        Self {
            hosts,
            ..Self::default()
        }
    }

    /// Chooses the host at the pointer, or not.
    pub(super) fn toggle(&mut self) {
        if let Some(at) = self.list.of(self.hosts.len())
            && !self.taken.remove(&at)
        {
            self.taken.insert(at);
        }
    }

    /// Returns the hosts that were chosen; the one at the pointer when none was.
    pub(super) fn chosen(&self) -> Vec<Pasted> {
        let at = self.list.of(self.hosts.len());
        let hosts = self.hosts.iter().enumerate();
        hosts
            .filter(|(number, _)| {
                self.taken.contains(number) || (self.taken.is_empty() && at == Some(*number))
            })
            .map(|(_, found)| found.host.clone())
            .collect()
    }
}

/// Draws the list.
pub(super) fn draw(screen: &WizardScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let importing = &screen.importing;
    let block = Block::bordered()
        .title(" Import from ~/.ssh/config ")
        .border_style(look.accent());
    let inner = block.inner(area);
    let count = importing.hosts.len();
    let at = importing.list.of(count);
    let lines: Vec<Line<'_>> = importing
        .list
        .window(count, usize::from(inner.height))
        .map(|number| {
            let found = &importing.hosts[number];
            let here = at == Some(number);
            let mark = if importing.taken.contains(&number) {
                "[x]"
            } else {
                "[ ]"
            };
            let text = format!(
                " {mark} {}  leads to {}",
                visible(&found.host.address),
                visible(&found.leads_to)
            );
            let room = usize::from(inner.width).saturating_sub(1);
            let style = if here { look.strong() } else { Style::new() };
            Line::from(vec![
                Span::styled(if here { sign::CHOSEN } else { " " }, look.accent()),
                Span::styled(fitted(&text, room).into_owned(), style),
            ])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
