//! What a screen is: it draws itself, lists its keys, and says what shall happen next.

use std::io;
use std::process::{Command, ExitStatus};

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::Rect;

use super::keys::{Binding, Key};
use super::theme::Look;

/// What the title line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// The deployment and its preset.
    pub what: String,
    /// Where in the whole, such as `step 3/9 Hosts`.
    pub step: String,
    /// Elapsed and left, while something runs.
    pub time: String,
}

/// How a page of the rail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RailState {
    /// Not reached.
    Waiting,
    /// At work.
    Busy,
    /// Complete.
    Done,
    /// Something on it needs the operator.
    Trouble,
}

/// One page in the rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RailEntry {
    /// Its name.
    pub title: String,
    /// How it stands.
    pub state: RailState,
}

/// The rail of pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rail {
    /// The pages in order.
    pub entries: Vec<RailEntry>,
    /// The page that is shown.
    pub here: usize,
}

/// One answer of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<A> {
    /// The key that gives it.
    pub key: char,
    /// What it says.
    pub label: String,
    /// What it does; `None` only closes the dialog.
    pub action: Option<A>,
}

/// A question that stands above everything until it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog<A> {
    /// What it is about.
    pub title: String,
    /// The question, a line each; long lines are wrapped.
    pub lines: Vec<String>,
    /// The answers; Esc gives the last.
    pub choices: Vec<Choice<A>>,
    /// The answer that Enter gives.
    pub chosen: usize,
}

impl<A> Dialog<A> {
    /// Returns a question whose safe answer, no, is chosen.
    #[must_use]
    pub fn confirm(title: &str, lines: Vec<String>, yes: &str, action: A, no: &str) -> Self {
        Self {
            title: title.to_owned(),
            lines,
            choices: vec![
                Choice {
                    key: 'y',
                    label: yes.to_owned(),
                    action: Some(action),
                },
                Choice {
                    key: 'n',
                    label: no.to_owned(),
                    action: None,
                },
            ],
            chosen: 1,
        }
    }
}

/// What shall happen after a screen has heeded something.
#[derive(Debug)]
pub enum Flow<A> {
    /// Nothing to be seen has changed.
    Stay,
    /// Draw again.
    Redraw,
    /// Ask before doing something.
    Ask(Dialog<A>),
    /// Tell something in passing; it goes away by itself.
    Say(String),
    /// Hand text to the terminal's clipboard (OSC 52) and tell so.
    Copy {
        /// The text.
        text: String,
        /// What is told.
        told: String,
    },
    /// Give the terminal to another program and come back; the screen hears of it by [`Screen::returned`].
    Outside(Outing),
    /// Leave the screens.
    Leave,
}

/// A program that gets the terminal for a while.
#[derive(Debug)]
pub struct Outing {
    /// The program.
    pub command: Command,
    /// What is printed before it starts.
    pub note: String,
    /// The exit code by which the program says that it could not do its work; its words then stay until a key.
    pub failed_with: i32,
}

/// How the operator asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// Ctrl-C: ask what is meant.
    Asking,
    /// A signal, which nobody can be asked about: stop at the next safe point and leave.
    Telling,
    /// A second time: leave at once.
    Again,
}

/// Whether something came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// Nothing changed on the screen.
    Idle,
    /// Draw again.
    Changed,
    /// Leave the screens.
    Over,
}

/// Something that fills the page and heeds keys. See the docs of [`crate::ui::tui`] for how to add one.
pub trait Screen {
    /// What its keys do.
    type Action: Copy + std::fmt::Debug;

    /// Returns what the title line says.
    fn title(&self, now: Timestamp) -> Title;

    /// Returns the rail of pages; without one the page has the whole width.
    fn rail(&self) -> Option<Rail> {
        None
    }

    /// Draws the page; changes nothing.
    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp);

    /// Returns what keys do now, the most important first: they fill the key bar from the left.
    fn bindings(&self) -> Vec<Binding<Self::Action>>;

    /// Returns the page's own words above the keys in the help.
    fn help(&self) -> Vec<String> {
        Vec::new()
    }

    /// Does what a key or a dialog's answer stands for.
    fn act(&mut self, action: Self::Action) -> Flow<Self::Action>;

    /// Returns whether characters go into a field: then they reach [`Self::typed`] before any binding, and F1 opens the help instead of `?`.
    fn typing(&self) -> bool {
        false
    }

    /// Heeds a key that no binding takes, or any character while [`Self::typing`].
    fn typed(&mut self, key: Key) -> Flow<Self::Action> {
        let _ = key;
        Flow::Stay
    }

    /// Heeds pasted text, which may hold line breaks and anything else.
    fn pasted(&mut self, text: &str) -> Flow<Self::Action> {
        let _ = text;
        Flow::Stay
    }

    /// Heeds the mouse inside the page, which lies at `page` of the terminal.
    fn mouse(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Self::Action> {
        let _ = (mouse, page);
        Flow::Stay
    }

    /// Heeds a click on a page of the rail.
    fn rail_chosen(&mut self, entry: usize) -> Flow<Self::Action> {
        let _ = entry;
        Flow::Stay
    }

    /// Takes in what has come from elsewhere, and lets time pass. Called many times a second; must not block, nor take in without bound.
    fn turn(&mut self, now: Timestamp) -> Turned;

    /// Heeds the wish to stop.
    fn interrupt(&mut self, how: Interrupted) -> Flow<Self::Action>;

    /// Hears how a program ended that had the terminal.
    fn returned(&mut self, ended: io::Result<ExitStatus>) -> Flow<Self::Action> {
        let _ = ended;
        Flow::Redraw
    }
}
