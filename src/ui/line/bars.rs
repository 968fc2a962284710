//! Bars on a terminal: one for each host with what it does now, one for the whole with the time that is left.
//!
//! ```text
//! ✔ ui     start stack `application` (12 s)
//! ray-1  ███████████████░░░░░░░░░  62%  deliver syntho-ray:1.9.0  1.3 GB of 2.1 GB
//! ray-2  ████████████████████████ 100%
//! all    ██████████████████░░░░░░  77%  04:12 elapsed · about 06:40 left · ray-1 decides
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::counters::Counters;
use super::story::{activity, remaining};
use super::voice::{Show, Voice};
use crate::model::event::Stage;
use crate::model::ids::HostName;
use crate::report::Printer;
use crate::ui::view::RunView;

/// Redraws a second: more is flicker over slow links.
const REDRAWS: u8 = 10;

/// Draws bars and prints lines above them.
pub struct BarsVoice {
    printer: Arc<Printer>,
    bars: MultiProgress,
    hosts: HashMap<HostName, ProgressBar>,
    whole: Option<ProgressBar>,
    counters: Counters,
    style: ProgressStyle,
}

impl std::fmt::Debug for BarsVoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BarsVoice")
            .field("hosts", &self.hosts.keys())
            .finish_non_exhaustive()
    }
}

impl BarsVoice {
    /// Builds it over the printer; nothing is drawn before hosts are known.
    #[must_use]
    pub fn new(printer: Arc<Printer>) -> Self {
        let template = if printer.err_paint().is_on() {
            "{prefix}  {bar:24.green/dim} {msg:.dim}"
        } else {
            "{prefix}  {bar:24} {msg}"
        };
        // A template that does not parse would be our bug; the plain bar is no reason to fail a deployment.
        let style = ProgressStyle::with_template(&template.replace("msg", "wide_msg"))
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("█▉▊▋▌▍▎▏░");
        Self {
            printer,
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REDRAWS)),
            hosts: HashMap::new(),
            whole: None,
            counters: Counters::default(),
            style,
        }
    }

    /// Adds bars for hosts that have none, above the one for the whole.
    fn grow(&mut self, view: &RunView, width: usize) {
        for host in &view.hosts {
            if self.hosts.contains_key(&host.name) {
                continue;
            }
            let bar = self.bar(&format!("{:width$}", host.name.as_str()));
            let bar = match &self.whole {
                Some(whole) => self.bars.insert_before(whole, bar),
                None => self.bars.add(bar),
            };
            self.hosts.insert(host.name.clone(), bar);
        }
        if self.whole.is_none() && !view.hosts.is_empty() {
            let bar = self.bar(&format!("{:width$}", "all"));
            self.whole = Some(self.bars.add(bar));
        }
    }

    fn bar(&self, prefix: &str) -> ProgressBar {
        ProgressBar::new(1000)
            .with_style(self.style.clone())
            .with_prefix(prefix.to_owned())
    }
}

impl Voice for BarsVoice {
    const SHOWS_STEPS: bool = true;

    fn say(&mut self, line: &str) {
        // Without a terminal the bars are hidden and would swallow the line.
        if self.bars.is_hidden() || self.bars.println(line).is_err() {
            self.printer.note(line);
        }
    }

    fn data(&mut self, line: &str) {
        self.bars.suspend(|| self.printer.data(line));
    }

    fn draw(&mut self, view: &RunView, now: Timestamp) {
        if view.stage() == Some(Stage::Gather) {
            // Here sources count, not hosts.
            for (_, bar) in self.hosts.drain() {
                bar.finish_and_clear();
            }
            if let Some(whole) = self.whole.take() {
                whole.finish_and_clear();
            }
            self.counters.draw(&self.bars, view);
            return;
        }
        let names = view.hosts.iter().map(|host| host.name.as_str().len());
        let width = names.max().unwrap_or_default().max("all".len());
        self.grow(view, width);
        for host in &view.hosts {
            if let Some(bar) = self.hosts.get(&host.name) {
                bar.set_position(u64::from(host.share.thousandths()));
                bar.set_message(format!(
                    "{:3}%  {}",
                    host.share.percent(),
                    activity(view, host, now)
                ));
            }
        }
        if let Some(whole) = &self.whole {
            whole.set_position(u64::from(view.share().thousandths()));
            whole.set_message(format!(
                "{:3}%  {}",
                view.share().percent(),
                remaining(view, now)
            ));
        }
    }

    fn pause(&mut self, question: &mut dyn FnMut(Show<'_>)) {
        self.bars
            .suspend(|| question(&mut |line| self.printer.note(line)));
    }

    fn close(&mut self) {
        for bar in self.hosts.values().chain(&self.whole) {
            bar.finish_and_clear();
        }
        self.counters.clear();
        // Clearing only fails where the terminal has gone.
        let _ = self.bars.clear();
    }

    fn abandoned(&self) -> bool {
        self.printer.reader_gone()
    }
}
