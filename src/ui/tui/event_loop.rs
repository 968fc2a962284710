//! Drives an [`App`] on the real terminal: input, what comes from elsewhere, time, signals; and draws only when something has changed.
//!
//! The loop waits for input, and looks up from waiting a few times a second for the rest. What was typed is drawn at once; what came by itself at most
//! twenty times a second, so that a slow line keeps up.

use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ratatui::crossterm::event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::app::{App, Effect};
use super::screen::{Outing, Screen};
use super::signals::Signals;
use super::terminal::{Mouse, Tui, restore};
use super::theme::Look;

/// The least time between two frames that nobody typed for.
const PACE: Duration = Duration::from_millis(50);

/// The least time between frames while keys come in without end, as from a paste or a wheel.
const HURRY: Duration = Duration::from_millis(8);

/// How many events are heeded before anything is drawn.
const MOST_EVENTS: usize = 256;

/// Why the screens could not be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuiError {
    /// The terminal cannot be used.
    #[error("cannot use the terminal: {source}")]
    Terminal {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// It was there, and is not any more: a window was closed, or a connection was cut.
    #[error("the terminal has gone")]
    Gone,
}

impl crate::model::failure::Hinted for TuiError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Terminal { .. } => Some("give `--plain` to work without screens".to_owned()),
            Self::Gone => None,
        }
    }
}

/// How the screens were left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// By the operator, or because all is done.
    Done,
    /// By a second signal: whatever still works is not waited for.
    AtOnce,
}

/// Shows `screen` on this terminal until it is left; returns it, and how it was left.
///
/// # Errors
/// Fails when the terminal cannot be used, or is lost.
pub fn show<S: Screen>(screen: S, look: Look) -> Result<(S, Left), TuiError> {
    let signals = Signals::catch()?;
    let mut tui = Tui::take(Mouse::Ours)?;
    let app = App::new(screen, look, tui.size()?, Timestamp::now());
    let mut running = Running {
        app,
        due: Due::AtOnce,
        drawn: None,
        stops: 0,
    };
    let left = running.run(&mut tui, &signals);
    drop(tui);
    Ok((running.app.into_screen(), left?))
}

/// Whether, and how soon, something must be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Nothing has changed.
    Nothing,
    /// At the usual pace.
    AtPace,
    /// Somebody waits for it.
    AtOnce,
}

struct Running<S: Screen> {
    app: App<S>,
    due: Due,
    drawn: Option<Instant>,
    stops: usize,
}

impl<S: Screen> Running<S> {
    fn run(&mut self, tui: &mut Tui, signals: &Signals) -> Result<Left, TuiError> {
        // Asked once before anything is drawn, so that no change of size from now on is missed.
        let mut typed = event::poll(Duration::ZERO)?;
        loop {
            if let Some(left) = self.heed_signals(tui, signals)? {
                return Ok(left);
            }
            let effect = self.app.turn(Timestamp::now());
            if self.follow(tui, effect, Due::AtPace)? {
                return Ok(Left::Done);
            }
            self.draw_if_due(tui)?;
            if !typed {
                wait_for_input(self.patience())?;
                typed = event::poll(Duration::ZERO)?;
            }
            if std::mem::take(&mut typed) && self.heed_input(tui)? {
                return Ok(Left::Done);
            }
        }
    }

    /// Heeds everything that was typed, up to a bound; returns whether to leave.
    fn heed_input(&mut self, tui: &mut Tui) -> io::Result<bool> {
        for _ in 0..MOST_EVENTS {
            let event = event::read()?;
            let effect = self.app.heed(&event);
            if self.follow(tui, effect, Due::AtOnce)? {
                return Ok(true);
            }
            if !event::poll(Duration::ZERO)? {
                break;
            }
        }
        Ok(false)
    }

    fn heed_signals(&mut self, tui: &mut Tui, signals: &Signals) -> io::Result<Option<Left>> {
        if signals.aside() {
            self.step_aside(tui)?;
        }
        if signals.back() {
            // Stopped by others or by us: either way the shell has had the terminal.
            tui.enter()?;
            self.due = Due::AtOnce;
        }
        let stops = signals.stops();
        if stops > self.stops {
            self.stops = stops;
            let effect = self.app.signalled(stops > 1);
            let leave = self.follow(tui, effect, Due::AtOnce)?;
            if stops > 1 {
                return Ok(Some(Left::AtOnce));
            }
            if leave {
                return Ok(Some(Left::Done));
            }
        }
        Ok(None)
    }

    /// Does what must be done with the terminal; returns whether to leave.
    fn follow(&mut self, tui: &mut Tui, effect: Effect, due: Due) -> io::Result<bool> {
        match effect {
            Effect::None => {}
            Effect::Draw => self.due = self.due.max(due),
            Effect::DrawAnew => {
                tui.anew()?;
                self.due = Due::AtOnce;
            }
            Effect::Outside(outing) => {
                let ended = outside(tui, *outing)?;
                let effect = self.app.returned(ended);
                return self.follow(tui, effect, Due::AtOnce);
            }
            Effect::Copy(text) => {
                tui.write(&clipboard(&text))?;
                self.due = Due::AtOnce;
            }
            Effect::Aside => self.step_aside(tui)?,
            Effect::Mouse(mouse) => {
                tui.set_mouse(mouse)?;
                self.due = Due::AtOnce;
            }
            Effect::Leave => return Ok(true),
        }
        Ok(false)
    }

    fn step_aside(&mut self, tui: &mut Tui) -> io::Result<()> {
        restore();
        Signals::step_aside()?;
        tui.enter()?;
        self.due = Due::AtOnce;
        Ok(())
    }

    fn draw_if_due(&mut self, tui: &mut Tui) -> io::Result<()> {
        if self.due == Due::Nothing || !self.wait().is_zero() {
            return Ok(());
        }
        tui.draw(|frame| self.app.draw(frame))?;
        self.drawn = Some(Instant::now());
        self.due = Due::Nothing;
        Ok(())
    }

    /// Returns how long nothing may be drawn yet.
    fn wait(&self) -> Duration {
        let pace = match self.due {
            Due::AtOnce => HURRY,
            Due::Nothing | Due::AtPace => PACE,
        };
        self.drawn
            .map_or(Duration::ZERO, |drawn| pace.saturating_sub(drawn.elapsed()))
    }

    /// Returns how long input is waited for.
    fn patience(&self) -> Duration {
        match self.due {
            Due::Nothing => PACE,
            Due::AtPace | Due::AtOnce => self.wait(),
        }
    }
}

/// Waits for something to read, a signal, or the end of `patience`.
///
/// crossterm reads on for ever when the terminal has gone, so that is found out before it is asked.
fn wait_for_input(patience: Duration) -> Result<(), TuiError> {
    let stdin = io::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec::try_from(patience).unwrap_or_default();
    match poll(&mut waited, Some(&limit)) {
        // A signal, such as a resize: there may be something to heed.
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(io::Error::from(error).into()),
    }
    if waited[0]
        .revents()
        .intersects(PollFlags::HUP | PollFlags::ERR)
    {
        return Err(TuiError::Gone);
    }
    Ok(())
}

/// Gives the terminal to a program and takes it back.
fn outside(tui: &mut Tui, mut outing: Outing) -> io::Result<io::Result<ExitStatus>> {
    restore();
    print(&outing.note)?;
    let ended = outing.command.status();
    if let Ok(status) = &ended
        && status.code() == Some(outing.failed_with)
    {
        // What it said would be gone with the next frame.
        print("Enter goes back to the screens")?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
    }
    tui.enter()?;
    Ok(ended)
}

fn print(line: &str) -> io::Result<()> {
    use io::Write;
    writeln!(io::stdout().lock(), "{line}")
}

/// Returns the control sequence that hands text to the terminal's clipboard (OSC 52).
fn clipboard(text: &str) -> String {
    format!("\u{1b}]52;c;{}\u{7}", BASE64_STANDARD.encode(text))
}
