//! Text that somebody else wrote, made safe to show.
//!
//! Whatever a host, a container or a file says may hold control sequences that move the cursor, rename the window or reorder what is read. [`visible`] is the
//! one place that defuses them; screens, line mode, logs and reports all call it, and so does whoever turns a host's output into an event.

use std::borrow::Cow;

/// How many columns a tab is worth.
const TAB: &str = "    ";

/// Returns `text` as one line that can only be read: colour sequences dropped, every other control character shown as a symbol.
///
/// Line breaks become visible too, except at the end, where they are dropped.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.chars().any(|c| symbol(c).is_some()) {
        Cow::Owned(defuse(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns `text` as lines that can only be read; of a line rewritten with carriage returns only the last state is kept.
pub fn visible_lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.lines().map(|line| {
        let line = line.trim_end_matches('\r');
        visible(line.rsplit('\r').next().unwrap_or(line))
    })
}

/// Returns `text` cut to at most `width` characters, with an ellipsis where something was cut.
#[must_use]
pub fn shortened(text: &str, width: usize) -> Cow<'_, str> {
    if text.chars().count() <= width {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// Replaces every dangerous character, dropping whole colour sequences.
fn defuse(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = after_colour(rest) {
            rest = after;
            continue;
        }
        match symbol(c) {
            Some(symbol) => shown.push_str(&symbol),
            None => shown.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    shown
}

/// Returns what follows when `text` begins with a colour sequence (`ESC [ … m`).
fn after_colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters[end..].strip_prefix('m')
}

/// Returns what stands for a character that must not reach a terminal, or `None` when it may.
fn symbol(c: char) -> Option<Cow<'static, str>> {
    match c {
        '\t' => Some(Cow::Borrowed(TAB)),
        '\u{7f}' => Some(Cow::Borrowed("\u{2421}")),
        // Unicode has a picture for each C0 control, in the same order.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).map(|p| Cow::Owned(p.to_string())),
        _ if misleads(c) => Some(Cow::Owned(format!("<U+{:04X}>", u32::from(c)))),
        _ => None,
    }
}

/// Returns whether a character is not seen itself but changes what is seen.
fn misleads(c: char) -> bool {
    // C1 controls, which some terminals obey.
    matches!(c, '\u{80}'..='\u{9f}')
        // Directional marks, embeddings, overrides and isolates: they reorder what is read.
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        // Characters nobody sees, and separators that some terminals take for a line break.
        || matches!(c, '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}')
        // Tags, which spell invisible text.
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Returns `text` as one word that is typed into a shell; text that no shell takes as a word stays as it is.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// Returns bytes as hexadecimal digits, two for each, in lower case.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("pulled 412 MB ✔ — naïve", "pulled 412 MB ✔ — naïve")]
    #[case::end("line\r\n", "line")]
    #[case::colour("\u{1b}[1;32mok\u{1b}[0m", "ok")]
    #[case::clear("a\u{1b}[2Jb", "a␛[2Jb")]
    #[case::title("\u{1b}]0;owned\u{7}", "␛]0;owned␇")]
    #[case::unfinished("\u{1b}[31", "␛[31")]
    #[case::c1("\u{9b}31m", "<U+009B>31m")]
    #[case::bidi("a\u{202e}b\u{2066}c", "a<U+202E>b<U+2066>c")]
    #[case::invisible("pass\u{200b}word", "pass<U+200B>word")]
    #[case::tab("a\tb", "a    b")]
    #[case::back("ab\u{8}", "ab␈")]
    #[case::del("\u{7f}", "␡")]
    #[case::inner_break("a\nb", "a␊b")]
    fn dangerous_text_is_shown(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn of_a_rewritten_line_the_last_state_is_kept() {
        let lines: Vec<_> = visible_lines("10%\r20%\r\nnext\r\n").collect();
        assert_eq!(lines, ["20%", "next"]);
    }

    #[rstest]
    #[case("abc", 3, "abc")]
    #[case("abcd", 3, "ab…")]
    #[case("äöüß", 2, "ä…")]
    fn long_text_is_cut_between_characters(
        #[case] text: &str,
        #[case] width: usize,
        #[case] shown: &str,
    ) {
        assert_eq!(shortened(text, width), shown);
    }

    proptest! {
        #[test]
        fn nothing_dangerous_survives(text in any::<String>()) {
            let shown = visible(&text).into_owned();
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(visible(&shown), shown.as_str());
        }
    }
}
