//! Secrets in text that comes in pieces: bytes cut anywhere, and the lines of a program, of which some belong together.

use std::borrow::Cow;

use crate::logs::Ends;

use super::{Redactor, Tally, patterns, push_mask};

/// A private key has fewer lines than this; what comes after is something else.
const MOST_KEY_LINES: u32 = 400;

/// Takes secrets out of bytes that come in pieces. It holds back what may be the beginning of one.
#[derive(Debug)]
pub struct Sieve {
    redactor: Redactor,
    held: Vec<u8>,
    /// So many bytes at the beginning of `held` belong to a secret whose name was told already.
    covered: usize,
}

impl Sieve {
    /// Returns one that has seen nothing.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            held: Vec::new(),
            covered: 0,
        }
    }

    /// Takes in a piece and appends to `out` what is certain by now.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>, tally: &mut Tally) {
        self.held.extend_from_slice(piece);
        let cut = self
            .held
            .len()
            .saturating_sub(self.redactor.finder.reach() + 1);
        // A cut within a character would make two broken ones of it.
        let cut = (0..=cut)
            .rev()
            .find(|at| self.held.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80));
        self.settle(cut.unwrap_or(0), out, tally);
    }

    /// Appends the rest: nothing follows.
    pub fn end(&mut self, out: &mut Vec<u8>, tally: &mut Tally) {
        self.settle(self.held.len(), out, tally);
        self.covered = 0;
    }

    /// Hands over what stands before `cut`. A secret that begins there is known in full, also where it ends behind.
    fn settle(&mut self, cut: usize, out: &mut Vec<u8>, tally: &mut Tally) {
        if cut == 0 {
            return;
        }
        let mut at = self.covered.min(cut);
        let mut covered = self.covered;
        for group in self.redactor.finder.groups(&self.held) {
            if group.start >= cut {
                break;
            }
            if group.start >= covered {
                out.extend_from_slice(&self.held[at..group.start]);
                let mut mask = String::new();
                push_mask(&mut mask, group.name);
                out.extend_from_slice(mask.as_bytes());
                tally.add(group.name);
            }
            covered = covered.max(group.end);
            at = at.max(group.end).min(cut);
        }
        out.extend_from_slice(&self.held[at..cut]);
        self.covered = covered.saturating_sub(cut);
        self.held.drain(..cut);
    }
}

/// Whether a text is a whole line, or more of the same line follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The line ends with it.
    Last,
    /// More follows.
    More,
}

impl From<Ends> for Part {
    fn from(ends: Ends) -> Self {
        match ends {
            Ends::Here => Self::Last,
            Ends::Later => Self::More,
        }
    }
}

/// Takes secrets out of the lines of one program: those that are known, those that look like one, and private keys that go over several lines.
#[derive(Debug)]
pub struct Washer {
    redactor: Redactor,
    /// What is held back of a line that is too long to be held whole.
    long: Option<Sieve>,
    /// Lines of a private key so far, and whether the last of them was full.
    key: Option<(u32, bool)>,
    tally: Tally,
}

impl Washer {
    /// Returns one that has seen nothing.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            long: None,
            key: None,
            tally: Tally::default(),
        }
    }

    /// Returns what was replaced since the last time.
    #[must_use]
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Returns a line without secrets, or `None` for one of which nothing may be said: a further line of a private key.
    pub fn line<'t>(&mut self, text: &'t str, part: Part) -> Option<Cow<'t, str>> {
        if part == Part::More || self.long.is_some() {
            return Some(Cow::Owned(self.long_line(text, part)));
        }
        if self.goes_on_with_key(text) {
            return None;
        }
        let clean = self.redactor.clean(text, &mut self.tally);
        if patterns::opens_key(text) {
            self.key = Some((0, true));
        }
        Some(clean)
    }

    fn long_line(&mut self, text: &str, part: Part) -> String {
        let sieve = self
            .long
            .get_or_insert_with(|| Sieve::new(self.redactor.clone()));
        let mut out = Vec::with_capacity(text.len());
        sieve.push(text.as_bytes(), &mut out, &mut self.tally);
        if part == Part::Last {
            sieve.end(&mut out, &mut self.tally);
            self.long = None;
        }
        let text = String::from_utf8_lossy(&out);
        patterns::mask(&text, &mut self.tally).into_owned()
    }

    /// Returns whether a line is one more of a private key that began before.
    fn goes_on_with_key(&mut self, text: &str) -> bool {
        let Some((lines, full)) = self.key else {
            return false;
        };
        let line = text.trim();
        if lines >= MOST_KEY_LINES || !patterns::is_of_key(line, full) {
            self.key = None;
            return false;
        }
        self.key = (!patterns::ends_key(line)).then(|| (lines + 1, patterns::is_full(line)));
        true
    }
}
