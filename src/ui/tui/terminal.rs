//! The terminal, taken and given back whatever happens.
//!
//! Taken means: alternate screen, raw mode, bracketed paste, and the mouse where it is wanted. [`restore`] gives it back; it is called when the [`Tui`] is dropped,
//! by the panic hook, before another program gets the terminal, before the program is stopped by Ctrl-Z, and by a second signal. It may be called from any
//! thread and any number of times.

use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether the terminal is taken now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether screens use the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// Clicks and the wheel reach the screens.
    Ours,
    /// The terminal keeps it, for selecting text.
    Terminals,
}

/// The terminal while it is taken.
#[derive(Debug)]
pub struct Tui {
    terminal: Terminal<CrosstermBackend<Frames>>,
    mouse: Mouse,
}

impl Tui {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Fails when standard output is no terminal, or one that cannot be set up.
    pub fn take(mouse: Mouse) -> io::Result<Self> {
        give_back_on_panic();
        let terminal = Terminal::new(CrosstermBackend::new(Frames::default()))?;
        let mut tui = Self { terminal, mouse };
        tui.enter()?;
        Ok(tui)
    }

    /// Takes the terminal once more after [`restore`]; everything is drawn anew.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )?;
        self.set_mouse(self.mouse)?;
        self.anew()
    }

    /// Draws everything anew with the next frame.
    ///
    /// Not by [`Terminal::clear`]: it asks the terminal where its cursor is and waits for the answer, which takes a round trip on a slow line and two
    /// seconds on a terminal that gives none.
    ///
    /// # Errors
    /// Fails when the terminal has gone.
    pub fn anew(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Gives the mouse to the screens or back to the terminal.
    ///
    /// # Errors
    /// Fails when the terminal has gone.
    pub fn set_mouse(&mut self, mouse: Mouse) -> io::Result<()> {
        self.mouse = mouse;
        match mouse {
            Mouse::Ours => execute!(io::stdout(), EnableMouseCapture),
            Mouse::Terminals => execute!(io::stdout(), DisableMouseCapture),
        }
    }

    /// Writes a control sequence of ours, such as one for the clipboard.
    ///
    /// # Errors
    /// Fails when the terminal has gone.
    pub fn write(&mut self, sequence: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(sequence.as_bytes())?;
        out.flush()
    }
}

impl Deref for Tui {
    type Target = Terminal<CrosstermBackend<Frames>>;

    fn deref(&self) -> &Self::Target {
        &self.terminal
    }
}

impl DerefMut for Tui {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.terminal
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        restore();
    }
}

/// Returns whether nobody is at the other end of the terminal any more: a window that was closed, a connection that broke.
#[must_use]
pub fn is_gone() -> bool {
    let stdin = io::stdin();
    let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
    // Errors and hang-ups are always told.
    poll(&mut asked, Some(&Timespec::default())).is_ok_and(|told| told > 0)
}

/// Gives the terminal back, if it is taken.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Where the terminal has gone there is nothing to give back; each part is tried by itself.
    let _ = execute!(
        io::stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// Makes a panic of the thread that draws give the terminal back before it is told, and keeps one of another thread off the screen: whoever started
/// that thread tells how it ended.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let drawing: ThreadId = thread::current().id();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let taken = TAKEN.load(Ordering::SeqCst);
            if taken && thread::current().id() != drawing {
                tracing::error!(%panic, "a thread panicked while the screen was drawn");
                return;
            }
            restore();
            before(panic);
        }));
    });
}

/// Collects a frame and writes it in one piece, so that a slow line never shows half of one.
///
/// What is left when the terminal was given back is dropped: it would be written over the operator's own screen.
#[derive(Debug, Default)]
pub struct Frames {
    frame: Vec<u8>,
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !TAKEN.load(Ordering::SeqCst) {
            self.frame.clear();
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.frame).and_then(|()| out.flush());
        self.frame.clear();
        written
    }
}
