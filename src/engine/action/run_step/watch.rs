//! What a tool prints while it runs: shown without secrets, and read for how far it is and for failures that are known.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use regex::Regex;

use super::RunStep;
use super::taking::Taken;
use crate::engine::action::{ActionError, Context};
use crate::engine::printed::Lines;
use crate::model::preset::KnownFailure;
use crate::model::text::visible_lines;
use crate::transport::detached::{self, End, Step};

/// Lines kept.
const LINES: usize = 20;

/// Reads what one step prints.
pub(super) struct Watch<'a> {
    step: &'a RunStep,
    taken: &'a Taken,
    open: Lines,
    last: VecDeque<String>,
    fails: Vec<(Regex, &'a KnownFailure)>,
    phases: Vec<Regex>,
    /// How many phases have begun.
    begun: usize,
    /// The first of the known failures that was seen, by its place among them, and what was found.
    failed: Option<(usize, String)>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(step: &'a RunStep, taken: &'a Taken) -> Result<Self, ActionError> {
        let fails = step.tool.fails.iter();
        let fails = fails.map(|known| Ok((regex(&known.says)?, known)));
        let phases = step.tool.phases.iter();
        Ok(Self {
            step,
            taken,
            open: Lines::default(),
            last: VecDeque::new(),
            fails: fails.collect::<Result<_, ActionError>>()?,
            phases: phases
                .map(|phase| regex(&phase.says))
                .collect::<Result<_, _>>()?,
            begun: 0,
            failed: None,
        })
    }

    /// Passes on what the step prints until it is over or has taken too long; the operator's wish to stop leaves it running.
    pub(super) fn follow(&mut self, cx: &Context<'_>, long: &Step<'_>) -> Result<End, ActionError> {
        let began = Instant::now();
        let within = Duration::from_secs(self.step.tool.within);
        let mut offset = 0;
        let mut late = false;
        let end = detached::follow(cx.host, long, &mut offset, &mut |bytes| {
            for line in self.open.take(bytes) {
                self.hear(&line, cx);
            }
            late = began.elapsed() >= within;
            if late || cx.progress.cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if let Some(end) = end {
            if let Some(line) = self.open.rest() {
                self.hear(&line, cx);
            }
            return Ok(end);
        }
        if !late {
            return Err(ActionError::Cancelled);
        }
        detached::cancel(cx.host, long)?;
        detached::clean(cx.host, long)?;
        Err(self.step.situation(
            format!(
                "it was not over after {} s and was ended: {}",
                self.step.tool.within, self.step.tool.title
            ),
            self.last.iter().cloned().collect(),
            &self.step.tool.remedy,
        ))
    }

    fn hear(&mut self, line: &str, cx: &Context<'_>) {
        let seen = visible_lines(line).last().unwrap_or_default();
        let line = self.taken.mask(&seen);
        if line.trim().is_empty() {
            return;
        }
        self.notice_failure(&line);
        cx.progress.line(&line);
        self.notice_phase(&line, cx);
        self.last.push_back(line);
        if self.last.len() > LINES {
            self.last.pop_front();
        }
    }

    fn notice_failure(&mut self, line: &str) {
        let until = self.failed.as_ref().map_or(self.fails.len(), |(at, _)| *at);
        let found = self.fails.iter().take(until).enumerate();
        let mut found = found.filter_map(|(at, (says, _))| {
            let found = says.captures(line)?;
            let text = found.get(1).or_else(|| found.get(0))?;
            Some((at, text.as_str().to_owned()))
        });
        if let Some(earlier) = found.next() {
            self.failed = Some(earlier);
        }
    }

    /// Phases come in their order; one that is not announced is passed over.
    fn notice_phase(&mut self, line: &str, cx: &Context<'_>) {
        let ahead = self.phases.iter().enumerate().skip(self.begun);
        let mut ahead = ahead.filter(|(_, says)| says.is_match(line));
        if let Some((at, _)) = ahead.next() {
            self.begun = at + 1;
            cx.progress
                .line(&format!("== {}", self.step.tool.phases[at].title));
            cx.progress
                .at(self.begun as u64, Some(self.phases.len() as u64));
        }
    }

    /// Says why it ended otherwise than well.
    pub(super) fn failure(&self, end: End) -> ActionError {
        let evidence = self.last.iter().cloned().collect();
        let known = self.failed.as_ref();
        let known = known.and_then(|(at, found)| Some((self.fails.get(*at)?.1, found)));
        if let Some((known, found)) = known {
            let place = known.about.as_ref();
            let place = place.map_or_else(String::new, |id| format!(" (`{id}` in the answers)"));
            let message = known.message.replace("{found}", found);
            let remedy = format!("{}{place}", known.remedy.replace("{found}", found));
            return self.step.situation(message, evidence, &remedy);
        }
        let message = match end {
            End::Code(code) => self.last.back().cloned().unwrap_or_else(|| {
                format!("it ended with status {code}: {}", self.step.tool.title)
            }),
            End::Cancelled => format!("somebody has ended it: {}", self.step.tool.title),
            End::Interrupted => format!(
                "it was cut off; has the host restarted? {}",
                self.step.tool.title
            ),
        };
        self.step
            .situation(message, evidence, &self.step.tool.remedy)
    }
}

fn regex(says: &str) -> Result<Regex, ActionError> {
    Regex::new(says).map_err(|error| ActionError::Bug(error.to_string()))
}
