//! Which lines an event adds to the log of its host.

use std::collections::HashMap;
use std::time::Duration;

use super::scrollback::{Kind, Scrollback};
use crate::model::event::{Event, Record, StepResult};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StepId};
use crate::model::plan::Probe;
use crate::ui::amounts::time;
use crate::ui::view::RunView;

/// What all logs together may take, in bytes.
const MOST: usize = 24 << 20;

/// What one log may always take, in bytes.
const LEAST: usize = 64 << 10;

/// The logs of all hosts.
#[derive(Debug, Default)]
pub(super) struct Logs {
    hosts: HashMap<HostName, Scrollback>,
}

impl Logs {
    /// Returns a host's log, once it has one.
    #[must_use]
    pub(super) fn of(&self, host: &HostName) -> Option<&Scrollback> {
        self.hosts.get(host)
    }

    /// Takes in what a record says of a host; `view` has taken it in already.
    pub(super) fn take_in(&mut self, record: &Record, view: &RunView) {
        let Some((host, lines)) = lines(&record.event, view) else {
            return;
        };
        for (kind, text) in lines {
            self.add(&host, record.time, kind, &text);
        }
    }

    /// Adds a line to every log.
    pub(super) fn mark(&mut self, time: jiff::Timestamp, text: &str) {
        for log in self.hosts.values_mut() {
            log.add(time, Kind::Told, text);
        }
    }

    fn add(&mut self, host: &HostName, time: jiff::Timestamp, kind: Kind, text: &str) {
        if !self.hosts.contains_key(host) {
            // All logs share the same room.
            let each = (MOST / (self.hosts.len() + 1)).max(LEAST);
            for log in self.hosts.values_mut() {
                log.bound(each);
            }
            self.hosts.insert(host.clone(), Scrollback::new(each));
        }
        if let Some(log) = self.hosts.get_mut(host) {
            log.add(time, kind, text);
        }
    }
}

type Lines = Vec<(Kind, String)>;

fn lines(event: &Event, view: &RunView) -> Option<(HostName, Lines)> {
    match event {
        Event::StepOutput { step, line } => {
            let host = view.step(step)?.summary.host.clone();
            Some((host, vec![(Kind::Said, line.clone())]))
        }
        Event::StepStarted { step } => {
            let step = view.step(step)?;
            let needed = step.summary.probe != Probe::AlreadySo;
            let line = (Kind::Told, step.summary.description.summary.clone());
            needed.then(|| (step.summary.host.clone(), vec![line]))
        }
        Event::StepReopened { step } => {
            let step = view.step(step)?;
            let line = format!("once more: {}", step.summary.description.summary);
            Some((step.summary.host.clone(), vec![(Kind::Told, line)]))
        }
        Event::StepEnded {
            step,
            result,
            took_ms,
        } => ended(view, step, result, *took_ms),
        Event::HostConnecting { host, address } => {
            let line = format!("connecting to {address}");
            Some((host.clone(), vec![(Kind::Told, line)]))
        }
        Event::HostConnected { host, took_ms } => {
            let took = time(Duration::from_millis(*took_ms));
            let line = format!("connected ({took})");
            Some((host.clone(), vec![(Kind::Good, line)]))
        }
        Event::HostLost { host, failure } => Some((host.clone(), failed(failure))),
        Event::FactsGathered { facts } => {
            let line = format!("{}, {} CPUs", facts.os, facts.cpus);
            Some((facts.host.clone(), vec![(Kind::Told, line)]))
        }
        Event::FixStarted { host, command } => {
            Some((host.clone(), vec![(Kind::Told, format!("$ {command}"))]))
        }
        Event::FixOutput { host, line } => Some((host.clone(), vec![(Kind::Said, line.clone())])),
        Event::FixEnded { host, failure } => {
            let lines = failure.as_ref().map(failed);
            let good = || vec![(Kind::Good, "done; trying again".to_owned())];
            Some((host.clone(), lines.unwrap_or_else(good)))
        }
        Event::Noticed {
            host: Some(host),
            text,
        } => Some((host.clone(), vec![(Kind::Warn, text.clone())])),
        _ => None,
    }
}

fn ended(
    view: &RunView,
    step: &StepId,
    result: &StepResult,
    took_ms: u64,
) -> Option<(HostName, Lines)> {
    let step = view.step(step)?;
    let what = &step.summary.description.summary;
    let took = time(Duration::from_millis(took_ms));
    let lines = match result {
        StepResult::Changed => vec![(Kind::Good, format!("done: {what} ({took})"))],
        StepResult::AlreadySo => vec![(Kind::Told, format!("already so: {what}"))],
        StepResult::Failed(failure) => {
            let mut lines = vec![(Kind::Bad, format!("failed: {what} ({took})"))];
            lines.extend(failed(failure));
            lines
        }
        StepResult::Blocked { by } => {
            vec![(
                Kind::Warn,
                format!("not begun: {what}, because {by} failed"),
            )]
        }
        StepResult::Cancelled => vec![(Kind::Warn, format!("stopped: {what}"))],
        StepResult::Skipped => vec![(Kind::Warn, format!("skipped by you: {what}"))],
    };
    Some((step.summary.host.clone(), lines))
}

fn failed(failure: &Failure) -> Lines {
    let mut lines = vec![(Kind::Bad, failure.message.clone())];
    lines.extend(failure.causes.iter().map(|c| (Kind::Bad, format!("  {c}"))));
    if let Some(hint) = &failure.hint {
        lines.push((Kind::Warn, format!("  what helps: {hint}")));
    }
    lines
}
