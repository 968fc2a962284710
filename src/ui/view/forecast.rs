//! How long the rest of a run will take, and which host decides it.
//!
//! Nothing is guessed: until two steps of a kind have been measured, here or in runs before, there is no forecast. The rest is played through host by host, each step beginning when
//! its host is free and what it waits for has ended; the host that ends last is the bottleneck.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::between;
use super::step::{StepState, StepView};
use crate::model::ids::{HostName, StepId};
use crate::model::plan::{Phase, Probe};

/// Below this share a step's own progress says too little about the rest of it.
const TELLING: u16 = 50;

/// How many steps of a kind must have been measured.
const ENOUGH: u32 = 2;

/// How long the rest will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The time left.
    pub left: Duration,
    /// Whether every step that is left is of a kind that was measured; otherwise `left` is the least it takes.
    pub complete: bool,
    /// The host that ends last.
    pub bottleneck: HostName,
}

/// Times of steps that are done, by kind and by phase.
#[derive(Default)]
struct Measured<'a> {
    kinds: HashMap<&'a str, (Duration, u32)>,
    phases: HashMap<Phase, (Duration, u32)>,
}

impl<'a> Measured<'a> {
    fn of(steps: &'a [StepView]) -> Self {
        let mut measured = Self::default();
        for step in steps {
            if let (StepState::Changed, Some(took)) = (&step.state, step.took) {
                for sum in [
                    measured.kinds.entry(step.kind()).or_default(),
                    measured.phases.entry(step.summary.phase).or_default(),
                ] {
                    sum.0 = sum.0.saturating_add(took);
                    sum.1 += 1;
                }
            }
        }
        measured
    }

    /// Returns how long a step takes in all, judged by others like it.
    fn whole(&self, step: &StepView) -> Option<Duration> {
        let mean = |sum: Option<&(Duration, u32)>| match sum {
            Some((time, count)) if *count >= ENOUGH => Some(*time / *count),
            _ => None,
        };
        mean(self.kinds.get(step.kind()))
            .or(step.expected)
            .or_else(|| mean(self.phases.get(&step.summary.phase)))
    }

    fn anything(&self) -> bool {
        self.phases.values().any(|(_, count)| *count >= ENOUGH)
    }

    /// Returns how long the rest of a step takes.
    fn rest(&self, step: &StepView, now: Timestamp) -> Option<Duration> {
        if step.ended() || step.summary.probe == Probe::AlreadySo {
            return Some(Duration::ZERO);
        }
        let Some(began) = step.began else {
            return self.whole(step);
        };
        let elapsed = between(began, now);
        let done = step.share().thousandths();
        if done >= TELLING {
            let rest = u32::from(1000_u16.saturating_sub(done));
            return Some(elapsed.saturating_mul(rest) / u32::from(done));
        }
        self.whole(step).map(|whole| whole.saturating_sub(elapsed))
    }
}

/// Returns the forecast for the steps of a plan, in its order.
pub(super) fn of(steps: &[StepView], now: Timestamp) -> Option<Forecast> {
    let measured = Measured::of(steps);
    let known = measured.anything() || steps.iter().any(|step| step.expected.is_some());
    if !known || steps.iter().all(StepView::ended) {
        return None;
    }
    let mut complete = true;
    let mut free: HashMap<&HostName, Duration> = HashMap::new();
    let mut ends: HashMap<&StepId, Duration> = HashMap::new();
    for step in steps.iter().filter(|step| !step.ended()) {
        let rest = measured.rest(step, now).unwrap_or_else(|| {
            complete = false;
            Duration::ZERO
        });
        let host = free.entry(&step.summary.host).or_default();
        let after = step.summary.after.iter().filter_map(|id| ends.get(id));
        let begins = after.copied().max().unwrap_or_default().max(*host);
        *host = begins.saturating_add(rest);
        ends.insert(&step.summary.id, *host);
    }
    // Of hosts that end together the first by name is named, so that the answer does not flicker.
    free.into_iter()
        .max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)))
        .map(|(host, left)| Forecast {
            left,
            complete,
            bottleneck: host.clone(),
        })
}
