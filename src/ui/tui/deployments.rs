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

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::keys::{Binding, Key};
use super::screen::{Flow, Interrupted, Screen, Title, Turned};
use super::theme::{Look, sign};
use super::widgets::list::Chosen;
use super::widgets::text::{fitted, width, wrapped};
use crate::model::event::Outcome;
use crate::model::text::visible;
use crate::ui::amounts::count;
use crate::ui::view::between;

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

/// What keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Do {
    /// The row above.
    Up,
    /// The row below.
    Down,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Open the chosen deployment.
    Open,
    /// Go on with the chosen draft.
    GoOn,
    /// Ask for a new one.
    New,
    /// See the last run again.
    Replay,
    /// Copy the chosen row.
    Copy,
    /// Leave.
    Leave,
}

/// All keys, the most important first.
const TABLE: &[Binding<Do>] = &[
    Binding::new(
        &[Key::of(KeyCode::Up), Key::char('k')],
        Do::Up,
        "move",
        "Up",
    ),
    Binding::new(
        &[Key::of(KeyCode::Down), Key::char('j')],
        Do::Down,
        "move",
        "Down",
    ),
    Binding::new(
        &[Key::of(KeyCode::Home), Key::char('g')],
        Do::First,
        "",
        "To the beginning",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::End), Key::char('G')],
        Do::Last,
        "",
        "To the end",
    )
    .quiet(),
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::Open,
        "open",
        "Its dashboard: hosts and services as they are now, what they print, and what can be done",
    ),
    Binding::new(
        &[Key::of(KeyCode::Enter)],
        Do::GoOn,
        "go on",
        "Goes on with the answers where they were left",
    ),
    Binding::new(
        &[Key::char('n')],
        Do::New,
        "new",
        "Asks for a new deployment, page by page",
    ),
    Binding::new(
        &[Key::char('p')],
        Do::Replay,
        "play last run",
        "Plays the last run again, as it was seen",
    ),
    Binding::new(
        &[Key::char('c')],
        Do::Copy,
        "copy",
        "Copies the row to your clipboard, where the terminal allows it (OSC 52)",
    )
    .quiet(),
    Binding::new(
        &[Key::char('q'), Key::of(KeyCode::Esc)],
        Do::Leave,
        "leave",
        "Leaves the program",
    ),
];

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

fn draw_list(
    screen: &DeploymentsScreen,
    frame: &mut Frame<'_>,
    area: Rect,
    look: Look,
    now: Timestamp,
) {
    let block = Block::bordered()
        .title(" Deployments ")
        .border_style(look.faint());
    let inner = block.inner(area);
    let names = screen.entries.iter().map(|entry| width(&entry.name));
    let presets = screen.entries.iter().map(|entry| width(&entry.preset));
    let name = names.max().unwrap_or(0).clamp(8, 24) + 2;
    let preset = presets.max().unwrap_or(0).clamp(8, 28) + 2;
    let last = 26;
    let rest = usize::from(inner.width).saturating_sub(3 + name + preset + last);
    let head = format!(
        "   {:name$}{:preset$}{:last$}{}",
        "name", "preset", "last run", "hosts"
    );
    let mut lines = vec![Line::styled(head, look.faint())];
    let rows = usize::from(inner.height.saturating_sub(1));
    let here = screen.place();
    for at in screen.chosen.window(screen.entries.len(), rows) {
        let entry = &screen.entries[at];
        let (sign, style, words) = standing(entry, look);
        let said = match entry.when {
            Some(when) => format!("{words}, {}", since(when, now)),
            None => words.to_owned(),
        };
        let column = |text: &str, room: usize| {
            let text = fitted(text, room.saturating_sub(2)).into_owned();
            let gap = room.saturating_sub(width(&text));
            text + &" ".repeat(gap)
        };
        let pointer = if at == here { sign::CHOSEN } else { " " };
        let line = Line::from(vec![
            Span::styled(pointer, look.accent()),
            Span::styled(sign, style),
            Span::raw(" "),
            Span::raw(column(&visible(&entry.name), name)),
            Span::raw(column(&visible(&entry.preset), preset)),
            Span::styled(column(&said, last), style),
            Span::raw(fitted(&visible(&entry.hosts.join(", ")), rest).into_owned()),
        ]);
        lines.push(if at == here {
            line.style(look.strong())
        } else {
            line
        });
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_details(screen: &DeploymentsScreen, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let Some(entry) = screen.entry() else {
        return;
    };
    let block = Block::bordered()
        .title(format!(" {} ", visible(&entry.name)))
        .border_style(look.faint());
    let inner = block.inner(area);
    let hosts = match entry.hosts.as_slice() {
        [] => "no hosts yet".to_owned(),
        hosts => format!(
            "{}: {}",
            count(hosts.len(), "host"),
            visible(&hosts.join(", "))
        ),
    };
    let mut said = vec![
        (advice(entry).to_owned(), Style::new()),
        (hosts, Style::new()),
    ];
    if let Kind::Deployment {
        outcome: Some(Outcome::Failed(failure)),
        ..
    } = &entry.kind
    {
        said.insert(
            0,
            (
                format!("{} {}", sign::FAILED, visible(&failure.message)),
                look.bad(),
            ),
        );
    }
    let lines: Vec<Line<'_>> = said
        .into_iter()
        .flat_map(|(text, style)| {
            let lines = wrapped(&text, usize::from(inner.width));
            lines.into_iter().map(move |line| Line::styled(line, style))
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Returns how a row stands: a sign, its style, and a word or two.
fn standing(entry: &Entry, look: Look) -> (&'static str, Style, &'static str) {
    match &entry.kind {
        Kind::Draft => (sign::WAITING, look.accent(), "draft"),
        Kind::Deployment { outcome, .. } => match outcome {
            Some(Outcome::Done | Outcome::NothingToDo) => (sign::DONE, look.good(), "deployed"),
            Some(Outcome::ChecksFailed) => (sign::FAILED, look.bad(), "checks failed"),
            Some(Outcome::Failed(_)) => (sign::FAILED, look.bad(), "failed"),
            Some(Outcome::Cancelled) => (sign::STOPPED, look.warn(), "stopped"),
            None => (sign::STOPPED, look.warn(), "interrupted"),
        },
    }
}

/// Returns what comes next for a row.
fn advice(entry: &Entry) -> &'static str {
    match &entry.kind {
        Kind::Draft => "Its answers are unfinished: Enter goes on where they were left.",
        Kind::Deployment { outcome, .. } => match outcome {
            Some(Outcome::Done | Outcome::NothingToDo) => {
                "Enter shows how its hosts and services fare now."
            }
            _ => {
                "Its last run did not come to a good end: Enter shows how it fares now, and `d` there goes on with it."
            }
        },
    }
}

fn since(when: Timestamp, now: Timestamp) -> String {
    match between(when, now).as_secs() {
        0..60 => "just now".to_owned(),
        seconds => format!("{} ago", super::dashboard::long(seconds)),
    }
}

#[cfg(test)]
mod tests;
