//! Whole lines with their times, out of the pieces in which an engine hands them over.

use jiff::Timestamp;

use super::stamp;

/// A line that grows beyond this is told in parts: nothing may take memory without end.
const MOST: usize = 256 << 10;

/// Whether a line ends with what is told, or more of it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It does.
    Here,
    /// More of it follows.
    Later,
}

/// Gets each line with its time.
pub(super) type Taker<'a> = &'a mut dyn FnMut(Timestamp, &str, Ends);

/// Puts the pieces of one voice of one container together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
    time: Option<Timestamp>,
}

impl Lines {
    /// Takes in a piece, and hands over each line that is whole now. A line without a time has that of the one before it.
    pub(super) fn take(&mut self, piece: &[u8], line: Taker<'_>) {
        let (time, piece) = split_time(piece);
        if self.open.is_empty() || self.time.is_none() {
            self.time = time.or(self.time);
        }
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.open.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            self.hand_over(Ends::Here, line);
            if let Some(time) = time {
                self.time = Some(time);
            }
        }
        self.open.extend_from_slice(rest);
        if self.open.len() > MOST {
            self.hand_over(Ends::Later, line);
        }
    }

    /// Hands over what was printed without a line break, when nothing follows any more.
    pub(super) fn end(&mut self, line: Taker<'_>) {
        if !self.open.is_empty() {
            self.hand_over(Ends::Here, line);
        }
    }

    fn hand_over(&mut self, ends: Ends, line: Taker<'_>) {
        // A character that is not whole yet waits for its rest.
        let whole = match ends {
            Ends::Here => self.open.len(),
            Ends::Later => whole_characters(&self.open),
        };
        let text = String::from_utf8_lossy(&self.open[..whole]);
        let time = self.time.unwrap_or(Timestamp::UNIX_EPOCH);
        let text = match ends {
            Ends::Here => text.trim_end_matches('\r'),
            Ends::Later => &text,
        };
        line(time, text, ends);
        self.open.drain(..whole);
    }
}

/// Returns how many bytes there are without the beginning of a character at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3)..bytes.len();
    let begins = |at: &usize| bytes[*at] >= 0xC0;
    match last.rev().find(begins) {
        Some(at) if std::str::from_utf8(&bytes[at..]).is_err() => at,
        _ => bytes.len(),
    }
}

/// Takes the time from the beginning of a piece.
fn split_time(piece: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let Some(end) = piece.iter().take(40).position(|byte| *byte == b' ') else {
        return (None, piece);
    };
    let time = stamp::read(&piece[..end]);
    match time {
        Some(time) => (Some(time), &piece[end + 1..]),
        None => (None, piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&str]) -> Vec<(String, String)> {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        let mut take = |time: Timestamp, text: &str, _: Ends| {
            read.push((time.strftime("%H:%M:%S").to_string(), text.to_owned()));
        };
        for piece in pieces {
            lines.take(piece.as_bytes(), &mut take);
        }
        lines.end(&mut take);
        read
    }

    fn line(time: &str, text: &str) -> (String, String) {
        (time.to_owned(), text.to_owned())
    }

    #[test]
    fn each_line_has_its_time() {
        let read = read(&[
            "2026-11-20T12:00:01.5Z one\n",
            "2026-11-20T12:00:02.123456789Z two words\r\n",
            "2026-11-20T12:00:03Z \n",
        ]);
        assert_eq!(
            read,
            [
                line("12:00:01", "one"),
                line("12:00:02", "two words"),
                line("12:00:03", "")
            ]
        );
    }

    #[test]
    fn a_long_line_comes_in_pieces_and_is_put_together() {
        let read = read(&[
            "2026-11-20T12:00:01Z pass",
            "2026-11-20T12:00:01Z word\n",
            "2026-11-20T12:00:05Z next\n",
        ]);
        assert_eq!(
            read,
            [line("12:00:01", "password"), line("12:00:05", "next")]
        );
    }

    #[test]
    fn what_has_no_time_or_no_end_is_told_all_the_same() {
        let read = read(&["2026-11-20T12:00:01Z one\n", "no time\n", "no end"]);
        assert_eq!(
            read,
            [
                line("12:00:01", "one"),
                line("12:00:01", "no time"),
                line("12:00:01", "no end")
            ]
        );
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut lines = Lines::default();
        let mut longest = 0;
        for _ in 0..100 {
            lines.take(&vec![b'x'; 16 << 10], &mut |_, text, _| {
                longest = longest.max(text.len());
            });
            assert!(lines.open.len() <= MOST);
        }
        assert!(longest > MOST && longest < MOST + (17 << 10), "{longest}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_however_it_is_cut(text in "[a-z \n]{0,60}", cuts in proptest::collection::vec(1_usize..9, 0..30)) {
            let mut lines = Lines::default();
            let mut whole = String::new();
            let mut take = |_: Timestamp, line: &str, _: Ends| { whole.push_str(line); whole.push('\n'); };
            let mut rest = text.as_str();
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                lines.take(piece.as_bytes(), &mut take);
                rest = more;
            }
            lines.take(rest.as_bytes(), &mut take);
            lines.end(&mut take);
            prop_assert_eq!(whole.trim_end_matches('\n'), text.trim_end_matches('\n'));
        }
    }
}
