//! What the operator decides about a run that goes on: trying a host again, the command that mends, going on without a step, a pause.
//!
//! What makes sense is told here once; the key bar, the words beside a failure and the keys all follow it.

use super::facing::Facing;
use super::keys::Do;
use super::rows::RowsPage;
use super::{Page, RunScreen, checks, expecting};
use crate::engine::helm::Wish;
use crate::model::check::Verdict;
use crate::model::event::{Event, Outcome, Stage};
use crate::model::ids::{HostName, StepId};
use crate::model::text::visible;
use crate::ui::tui::screen::{Dialog, Flow};
use crate::ui::view::{RunView, StepState};
use crate::wizard::Mending;

/// What trying again means now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    /// The whole run, which is over.
    Run,
    /// The checks, which hold the run.
    Checks,
    /// One host of a run that goes on.
    Host(HostName),
}

impl RunScreen {
    /// Returns whether an action of this module makes sense now.
    pub(super) fn may_decide(&self, action: Do) -> bool {
        let facing = self.facing(self.now);
        match action {
            Do::Retry => facing.can(Do::Retry),
            // There the same key follows the newest line.
            Do::Mend => facing.can(Do::Mend) && self.page != Page::Log,
            Do::Skip => facing.can(Do::Skip),
            _ => self.goes_on() && self.view.stage() == Some(Stage::Run),
        }
    }

    /// Whether the engine is at work and heeds what is decided.
    fn goes_on(&self) -> bool {
        !self.over && !self.stopping && !self.setup.recorded && self.view.outcome.is_none()
    }

    /// Returns what would be tried again.
    pub(super) fn retries(&self, facing: &Facing<'_>) -> Option<Again> {
        if self.goes_on() {
            return match failed_step(facing) {
                Some((host, _)) => Some(Again::Host(host)),
                None => self.checks_hold().then_some(Again::Checks),
            };
        }
        let ended_badly = matches!(
            self.view.outcome,
            Some(Outcome::Failed(_) | Outcome::ChecksFailed | Outcome::Cancelled)
        );
        (self.over && (ended_badly || self.setup.recorded)).then_some(Again::Run)
    }

    /// Whether checks that failed hold the run.
    pub(super) fn checks_hold(&self) -> bool {
        self.view.held && self.view.stage() == Some(Stage::Preflight)
    }

    /// Returns the command that mends what is chosen, and its host.
    pub(super) fn mends(&self, facing: &Facing<'_>) -> Option<(HostName, String)> {
        if !self.goes_on() || self.view.mending.is_some() {
            return None;
        }
        if self.checks_hold() {
            let check = checks::chosen(&self.view, self.checks.chosen)?;
            let host = check.host.clone()?;
            let command = check.command.clone()?;
            return (check.mends && check.verdict != Verdict::Pass).then_some((host, command));
        }
        let (host, step) = failed_step(facing)?;
        let failure = self.view.step(&step)?.failure.as_ref()?;
        Some((host, failure.command.clone()?))
    }

    /// Returns the step that may be gone on without.
    pub(super) fn skips(&self, facing: &Facing<'_>) -> Option<StepId> {
        let (_, step) = failed_step(facing).filter(|_| self.goes_on())?;
        let may = self.view.step(&step)?.summary.may_skip;
        may.then_some(step)
    }

    /// Returns which answer is to be mended for what is chosen, as far as that can be told.
    pub(super) fn answer_to_mend(&self) -> Option<Mending> {
        match self.page {
            Page::Checks => {
                let check = checks::chosen(&self.view, self.checks.chosen)?;
                Mending::of_check(check).filter(|_| check.verdict != Verdict::Pass)
            }
            Page::Hosts | Page::Log => {
                let failure = self.facing(self.now).failure().cloned()?;
                failure.host.as_ref().map(Mending::of_host)
            }
            _ => None,
        }
    }

    /// Does what was decided, or asks first.
    pub(super) fn decide(&mut self, action: Do) -> Flow<Do> {
        let facing = self.facing(self.now);
        let (again, mending, skipped) = (
            self.retries(&facing),
            self.mends(&facing),
            self.skips(&facing),
        );
        match (action, again, mending, skipped) {
            (Do::Retry, Some(Again::Run), ..) => self.once_more(),
            (Do::Retry, Some(Again::Host(host)), ..) => self.wish(Wish::Retry(host)),
            (Do::Retry, Some(Again::Checks), ..) => match self.view.hosts.first() {
                Some(host) => self.wish(Wish::Retry(host.name.clone())),
                None => Flow::Stay,
            },
            (Do::Mend, _, Some((host, command)), _) => Flow::Ask(mend_dialog(&host, &command)),
            (Do::ReallyMend, _, Some((host, command)), _) => {
                self.show_host(&host);
                self.wish(Wish::Fix { host, command })
            }
            (Do::Skip, _, _, Some(step)) => Flow::Ask(skip_dialog(&self.view, &step)),
            (Do::ReallySkip, _, _, Some(step)) => self.wish(Wish::Skip(step)),
            (Do::Pause, ..) => self.pause(),
            _ => Flow::Stay,
        }
    }

    fn wish(&mut self, wish: Wish) -> Flow<Do> {
        if self.source.wish(wish) {
            // Until the engine has told what it does, the same key does nothing twice.
            self.view.held = false;
            Flow::Redraw
        } else {
            Flow::Say("nobody heeds it any more".to_owned())
        }
    }

    fn pause(&mut self) -> Flow<Do> {
        if self.source.pause(!self.paused) {
            self.paused = !self.paused;
            Flow::Redraw
        } else {
            Flow::Say("it cannot be paused".to_owned())
        }
    }

    /// Shows the host on which something is about to happen.
    fn show_host(&mut self, host: &HostName) {
        if let Some(at) = self.view.hosts.iter().position(|own| own.name == *host) {
            self.host.choose(at);
        }
        self.page = Page::Hosts;
    }

    /// Shows the page that fits what was told.
    pub(super) fn follow(&mut self, event: &Event) {
        match event {
            Event::RunStarted { .. } => self.choose_as_before(),
            Event::Held if self.checks_hold() => {
                self.checks = RowsPage::default();
                self.checks.open(0);
                self.page = Page::Checks;
            }
            Event::Held if self.page != Page::Log => self.page = Page::Hosts,
            Event::Paused { paused } => self.paused = *paused,
            _ => {}
        }
    }

    fn once_more(&mut self) -> Flow<Do> {
        if !self.source.again() {
            return Flow::Say("it cannot be run again from here".to_owned());
        }
        self.logs.mark(self.now, "──── once more ────");
        self.view = expecting(&self.setup);
        self.over = false;
        self.stopping = false;
        self.paused = false;
        self.record = None;
        self.page = Page::Hosts;
        self.plan = RowsPage::default();
        self.checks = RowsPage::default();
        Flow::Redraw
    }
}

/// Returns the step whose failure is shown: of the chosen host, or else the first that failed.
fn failed_step(facing: &Facing<'_>) -> Option<(HostName, StepId)> {
    let chosen = facing.chosen().map(|host| &host.name);
    let failed = || {
        facing
            .view
            .steps
            .iter()
            .filter(|s| s.state == StepState::Failed)
    };
    let own = failed().find(|step| Some(&step.summary.host) == chosen);
    let step = own.or_else(|| failed().next().filter(|_| facing.view.held))?;
    Some((step.summary.host.clone(), step.summary.id.clone()))
}

fn mend_dialog(host: &HostName, command: &str) -> Dialog<Do> {
    let lines = vec![
        format!("Run this on {host}?"),
        format!("  {}", visible(command)),
        "sudo is done as the installer does it there. What it prints comes into the host's pane, then the host is tried again.".to_owned(),
    ];
    Dialog::confirm("Run the fix", lines, "Run it", Do::ReallyMend, "Do not")
}

fn skip_dialog(view: &RunView, step: &StepId) -> Dialog<Do> {
    let what = view.step(step).map(|step| {
        let what = visible(&step.summary.description.summary);
        format!("{}: {what}", step.summary.host)
    });
    let lines = vec![
        "Go on without this?".to_owned(),
        format!("  {}", what.unwrap_or_default()),
        "Nothing else needs it. The receipt and the result say that you skipped it, and the whole is verified all the same.".to_owned(),
    ];
    Dialog::confirm("Skip", lines, "Skip it", Do::ReallySkip, "Do not")
}
