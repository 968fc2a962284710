//! Where secrets stand in a text: one pass for all of them, and overlapping ones taken together, so that no tail of one is left beside another.

use aho_corasick::AhoCorasick;

use super::forms::Needle;

/// How far beyond a needle its surroundings may belong to it: a character before, one behind, and padding, each perhaps percent-encoded.
const SURROUNDINGS: usize = 12;

/// A part of a text that is to be replaced as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The name of the longest secret in it.
    pub(super) name: &'a str,
    longest: usize,
}

/// Finds needles.
#[derive(Debug, Default)]
pub(super) struct Finder {
    needles: Vec<Needle>,
    automaton: Option<AhoCorasick>,
    longest: usize,
}

impl Finder {
    pub(super) fn new(needles: Vec<Needle>) -> Self {
        let texts = needles.iter().map(|needle| needle.text.as_bytes());
        let longest = texts.clone().map(<[u8]>::len).max().unwrap_or(0);
        let automaton = AhoCorasick::new(texts)
            // Only needles beyond all measure could make it fail; then nothing is said to be clean, see `groups`.
            .inspect_err(|error| tracing::error!(%error, "secrets cannot be looked for"))
            .ok();
        Self {
            needles,
            automaton,
            longest,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.needles.len()
    }

    /// Returns how many bytes at the end of a piece may belong to a needle that goes on in the next one.
    pub(super) fn reach(&self) -> usize {
        self.longest + SURROUNDINGS
    }

    /// Returns what is to be replaced, from the beginning on, nothing overlapping.
    pub(super) fn groups(&self, text: &[u8]) -> Vec<Group<'_>> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        if self.needles.is_empty() || !automaton.is_match(text) {
            return Vec::new();
        }
        let masks = self.masks(text);
        let mut found: Vec<Group<'_>> = automaton
            .find_overlapping_iter(text)
            .filter(|hit| {
                !masks
                    .iter()
                    .any(|(start, end)| *start <= hit.start() && hit.end() <= *end)
            })
            .map(|hit| {
                let needle = &self.needles[hit.pattern().as_usize()];
                let (start, end) = widened(text, hit.start(), hit.end(), needle);
                Group {
                    start,
                    end,
                    name: &needle.name,
                    longest: hit.end() - hit.start(),
                }
            })
            .collect();
        found.sort_by_key(|group| (group.start, std::cmp::Reverse(group.end)));
        merged(found)
    }

    /// Returns where names already stand in place of secrets: a name may hold the word that somebody chose as a password.
    fn masks(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let (open, close) = ("‹".as_bytes(), "›".as_bytes());
        let mut masks = Vec::new();
        let mut at = 0;
        while let Some(start) = position(&text[at..], open).map(|found| at + found) {
            at = start + open.len();
            let window = &text[at..text.len().min(at + 80)];
            let Some(length) = position(window, close) else {
                continue;
            };
            let name = &window[..length];
            let known = || self.needles.iter().any(|n| n.name.as_bytes() == name);
            if super::patterns::is_name(name) || known() {
                masks.push((start, at + length + close.len()));
            }
        }
        masks
    }
}

/// Puts together what overlaps.
fn merged(found: Vec<Group<'_>>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::with_capacity(found.len());
    for next in found {
        match groups.last_mut() {
            Some(last) if next.start < last.end => {
                last.end = last.end.max(next.end);
                if next.longest > last.longest {
                    (last.name, last.longest) = (next.name, next.longest);
                }
            }
            _ => groups.push(next),
        }
    }
    groups
}

/// Returns where a needle begins and ends with the characters beside it that hold a part of it.
fn widened(text: &[u8], start: usize, end: usize, needle: &Needle) -> (usize, usize) {
    let (mut from, mut to) = (start, end);
    if needle.left && from > 0 && is_base64(text[from - 1]) {
        from -= 1;
    }
    if needle.right && text.get(to).copied().is_some_and(is_base64) {
        to += 1;
    }
    if needle.padded {
        for _ in 0..2 {
            let rest = &text[to..];
            if rest.first() == Some(&b'=') {
                to += 1;
            } else if rest.len() >= 3 && rest[..3].eq_ignore_ascii_case(b"%3d") {
                to += 3;
            }
        }
    }
    (from, to)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

pub(super) fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
