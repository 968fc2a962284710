//! The deployments that are known on this machine, and those that are still being asked for.
//!
//! ```text
//! ┌ Deployments ─────────────────────────────────────────────────────────────────┐
//! │   name            preset                last run           hosts             │
//! │▸✔ acme-prod       some-preset           done, 3d 4h ago    ui, node-1        │
//! │ · acme-test       some-preset           unfinished draft   ui                │
//! └──────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! It only chooses: what is [`Wanted`] is done by whoever shows it.

mod drawing;
mod keys;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Block;

use super::keys::Binding;
use super::screen::{Flow, Interrupted, Screen, Title, Turned};
use super::theme::Look;
use super::widgets::list::Chosen;
use crate::model::event::Outcome;
use crate::ui::amounts::count;
use drawing::{draw_details, draw_list};
use keys::TABLE;

pub use keys::Do;

/// What a row is of.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Something that was accepted once.
    Deployment {
        /// How its last run ended; `None` when it was interrupted.
        outcome: Option<Outcome>,
        /// Whether the last run was recorded.
        recorded: bool,
    },
    /// Answers that are not complete.
    Draft,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is of.
    pub kind: Kind,
    /// Its name; a draft may have none yet.
    pub name: String,
    /// Its preset.
    pub preset: String,
    /// When the last run began, or a draft was last changed.
    pub when: Option<Timestamp>,
    /// Its hosts.
    pub hosts: Vec<String>,
}

/// Why the list was left; rows are named by their places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// To leave the program.
    #[default]
    Leave,
    /// To open a deployment, or to go on with a draft.
    Open(usize),
    /// To ask for a new one.
    New,
    /// To see the last run again.
    Replay(usize),
}

/// Rows of the words about the chosen row, with their frame.
const DETAILS: u16 = 6;

/// The list on the screen.
#[derive(Debug)]
pub struct DeploymentsScreen {
    entries: Vec<Entry>,
    chosen: Chosen,
    now: Timestamp,
    wanted: Wanted,
}

impl DeploymentsScreen {
    /// Builds the list; `chosen` is the place of the row to begin at.
    #[must_use]
    pub fn new(entries: Vec<Entry>, chosen: usize) -> Self {
        let mut at = Chosen::default();
        at.choose(chosen);
        Self {
            entries,
            chosen: at,
            now: Timestamp::UNIX_EPOCH,
            wanted: Wanted::Leave,
        }
    }

    /// Returns why it was left.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Returns the place of the chosen row.
    #[must_use]
    pub fn place(&self) -> usize {
        self.chosen.of(self.entries.len()).unwrap_or(0)
    }

    fn entry(&self) -> Option<&Entry> {
        self.entries.get(self.place())
    }

    fn works(&self, action: Do) -> bool {
        let kind = self.entry().map(|entry| &entry.kind);
        match action {
            Do::Open => matches!(kind, Some(Kind::Deployment { .. })),
            Do::GoOn => matches!(kind, Some(Kind::Draft)),
            Do::Replay => matches!(kind, Some(Kind::Deployment { recorded: true, .. })),
            _ => true,
        }
    }

    fn leave(&mut self, wanted: Wanted) -> Flow<Do> {
        self.wanted = wanted;
        Flow::Leave
    }

    fn move_by(&mut self, rows: isize) -> Flow<Do> {
        self.chosen.move_by(rows, self.entries.len());
        Flow::Redraw
    }

    fn areas(page: Rect) -> [Rect; 2] {
        Layout::vertical([Constraint::Min(0), Constraint::Length(DETAILS)]).areas(page)
    }
}

impl Screen for DeploymentsScreen {
    type Action = Do;

    fn title(&self, _now: Timestamp) -> Title {
        let is_draft = |entry: &&Entry| entry.kind == Kind::Draft;
        let drafts = self.entries.iter().filter(is_draft).count();
        let mut what = count(self.entries.len() - drafts, "deployment");
        if drafts > 0 {
            what = format!("{what}, {}", count(drafts, "unfinished draft"));
        }
        Title {
            what,
            ..Title::default()
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp) {
        let [list, details] = Self::areas(page);
        draw_list(self, frame, list, look, now);
        draw_details(self, frame, details, look);
    }

    fn bindings(&self) -> Vec<Binding<Do>> {
        let works = |binding: &&Binding<Do>| self.works(binding.action);
        TABLE.iter().filter(works).copied().collect()
    }

    fn help(&self) -> Vec<String> {
        vec!["What was deployed from this machine, and what is still being asked for. What is told here is what this machine remembers; a dashboard shows how things are.".to_owned()]
    }

    fn act(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Up => self.move_by(-1),
            Do::Down => self.move_by(1),
            Do::First => self.move_by(isize::MIN),
            Do::Last => self.move_by(isize::MAX),
            Do::Open | Do::GoOn => self.leave(Wanted::Open(self.place())),
            Do::New => self.leave(Wanted::New),
            Do::Replay => self.leave(Wanted::Replay(self.place())),
            Do::Leave => self.leave(Wanted::Leave),
            Do::Copy => match self.entry() {
                Some(entry) => Flow::Copy {
                    text: format!("{} {} {}", entry.name, entry.preset, entry.hosts.join(" ")),
                    told: "copied, if the terminal takes OSC 52".to_owned(),
                },
                None => Flow::Stay,
            },
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.move_by(-1),
            MouseEventKind::ScrollDown => self.move_by(1),
            MouseEventKind::Down(MouseButton::Left) => {
                let inner = Block::bordered().inner(Self::areas(page)[0]);
                let rows = usize::from(inner.height.saturating_sub(1));
                let window = self.chosen.window(self.entries.len(), rows);
                let line = usize::from(mouse.row.saturating_sub(inner.y + 1));
                let at = window.start + line;
                if mouse.row <= inner.y || !window.contains(&at) {
                    return Flow::Stay;
                }
                if at == self.place() {
                    return self.leave(Wanted::Open(at));
                }
                self.chosen.choose(at);
                Flow::Redraw
            }
            _ => Flow::Stay,
        }
    }

    fn turn(&mut self, now: Timestamp) -> Turned {
        // Ages are told in minutes at the finest.
        let minute = |time: Timestamp| time.as_second().div_euclid(60);
        let changed = minute(now) != minute(self.now);
        self.now = now;
        if changed {
            Turned::Changed
        } else {
            Turned::Idle
        }
    }

    /// Nothing is at stake: whoever wants to stop leaves.
    fn interrupt(&mut self, _how: Interrupted) -> Flow<Do> {
        self.leave(Wanted::Leave)
    }
}

#[cfg(test)]
mod tests;
