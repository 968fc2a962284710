//! What the page shows: the page itself, or something opened from it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line as TextLine;
use ratatui::widgets::{Block, Padding, Paragraph};

use jiff::Timestamp;

use super::keys::{self, Do, On};
use super::panel::{self, Said, Tone};
use super::{WizardScreen, hosts, import, option, paths, review, rows};
use crate::model::preset::Page;
use crate::ui::desk::{Desk, words};
use crate::ui::tui::keys::Binding;
use crate::ui::tui::theme::Look;
use crate::ui::tui::widgets::field::Field as Line;
use crate::wizard::{Field, FieldKind, HostPart, Key, Look as All, title};

/// What is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum View {
    /// The page that the draft stands at.
    #[default]
    Page,
    /// The parts of the host with this slot.
    Host(u64),
    /// How to log in to every host.
    Login,
    /// The hosts of `~/.ssh/config`.
    Import,
    /// Who reaches whom.
    Paths,
    /// A secret that a host asks for.
    Secret(Line, String),
    /// Where the answers file is written, and what comes then.
    Path(Line, Do),
}

impl View {
    /// Returns the fields that it shows.
    pub(super) fn fields(&self, desk: &Desk, all: &All) -> Vec<Field> {
        let page = desk.wizard.place().page;
        let of = |page| all.page(page).map(|page| page.fields.clone());
        let fields = of(page).unwrap_or_default().into_iter();
        match (self, page) {
            (Self::Page, Page::Hosts | Page::Review)
            | (Self::Import | Self::Paths | Self::Secret(..) | Self::Path(..), _) => Vec::new(),
            (Self::Page, _) => fields.collect(),
            (Self::Host(slot), _) => {
                let number = desk.number_of(*slot);
                let own = |field: &Field| {
                    field.key.host_part().map(|(number, _)| number) == number && number.is_some()
                };
                fields.filter(own).collect()
            }
            (Self::Login, _) => fields
                .filter(|field| field.key.host_part().is_none())
                .collect(),
        }
    }

    /// Returns whether one line is asked for.
    pub(super) fn asks_line(&self) -> bool {
        matches!(self, Self::Secret(..) | Self::Path(..))
    }

    /// Returns the line that is asked for.
    pub(super) fn line_mut(&mut self) -> Option<&mut Line> {
        match self {
            Self::Secret(line, _) | Self::Path(line, _) => Some(line),
            _ => None,
        }
    }
}

impl WizardScreen {
    /// Returns what keys do now.
    pub(super) fn keys(&self) -> Vec<Binding<Do>> {
        let mut table = Vec::new();
        if self.question.is_some() && !self.view.asks_line() {
            table.push(keys::answer());
        }
        match (&self.view, self.page()) {
            (View::Import, _) => table.extend(keys::IMPORT),
            (View::Paths, _) => table.extend(keys::PATHS),
            (View::Secret(..) | View::Path(..), _) => table.extend(keys::LINE),
            (View::Page, Page::Hosts) => {
                let empty = self.desk.wizard.draft().hosts.is_empty();
                let roles = self.all.roles.len().min(keys::ROLES.len());
                table.extend(&keys::HOSTS[..2]);
                if !empty {
                    table.extend(&keys::ROLES[..roles]);
                }
                table.extend(&keys::HOSTS[2..]);
                // What works on a host needs one.
                table.retain(|binding| !empty || !keys::needs_host(binding.action));
            }
            (View::Page, Page::Option) if self.form.focus().is_none() => {
                table.extend(keys::CARDS);
            }
            (View::Page, Page::Review) if self.all.is_valid() => table.extend(keys::WHOLE),
            (View::Page, Page::Review) => table.extend(keys::UNFINISHED),
            _ => {
                let on = match self.field() {
                    None => On::Nothing,
                    Some(field) => match field.kind {
                        FieldKind::Choice(_) => On::Choice,
                        FieldKind::Secret(_) => On::Secret,
                        _ if field.proposal.is_some() => On::Proposed,
                        _ => On::Text,
                    },
                };
                table.extend(keys::form(on));
                let roles = self.all.roles.len().min(keys::ROLES.len());
                if matches!(self.view, View::Host(_)) && !self.form.typing() {
                    table.extend(&keys::ROLES[..roles]);
                }
            }
        }
        table
    }

    /// Draws what is shown.
    pub(super) fn draw_view(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp) {
        let area = self.draw_notices(frame, page, look);
        match (&self.view, self.page()) {
            (View::Page, Page::Option) => option::draw(self, frame, area, look),
            (View::Page, Page::Hosts) => hosts::draw(self, frame, area, look, now),
            (View::Page, Page::Review) => review::draw(self, frame, area, look),
            (View::Import, _) => import::draw(self, frame, area, look),
            (View::Paths, _) => paths::draw(self, frame, area, look, now),
            (View::Secret(line, prompt), _) => {
                let said = [Said::new(
                    Tone::Plain,
                    "It is kept in memory only and used for the other hosts, too.",
                )];
                asked(frame, area, (prompt, line), &said, look);
            }
            (View::Path(line, _), _) => {
                let said = [Said::new(
                    Tone::Plain,
                    "The answers file holds no secret. Enter writes it; an existing file is not written over without asking.",
                )];
                asked(frame, area, ("Write the answers to", line), &said, look);
            }
            (View::Host(slot), _) => {
                let name = self.desk.key_of(*slot, HostPart::Name);
                let name = name.and_then(|key| self.desk.wizard.draft().text(&key));
                let heading = format!("Host {}", name.unwrap_or("without a name yet"));
                self.draw_form(frame, area, &heading, look);
            }
            (View::Login, _) => self.draw_form(frame, area, "How to log in to every host", look),
            (View::Page, page) => self.draw_form(frame, area, title(page), look),
        }
    }

    /// Draws a form with the panel of its chosen field.
    pub(super) fn draw_form(&self, frame: &mut Frame<'_>, area: Rect, heading: &str, look: Look) {
        let fields = self.fields();
        let (form, below) = parts(area);
        let block = Block::bordered()
            .title(format!(" {heading} "))
            .border_style(look.accent());
        let inner = block.inner(form);
        frame.render_widget(block, form);
        let (above, inner) = self.divided(inner, fields.len());
        frame.render_widget(Paragraph::new(self.lines_above(look)), above);
        rows::draw(frame, inner, &fields, &self.form, look);
        match self.form.at(&fields).and_then(|at| fields.get(at)) {
            Some(field) => {
                let around = (&self.desk, &self.all);
                panel::draw(frame, below, field, self.form.editor.as_ref(), around, look);
            }
            None => panel::draw_lines(
                frame,
                below,
                heading,
                &[Said::new(Tone::Plain, "Nothing is asked here.")],
                look,
            ),
        }
    }

    /// Returns what stands above the fields of some pages: the hosts that sizes follow from, the roles of a host.
    fn lines_above(&self, look: Look) -> Vec<TextLine<'static>> {
        match (&self.view, self.page()) {
            (View::Page, Page::Sizing) => hosts::sizes(self, look),
            (View::Host(slot), _) => hosts::roles_of(self, *slot, look),
            _ => Vec::new(),
        }
    }

    /// Divides the inside of a form into what stands above its fields and the fields.
    fn divided(&self, area: Rect, fields: usize) -> (Rect, Rect) {
        let lines = self.lines_above(Look::FULL).len();
        let most = area
            .height
            .saturating_sub(u16::try_from(fields.clamp(1, 4)).unwrap_or(4) + 1);
        let tall = u16::try_from(lines).unwrap_or(most).min(most);
        let [above, _, rest] = Layout::vertical([
            Constraint::Length(tall),
            Constraint::Length(u16::from(tall > 0)),
            Constraint::Min(0),
        ])
        .areas(area);
        (above, rest)
    }

    /// Returns where the rows of a form lie in a page without notices.
    pub(super) fn rows_of(&self, area: Rect, fields: usize) -> Rect {
        if self.view == View::Page && self.page() == Page::Option {
            return option::name_row(area);
        }
        let (form, _) = parts(area);
        self.divided(Block::bordered().inner(form), fields).1
    }

    /// Returns what is left of a page below the notices.
    pub(super) fn without_notices(&self, page: Rect) -> Rect {
        if self.notices().is_empty() {
            return page;
        }
        let [_, rest] = Layout::vertical([Constraint::Length(4), Constraint::Min(0)]).areas(page);
        rest
    }

    fn notices(&self) -> Vec<Said> {
        let mut said = Vec::new();
        if let Some(unkept) = &self.unkept {
            said.push(Said::new(Tone::Bad, unkept.clone()));
        }
        if let Some((slot, question)) = &self.question
            && !self.view.asks_line()
        {
            let text = hosts::question_words(&self.desk, *slot, question);
            said.push(Said::new(Tone::Warn, format!("{text}: F4 answers")));
        }
        said
    }

    /// Draws what needs the operator whatever page he is at; returns what is left of the page.
    fn draw_notices(&self, frame: &mut Frame<'_>, page: Rect, look: Look) -> Rect {
        let said = self.notices();
        if said.is_empty() {
            return page;
        }
        let [notice, rest] =
            Layout::vertical([Constraint::Length(4), Constraint::Min(0)]).areas(page);
        panel::draw_lines(frame, notice, "Needs you", &said, look);
        rest
    }
}

/// Divides a page into the form and the panel below it.
pub(super) fn parts(area: Rect) -> (Rect, Rect) {
    let below = if area.height >= 30 { 14 } else { 9 };
    let [form, below] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(below)]).areas(area);
    (form, below)
}

/// Draws one line that is asked for.
fn asked(
    frame: &mut Frame<'_>,
    area: Rect,
    (prompt, line): (&str, &Line),
    said: &[Said],
    look: Look,
) {
    let [top, below] = Layout::vertical([Constraint::Length(3), Constraint::Min(0)]).areas(area);
    let block = Block::bordered()
        .title(format!(" {} ", crate::model::text::visible(prompt)))
        .border_style(look.accent())
        .padding(Padding::horizontal(1));
    let inner = block.inner(top);
    let (text, column) = line.line(inner.width, look);
    frame.render_widget(Paragraph::new(text).block(block), top);
    frame.set_cursor_position((inner.x + column, inner.y));
    panel::draw_lines(frame, below, "What for", said, look);
}

/// Returns a line of text in a style.
pub(super) fn styled(text: String, style: Style) -> TextLine<'static> {
    TextLine::styled(text, style)
}

/// Returns what is known of a secret, for the review.
pub(super) fn secret_line(field: &Field) -> String {
    match &field.kind {
        FieldKind::Secret(state) => format!("{}: {}", field.prompt, words::secret(state)),
        _ => field.prompt.clone(),
    }
}

/// Returns the key of a field on a page.
pub(super) fn first_key(fields: &[Field]) -> Option<Key> {
    fields.first().map(|field| field.key.clone())
}
