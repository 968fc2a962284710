//! The pages of a run as a screen: what the loop asks of them.

use std::io;
use std::process::ExitStatus;
use std::time::Instant;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::Rect;

use super::keys::{self, Do};
use super::{BEAT, Heard, RunScreen, TURN, drawing};
use crate::ui::channel::Message;
use crate::ui::tui::keys::{Binding, Key};
use crate::ui::tui::screen::{Flow, Interrupted, Rail, Screen, Title, Turned};
use crate::ui::tui::theme::Look;

impl Screen for RunScreen {
    type Action = Do;

    fn title(&self, now: Timestamp) -> Title {
        drawing::title(self, &self.facing(now))
    }

    fn rail(&self) -> Option<Rail> {
        drawing::rail(self)
    }

    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp) {
        drawing::draw(self, frame, page, look, now);
    }

    fn bindings(&self) -> Vec<Binding<Do>> {
        keys::TABLE
            .iter()
            .filter(|binding| self.works(binding.action))
            .copied()
            .collect()
    }

    fn help(&self) -> Vec<String> {
        drawing::help(self.page)
    }

    fn act(&mut self, action: Do) -> Flow<Do> {
        self.do_it(action)
    }

    fn typing(&self) -> bool {
        self.log.typing.is_some() || self.asks_for_secret()
    }

    fn typed(&mut self, key: Key) -> Flow<Do> {
        let heeded = self.field().is_some_and(|field| field.heed(key));
        if heeded { Flow::Redraw } else { Flow::Stay }
    }

    fn pasted(&mut self, text: &str) -> Flow<Do> {
        match self.field() {
            Some(field) => {
                field.insert(text);
                Flow::Redraw
            }
            None => Flow::Stay,
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        self.clicked(mouse, page)
    }

    fn rail_chosen(&mut self, entry: usize) -> Flow<Do> {
        match self.pages().get(entry) {
            Some(page) => {
                self.page = *page;
                Flow::Redraw
            }
            None => Flow::Stay,
        }
    }

    fn turn(&mut self, now: Timestamp) -> Turned {
        let began = Instant::now();
        let mut changed = false;
        while self.earlier.is_open() && began.elapsed() < TURN {
            match self.source.earlier() {
                Some(record) => self.earlier.take_in(&record, &mut self.logs),
                None => self.earlier.close(&mut self.logs, now, &self.setup.zone),
            }
            changed = true;
        }
        while !self.over && began.elapsed() < TURN {
            match self.source.next(now) {
                Heard::Message(Message::Told(record)) => self.told(&record),
                Heard::Message(Message::Asked(ask)) => self.asked(ask),
                Heard::Message(Message::Over) | Heard::Over => self.over = true,
                Heard::Nothing => break,
            }
            changed = true;
        }
        let before = std::mem::replace(&mut self.now, now);
        // Without an outcome the command itself says what went wrong.
        let no_end = self.view.outcome.is_none() && !self.setup.recorded;
        if self.over && (self.leave_when_over || no_end) {
            return Turned::Over;
        }
        let beat = |time: Timestamp| time.as_millisecond().div_euclid(BEAT);
        let beats = self.is_busy() && beat(before) != beat(now);
        let hidden = self.field().is_some_and(|field| field.turn(now));
        if changed || beats || hidden {
            Turned::Changed
        } else {
            Turned::Idle
        }
    }

    fn interrupt(&mut self, how: Interrupted) -> Flow<Do> {
        self.interrupted(how)
    }

    fn returned(&mut self, ended: io::Result<ExitStatus>) -> Flow<Do> {
        match ended {
            Ok(_) => Flow::Redraw,
            Err(error) => Flow::Say(format!("no shell: {error}")),
        }
    }
}
