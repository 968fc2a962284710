//! A screen with what stands around and above it: dialogs, help, passing words, and the keys that work everywhere.
//!
//! [`App`] knows no terminal: events go in, frames come out, and what must be done with the terminal is returned as an [`Effect`]. Tests and benches drive it
//! directly; [`super::event_loop`] drives it on a real terminal.

use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::frame::{self, Areas};
use super::keys::{self, Binding, Hint, Key};
use super::screen::{Dialog, Flow, Interrupted, Outing, Screen, Turned};
use super::terminal::Mouse;
use super::theme::Look;
use super::widgets::dialog::{self, Heeded};
use super::widgets::help::{self, HelpText};
use super::widgets::text::{fitted, width};

/// How long passing words stay.
const TOLD: SignedDuration = SignedDuration::from_secs(4);

/// What keys do everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Everywhere {
    Help,
    Stop,
    Aside,
    Redraw,
    Mouse,
}

/// The keys that work everywhere. The bar shows the help last, so that it is always there.
const EVERYWHERE: &[Binding<Everywhere>] = &[
    Binding::new(
        &[Key::ctrl('c')],
        Everywhere::Stop,
        "stop",
        "Asks whether to stop; twice leaves at once",
    ),
    Binding::new(
        &[Key::char('?'), Key::of(KeyCode::F(1))],
        Everywhere::Help,
        "help",
        "This help (F1 while you type)",
    ),
    Binding::new(
        &[Key::of(KeyCode::F(6))],
        Everywhere::Mouse,
        "mouse",
        "Gives the mouse to the terminal, to select and copy text, and takes it again",
    )
    .quiet(),
    Binding::new(
        &[Key::ctrl('z')],
        Everywhere::Aside,
        "shell",
        "Back to your shell; `fg` returns here",
    )
    .quiet(),
    Binding::new(
        &[Key::ctrl('l')],
        Everywhere::Redraw,
        "redraw",
        "Draws everything anew",
    )
    .quiet(),
];

/// What must be done with the terminal.
#[derive(Debug)]
pub enum Effect {
    /// Nothing; nothing to be seen has changed.
    None,
    /// Draw.
    Draw,
    /// Draw everything anew, as another program may have written over it.
    DrawAnew,
    /// Give the terminal to a program.
    Outside(Box<Outing>),
    /// Write text to the clipboard.
    Copy(String),
    /// Put the program aside.
    Aside,
    /// Give or take the mouse.
    Mouse(Mouse),
    /// Leave.
    Leave,
}

/// What stands above the screen.
#[derive(Debug)]
enum Above<A> {
    Help(u16),
    Ask(Dialog<A>),
}

/// A screen with what stands around it.
#[derive(Debug)]
pub struct App<S: Screen> {
    screen: S,
    look: Look,
    size: Size,
    now: Timestamp,
    above: Option<Above<S::Action>>,
    said: Option<(String, Timestamp)>,
    mouse: Mouse,
    interrupted: bool,
}

impl<S: Screen> App<S> {
    /// Puts a screen up; `size` is that of the terminal.
    #[must_use]
    pub fn new(screen: S, look: Look, size: Size, now: Timestamp) -> Self {
        Self {
            screen,
            look,
            size,
            now,
            above: None,
            said: None,
            mouse: Mouse::Ours,
            interrupted: false,
        }
    }

    /// Returns the screen.
    #[must_use]
    pub fn screen(&self) -> &S {
        &self.screen
    }

    /// Returns the screen, to be changed from outside.
    pub fn screen_mut(&mut self) -> &mut S {
        &mut self.screen
    }

    /// Returns the screen when all is done.
    #[must_use]
    pub fn into_screen(self) -> S {
        self.screen
    }

    /// Draws a frame; changes nothing.
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let hints = self.hints();
        frame::draw(frame, &self.screen, &hints, self.look, self.now);
        match &self.above {
            Some(Above::Help(scroll)) => help::draw(frame, &self.help(), *scroll, self.look),
            Some(Above::Ask(dialog)) => dialog::draw(frame, dialog, self.look),
            None => {}
        }
        if let Some((said, _)) = &self.said {
            say(frame, said, self.look);
        }
        self.look.finish(frame.buffer_mut());
    }

    /// Heeds what came from the terminal.
    pub fn heed(&mut self, event: &Event) -> Effect {
        match event {
            Event::Key(key) => self.key(key),
            Event::Paste(text) if self.above.is_none() => {
                let flow = self.screen.pasted(text);
                self.follow(flow)
            }
            Event::Mouse(mouse) => self.clicked(*mouse),
            Event::Resize(width, height) => {
                self.size = Size::new(*width, *height);
                Effect::Draw
            }
            Event::Paste(_) | Event::FocusGained | Event::FocusLost => Effect::None,
        }
    }

    /// Lets time pass and takes in what has come from elsewhere.
    pub fn turn(&mut self, now: Timestamp) -> Effect {
        self.now = now;
        let silenced = self.said.take_if(|(_, until)| *until <= now).is_some();
        match self.screen.turn(now) {
            Turned::Over => Effect::Leave,
            Turned::Changed => Effect::Draw,
            Turned::Idle if silenced => Effect::Draw,
            Turned::Idle => Effect::None,
        }
    }

    /// Heeds a stop signal; `again` when it is not the first.
    pub fn signalled(&mut self, again: bool) -> Effect {
        let how = if again {
            Interrupted::Again
        } else {
            Interrupted::Telling
        };
        self.above = None;
        let flow = self.screen.interrupt(how);
        self.follow(flow)
    }

    /// Hears how a program ended that had the terminal.
    pub fn returned(&mut self, ended: std::io::Result<std::process::ExitStatus>) -> Effect {
        let flow = self.screen.returned(ended);
        match self.follow(flow) {
            Effect::None | Effect::Draw => Effect::DrawAnew,
            other => other,
        }
    }

    fn key(&mut self, event: &KeyEvent) -> Effect {
        let Some(key) = Key::pressed(event) else {
            return Effect::None;
        };
        let everywhere = keys::action_of(EVERYWHERE, key);
        if everywhere == Some(Everywhere::Stop) {
            return self.stop();
        }
        self.interrupted = false;
        if let Some(above) = self.above.take() {
            return self.key_above(above, key);
        }
        if self.screen.typing() && key.typed().is_some() {
            let flow = self.screen.typed(key);
            return self.follow(flow);
        }
        if let Some(action) = keys::action_of(&self.screen.bindings(), key) {
            let flow = self.screen.act(action);
            return self.follow(flow);
        }
        if let Some(action) = everywhere {
            return self.everywhere(action);
        }
        let flow = self.screen.typed(key);
        self.follow(flow)
    }

    fn stop(&mut self) -> Effect {
        let how = if self.interrupted {
            Interrupted::Again
        } else {
            Interrupted::Asking
        };
        self.interrupted = true;
        self.above = None;
        let flow = self.screen.interrupt(how);
        self.follow(flow)
    }

    fn everywhere(&mut self, action: Everywhere) -> Effect {
        match action {
            Everywhere::Help => {
                self.above = Some(Above::Help(0));
                Effect::Draw
            }
            Everywhere::Stop => self.stop(),
            Everywhere::Aside => Effect::Aside,
            Everywhere::Redraw => Effect::DrawAnew,
            Everywhere::Mouse => {
                let (mouse, said) = match self.mouse {
                    Mouse::Ours => (Mouse::Terminals, "select text with the mouse; F6 ends it"),
                    Mouse::Terminals => (Mouse::Ours, "the mouse works on the screen again"),
                };
                self.mouse = mouse;
                self.say(said.to_owned());
                Effect::Mouse(mouse)
            }
        }
    }

    /// Heeds a key while something stands above the screen.
    fn key_above(&mut self, above: Above<S::Action>, key: Key) -> Effect {
        match above {
            Above::Help(scroll) => {
                let scroll = match key.code() {
                    KeyCode::Down | KeyCode::Char('j') => scroll.saturating_add(1),
                    KeyCode::PageDown | KeyCode::Char(' ') => scroll.saturating_add(10),
                    KeyCode::Up | KeyCode::Char('k') => scroll.saturating_sub(1),
                    KeyCode::PageUp => scroll.saturating_sub(10),
                    _ => return Effect::Draw,
                };
                let rows = u16::try_from(self.help_rows()).unwrap_or(u16::MAX);
                self.above = Some(Above::Help(scroll.min(rows)));
                Effect::Draw
            }
            Above::Ask(mut dialog) => match dialog.heed(key) {
                Heeded::Open => {
                    self.above = Some(Above::Ask(dialog));
                    Effect::Draw
                }
                Heeded::Closed(None) => Effect::Draw,
                Heeded::Closed(Some(action)) => {
                    let flow = self.screen.act(action);
                    match self.follow(flow) {
                        Effect::None => Effect::Draw,
                        other => other,
                    }
                }
            },
        }
    }

    fn clicked(&mut self, mouse: MouseEvent) -> Effect {
        if self.above.is_some() {
            return Effect::None;
        }
        let rail = self.screen.rail();
        let whole = Rect::from((Position::ORIGIN, self.size));
        let Some(areas) = Areas::of(whole, rail.is_some()) else {
            return Effect::None;
        };
        let at = Position::new(mouse.column, mouse.row);
        let left = mouse.kind == MouseEventKind::Down(MouseButton::Left);
        let entry = rail.as_ref().and_then(|rail| areas.rail_entry(rail, at));
        let flow = match entry {
            Some(entry) if left => self.screen.rail_chosen(entry),
            _ if areas.page.contains(at) => self.screen.mouse(mouse, areas.page),
            _ => Flow::Stay,
        };
        self.follow(flow)
    }

    fn follow(&mut self, flow: Flow<S::Action>) -> Effect {
        match flow {
            Flow::Stay => Effect::None,
            Flow::Redraw => Effect::Draw,
            Flow::Ask(dialog) => {
                self.above = Some(Above::Ask(dialog));
                Effect::Draw
            }
            Flow::Say(text) => {
                self.say(text);
                Effect::Draw
            }
            Flow::Copy { text, told } => {
                self.say(told);
                Effect::Copy(text)
            }
            Flow::Outside(outing) => Effect::Outside(Box::new(outing)),
            Flow::Leave => Effect::Leave,
        }
    }

    fn say(&mut self, text: String) {
        let until = self.now.checked_add(TOLD).unwrap_or(self.now);
        self.said = Some((text, until));
    }

    /// Returns the entries of the key bar, the help last.
    fn hints(&self) -> Vec<Hint> {
        match &self.above {
            Some(Above::Ask(_)) => {
                return vec![
                    hint("←→", "choose"),
                    hint("Enter", "answer"),
                    hint("Esc", "back"),
                ];
            }
            Some(Above::Help(_)) => return vec![hint("↑↓", "more"), hint("Esc", "back")],
            None => {}
        }
        let mut hints = keys::hints(&self.screen.bindings());
        let mut everywhere = keys::hints(EVERYWHERE);
        if self.screen.typing() {
            for entry in everywhere.iter_mut().filter(|hint| hint.label == "help") {
                "F1".clone_into(&mut entry.keys);
            }
        }
        hints.extend(everywhere);
        hints
    }

    fn help(&self) -> HelpText {
        HelpText {
            words: self.screen.help(),
            here: keys::help(&self.screen.bindings()),
            everywhere: keys::help(EVERYWHERE),
        }
    }

    /// Returns about how many rows the help has, so that scrolling stops.
    fn help_rows(&self) -> usize {
        let help = self.help();
        help.words.iter().map(|w| 2 + width(w) / 60).sum::<usize>() + help.here.len() + 8
    }
}

fn hint(keys: &str, label: &'static str) -> Hint {
    Hint {
        keys: keys.to_owned(),
        label,
    }
}

/// Shows passing words just above the key bar.
fn say(frame: &mut Frame<'_>, text: &str, look: Look) {
    let whole = frame.area();
    if whole.height < 3 {
        return;
    }
    let text = fitted(text, usize::from(whole.width.saturating_sub(4)));
    let wide = u16::try_from(width(&text) + 2).unwrap_or(whole.width);
    let area = Rect {
        x: whole.right().saturating_sub(wide + 1),
        y: whole.bottom() - 2,
        width: wide.min(whole.width),
        height: 1,
    };
    let line = Line::from(Span::raw(format!(" {text} ")));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(line).style(look.chosen()), area);
}
