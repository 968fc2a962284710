//! Which lines an event gives, the same with bars and without.

use std::time::Duration;

use jiff::Timestamp;

use super::counters::sum_of;
use super::{Manner, diagnosis};
use crate::model::event::{Event, Stage, StepResult};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StepId};
use crate::model::log::SourceCount;
use crate::model::plan::{Phase, Probe, StepSummary};
use crate::model::text::visible;
use crate::report::{Paint, Tone, Volume, for_people};
use crate::ui::amounts::{bytes, clock, count, time};
use crate::ui::view::{Connection, HostView, RunView, StepState, StepView, between};

/// How many steps a line about what still runs names.
const NAMED: usize = 3;

/// Returns the lines of an event; `view` has taken it in already, and held `known` failures before.
pub(super) fn lines(
    event: &Event,
    view: &RunView,
    known: usize,
    manner: &Manner,
    bars: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    if manner.volume > Volume::Quiet {
        lines.extend(heading(event, view, manner.paint));
        if let Event::Diagnosed { causes } = event {
            lines.extend(diagnosis::lines(causes, manner.paint));
        }
        lines.extend(of_step(event, view, manner, bars));
    }
    if !matches!(event, Event::RunEnded { .. }) {
        for failure in view.failures.iter().skip(known) {
            lines.extend(failed(failure, manner.paint));
        }
    }
    lines
}

/// Returns a failure as it is told when it happens.
fn failed(failure: &Failure, paint: Paint) -> Vec<String> {
    for_people(failure, paint)
}

/// Returns the line of an event that concerns the run or a host.
fn heading(event: &Event, view: &RunView, paint: Paint) -> Option<String> {
    match event {
        Event::RunStarted {
            deployment,
            title,
            purpose,
            hosts,
            ..
        } => Some(paint.tone(
            Tone::Strong,
            &format!(
                "{purpose} {deployment} · {} · {}",
                visible(title),
                count(hosts.len(), "host")
            ),
        )),
        Event::StageStarted { stage } => Some(paint.tone(Tone::Strong, doing(*stage))),
        Event::HostConnected { host, took_ms } => Some(format!(
            "{} {}  connected ({})",
            paint.tone(Tone::Good, "✔"),
            padded(view, host),
            time(Duration::from_millis(*took_ms))
        )),
        Event::PlanReady { steps } => Some(planned(steps)),
        Event::LogsEnded { count } => Some(source_ended(count, paint)),
        Event::LogsWritten {
            path,
            records,
            bytes: size,
        } => Some(format!(
            "  {records} records, {} in {}",
            bytes(*size),
            visible(path)
        )),
        Event::ArchiveWritten {
            path,
            files,
            bytes: size,
        } => Some(format!(
            "  {files} files, {} in {}",
            bytes(*size),
            paint.tone(Tone::Strong, &visible(path))
        )),
        Event::RecordWritten { path } => {
            Some(format!("the hand-over record is in {}", visible(path)))
        }
        Event::Noticed { host, text } => {
            let place = host.as_ref().map(|h| format!("{h}: ")).unwrap_or_default();
            let word = paint.tone(Tone::Warn, "note:");
            Some(format!("{word} {place}{}", visible(text)))
        }
        _ => None,
    }
}

/// Returns the line of a source that was gathered: how much, what was masked, and what is missing.
fn source_ended(count: &SourceCount, paint: Paint) -> String {
    let name = visible(&count.source);
    if let Some(why) = &count.missing {
        let sign = paint.tone(Tone::Bad, "✖");
        return format!(
            "{sign} {name}  {} records, then: {}",
            count.records,
            visible(why)
        )
        .replace("  0 records, then:", ":");
    }
    let masked = match count.masked.values().sum::<u64>() {
        0 => String::new(),
        number => format!(", {number} secrets masked"),
    };
    let sign = paint.tone(Tone::Good, "✔");
    let size = bytes(count.bytes);
    format!("{sign} {name}  {} records, {size}{masked}", count.records)
}

/// Returns what a plan amounts to.
fn planned(steps: &[StepSummary]) -> String {
    let needed = steps
        .iter()
        .filter(|step| step.probe != Probe::AlreadySo)
        .count();
    format!(
        "  {} planned, {needed} to do, {} already so",
        count(steps.len(), "step"),
        steps.len() - needed
    )
}

/// Returns what a stage does, as a heading.
fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "Connecting",
        Stage::Facts => "Looking at the hosts",
        Stage::Preflight => "Checking",
        Stage::Plan => "Planning",
        Stage::Run => "Making the changes",
        Stage::Verify => "Verifying",
        Stage::Gather => "Gathering",
    }
}

/// Returns the line of an event that concerns a step.
fn of_step(event: &Event, view: &RunView, manner: &Manner, bars: bool) -> Option<String> {
    let paint = manner.paint;
    match event {
        Event::StepStarted { step } if !bars && changes(view, step) => {
            let (host, what) = named(view, step);
            Some(format!("· {host}  {what}"))
        }
        Event::StepOutput { step, line } if manner.volume == Volume::Verbose => {
            let (host, _) = named(view, step);
            let line = format!("  {host}  | {}", visible(line));
            Some(paint.tone(Tone::Faint, &line))
        }
        Event::StepEnded {
            step,
            result,
            took_ms,
        } => {
            let (host, what) = named(view, step);
            let took = time(Duration::from_millis(*took_ms));
            Some(ended(result, &format!("{host}  {what}"), &took, paint))
        }
        _ => None,
    }
}

/// Returns whether a step may change something; of others only the end is worth a line.
fn changes(view: &RunView, id: &StepId) -> bool {
    view.step(id)
        .is_none_or(|step| step.summary.probe != Probe::AlreadySo)
}

/// Returns the line of a step that ended.
fn ended(result: &StepResult, step: &str, took: &str, paint: Paint) -> String {
    let good = |sign| paint.tone(Tone::Good, sign);
    match result {
        StepResult::Changed => format!("{} {step} ({took})", good("✔")),
        StepResult::AlreadySo => format!("{} {step}: already so", good("=")),
        StepResult::Failed(_) => format!("{} {step}: failed", paint.tone(Tone::Bad, "✖")),
        StepResult::Blocked { by } => format!(
            "{} {step}: not begun, because {} failed",
            paint.tone(Tone::Warn, "-"),
            visible(&by.0)
        ),
        StepResult::Cancelled => format!("{} {step}: stopped", paint.tone(Tone::Warn, "-")),
        StepResult::Skipped => format!(
            "{} {step}: skipped by the operator",
            paint.tone(Tone::Warn, "!")
        ),
    }
}

/// Returns a step's host, padded, and what it does.
fn named(view: &RunView, id: &StepId) -> (String, String) {
    match view.step(id) {
        Some(step) => (
            padded(view, &step.summary.host),
            visible(&step.summary.description.summary).into_owned(),
        ),
        None => (String::new(), visible(&id.0).into_owned()),
    }
}

/// Returns a host's name, as wide as the longest.
fn padded(view: &RunView, host: &HostName) -> String {
    let names = view.hosts.iter().map(|host| host.name.as_str().len());
    let width = names.max().unwrap_or_default();
    format!("{:width$}", host.as_str())
}

/// Returns a line that breaks the silence: what still goes on.
pub(super) fn still(view: &RunView, now: Timestamp) -> String {
    let running: Vec<String> = view
        .steps
        .iter()
        .filter(|step| step.state == StepState::Running)
        .map(|step| format!("{} {}", step.summary.host, step_activity(step, now)))
        .collect();
    let what = if running.is_empty() {
        waiting(view)
    } else {
        some_of(&running)
    };
    format!("… still {what} · {}", remaining(view, now))
}

/// Returns what is waited for while no step runs.
fn waiting(view: &RunView) -> String {
    let hosts: Vec<String> = view
        .hosts
        .iter()
        .filter(|host| host.connection == Connection::Connecting)
        .map(|host| host.name.to_string())
        .collect();
    match view.stage() {
        Some(Stage::Connect) if !hosts.is_empty() => format!("connecting to {}", some_of(&hosts)),
        Some(Stage::Gather) if !view.logs.is_empty() => format!("gathering: {}", sum_of(view)),
        Some(stage) => doing(stage).to_lowercase(),
        None => "at work".to_owned(),
    }
}

/// Returns the first few of many, and how many more there are.
fn some_of(all: &[String]) -> String {
    let named = all[..all.len().min(NAMED)].join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Returns what a host does now.
pub(super) fn activity(view: &RunView, host: &HostView, now: Timestamp) -> String {
    let running: Vec<&StepView> = view.running(&host.name).collect();
    if let Some(first) = running.first() {
        let more = match running.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        return format!("{}{more}", step_activity(first, now));
    }
    let own = || view.steps.iter().filter(|s| s.summary.host == host.name);
    if host.connection == Connection::Connecting {
        "connecting".to_owned()
    } else if host.connection == Connection::Lost {
        "✖ not connected".to_owned()
    } else if own().any(|step| step.state == StepState::Failed) {
        "✖ failed".to_owned()
    } else if own().next().is_some() && own().all(StepView::ended) {
        "✔".to_owned()
    } else if own().next().is_some() {
        "waiting for its turn".to_owned()
    } else {
        String::new()
    }
}

/// Returns what a running step does, how far it is and since when.
fn step_activity(step: &StepView, now: Timestamp) -> String {
    let what = visible(&step.summary.description.summary);
    let since = step
        .began
        .map_or(Duration::ZERO, |began| between(began, now));
    let far = match (step.total, step.summary.phase) {
        (Some(total), Phase::Images | Phase::Files) if total > 0 => {
            format!(" {} of {},", bytes(step.done), bytes(total))
        }
        (Some(total), _) if total > 0 => format!(" {} of {total},", step.done),
        _ => String::new(),
    };
    format!("{what} ({}%,{far} {})", step.share().percent(), time(since)).replace("(0%, ", "(")
}

/// Returns the time that went by and the time that is left, as far as it is known.
pub(super) fn remaining(view: &RunView, now: Timestamp) -> String {
    let elapsed = clock(view.elapsed(now));
    let Some(forecast) = view.forecast(now) else {
        return format!("{elapsed} elapsed");
    };
    let left = clock(forecast.left);
    let about = match (forecast.complete, forecast.left.as_secs()) {
        (true, _) => "about",
        // Nothing that is left has been measured yet: no figure is better than a wrong one.
        (false, 0) => return format!("{elapsed} elapsed"),
        (false, _) => "at least",
    };
    let decides = match view.hosts.len() {
        0 | 1 => String::new(),
        _ => format!(" · {} decides", forecast.bottleneck),
    };
    format!("{elapsed} elapsed · {about} {left} left{decides}")
}
