//! How much is printed, where, and how: one value made at the start and handed to everything that prints.
//!
//! Data goes to standard output, progress and errors to standard error. When the reader of a stream has gone (`| head`), the rest is dropped quietly.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::paint::Paint;
use crate::cli::{ColorChoice, Global};

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Failures and the end.
    Quiet,
    /// Steps as they begin and end.
    Normal,
    /// What hosts say, too.
    Verbose,
}

/// What the program was started on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Standard input is a terminal.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// What the environment says of terminals.
    pub looks: Looks,
}

/// What terminals may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// Everything.
    Full,
    /// No colour was asked for (`NO_COLOR`).
    Monochrome,
    /// The cursor cannot be moved (`TERM=dumb`).
    Dumb,
}

impl Ground {
    /// Looks at the standard streams and the environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let looks = if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            Looks::Dumb
        } else if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Looks::Monochrome
        } else {
            Looks::Full
        };
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            looks,
        }
    }
}

/// Decides quiet, verbose, colour and bars, and writes to the two streams.
#[derive(Debug)]
pub struct Printer {
    volume: Volume,
    out: Paint,
    err: Paint,
    ground: Ground,
    reader_gone: AtomicBool,
    trouble: Mutex<Option<io::Error>>,
}

impl Printer {
    /// Builds the printer from the command line and what the program was started on.
    #[must_use]
    pub fn new(global: &Global, ground: Ground) -> Self {
        let volume = match (global.quiet, global.verbose) {
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Verbose,
            (false, false) => Volume::Normal,
        };
        let paint = |terminal: bool| match global.color {
            ColorChoice::Always => Paint::COLOUR,
            ColorChoice::Auto if terminal && ground.looks == Looks::Full => Paint::COLOUR,
            ColorChoice::Auto | ColorChoice::Never => Paint::PLAIN,
        };
        Self {
            volume,
            out: paint(ground.stdout),
            err: paint(ground.stderr),
            ground,
            reader_gone: AtomicBool::new(false),
            trouble: Mutex::new(None),
        }
    }

    /// Returns how much is printed.
    #[must_use]
    pub fn volume(&self) -> Volume {
        self.volume
    }

    /// Returns the colours for standard output.
    #[must_use]
    pub fn out_paint(&self) -> Paint {
        self.out
    }

    /// Returns the colours for standard error.
    #[must_use]
    pub fn err_paint(&self) -> Paint {
        self.err
    }

    /// Returns whether bars may be drawn.
    #[must_use]
    pub fn bars(&self) -> bool {
        self.ground.stderr && self.ground.looks != Looks::Dumb && self.volume != Volume::Quiet
    }

    /// Returns whether a whole terminal is there to draw screens on.
    #[must_use]
    pub fn screens(&self) -> bool {
        self.ground.stdin && self.ground.stdout && self.ground.looks != Looks::Dumb
    }

    /// Returns whether somebody is there who can answer.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.ground.stdin && self.ground.stderr && self.ground.looks != Looks::Dumb
    }

    /// Prints a line of data to standard output.
    pub fn data(&self, line: &str) {
        self.keep(writeln!(io::stdout().lock(), "{line}"));
    }

    /// Prints text to standard output as it is, without adding a line break.
    pub fn raw(&self, text: &[u8]) {
        let mut out = io::stdout().lock();
        self.keep(out.write_all(text).and_then(|()| out.flush()));
    }

    /// Prints a line about what is going on to standard error.
    pub fn note(&self, line: &str) {
        self.keep(writeln!(io::stderr().lock(), "{line}"));
    }

    /// Returns whether the reader of a stream has gone.
    #[must_use]
    pub fn reader_gone(&self) -> bool {
        self.reader_gone.load(Ordering::Relaxed)
    }

    /// Returns the first trouble with writing that was not a reader who left, such as a full disk.
    #[must_use]
    pub fn trouble(&self) -> Option<io::Error> {
        self.trouble.lock().ok().and_then(|mut kept| kept.take())
    }

    /// Remembers what went wrong with writing.
    fn keep(&self, result: io::Result<()>) {
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone.store(true, Ordering::Relaxed);
            }
            Err(error) => {
                if let Ok(mut kept) = self.trouble.lock() {
                    kept.get_or_insert(error);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn global(color: ColorChoice, quiet: bool, verbose: bool) -> Global {
        Global {
            home: None,
            presets: None,
            concurrency: 16,
            color,
            ascii: false,
            quiet,
            verbose,
        }
    }

    fn ground(terminal: bool, looks: Looks) -> Ground {
        Ground {
            stdin: terminal,
            stdout: terminal,
            stderr: terminal,
            looks,
        }
    }

    #[rstest]
    #[case(ColorChoice::Auto, ground(true, Looks::Full), true)]
    #[case(ColorChoice::Auto, ground(true, Looks::Monochrome), false)]
    #[case(ColorChoice::Auto, ground(false, Looks::Full), false)]
    #[case(ColorChoice::Always, ground(false, Looks::Monochrome), true)]
    #[case(ColorChoice::Never, ground(true, Looks::Full), false)]
    fn colour(#[case] choice: ColorChoice, #[case] ground: Ground, #[case] on: bool) {
        let printer = Printer::new(&global(choice, false, false), ground);
        assert_eq!(printer.out_paint().is_on(), on);
    }

    #[rstest]
    #[case(false, ground(true, Looks::Full), true)]
    #[case(true, ground(true, Looks::Full), false)]
    #[case(false, ground(false, Looks::Full), false)]
    #[case(false, ground(true, Looks::Dumb), false)]
    fn bars(#[case] quiet: bool, #[case] ground: Ground, #[case] drawn: bool) {
        let printer = Printer::new(&global(ColorChoice::Auto, quiet, false), ground);
        assert_eq!(printer.bars(), drawn);
    }

    #[test]
    fn a_reader_who_left_is_no_trouble() {
        let printer = Printer::new(
            &global(ColorChoice::Auto, false, true),
            ground(false, Looks::Full),
        );
        printer.keep(Err(io::ErrorKind::BrokenPipe.into()));
        assert!(printer.reader_gone());
        assert!(printer.trouble().is_none());
        printer.keep(Err(io::ErrorKind::StorageFull.into()));
        assert!(printer.trouble().is_some());
    }
}
