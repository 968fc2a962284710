//! What a host has said, in a bounded amount of memory: the oldest lines make room for the newest.
//!
//! Lines are numbered from the run's first, so a place in the log stays what it is while older lines go.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::model::text::visible_lines;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The host printed it.
    Said,
    /// A step began, or something else worth a line.
    Told,
    /// It worked.
    Good,
    /// Somebody should know.
    Warn,
    /// It failed.
    Bad,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub time: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// What it says; nothing in it acts on a terminal.
    pub text: Box<str>,
}

/// Longer lines are cut: nobody reads them on a screen, and one must not take the room of a thousand.
const MOST_IN_LINE: usize = 4096;

/// What a line takes besides its text.
const OVERHEAD: usize = size_of::<LogLine>() + 16;

/// The lines of one host.
#[derive(Debug, Clone)]
pub struct Scrollback {
    lines: VecDeque<LogLine>,
    /// The number of the oldest line that is kept.
    first: u64,
    bytes: usize,
    most: usize,
}

impl Scrollback {
    /// Returns an empty log that takes at most about `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            first: 0,
            bytes: 0,
            most,
        }
    }

    /// Gives it more or less room; what does not fit any more goes.
    pub fn bound(&mut self, most: usize) {
        self.most = most;
        self.make_room();
    }

    /// Adds text, a line for each of its lines.
    pub fn add(&mut self, time: Timestamp, kind: Kind, text: &str) {
        for line in visible_lines(text) {
            let cut = line.floor_char_boundary(MOST_IN_LINE);
            let text = match line.len() - cut {
                0 => Box::from(line.as_ref()),
                more => format!("{}… ({more} bytes more)", &line[..cut]).into_boxed_str(),
            };
            self.bytes += OVERHEAD + text.len();
            self.lines.push_back(LogLine { time, kind, text });
        }
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.bytes > self.most && self.lines.len() > 1 {
            if let Some(line) = self.lines.pop_front() {
                self.bytes -= OVERHEAD + line.text.len();
                self.first += 1;
            }
        }
    }

    /// Returns the number of the oldest line that is kept.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Returns the number that the next line will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Returns the lines from number `from` on, with their numbers.
    pub fn from(&self, from: u64) -> impl Iterator<Item = (u64, &LogLine)> {
        let skipped = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let skipped = skipped.min(self.lines.len());
        (self.first + skipped as u64..).zip(self.lines.range(skipped..))
    }

    /// Returns the last `count` lines.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &LogLine> {
        self.lines.range(self.lines.len().saturating_sub(count)..)
    }

    /// Returns the number of the next line after `from`, or the last one before it, that holds `wanted`; from the end it goes on at the other.
    #[must_use]
    pub fn find(&self, wanted: &Wanted, from: u64, forward: bool) -> Option<u64> {
        if forward {
            let matching = |(at, line): (u64, &LogLine)| wanted.is_in(&line.text).then_some(at);
            self.from(from.saturating_add(1))
                .find_map(matching)
                .or_else(|| self.from(self.first).find_map(matching))
        } else {
            let numbered = || (self.first..).zip(self.lines.iter());
            let matching = |(at, line): &(u64, &LogLine)| *at < from && wanted.is_in(&line.text);
            let before = numbered().filter(matching).last();
            before
                .or_else(|| {
                    numbered()
                        .filter(|(_, line)| wanted.is_in(&line.text))
                        .last()
                })
                .map(|(at, _)| at)
        }
    }
}

/// What is searched for. Written in lower case it finds either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    text: String,
    exact: bool,
}

impl Wanted {
    /// Returns what finds `text`; `None` of nothing.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            exact: text.chars().any(char::is_uppercase),
        })
    }

    /// Returns what is searched for.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether a line holds it.
    #[must_use]
    pub fn is_in(&self, line: &str) -> bool {
        self.place(line).is_some()
    }

    /// Returns where in a line it is, in bytes.
    #[must_use]
    pub fn place(&self, line: &str) -> Option<std::ops::Range<usize>> {
        let begin = if self.exact {
            line.find(&self.text)?
        } else {
            let (line, text) = (line.as_bytes(), self.text.as_bytes());
            line.windows(text.len())
                .position(|part| part.eq_ignore_ascii_case(text))?
        };
        let place = begin..begin + self.text.len();
        line.get(place.clone()).map(|_| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn log(lines: &[&str]) -> Scrollback {
        let mut log = Scrollback::new(100_000);
        for line in lines {
            log.add(NOW, Kind::Said, line);
        }
        log
    }

    #[test]
    fn old_lines_make_room_and_keep_their_numbers() {
        let mut log = Scrollback::new(20 * (OVERHEAD + 3));
        for number in 0..100 {
            log.add(NOW, Kind::Said, &format!("{number:03}"));
        }
        assert_eq!((log.first(), log.end()), (80, 100));
        let (number, line) = log.from(0).next().unwrap();
        assert_eq!((number, line.text.as_ref()), (80, "080"));
        assert_eq!(log.from(98).count(), 2);
        assert_eq!(log.from(1000).count(), 0);
    }

    #[test]
    fn a_line_without_end_is_cut_and_says_so() {
        let mut log = Scrollback::new(1_000_000);
        log.add(NOW, Kind::Said, &"é".repeat(100_000));
        let text = &log.last(1).next().unwrap().text;
        assert!(text.len() < MOST_IN_LINE + 40, "{}", text.len());
        assert!(text.ends_with("bytes more)"), "{text}");
    }

    #[rstest]
    #[case("error", 0, true, Some(1))]
    #[case("error", 1, true, Some(3))]
    #[case::around_the_end("error", 3, true, Some(1))]
    #[case("error", 3, false, Some(1))]
    #[case::around_the_start("error", 1, false, Some(3))]
    #[case::exact("ERROR", 0, true, Some(3))]
    #[case("nowhere", 0, true, None)]
    fn searching(
        #[case] wanted: &str,
        #[case] from: u64,
        #[case] forward: bool,
        #[case] found: Option<u64>,
    ) {
        let log = log(&["start", "an error", "between", "ERROR again"]);
        let wanted = Wanted::new(wanted).unwrap();
        assert_eq!(log.find(&wanted, from, forward), found);
    }

    proptest! {
        #[test]
        fn whatever_is_added_it_stays_bounded(lines in proptest::collection::vec(any::<String>(), 0..60)) {
            let mut log = Scrollback::new(2000);
            for line in &lines {
                log.add(NOW, Kind::Said, line);
            }
            prop_assert!(log.bytes <= 2000 || log.lines.len() == 1);
            prop_assert!(log.from(0).all(|(_, line)| !line.text.chars().any(char::is_control)));
        }

        #[test]
        fn a_place_is_where_the_text_is(line in "\\PC{0,20}", wanted in "\\PC{1,4}") {
            if let Some(place) = Wanted::new(&wanted).unwrap().place(&line) {
                prop_assert!(line[place].eq_ignore_ascii_case(&wanted));
            }
        }
    }
}
