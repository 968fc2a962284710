//! Ctrl-C and its kin: once stops at the next safe point, twice leaves at once. While plain questions are asked, once leaves at once: every answer is on disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::crossterm::cursor::Show as ShowCursor;
use ratatui::crossterm::{execute, terminal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals as Incoming};
use signal_hook::low_level;

use crate::report::Printer;

use crate::engine::cancel::Cancel;
use crate::ui::Interrupt;

/// The exit code of a run that was left.
const CANCELLED: i32 = 130;

/// Passes the operator's wish to stop on to the engine.
#[derive(Debug)]
pub(super) struct Signals {
    caught: Arc<AtomicBool>,
    cancel: Cancel,
}

impl Signals {
    /// Catches signals from now on; a second one ends the program, which every step is made to survive.
    ///
    /// # Errors
    /// Fails when the system does not let signals be caught.
    pub(super) fn catch(cancel: Cancel) -> io::Result<Self> {
        let caught = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag down and raises it, the second finds it up and leaves.
            flag::register_conditional_shutdown(signal, CANCELLED, Arc::clone(&caught))?;
            flag::register(signal, Arc::clone(&caught))?;
        }
        Ok(Self { caught, cancel })
    }
}

impl Interrupt for Signals {
    fn asked(&self) -> bool {
        self.caught.load(Ordering::Relaxed) || self.cancel.is_raised()
    }

    fn ask(&self) {
        self.cancel.raise();
    }
}

/// Leaves the program at a signal, with the terminal as it was found and a word on how to go on; until it is dropped.
///
/// While a question is on the terminal Ctrl-C is a key, which the question heeds itself; this is for the time between questions, when hosts are tried or an
/// archive is read, and for signals from elsewhere.
#[derive(Debug)]
pub(super) struct LeaveWith {
    handle: Handle,
}

impl LeaveWith {
    /// Catches signals from now on; at one, `note` is said.
    ///
    /// # Errors
    /// Fails when the system does not let signals be caught.
    pub(super) fn note(note: &'static str, printer: &Arc<Printer>) -> io::Result<Self> {
        let mut signals = Incoming::new([SIGINT, SIGTERM, SIGHUP])?;
        let handle = signals.handle();
        let printer = Arc::clone(printer);
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                give_back();
                printer.note(note);
                low_level::exit(CANCELLED);
            }
        });
        Ok(Self { handle })
    }
}

impl Drop for LeaveWith {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Gives the terminal back as far as a question has changed it; one that has gone needs nothing.
fn give_back() {
    let _ = terminal::disable_raw_mode();
    let _ = execute!(io::stderr(), ShowCursor);
}
