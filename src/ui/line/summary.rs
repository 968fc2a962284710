//! The end of a run: how it ended, what failed, what the time was spent on, and where the result can be seen.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Manner, Wanted};
use crate::model::check::Verdict;
use crate::model::event::{Outcome, Stage};
use crate::model::failure::Failure;
use crate::model::text::visible;
use crate::report::{Paint, Tone, Volume, for_people};
use crate::ui::amounts::{count, time};
use crate::ui::view::{EndpointView, RunView, Share, StepState, between};

/// How many of the slowest steps are named.
const SLOWEST: usize = 5;

/// Returns the lines of the end.
pub(super) fn lines(view: &RunView, manner: &Manner) -> Vec<String> {
    let Some(outcome) = &view.outcome else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if manner.volume > Volume::Quiet {
        if view.stages.iter().any(|s| s.stage == Stage::Run) {
            lines.extend(stages(view));
            lines.extend(slowest(view));
        }
        lines.push(String::new());
    }
    if let Outcome::Failed(failure) = outcome {
        lines.extend(failures(view, failure, manner.paint));
    }
    lines.extend(skipped(view, manner.paint));
    lines.push(verdict(view, outcome, manner));
    lines.extend(next(outcome, manner));
    lines
}

/// Returns what the operator went on without.
fn skipped(view: &RunView, paint: Paint) -> impl Iterator<Item = String> {
    let skipped = view.steps.iter().filter(|s| s.state == StepState::Skipped);
    skipped.map(move |step| {
        let summary = &step.summary;
        let what = visible(&summary.description.summary);
        let sign = paint.tone(Tone::Warn, "!");
        format!("{sign} skipped by the operator: {}: {what}", summary.host)
    })
}

/// Returns how it ended, in one line.
fn verdict(view: &RunView, outcome: &Outcome, manner: &Manner) -> String {
    let took = time(took(view));
    let paint = manner.paint;
    let good = paint.tone(Tone::Good, "✔");
    let bad = paint.tone(Tone::Bad, "✖");
    let purpose = &view.purpose;
    let warnings = match view.checks_with(Verdict::Warn) {
        0 => String::new(),
        n => format!(", {}", count(n, "warning")),
    };
    match outcome {
        Outcome::Done => format!("{good} {purpose} done in {took}{warnings}"),
        Outcome::NothingToDo if manner.wanted == Wanted::Changes => {
            format!("{good} nothing to do: everything is as asked ({took}{warnings})")
        }
        Outcome::NothingToDo if manner.wanted == Wanted::Plan => {
            format!("{good} planned in {took}{warnings}; nothing was changed")
        }
        Outcome::NothingToDo => format!("{good} {purpose} found nothing wrong ({took}{warnings})"),
        Outcome::ChecksFailed => format!(
            "{bad} {} failed{warnings}; nothing was changed ({took})",
            count(view.checks_with(Verdict::Fail), "check")
        ),
        Outcome::Failed(_) => format!("{bad} {purpose} failed after {took}{}", tally(view)),
        Outcome::Cancelled => {
            let sign = paint.tone(Tone::Warn, "-");
            format!("{sign} {purpose} cancelled after {took}{}", tally(view))
        }
    }
}

/// Returns how far the steps came.
fn tally(view: &RunView) -> String {
    let of = |wanted: fn(&StepState) -> bool| {
        view.steps.iter().filter(|step| wanted(&step.state)).count()
    };
    if view.steps.is_empty() {
        return String::new();
    }
    let done = of(|state| matches!(state, StepState::Changed | StepState::AlreadySo));
    let failed = of(|state| *state == StepState::Failed);
    let rest = view.steps.len() - done - failed;
    format!(
        ": {} done, {failed} failed, {rest} left",
        count(done, "step")
    )
}

/// Returns what to do next, where the outcome itself does not say it.
fn next(outcome: &Outcome, manner: &Manner) -> Option<String> {
    let word = manner.paint.tone(Tone::Strong, "next:");
    let again = &manner.again;
    match outcome {
        Outcome::ChecksFailed => Some(format!(
            "  {word}    mend what failed, then run `{again}` again"
        )),
        Outcome::Cancelled => Some(format!("  {word}    `{again}` goes on from here")),
        Outcome::Failed(failure) if failure.hint.is_none() => Some(format!(
            "  {word}    when the cause is gone, `{again}` goes on from here"
        )),
        _ => None,
    }
}

/// Returns what failed once more, so that nobody needs to scroll for it; `last` in full unless it was told before.
fn failures(view: &RunView, last: &Failure, paint: Paint) -> Vec<String> {
    let sign = paint.tone(Tone::Bad, "✖");
    let mut lines: Vec<String> = view
        .failures
        .iter()
        .map(|failure| {
            let place = failure.host.as_ref().map(|h| format!("{h}: "));
            let place = place.unwrap_or_default();
            format!("{sign} {place}{}", visible(&failure.message))
        })
        .collect();
    if !view.was_told(last) {
        lines.extend(for_people(last, paint));
    }
    lines
}

/// Returns what the time was spent on, by stage.
fn stages(view: &RunView) -> Vec<String> {
    let whole = took(view).max(Duration::from_millis(1));
    let row = |stage: Stage, spent: Duration| {
        let part = Share::of(
            u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
            u64::try_from(whole.as_millis()).unwrap_or(u64::MAX),
        );
        format!(
            "  {:10} {:>8}  {:>3}%",
            name(stage),
            time(spent),
            part.percent()
        )
    };
    let rows: Vec<String> = view
        .stages
        .iter()
        .filter_map(|s| Some(row(s.stage, between(s.began, s.ended?))))
        .collect();
    if rows.is_empty() {
        return rows;
    }
    std::iter::once(String::new())
        .chain(std::iter::once("time spent".to_owned()))
        .chain(rows)
        .collect()
}

/// Returns the steps that took longest.
fn slowest(view: &RunView) -> Vec<String> {
    let mut steps: Vec<_> = view
        .steps
        .iter()
        .filter(|step| step.state == StepState::Changed)
        .filter_map(|step| Some((step.took?, step)))
        .collect();
    if steps.is_empty() {
        return Vec::new();
    }
    steps.sort_by_key(|(took, step)| (Reverse(*took), step.summary.id.clone()));
    let rows = steps.iter().take(SLOWEST).map(|(took, step)| {
        let what = visible(&step.summary.description.summary);
        format!("  {:>8}  {}  {what}", time(*took), step.summary.host)
    });
    std::iter::once("slowest steps".to_owned())
        .chain(rows)
        .collect()
}

/// Returns where the result can be seen.
pub(super) fn endpoints(view: &RunView, paint: Paint) -> Vec<String> {
    let title = |endpoint: &EndpointView| endpoint.title.chars().count();
    let width = view.endpoints.iter().map(title).max().unwrap_or_default();
    view.endpoints
        .iter()
        .map(|endpoint| {
            let url = paint.tone(Tone::Strong, &visible(&endpoint.url));
            format!("  {:width$}  {url}", visible(&endpoint.title))
        })
        .collect()
}

/// Returns how long the run took.
fn took(view: &RunView) -> Duration {
    view.now.map_or(Duration::ZERO, |now| view.elapsed(now))
}

/// Returns a stage's name in the table.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Facts => "facts",
        Stage::Preflight => "preflight",
        Stage::Plan => "plan",
        Stage::Run => "run",
        Stage::Verify => "verify",
        Stage::Gather => "gather",
    }
}
