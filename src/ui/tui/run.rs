//! The pages of a run: hosts with live panes, a host's full log, checks, the plan, the result.
//!
//! ```text
//! ┌ Hosts ────────────────────────────────────────┐┌ ⠸ ray-2 · deliver some-image:1.9.0 ───────────┐
//! │   host      connect files images stack health ││layer 7/12  ███████░░░ 1.3 GB/2.1 GB           │
//! │ ✔ ui           ✔      ✔     ✔     ✔     ⠸     ││12:30:58 pulled sha256:9f2c…                   │
//! │▸⠸ ray-2        ✔      ✔    62%    ·     ·     ││                                               │
//! ├ Needs you ────────────────────────────────────┤│                                               │
//! │ ✖ ray-3: no space left on /var/lib/docker     ││                                               │
//! └───────────────────────────────────────────────┘└───────────────────────────────────────────────┘
//! ```
//!
//! A [`RunScreen`] is fed by a [`Source`]: the engine at work, or a run that was recorded. What it shows is folded by [`RunView`], as in every front end.

mod acting;
pub(in crate::ui::tui) mod asking;
mod checks;
mod deciding;
mod drawing;
mod earlier;
mod facing;
mod keys;
pub(in crate::ui::tui) mod log;
mod matrix;
mod needs;
mod pane;
mod plan;
mod result;
mod rows;
mod screen;
pub mod scrollback;
mod source;
mod story;
pub(in crate::ui::tui) mod taking;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::widgets::field::{Display, Field};
use super::widgets::list::Chosen;
use crate::model::event::{Outcome, Record as Told};
use crate::model::ids::HostName;
use crate::ui::channel::Ask;
use crate::ui::view::RunView;
use crate::wizard::Mending;
use asking::Asking;
use earlier::Earlier;
use facing::Facing;
use log::LogPage;
use rows::RowsPage;
use story::Logs;

pub use keys::Do;
pub use source::{Heard, Source};

/// How long one turn may take in what was told; the rest waits for the next.
const TURN: Duration = Duration::from_millis(6);

/// Milliseconds between two frames that show only that time goes by.
const BEAT: i64 = 125;

/// What a run's pages are set up with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The command that goes on after an interruption.
    pub again: String,
    /// The program that opens a shell on a host, with its arguments.
    pub shells: BTreeMap<HostName, Vec<String>>,
    /// The fingerprints of host keys that the answers name.
    pub host_keys: BTreeMap<HostName, String>,
    /// The folder that logs are saved to.
    pub save_folder: Utf8PathBuf,
    /// The operator's time zone.
    pub zone: TimeZone,
    /// Whether nothing is at stake, as with a recorded run.
    pub recorded: bool,
    /// Whether it only looks for the wizard, which leaving goes back to.
    pub for_wizard: bool,
    /// How long steps took in runs before, by their kind.
    pub expected: HashMap<String, Duration>,
    /// The file that keeps which host was looked at, for the next time.
    pub place: Option<Utf8PathBuf>,
}

/// The hand-over record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub path: String,
    /// What it says, Markdown.
    pub text: String,
}

/// Which page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Hosts,
    Log,
    Checks,
    Plan,
    Result,
}

/// A run on the screen.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing that is so or not, and every mixture of them happens"
)]
pub struct RunScreen {
    source: Box<dyn Source>,
    setup: Setup,
    view: RunView,
    logs: Logs,
    earlier: Earlier,
    page: Page,
    host: Chosen,
    tiled: bool,
    asks: VecDeque<Asking>,
    review: Option<SyncSender<bool>>,
    log: LogPage,
    plan: RowsPage,
    checks: RowsPage,
    scrolled: u16,
    record: Option<Record>,
    now: Timestamp,
    paused: bool,
    stopping: bool,
    over: bool,
    leave_when_over: bool,
    left_at_once: bool,
    mending: Option<Mending>,
}

impl RunScreen {
    /// Builds the pages of a run that begins.
    #[must_use]
    pub fn new(source: Box<dyn Source>, setup: Setup) -> Self {
        Self {
            source,
            view: expecting(&setup),
            setup,
            logs: Logs::default(),
            earlier: Earlier::default(),
            page: Page::Hosts,
            host: Chosen::default(),
            tiled: false,
            asks: VecDeque::new(),
            review: None,
            log: LogPage::default(),
            plan: RowsPage::default(),
            checks: RowsPage::default(),
            scrolled: 0,
            record: None,
            now: Timestamp::UNIX_EPOCH,
            paused: false,
            stopping: false,
            over: false,
            leave_when_over: false,
            left_at_once: false,
            mending: None,
        }
    }

    /// Returns the run as far as it was told.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// Returns whether the operator left without waiting for the run.
    #[must_use]
    pub fn left_at_once(&self) -> bool {
        self.left_at_once
    }

    /// Returns whether nothing will be told any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.over
    }

    /// Returns where in the wizard the operator wants to mend something.
    #[must_use]
    pub fn mending(&self) -> Option<&Mending> {
        self.mending.as_ref()
    }

    fn facing(&self, now: Timestamp) -> Facing<'_> {
        let now = match (&self.view.outcome, self.view.now) {
            (Some(_), Some(end)) => end,
            _ => self.source.clock(now),
        };
        let mut facing = Facing {
            view: &self.view,
            logs: &self.logs,
            host: self.host,
            now,
            zone: &self.setup.zone,
            asking: self.asks.front(),
            helps: Vec::new(),
            again: &self.setup.again,
            record: self.record.as_ref(),
        };
        let shell = facing
            .chosen()
            .is_some_and(|host| self.setup.shells.contains_key(&host.name));
        facing.helps = [
            (Do::Retry, self.retries(&facing).is_some()),
            (Do::Mend, self.mends(&facing).is_some()),
            (Do::Skip, self.skips(&facing).is_some()),
            (Do::Shell, shell),
        ]
        .into_iter()
        .filter_map(|(action, helps)| helps.then_some(action))
        .collect();
        facing
    }

    /// Takes in one record.
    fn told(&mut self, record: &Told) {
        let known = self.view.failures.len();
        self.view.apply(record);
        if !self.earlier.told(&record.event) {
            self.logs.take_in(record, &self.view);
        }
        self.follow(&record.event);
        // The first failure is what the operator wants to see; later ones do not take the choice away.
        if known == 0 {
            let host = self.view.failures.first().and_then(|f| f.host.clone());
            let at = host.and_then(|host| self.view.hosts.iter().position(|h| h.name == host));
            if let Some(at) = at {
                self.host.choose(at);
            }
        }
        if self.view.outcome.is_some() {
            self.ended();
        }
    }

    /// Shows the page that fits the end.
    fn ended(&mut self) {
        let page = match &self.view.outcome {
            Some(Outcome::Failed(_)) => Page::Hosts,
            Some(Outcome::ChecksFailed) => {
                self.checks.open(0);
                Page::Checks
            }
            // What was looked at for the wizard is the result.
            _ if self.setup.for_wizard && self.view.steps.is_empty() => Page::Checks,
            _ if self.setup.for_wizard => Page::Plan,
            _ => Page::Result,
        };
        if self.page != Page::Log {
            self.page = page;
        }
        if let Some(path) = &self.view.record {
            match fs_err::read_to_string(path) {
                Ok(text) => {
                    let path = path.clone();
                    self.record = Some(Record { path, text });
                }
                // A recorded run may outlive its record.
                Err(error) => tracing::info!(%error, "the hand-over record is not shown"),
            }
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Review(_, reply) => {
                self.review = Some(reply);
                self.page = Page::Plan;
            }
            // Only lines ask for such a word.
            Ask::Word(_, reply) => {
                let _ = reply.send(false);
            }
            Ask::HostKey(key, reply) => {
                self.page = Page::Hosts;
                self.asks.push_back(Asking::HostKey { key, reply });
            }
            Ask::Secret(request, reply) => {
                self.page = Page::Hosts;
                let field = Field::new("", Display::Masked);
                self.asks.push_back(Asking::Secret {
                    request,
                    field,
                    reply,
                });
            }
        }
        if self.stopping {
            self.refuse_all();
        }
    }

    /// Whether something moves on the screen by itself.
    fn is_busy(&self) -> bool {
        !self.over && !self.view.held && self.asks.is_empty() && self.review.is_none()
    }
}

/// Returns the view of a run that has told nothing so far.
fn expecting(setup: &Setup) -> RunView {
    let mut view = RunView::default();
    view.expect(setup.expected.clone());
    view
}

#[cfg(test)]
mod tests;
