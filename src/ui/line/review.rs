//! The plan for people: by host, each step with its reasons, and files with secrets masked.

use crate::model::ids::HostName;
use crate::model::plan::{Probe, StepSummary};
use crate::model::text::visible;
use crate::report::{Paint, Tone};
use crate::ui::amounts::count;

/// How much of files is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Only what changes in files that are there already.
    Changes,
    /// New files in full, too.
    Everything,
}

/// Returns the plan grouped by host; hosts with nothing to do take one line.
#[must_use]
pub fn plan(steps: &[StepSummary], files: Files, paint: Paint) -> Vec<String> {
    let mut hosts: Vec<&HostName> = Vec::new();
    for step in steps {
        if !hosts.contains(&&step.host) {
            hosts.push(&step.host);
        }
    }
    hosts
        .into_iter()
        .flat_map(|host| on_host(steps, host, files, paint))
        .collect()
}

/// Returns the plan of one host.
fn on_host(steps: &[StepSummary], host: &HostName, files: Files, paint: Paint) -> Vec<String> {
    let own: Vec<&StepSummary> = steps.iter().filter(|step| step.host == *host).collect();
    let already = own.iter().filter(|s| s.probe == Probe::AlreadySo).count();
    let title = match already {
        0 => format!("{host}: {} to do", count(own.len(), "step")),
        n if n == own.len() => format!("{host}: nothing to do"),
        n => format!(
            "{host}: {} to do, {n} already so",
            count(own.len() - n, "step")
        ),
    };
    let mut lines = vec![paint.tone(Tone::Strong, &title)];
    for step in own {
        lines.extend(of_step(step, files, paint));
    }
    lines
}

/// Returns one step; what is already so is left out.
fn of_step(step: &StepSummary, files: Files, paint: Paint) -> Vec<String> {
    let summary = visible(&step.description.summary);
    let mut lines = match &step.probe {
        Probe::AlreadySo => return Vec::new(),
        Probe::Needed => vec![format!("  + {summary}")],
        Probe::Conflict(why) => vec![
            format!("  {} {summary}", paint.tone(Tone::Bad, "✖ conflict:")),
            format!("      because {}", visible(why)),
        ],
    };
    for reason in &step.description.reasons {
        lines.push(paint.tone(Tone::Faint, &format!("      {}", visible(reason))));
    }
    if let Some(difference) = &step.description.difference {
        lines.extend(changes(difference, files, paint));
    }
    lines
}

/// Returns a difference line by line; a file that is all new is only counted, unless everything is wanted.
fn changes(difference: &str, files: Files, paint: Paint) -> Vec<String> {
    let is_change = |line: &&str| !line.starts_with("---") && !line.starts_with("+++");
    let body = || difference.lines().filter(is_change);
    let replaces = body().any(|line| line.starts_with('-'));
    if files == Files::Changes && !replaces {
        let new = body().filter(|line| line.starts_with('+')).count();
        let text = format!("      a new file of {}", count(new, "line"));
        return vec![paint.tone(Tone::Faint, &text)];
    }
    difference
        .lines()
        .map(|line| {
            let shown = visible(line);
            let tone = match line.chars().next() {
                Some('+') => Tone::Good,
                Some('-') => Tone::Bad,
                _ => Tone::Faint,
            };
            format!("      {}", paint.tone(tone, &shown))
        })
        .collect()
}
