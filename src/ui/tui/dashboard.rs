//! The dashboard of one deployment: how its hosts and services fare now, what they print, and what can be done about it.
//!
//! ```text
//! ┌ 3 hosts, 9 services, all well ───────────────────────────────────────────────┐
//! │   service         state             rest. age    CPU    memory        image  │
//! │▸✔ ui              load 0.42 of 4 · memory 19% of 16 GB · disk 41%   2 s ago  │
//! │   ✔ backend       running, healthy      0 3d 4h   1.2%  512 MB/16 GB  1.9.0  │
//! │ ✖ node-2          not reached: no answer                         old: 0:45   │
//! │   · worker        was running           0                                    │
//! ├ node-2 ──────────────────────────────────────────────────────────────────────┤
//! │ cannot connect to 10.0.0.13:22                                               │
//! └──────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A [`Feed`] tells it everything; it only reads. What changes something, or judges everything, is a run with screens of its own: the dashboard says which is
//! [`Wanted`], is left, and is shown again as it was.

mod access;
mod acting;
mod details;
mod drawing;
mod feed;
mod journal;
mod keys;
mod table;
mod taking;
mod view;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::crossterm::event::MouseEvent;
use ratatui::layout::Rect;

use super::keys::{Binding, Key};
use super::run::Record;
use super::run::asking::Asking;
use super::run::log::LogPage;
use super::screen::{Flow, Interrupted, Screen, Title, Turned};
use super::theme::Look;
use super::widgets::field::{Display, Field};
use super::widgets::list::Chosen;
use crate::model::ids::HostName;
use crate::model::watch::Watched;
use crate::ui::channel::Ask;
use journal::Journal;
use view::DeploymentView;

pub use feed::{Feed, News};
pub use keys::Do;
pub(super) use words::long;

/// How long one turn may take in what was told; the rest waits for the next.
const TURN: Duration = Duration::from_millis(6);

/// What a dashboard is set up with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The deployment's name.
    pub name: String,
    /// The preset's title.
    pub title: String,
    /// Its hosts and their addresses, in the order of the answers.
    pub hosts: Vec<(HostName, String)>,
    /// The program that opens a shell on a host, with its arguments.
    pub shells: BTreeMap<HostName, Vec<String>>,
    /// The folder that logs are saved to.
    pub save_folder: Utf8PathBuf,
    /// The operator's time zone.
    pub zone: TimeZone,
}

/// Where the deployment can be used, and the record of the hand-over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Titles and addresses.
    pub endpoints: Vec<(String, String)>,
    /// The record.
    pub record: Option<Record>,
}

/// Why a dashboard was left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// To leave the program.
    #[default]
    Leave,
    /// To go back to the list of deployments.
    Deployments,
    /// To judge everything and come back.
    Verify,
    /// To deploy again and come back.
    Deploy,
    /// To do something by another command and come back.
    Order(Order),
}

/// What is done with a deployment by a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Gather its logs into a file.
    Logs,
    /// Pack what somebody needs who was not there, and say what may be wrong.
    Support,
    /// Save its data.
    Backup,
    /// Bring another release.
    Upgrade,
    /// Come back from the last upgrade.
    Rollback,
    /// Remove it.
    Destroy,
}

impl Order {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Logs,
        Self::Support,
        Self::Backup,
        Self::Upgrade,
        Self::Rollback,
        Self::Destroy,
    ];

    /// Returns the command's name.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Support => "support",
            Self::Backup => "backup",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Destroy => "destroy",
        }
    }
}

/// Which page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Services,
    Log,
    Access,
}

/// What is typed into the line below a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    Search,
    Filter,
}

/// A deployment on the screen.
#[derive(Debug)]
pub struct DashboardScreen {
    feed: Box<dyn Feed>,
    setup: Setup,
    access: Access,
    view: DeploymentView,
    page: Page,
    chosen: Chosen,
    asks: VecDeque<Asking>,
    journal: Journal,
    log: LogPage,
    /// What the log is of.
    log_of: String,
    typing: Typing,
    scrolled: u16,
    now: Timestamp,
    wanted: Wanted,
}

impl DashboardScreen {
    /// Builds the dashboard; nothing is known yet.
    #[must_use]
    pub fn new(feed: Box<dyn Feed>, setup: Setup, access: Access) -> Self {
        let view = DeploymentView::new(setup.hosts.iter().cloned());
        Self {
            feed,
            setup,
            access,
            view,
            page: Page::Services,
            chosen: Chosen::default(),
            asks: VecDeque::new(),
            journal: Journal::default(),
            log: LogPage::default(),
            log_of: String::new(),
            typing: Typing::Search,
            scrolled: 0,
            now: Timestamp::UNIX_EPOCH,
            wanted: Wanted::default(),
        }
    }

    /// Returns why it was left, and forgets it.
    pub fn wanted(&mut self) -> Wanted {
        std::mem::take(&mut self.wanted)
    }

    /// Takes in what a run has changed.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    fn seen(&mut self, watched: &Watched) {
        match watched {
            Watched::Logged(record) if self.page == Page::Log => self.journal.add(record),
            // Lines that were on their way when the log was left.
            Watched::Logged(_) => {}
            Watched::LogsBroken { host, why } => self.journal.note(self.now, host, why),
            _ => {
                let row = self.chosen_row();
                self.view.apply(watched);
                self.choose_again(row);
            }
        }
    }

    fn asked(&mut self, ask: Ask) {
        let asking = match ask {
            Ask::HostKey(key, reply) => Asking::HostKey { key, reply },
            Ask::Secret(request, reply) => Asking::Secret {
                request,
                field: Field::new("", Display::Masked),
                reply,
            },
            // Nothing is planned here.
            Ask::Review(_, reply) | Ask::Word(_, reply) => {
                let _ = reply.send(false);
                return;
            }
        };
        self.asks.push_back(asking);
    }
}

impl Screen for DashboardScreen {
    type Action = Do;

    fn title(&self, now: Timestamp) -> Title {
        let title = crate::model::text::visible(&self.setup.title);
        Title {
            what: format!("{} · {title}", self.setup.name),
            step: "live".to_owned(),
            time: now
                .to_zoned(self.setup.zone.clone())
                .strftime("%H:%M:%S")
                .to_string(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, now: Timestamp) {
        drawing::draw(self, frame, page, look, now);
    }

    fn bindings(&self) -> Vec<Binding<Do>> {
        keys::TABLE
            .iter()
            .filter(|binding| self.works(binding.action))
            .copied()
            .collect()
    }

    fn help(&self) -> Vec<String> {
        drawing::help(self.page)
    }

    fn act(&mut self, action: Do) -> Flow<Do> {
        self.do_it(action)
    }

    fn typing(&self) -> bool {
        self.log.typing.is_some() || self.asks_for_secret()
    }

    fn typed(&mut self, key: Key) -> Flow<Do> {
        let heeded = self.field().is_some_and(|field| field.heed(key));
        if heeded { Flow::Redraw } else { Flow::Stay }
    }

    fn pasted(&mut self, text: &str) -> Flow<Do> {
        match self.field() {
            Some(field) => {
                field.insert(text);
                Flow::Redraw
            }
            None => Flow::Stay,
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, page: Rect) -> Flow<Do> {
        self.clicked(mouse, page)
    }

    fn turn(&mut self, now: Timestamp) -> Turned {
        let began = Instant::now();
        // The clock, and how old everything is.
        let mut changed = now.as_second() != self.now.as_second();
        self.now = now;
        while began.elapsed() < TURN {
            match self.feed.next() {
                Some(News::Seen(watched)) => self.seen(&watched),
                Some(News::Asked(ask)) => self.asked(ask),
                None => break,
            }
            changed = true;
        }
        let hidden = self.field().is_some_and(|field| field.turn(now));
        if changed || hidden {
            Turned::Changed
        } else {
            Turned::Idle
        }
    }

    /// Nothing is at stake: whoever wants to stop leaves.
    fn interrupt(&mut self, _how: Interrupted) -> Flow<Do> {
        self.leave(Wanted::Leave)
    }

    fn returned(&mut self, ended: io::Result<ExitStatus>) -> Flow<Do> {
        self.feed.refresh();
        match ended {
            Ok(_) => Flow::Redraw,
            Err(error) => Flow::Say(format!("no shell: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
