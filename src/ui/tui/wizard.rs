//! The wizard as full screens: one screen that shows its pages in the rail.
//!
//! ```text
//! ┌ rail ──┐┌ Application ──────────────────────────────┐
//! │ ✔ …    ││▸✔ Host name for browsers   shop.acme.exa… │  fields, the chosen one with its cursor
//! │▸• …    ││ ! Licence key              not given yet   │
//! │ · …    │├ Host name for browsers ────────────────────┤
//! │        ││ ✖ the rule it breaks; for example …        │  what it is, what is wrong, what is proposed
//! └────────┘└─────────────────────────────────────────────┘
//! ```
//!
//! What is typed is judged with every key and accepted when the field is left; an accepted answer is on disk before the next key is heeded. Which question
//! comes and what is wrong with an answer is decided in [`crate::wizard`]; hosts are tried through [`Desk`].

mod acting;
mod complete;
mod form;
mod hosts;
mod import;
mod keys;
mod option;
mod panel;
mod paths;
mod review;
mod rows;
mod view;

#[cfg(test)]
mod tests;

pub use keys::Do;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::Rect;

use super::keys::{Binding, Key as Pressed};
use super::screen::{Flow, Interrupted, Rail, RailEntry, RailState, Screen, Title, Turned};
use super::theme::Look;
use super::widgets::list::Chosen;
use crate::engine::trial::{Question, Tried};
use crate::model::preset::Page;
use crate::ui::desk::Desk;
use crate::ui::line::wizard::Ending;
use crate::wizard::{Draft, Field, Key, Look as All, PAGES, PageState, title};
use form::Form;
use import::Importing;
use view::View;

/// How often the busy sign moves, in milliseconds.
const TURN: i64 = 120;

/// The wizard on a whole terminal.
#[derive(Debug)]
pub struct WizardScreen {
    desk: Desk,
    all: All,
    view: View,
    form: Form,
    /// The chosen entry of the page's list: a card, a host, an entry of the review.
    list: Chosen,
    /// How far the review is scrolled.
    scroll: u16,
    question: Option<(u64, Question)>,
    importing: Importing,
    /// What could not be kept on disk, or written.
    unkept: Option<String>,
    ending: Ending,
    heard: u64,
    moved: i64,
    now: Timestamp,
}

impl WizardScreen {
    /// Shows the wizard at the place where its draft stands.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        let all = desk.look();
        let mut screen = Self {
            desk,
            all,
            view: View::Page,
            form: Form::default(),
            list: Chosen::default(),
            scroll: 0,
            question: None,
            importing: Importing::default(),
            unkept: None,
            ending: Ending::Left,
            heard: 0,
            moved: 0,
            now: Timestamp::UNIX_EPOCH,
        };
        screen.resume();
        screen
    }

    /// Returns how it was left, with the desk.
    #[must_use]
    pub fn finish(mut self) -> (Desk, Ending) {
        // What was typed in the last field is accepted, however the screen was left.
        self.accept();
        (self.desk, self.ending)
    }

    /// Returns the draft as it stands.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        self.desk.wizard.draft()
    }

    fn page(&self) -> Page {
        self.desk.wizard.place().page
    }

    /// Returns the fields of what is shown.
    fn fields(&self) -> Vec<Field> {
        self.view.fields(&self.desk, &self.all)
    }

    /// Returns the field that has the focus.
    fn field(&self) -> Option<Field> {
        let fields = self.fields();
        let at = self.form.at(&fields)?;
        fields.into_iter().nth(at)
    }
}

impl Screen for WizardScreen {
    type Action = Do;

    fn title(&self, _now: Timestamp) -> Title {
        let name = self.desk.wizard.draft().name().unwrap_or("new deployment");
        let what = match self.desk.wizard.preset() {
            Some(preset) => format!("{name} · {}", preset.title),
            None => name.to_owned(),
        };
        let page = self.page();
        let number = PAGES.iter().position(|other| *other == page);
        let number = number.map_or(1, |number| number + 1);
        Title {
            what,
            step: format!("page {number}/{} {}", PAGES.len(), title(page)),
            time: String::new(),
        }
    }

    fn rail(&self) -> Option<Rail> {
        let entries = self.all.pages.iter().map(|page| RailEntry {
            title: title(page.page).to_owned(),
            state: match page.state {
                PageState::Untouched => RailState::Waiting,
                PageState::InProgress => RailState::Busy,
                PageState::Complete => RailState::Done,
                PageState::Faulty => RailState::Trouble,
            },
        });
        let here = PAGES.iter().position(|page| *page == self.page());
        Some(Rail {
            entries: entries.collect(),
            here: here.unwrap_or(0),
        })
    }

    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp) {
        self.draw_view(frame, page, look, now);
    }

    fn bindings(&self) -> Vec<Binding<Do>> {
        self.keys()
    }

    fn help(&self) -> Vec<String> {
        vec![
            "Every answer is kept at once: leave whenever you like, and the same place comes back."
                .to_owned(),
            "✔ said, ! missing, ✖ wrong; what is faint holds as long as nothing else is said."
                .to_owned(),
        ]
    }

    fn act(&mut self, action: Do) -> Flow<Do> {
        self.perform(action)
    }

    fn typing(&self) -> bool {
        self.view.asks_line() || self.form.typing()
    }

    fn typed(&mut self, key: Pressed) -> Flow<Do> {
        if let Some(line) = self.view.line_mut() {
            return if line.heed(key) {
                Flow::Redraw
            } else {
                Flow::Stay
            };
        }
        let Some(field) = self.field() else {
            return Flow::Stay;
        };
        if self.form.heed(key, &self.desk, &field) {
            Flow::Redraw
        } else {
            Flow::Stay
        }
    }

    fn pasted(&mut self, text: &str) -> Flow<Do> {
        if let Some(line) = self.view.line_mut() {
            line.insert(text.trim());
            return Flow::Redraw;
        }
        if self.view == View::Page && self.page() == Page::Hosts {
            return self.paste_hosts(text);
        }
        if let Some(field) = self.field() {
            self.form.paste(text, &self.desk, &field);
        }
        Flow::Redraw
    }

    fn mouse(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        self.clicked(mouse, page)
    }

    fn rail_chosen(&mut self, entry: usize) -> Flow<Do> {
        match PAGES.get(entry) {
            Some(page) => self.go_to(*page),
            None => Flow::Stay,
        }
    }

    fn turn(&mut self, now: Timestamp) -> Turned {
        self.now = now;
        let mut changed = self
            .form
            .editor
            .as_mut()
            .is_some_and(|editor| editor.line.turn(now));
        if self.question.is_none() {
            self.question = self.desk.hear();
        }
        if self.desk.heard() != self.heard {
            self.heard = self.desk.heard();
            self.refresh();
            changed = true;
        }
        changed |= self.desk.hear_archives();
        changed |= self.desk.hear_paths();
        changed |= self.desk.hear_registry();
        let step = now.as_millisecond() / TURN;
        let busy = self.desk.is_trying() || *self.desk.paths() == Tried::AtWork;
        if busy && step != self.moved {
            self.moved = step;
            changed = true;
        }
        if changed {
            Turned::Changed
        } else {
            Turned::Idle
        }
    }

    fn interrupt(&mut self, how: Interrupted) -> Flow<Do> {
        self.accept();
        match how {
            Interrupted::Asking => self.ask_to_leave(),
            Interrupted::Telling | Interrupted::Again => Flow::Leave,
        }
    }
}

/// Returns the name of a field for people.
fn label(key: &Key, all: &All) -> String {
    match (all.field(key), key.host_part()) {
        (Some(field), Some((number, _))) => format!("host {}: {}", number + 1, field.prompt),
        (Some(field), None) => field.prompt.clone(),
        (None, _) => key.to_string(),
    }
}
