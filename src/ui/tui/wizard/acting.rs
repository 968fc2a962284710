//! What the wizard's keys do.

mod hosts;
mod leaving;
mod review;

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::WizardScreen;
use super::form::{self, Leaving};
use super::keys::Do;
use super::view::{View, first_key};
use crate::model::preset::Page;
use crate::ui::tui::screen::{Choice, Dialog, Flow};
use crate::wizard::{Field, FieldKind, HostPart, Key};

impl WizardScreen {
    /// Opens the place where the draft stands.
    pub(super) fn resume(&mut self) {
        let field = self.desk.wizard.place().field.clone();
        let page = self.page();
        self.view = View::Page;
        self.form.blur();
        self.scroll = 0;
        self.list.choose(0);
        match page {
            Page::Option => {
                let presets = self.desk.presets();
                let own = self.desk.wizard.preset();
                let at = presets
                    .iter()
                    .position(|preset| own.is_some_and(|own| own.id == preset.id));
                self.list.choose(at.unwrap_or(0));
                if let Some(field) = field {
                    self.focus(&field);
                }
            }
            Page::Hosts => self.resume_hosts(field.as_ref()),
            Page::Review => {}
            _ => {
                let first = first_key(&self.fields());
                if let Some(key) = field.or(first) {
                    self.focus(&key);
                }
            }
        }
        self.settle();
    }

    /// Gives a field the focus; the first one when it is not asked any more.
    pub(super) fn focus(&mut self, key: &Key) {
        let fields = self.fields();
        let field = fields.iter().find(|field| field.key == *key);
        if let Some(field) = field.or(fields.first()) {
            self.form.enter(field);
            self.desk.wizard.stand_at(&field.key);
        }
    }

    /// Keeps the draft on disk and looks at it anew.
    pub(super) fn settle(&mut self) {
        self.unkept = match self.desk.save() {
            Ok(()) => None,
            Err(failure) => Some(format!(
                "the answers cannot be kept on disk: {}",
                failure.message
            )),
        };
        self.refresh();
    }

    /// Looks at the draft anew.
    pub(super) fn refresh(&mut self) {
        self.all = self.desk.look();
        self.desk.read_archives(&self.all);
        self.desk.ask_registry(&self.all);
        let fields = self.fields();
        if self.form.focus().is_some()
            && self.form.at(&fields).is_none()
            && let Some(first) = fields.first()
        {
            self.form.enter(first);
        }
    }

    /// Accepts what was typed in the field that has the focus.
    pub(super) fn accept(&mut self) -> Leaving {
        let Some(field) = self.field() else {
            return Leaving::Free;
        };
        let leaving = self.form.leave(&mut self.desk, &field);
        self.settle();
        leaving
    }

    /// Does what a key or a dialog's answer stands for.
    pub(super) fn perform(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Answer => return self.open_question(),
            Do::Trust => return self.reply_key(true),
            Do::Distrust => return self.reply_key(false),
            Do::Overwrite => return self.write(),
            Do::Leave => return Flow::Leave,
            Do::Discard => return self.discard(),
            Do::ReallyRemove => return self.remove(),
            _ => {}
        }
        match (&self.view, self.page()) {
            (View::Page, Page::Hosts) => self.act_on_hosts(action),
            (View::Page, Page::Review) => self.act_on_review(action),
            (View::Page, Page::Option) if self.form.focus().is_none() => self.act_on_cards(action),
            (View::Import, _) => self.act_on_import(action),
            (View::Paths, _) => self.act_on_paths(action),
            (View::Secret(..), _) => self.act_on_secret(action),
            (View::Path(..), _) => self.act_on_path(action),
            _ => self.act_on_form(action),
        }
    }

    /// Goes to a page; what was typed is accepted first.
    pub(super) fn go_to(&mut self, page: Page) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            self.form.discard();
        }
        self.desk.wizard.go(page);
        self.resume();
        Flow::Redraw
    }

    pub(super) fn next_page(&mut self) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            return held();
        }
        self.desk.next_page();
        self.resume();
        Flow::Redraw
    }

    pub(super) fn previous_page(&mut self) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            self.form.discard();
        }
        self.desk.previous_page();
        self.resume();
        Flow::Redraw
    }

    fn act_on_cards(&mut self, action: Do) -> Flow<Do> {
        let count = self.desk.presets().len();
        match action {
            Do::Up => self.list.move_by(-1, count),
            Do::Down if self.list.of(count) == count.checked_sub(1) => return self.name_it(),
            Do::Down => self.list.move_by(1, count),
            Do::Enter => {
                let id = self
                    .list
                    .of(count)
                    .map(|at| self.desk.presets()[at].id.clone());
                if let Some(id) = id {
                    self.desk.choose(&id);
                    self.settle();
                }
                return self.name_it();
            }
            Do::Tab => return self.name_it(),
            Do::NextPage => return self.next_page(),
            Do::Back => return self.ask_to_leave(),
            _ => return Flow::Stay,
        }
        Flow::Redraw
    }

    fn name_it(&mut self) -> Flow<Do> {
        if let Some(key) = first_key(&self.fields()) {
            self.focus(&key);
            self.settle();
        }
        Flow::Redraw
    }

    fn act_on_form(&mut self, action: Do) -> Flow<Do> {
        let Some(field) = self.field() else {
            return match action {
                Do::NextPage | Do::Enter | Do::Down => self.next_page(),
                Do::Role(_) => self.act_on_hosts(action),
                _ => self.back(),
            };
        };
        match action {
            Do::Up => return self.step(-1),
            Do::Down => return self.step(1),
            Do::Tab => {
                if !self.form.complete(&self.desk, &field) {
                    return self.step(1);
                }
            }
            Do::Enter => return self.enter(&field),
            Do::Left | Do::Right => {
                form::choose(&mut self.desk, &field, action == Do::Right);
                self.settle();
            }
            Do::Propose => {
                if let Some(proposal) = &field.proposal {
                    self.form.fill(&proposal.value, &self.desk, &field);
                }
            }
            Do::Source => self.form.other_source(),
            Do::Show => {
                let now = self.now;
                if let Some(editor) = &mut self.form.editor {
                    editor.line.show(now);
                }
            }
            Do::Explain => return explain(&field),
            Do::NextPage if self.view == View::Page => return self.next_page(),
            Do::PreviousPage if self.view == View::Page => return self.previous_page(),
            Do::NextPage | Do::PreviousPage | Do::Back => return self.back(),
            Do::Role(_) => return self.act_on_hosts(action),
            _ => return Flow::Stay,
        }
        Flow::Redraw
    }

    /// Leaves the field for one above or below.
    fn step(&mut self, steps: isize) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            return held();
        }
        let fields = self.fields();
        let at = self.form.at(&fields).unwrap_or(0);
        if at == 0 && steps < 0 && self.page() == Page::Option {
            self.form.blur();
            return Flow::Redraw;
        }
        let next = at
            .saturating_add_signed(steps)
            .min(fields.len().saturating_sub(1));
        if let Some(field) = fields.get(next) {
            self.focus(&field.key.clone());
            self.settle();
        }
        Flow::Redraw
    }

    /// Accepts the field and goes on; a value that breaks a rule is kept, and the rule is shown before it goes on.
    fn enter(&mut self, field: &Field) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            return held();
        }
        let fields = self.fields();
        let at = fields.iter().position(|other| other.key == field.key);
        let Some(at) = at else {
            return Flow::Redraw;
        };
        let wrong = fields[at]
            .trouble
            .as_ref()
            .is_some_and(|trouble| !trouble.missing);
        if wrong && !matches!(field.kind, FieldKind::Choice(_)) {
            self.focus(&field.key);
            return Flow::Say("kept, but it breaks a rule; ↓ goes on all the same".to_owned());
        }
        match fields.get(at + 1) {
            Some(next) => {
                self.focus(&next.key.clone());
                self.settle();
                Flow::Redraw
            }
            None if self.view == View::Page => self.next_page(),
            None => self.back(),
        }
    }

    /// Goes back: out of what was opened from the page, or to the page before.
    fn back(&mut self) -> Flow<Do> {
        if self.accept() == Leaving::Held {
            self.form.discard();
        }
        match (&self.view, self.page()) {
            (View::Page, Page::Option) => {
                self.form.blur();
                Flow::Redraw
            }
            (View::Page, _) => self.previous_page(),
            (View::Host(slot), _) => {
                let number = self.desk.number_of(*slot).unwrap_or(0);
                self.show_list(number)
            }
            _ => {
                let number = self.list.of(self.desk.wizard.draft().hosts.len());
                self.show_list(number.unwrap_or(0))
            }
        }
    }

    /// Heeds the mouse: a click chooses, the wheel moves.
    pub(super) fn clicked(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        match mouse.kind {
            MouseEventKind::ScrollUp => return self.perform(Do::Up),
            MouseEventKind::ScrollDown => return self.perform(Do::Down),
            MouseEventKind::Down(MouseButton::Left) => {}
            _ => return Flow::Stay,
        }
        let at = Position::new(mouse.column, mouse.row);
        let area = self.without_notices(page);
        if self.view == View::Page && self.page() == Page::Hosts {
            let hosts = self.desk.wizard.draft().hosts.len();
            let list = super::hosts::parts(self, area)[0];
            let row = mouse.row.saturating_sub(list.y);
            if let Some(number) = super::hosts::host_at(self.list, hosts, list.height, row) {
                self.list.choose(number);
            }
            return Flow::Redraw;
        }
        let fields = self.fields();
        let rows = self.rows_of(area, fields.len());
        if !rows.contains(at) || self.accept() == Leaving::Held {
            return Flow::Stay;
        }
        let shown = super::rows::window(fields.len(), self.form.at(&fields), rows.height);
        let chosen = shown.into_iter().nth(usize::from(at.y - rows.y));
        if let Some(field) = chosen.and_then(|chosen| fields.get(chosen)) {
            self.focus(&field.key);
            self.settle();
        }
        Flow::Redraw
    }
}

/// Says that a secret cannot be left as it is: it is kept nowhere.
fn held() -> Flow<Do> {
    Flow::Say(
        "the secret breaks its rule and is kept nowhere; mend it, or Esc lets it go".to_owned(),
    )
}

/// Tells everything of a field.
fn explain(field: &Field) -> Flow<Do> {
    let mut lines = vec![field.help.clone(), String::new()];
    if let FieldKind::Choice(choices) = &field.kind {
        for choice in choices {
            let meaning = choice.meaning.as_deref().unwrap_or_default();
            lines.push(format!("{}: {meaning}", choice.value));
        }
    } else {
        lines.push(format!("Example: {}", field.example));
    }
    if let Some(default) = &field.default {
        lines.push(format!("Left alone: {default}"));
    } else if field.optional {
        lines.push("It may be left empty.".to_owned());
    }
    lines.push(format!("In the answers file: {}", field.key));
    Flow::Ask(Dialog {
        title: field.prompt.clone(),
        lines,
        choices: vec![Choice {
            key: 'b',
            label: "Back".to_owned(),
            action: None,
        }],
        chosen: 0,
    })
}

/// Returns the part of a host that is edited first.
fn first_part() -> HostPart {
    HostPart::Name
}
