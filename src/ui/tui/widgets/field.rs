//! A field for one line of text: cursor, paste, masked secrets that can be shown for a moment.
//!
//! What is typed or pasted is only text: control characters and line breaks are left out, so a pasted key that was wrapped arrives whole.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use ratatui::crossterm::event::KeyCode;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::text::{beginning_at, width};
use crate::model::text::visible;
use crate::ui::tui::keys::Key;
use crate::ui::tui::theme::Look;

/// How long a secret stays readable after the key that shows it; holding the key repeats it.
const SHOWN: SignedDuration = SignedDuration::from_millis(1200);

/// What stands for a character of a masked field.
const MASK: &str = "•";

/// How a field shows what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Display {
    /// As it is.
    #[default]
    Plain,
    /// As dots.
    Masked,
}

/// A field. Its [`std::fmt::Debug`] shows no masked text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    /// A byte position between two graphemes of `text`.
    cursor: usize,
    display: Display,
    shown_until: Option<Timestamp>,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self.display {
            Display::Plain => self.text.as_str(),
            Display::Masked => "…",
        };
        f.debug_struct("Field")
            .field("text", &text)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

impl Field {
    /// Returns a field that holds `text`, with the cursor at its end.
    #[must_use]
    pub fn new(text: &str, display: Display) -> Self {
        let mut field = Self {
            display,
            ..Self::default()
        };
        field.insert(text);
        field
    }

    /// Returns what it holds.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces what it holds; the cursor goes to the end.
    pub fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
    }

    /// Puts typed or pasted text at the cursor, as one line: line breaks and other control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        // What was put in may have joined the grapheme before or after it.
        if !self.text.is_char_boundary(self.cursor) {
            self.cursor = self.text.len();
        }
    }

    /// Heeds a key that edits; returns whether it did anything.
    pub fn heed(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code(), key.is_ctrl()) {
            (KeyCode::Left, false) => self.cursor = self.before().start,
            (KeyCode::Right, false) => self.cursor = self.after().end,
            (KeyCode::Left, true) => self.cursor = self.word_before(),
            (KeyCode::Right, true) => self.cursor = self.word_after(),
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.cursor = 0,
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => self.cursor = self.text.len(),
            (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => self.remove(self.before()),
            (KeyCode::Delete, _) | (KeyCode::Char('d'), true) => self.remove(self.after()),
            (KeyCode::Char('u'), true) => self.remove(0..self.cursor),
            (KeyCode::Char('k'), true) => self.remove(self.cursor..self.text.len()),
            (KeyCode::Char('w'), true) => self.remove(self.word_before()..self.cursor),
            _ => return false,
        }
        true
    }

    /// Shows a masked field for a moment.
    pub fn show(&mut self, now: Timestamp) {
        self.shown_until = now.checked_add(SHOWN).ok();
    }

    /// Lets time pass; returns whether the field went back to dots.
    pub fn turn(&mut self, now: Timestamp) -> bool {
        let over = self.shown_until.is_some_and(|until| until <= now);
        if over {
            self.shown_until = None;
        }
        over
    }

    /// Returns whether dots stand for the text.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.display == Display::Masked && self.shown_until.is_none()
    }

    /// Returns the field in `room` columns, scrolled so that the cursor is seen, and the cursor's column in it.
    #[must_use]
    pub fn line(&self, room: u16, look: Look) -> (Line<'static>, u16) {
        let room = usize::from(room.max(1));
        let (before, after) = self.text.split_at(self.cursor);
        let shown = |text: &str| {
            if self.is_masked() {
                MASK.repeat(text.graphemes(true).count())
            } else {
                visible(text).into_owned()
            }
        };
        // `visible` drops line breaks at the end, but there are none in a field.
        let (before, after) = (shown(before), shown(after));
        let column = width(&before);
        let skipped = (column + 1).saturating_sub(room);
        let whole = before + &after;
        let text = beginning_at(&whole, skipped).to_owned();
        let style = if self.is_masked() {
            look.faint()
        } else {
            ratatui::style::Style::new()
        };
        let column = u16::try_from(column - skipped).unwrap_or(u16::MAX);
        (Line::from(Span::styled(text, style)), column)
    }

    fn remove(&mut self, range: Range<usize>) {
        let start = range.start;
        self.text.replace_range(range, "");
        self.cursor = start;
    }

    /// Returns the grapheme before the cursor.
    fn before(&self) -> Range<usize> {
        let last = self.text[..self.cursor].grapheme_indices(true).next_back();
        last.map_or(0, |(at, _)| at)..self.cursor
    }

    /// Returns the grapheme after the cursor.
    fn after(&self) -> Range<usize> {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor..self.cursor + next.map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let mut words = self.text[..self.cursor].unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let mut words = self.text[self.cursor..].unicode_word_indices();
        let next = words.next();
        next.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn press(field: &mut Field, codes: &[KeyCode]) {
        for code in codes {
            field.heed(Key::of(*code));
        }
    }

    fn shown(field: &Field, room: u16) -> (String, u16) {
        let (line, column) = field.line(room, Look::FULL);
        (line.to_string(), column)
    }

    #[test]
    fn typing_in_the_middle() {
        let mut field = Field::new("acme", Display::Plain);
        press(&mut field, &[KeyCode::Left, KeyCode::Left]);
        field.heed(Key::char('x'));
        assert_eq!(field.text(), "acxme");
        press(&mut field, &[KeyCode::Backspace, KeyCode::Delete]);
        assert_eq!(field.text(), "ace");
        press(&mut field, &[KeyCode::Home, KeyCode::Delete, KeyCode::End]);
        field.insert("!");
        assert_eq!(field.text(), "ce!");
    }

    #[test]
    fn whole_words_and_whole_lines() {
        let mut field = Field::new("ui.acme.example deploy", Display::Plain);
        field.heed(Key::ctrl('w'));
        assert_eq!(field.text(), "ui.acme.example ");
        field.heed(Key::ctrl('u'));
        assert!(field.is_empty());
    }

    #[test]
    fn a_wrapped_key_is_pasted_whole() {
        let mut field = Field::new("", Display::Plain);
        field.insert("AAAA-BBBB\r\nCCCC\u{1b}\n");
        assert_eq!(field.text(), "AAAA-BBBBCCCC");
    }

    #[test]
    fn a_long_text_is_scrolled_to_its_cursor() {
        let mut field = Field::new("0123456789", Display::Plain);
        assert_eq!(shown(&field, 5), ("6789".to_owned(), 4));
        press(&mut field, &[KeyCode::Home]);
        let (text, column) = shown(&field, 5);
        assert!(text.starts_with("01234"));
        assert_eq!(column, 0);
    }

    #[test]
    fn a_secret_is_dots_but_for_a_moment() {
        let now = Timestamp::UNIX_EPOCH;
        let mut field = Field::new("pass", Display::Masked);
        assert_eq!(shown(&field, 10).0, "••••");
        assert!(!format!("{field:?}").contains("pass"));
        field.show(now);
        assert_eq!(shown(&field, 10).0, "pass");
        assert!(!field.turn(now));
        assert!(field.turn(now + SHOWN));
        assert_eq!(shown(&field, 10).0, "••••");
    }

    proptest! {
        #[test]
        fn whatever_is_pressed_the_cursor_stays_between_characters(
            text in "\\PC{0,20}",
            keys in proptest::collection::vec(0_usize..10, 0..30),
        ) {
            let mut field = Field::new(&text, Display::Plain);
            for key in keys {
                let key = [
                    Key::of(KeyCode::Left), Key::of(KeyCode::Right), Key::of(KeyCode::Backspace),
                    Key::of(KeyCode::Delete), Key::of(KeyCode::Home), Key::of(KeyCode::End),
                    Key::ctrl('w'), Key::ctrl('k'), Key::char('é'), Key::char('\u{301}'),
                ][key];
                field.heed(key);
                let _ = field.line(7, Look::FULL);
            }
            prop_assert!(field.text().is_char_boundary(field.cursor));
        }
    }
}
