//! Following a long step: its bytes become lines, the last of which are kept as evidence.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::engine::action::{ActionError, Context};
use crate::transport::detached::{self, End, Step};

/// Lines kept.
const LINES: usize = 12;
/// A line longer than this is cut, so that a program gone wild does not fill our memory.
const LONGEST: usize = 4096;

/// The last words of a long step.
#[derive(Debug, Default)]
pub(super) struct Words {
    last: VecDeque<String>,
    open: Vec<u8>,
}

impl Words {
    /// Takes in bytes and returns the lines that they complete.
    fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' || self.open.len() >= LONGEST {
                lines.push(self.close());
            }
            if byte != b'\n' {
                self.open.push(byte);
            }
        }
        lines
    }

    fn close(&mut self) -> String {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned();
        if self.last.len() == LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.clone());
        line
    }

    /// Returns the last lines.
    pub(super) fn lines(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

/// Passes on what the step prints until it is over; the operator's wish to stop leaves it running.
pub(super) fn to_the_end(cx: &Context<'_>, step: &Step<'_>) -> Result<(End, Words), ActionError> {
    let mut words = Words::default();
    let mut offset = 0;
    let end = detached::follow(cx.host, step, &mut offset, &mut |bytes| {
        for line in words.take(bytes) {
            cx.progress.line(&line);
        }
        if cx.progress.cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    if !words.open.is_empty() {
        let line = words.close();
        cx.progress.line(&line);
    }
    end.map(|end| (end, words)).ok_or(ActionError::Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_wherever_they_are_cut() {
        let mut words = Words::default();
        assert_eq!(words.take(b"one\ntw"), ["one"]);
        assert_eq!(words.take(b"o\n\nrest"), ["two", ""]);
        assert_eq!(words.lines(), ["one", "two", ""]);
        assert_eq!(words.take(&[b'x'; LONGEST]).len(), 1);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut words = Words::default();
        words.take("line\n".repeat(LINES + 5).as_bytes());
        assert_eq!(words.lines().len(), LINES);
    }
}
