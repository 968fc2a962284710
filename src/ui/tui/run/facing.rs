//! What the parts of the pages draw from.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Record;
use super::asking::Asking;
use super::keys::Do;
use super::story::Logs;
use crate::model::event::Outcome;
use crate::model::failure::Failure;
use crate::ui::tui::theme::sign;
use crate::ui::tui::widgets::list::Chosen;
use crate::ui::view::{HostView, RunView};

/// Milliseconds that each sign of being busy stays.
const BUSY: i64 = 125;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Facing<'a> {
    pub(super) view: &'a RunView,
    pub(super) logs: &'a Logs,
    pub(super) host: Chosen,
    /// The run's own time; stands still when it has ended.
    pub(super) now: Timestamp,
    pub(super) zone: &'a TimeZone,
    pub(super) asking: Option<&'a Asking>,
    /// What makes sense now of all that helps.
    pub(super) helps: Vec<Do>,
    pub(super) again: &'a str,
    pub(super) record: Option<&'a Record>,
}

impl Facing<'_> {
    /// Returns the chosen host.
    pub(super) fn chosen(&self) -> Option<&HostView> {
        let at = self.host.of(self.view.hosts.len())?;
        self.view.hosts.get(at)
    }

    /// Returns whether this would help now.
    pub(super) fn can(&self, action: Do) -> bool {
        self.helps.contains(&action)
    }

    /// Returns the failure to show: that of the chosen host before others, and what ended the run last.
    pub(super) fn failure(&self) -> Option<&Failure> {
        let failures = &self.view.failures;
        let chosen = self.chosen().map(|host| &host.name);
        let own = failures
            .iter()
            .find(|failure| failure.host.as_ref() == chosen);
        own.or_else(|| failures.first())
            .or(match &self.view.outcome {
                Some(Outcome::Failed(failure)) => Some(failure),
                _ => None,
            })
    }

    /// Returns the sign of being busy.
    pub(super) fn busy(&self) -> &'static str {
        let turn = self.now.as_millisecond().div_euclid(BUSY);
        let at = turn.rem_euclid(i64::try_from(sign::BUSY.len()).unwrap_or(1));
        sign::BUSY[usize::try_from(at).unwrap_or(0)]
    }
}
