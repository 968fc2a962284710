//! Ctrl-C and its kin: once stops at the next safe point, twice leaves at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

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
