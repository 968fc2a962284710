//! Signals while the terminal is taken: stopping, being put aside, and coming back.
//!
//! One stop signal is a wish that the loop hands to the screen; a second one leaves at once. Should the loop be stuck, as behind a terminal that takes nothing any
//! more, the second signal gives the terminal back and ends the program by itself. So does the one that tells that the terminal is gone: reading from it would never
//! end. Nothing is lost then: accepted answers are saved, and every step of a run survives its installer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals as Waiting};
use signal_hook::low_level;

use super::terminal;

/// The exit code of a program that was left.
const CANCELLED: i32 = 130;

/// How long the loop has to leave by itself.
const GRACE: Duration = Duration::from_millis(700);

/// What signals ask for.
#[derive(Debug, Default)]
struct Wishes {
    stops: AtomicUsize,
    aside: AtomicBool,
    back: AtomicBool,
}

/// Catches signals until it is dropped.
#[derive(Debug)]
pub struct Signals {
    wishes: Arc<Wishes>,
    handle: Handle,
}

impl Signals {
    /// Catches signals from now on.
    ///
    /// # Errors
    /// Fails when the system does not let them be caught.
    pub fn catch() -> io::Result<Self> {
        let mut waiting = Waiting::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])?;
        let handle = waiting.handle();
        let wishes = Arc::new(Wishes::default());
        let heard = Arc::clone(&wishes);
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in waiting.forever() {
                    heed(&heard, signal);
                }
            })?;
        Ok(Self { wishes, handle })
    }

    /// Returns how often a signal asked to stop.
    #[must_use]
    pub fn stops(&self) -> usize {
        self.wishes.stops.load(Ordering::SeqCst)
    }

    /// Returns whether the program was asked to step aside (SIGTSTP) since the last time.
    #[must_use]
    pub fn aside(&self) -> bool {
        self.wishes.aside.swap(false, Ordering::SeqCst)
    }

    /// Returns whether the program was put aside and has come back (SIGCONT) since the last time.
    #[must_use]
    pub fn back(&self) -> bool {
        self.wishes.back.swap(false, Ordering::SeqCst)
    }

    /// Puts the program aside, as Ctrl-Z does in other programs; returns when it has come back.
    ///
    /// # Errors
    /// Fails when the system does not let it.
    pub fn step_aside() -> io::Result<()> {
        low_level::emulate_default_handler(SIGTSTP)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
        // What comes after the screens ends at the first signal, as any program does.
        let armed = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if let Err(error) =
                flag::register_conditional_shutdown(signal, CANCELLED, Arc::clone(&armed))
            {
                tracing::warn!(%error, signal, "the signal stays caught");
            }
        }
    }
}

fn heed(wishes: &Wishes, signal: i32) {
    match signal {
        SIGTSTP => wishes.aside.store(true, Ordering::SeqCst),
        SIGCONT => wishes.back.store(true, Ordering::SeqCst),
        _ => {
            let again = wishes.stops.fetch_add(1, Ordering::SeqCst) > 0;
            if again || (signal == SIGHUP && terminal::is_gone()) {
                thread::sleep(GRACE);
                terminal::restore();
                low_level::exit(CANCELLED);
            }
        }
    }
}
