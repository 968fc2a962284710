//! One host of a run as a front end sees it.

use std::collections::VecDeque;

use super::{Cell, Share};
use crate::model::facts::HostFacts;
use crate::model::ids::HostName;
use crate::model::text::visible_lines;

/// How many of a host's last lines are kept.
const KEPT_LINES: usize = 200;

/// How the connection to a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connection {
    /// Not tried.
    #[default]
    Waiting,
    /// Being tried.
    Connecting,
    /// Logged in, after so many milliseconds.
    Connected(u64),
    /// Not possible, or lost.
    Lost,
}

impl Connection {
    /// Returns what the matrix shows for it.
    pub(super) fn cell(self) -> Cell {
        match self {
            Self::Waiting => Cell::Waiting,
            Self::Connecting => Cell::Running(Share::NOTHING),
            Self::Connected(_) => Cell::Done,
            Self::Lost => Cell::Failed,
        }
    }
}

/// One host.
#[derive(Debug, Clone)]
pub struct HostView {
    /// Its name.
    pub name: HostName,
    /// Its address, once it is being reached.
    pub address: String,
    /// How the connection stands.
    pub connection: Connection,
    /// What was found on it.
    pub facts: Option<Box<HostFacts>>,
    /// The last lines it printed, oldest first.
    pub lines: VecDeque<String>,
    /// How much of its steps is done; never becomes less.
    pub share: Share,
}

impl HostView {
    /// Builds the view of a host that nothing is known of yet.
    pub(super) fn new(name: HostName) -> Self {
        Self {
            name,
            address: String::new(),
            connection: Connection::Waiting,
            facts: None,
            lines: VecDeque::new(),
            share: Share::NOTHING,
        }
    }

    pub(super) fn connecting(&mut self, address: &str) {
        address.clone_into(&mut self.address);
        self.connection = Connection::Connecting;
    }

    pub(super) fn connected(&mut self, took_ms: u64) {
        self.connection = Connection::Connected(took_ms);
    }

    pub(super) fn lost(&mut self) {
        self.connection = Connection::Lost;
    }

    pub(super) fn say(&mut self, text: &str) {
        for line in visible_lines(text) {
            if self.lines.len() == KEPT_LINES {
                self.lines.pop_front();
            }
            self.lines.push_back(line.into_owned());
        }
    }
}
