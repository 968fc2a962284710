//! Shows how fetching, writing and pushing go: a bar where one can be drawn, and a line now and then where not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::commands::signals::Signals;
use crate::images::client::{Told, Watch};
use crate::images::create::{Audience, Found};
use crate::report::Printer;
use crate::ui::Interrupt as _;
use crate::ui::amounts::{bytes, count};

/// Between two lines, in percent.
const EVERY: u64 = 10;

/// What is shown of one command.
pub(super) struct Show {
    printer: Arc<Printer>,
    signals: Signals,
    bar: Mutex<Stage>,
    total: AtomicU64,
    moved: AtomicU64,
}

/// What goes on.
struct Stage {
    verb: &'static str,
    bar: Option<ProgressBar>,
    /// The last percentage that had its line.
    told: u64,
}

impl Show {
    /// Shows nothing yet.
    pub(super) fn new(printer: &Arc<Printer>, signals: Signals) -> Self {
        Self {
            printer: Arc::clone(printer),
            signals,
            bar: Mutex::new(Stage {
                verb: "",
                bar: None,
                told: 0,
            }),
            total: AtomicU64::new(0),
            moved: AtomicU64::new(0),
        }
    }

    /// Begins to show something of so many bytes.
    pub(super) fn begin(&self, verb: &'static str, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.moved.store(0, Ordering::Relaxed);
        let mut stage = self.stage();
        if let Some(bar) = stage.bar.take() {
            bar.finish_and_clear();
        }
        let drawn = self.printer.bars() && total > 0;
        *stage = Stage {
            verb,
            bar: drawn.then(|| bar(verb, total)),
            told: 0,
        };
    }

    /// Ends what is shown.
    pub(super) fn end(&self) {
        if let Some(bar) = self.stage().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Shows a line.
    pub(super) fn line(&self, line: &str) {
        if self.printer.volume() == crate::report::Volume::Quiet {
            return;
        }
        match &self.stage().bar {
            Some(bar) => bar.suspend(|| self.printer.note(line)),
            None => self.printer.note(line),
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moved_to(&self, moved: u64) {
        let total = self.total.load(Ordering::Relaxed);
        let mut stage = self.stage();
        if let Some(bar) = &stage.bar {
            bar.set_position(moved.min(total));
            return;
        }
        let percent = (moved.min(total) * 100).checked_div(total).unwrap_or(0);
        if percent >= stage.told + EVERY && !self.printer.bars() {
            stage.told = percent - percent % EVERY;
            let line = format!(
                "{} {percent} %: {} of {}",
                stage.verb,
                bytes(moved),
                bytes(total)
            );
            drop(stage);
            self.line(&line);
        }
    }
}

fn bar(verb: &'static str, total: u64) -> ProgressBar {
    let template = "{msg}  {bar:20}  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_message(verb)
}

impl Watch for Show {
    fn hear(&self, told: Told) {
        match told {
            Told::Total(total) => self.begin("fetching", total),
            Told::Moved(count) => {
                let moved = self.moved.fetch_add(count, Ordering::Relaxed) + count;
                self.moved_to(moved);
            }
            Told::Lost(count) => {
                // What came again is not counted twice, and what an earlier run had brought was never counted.
                let total = self.total.load(Ordering::Relaxed);
                let moved = self.moved.load(Ordering::Relaxed);
                if moved >= count {
                    self.moved.store(moved - count, Ordering::Relaxed);
                } else {
                    self.total.store(total + count, Ordering::Relaxed);
                }
            }
            Told::Again { why, seconds, .. } => {
                self.line(&format!("{why}; trying again in {seconds} s"));
            }
        }
    }

    fn stopped(&self) -> bool {
        self.signals.asked()
    }
}

impl Audience for Show {
    fn waits(&self) {
        self.line("another run fetches into the same image store; waiting for it");
    }

    fn found(&self, found: &Found) {
        let mut line = format!(
            "{}, {}, {}",
            count(found.images, "image"),
            count(found.layers, "layer"),
            bytes(found.size)
        );
        if found.here > 0 {
            line = format!("{line}; {} of it is here already", bytes(found.here));
        }
        if found.left_out > 0 {
            line = format!(
                "{line}; {} left out, which the site has",
                count(found.left_out, "layer")
            );
        }
        self.line(&line);
    }

    fn writes(&self, total: u64) {
        self.begin("writing", total);
    }
}
