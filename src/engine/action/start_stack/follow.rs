//! Following a long step: its bytes become lines, the last of which are kept as evidence.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::engine::action::{ActionError, Context};
use crate::engine::printed::Lines;
use crate::transport::detached::{self, End, Step};

/// Lines kept.
const LINES: usize = 12;

/// The last words of a long step.
#[derive(Debug, Default)]
pub(in crate::engine::action) struct Words {
    last: VecDeque<String>,
    open: Lines,
}

impl Words {
    /// Takes in bytes and returns the lines that they complete.
    fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let lines = self.open.take(bytes);
        self.keep(&lines);
        lines
    }

    /// Returns the line that was not ended, once there is no more to come.
    fn rest(&mut self) -> Option<String> {
        let line = self.open.rest()?;
        self.keep(std::slice::from_ref(&line));
        Some(line)
    }

    fn keep(&mut self, lines: &[String]) {
        self.last.extend(lines.iter().cloned());
        let old = self.last.len().saturating_sub(LINES);
        self.last.drain(..old);
    }

    /// Returns the last lines.
    pub(in crate::engine::action) fn lines(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

/// Passes on what the step prints until it is over; the operator's wish to stop leaves it running.
pub(in crate::engine::action) fn to_the_end(
    cx: &Context<'_>,
    step: &Step<'_>,
) -> Result<(End, Words), ActionError> {
    while_sound(cx, step, &mut || Ok(()))
}

/// The same, and ends the step as soon as `sound` says why it cannot come to a good end.
pub(super) fn while_sound(
    cx: &Context<'_>,
    step: &Step<'_>,
    sound: &mut dyn FnMut() -> Result<(), ActionError>,
) -> Result<(End, Words), ActionError> {
    let mut words = Words::default();
    let mut hopeless = None;
    let mut offset = 0;
    let end = detached::follow(cx.host, step, &mut offset, &mut |bytes| {
        for line in words.take(bytes) {
            cx.progress.line(&line);
        }
        if cx.progress.cancelled() {
            return ControlFlow::Break(());
        }
        match sound() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                hopeless = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = hopeless {
        detached::cancel(cx.host, step)?;
        return Err(error);
    }
    if let Some(line) = words.rest() {
        cx.progress.line(&line);
    }
    end.map(|end| (end, words)).ok_or(ActionError::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_though_nothing_ended_it() {
        let mut words = Words::default();
        assert_eq!(words.take(b"one\ntw"), ["one"]);
        assert_eq!(words.rest(), Some("tw".to_owned()));
        assert_eq!(words.rest(), None);
        assert_eq!(words.lines(), ["one", "tw"]);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut words = Words::default();
        words.take("line\n".repeat(LINES + 5).as_bytes());
        assert_eq!(words.lines().len(), LINES);
    }
}
