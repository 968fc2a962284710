//! Text in columns: how wide it is, cut to fit, and broken into lines.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most bytes of a text that are broken into lines.
const MOST_WRAPPED: usize = 4096;

/// Returns how many columns a text takes, grapheme by grapheme, as it is put into cells.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Returns `text` cut to at most `room` columns, with an ellipsis where something was cut.
#[must_use]
pub fn fitted(text: &str, room: usize) -> Cow<'_, str> {
    if start_of(text, room).len() == text.len() {
        return Cow::Borrowed(text);
    }
    if room == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}…", start_of(text, room - 1)))
}

/// Returns as much of the start of `text` as fits into `room` columns.
#[must_use]
pub fn start_of(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > room {
            return &text[..at];
        }
    }
    text
}

/// Returns `text` without its first `columns` columns.
#[must_use]
pub fn beginning_at(text: &str, columns: usize) -> &str {
    let mut passed = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if passed >= columns {
            return &text[at..];
        }
        passed += grapheme.width();
    }
    ""
}

/// Returns `text` in lines of at most `room` columns, broken between words where there are any; what nobody would read to its end is cut.
#[must_use]
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let cut = text.floor_char_boundary(MOST_WRAPPED);
    let whole = cut == text.len();
    let text = &text[..cut];
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    // At blanks only: what stands between them, such as a path or a word with its comma, stays together.
    for word in text.split_inclusive(' ') {
        if used + width(word.trim_end()) <= room {
            line.push_str(word);
            used += width(word);
            continue;
        }
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        line = String::new();
        let mut rest = word;
        while width(rest.trim_end()) > room {
            let start = start_of(rest, room);
            if start.is_empty() {
                // A single grapheme wider than the room is not to be had.
                rest = "";
                break;
            }
            lines.push(start.to_owned());
            rest = &rest[start.len()..];
        }
        if !rest.trim().is_empty() {
            line.push_str(rest);
        }
        used = width(&line);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    if !whole {
        lines.push("…".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "ab…")]
    #[case::wide("漢字漢", 5, "漢字…")]
    #[case::nothing("abc", 0, "")]
    fn cut(#[case] text: &str, #[case] room: usize, #[case] shown: &str) {
        assert_eq!(fitted(text, room), shown);
    }

    #[rstest]
    #[case("one two three", 7, &["one two", "three"])]
    #[case("abcdefgh", 3, &["abc", "def", "gh"])]
    #[case::no_stop_alone("go on there.", 9, &["go on", "there."])]
    #[case("see /opt/some/where", 15, &["see", "/opt/some/where"])]
    #[case("", 5, &[""])]
    fn broken(#[case] text: &str, #[case] room: usize, #[case] lines: &[&str]) {
        assert_eq!(wrapped(text, room), lines);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_room(text in "\\PC{0,80}", room in 2_usize..40) {
            for line in wrapped(&text, room) {
                prop_assert!(width(&line) <= room, "{line:?}");
            }
            prop_assert!(width(&fitted(&text, room)) <= room);
        }
    }
}
