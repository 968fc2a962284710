//! Values in a `.env` file: written so that every Compose release reads back what was meant, read from a host, and proved with Compose itself.
//!
//! A value is put in single quotes, the only form that all parsers read alike; one with a `'` goes in double quotes with `\`, `"` and `$` escaped.
//! Values that no form can carry everywhere (line breaks, NUL, a backslash at the end) are refused. Nothing here sources a file in a shell.

mod parse;
mod proof;

pub(crate) use parse::is_variable_name;
pub use parse::parse;
pub use proof::{Mismatch, compare, proof_file};

use secrecy::SecretString;

/// Why a value cannot stand in a `.env` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRenderable {
    /// A line break.
    #[error("it holds a line break, which a `.env` file cannot carry")]
    LineBreak,
    /// A NUL character.
    #[error("it holds a NUL character")]
    Nul,
    /// A backslash at the end.
    #[error("it ends in a backslash, which Compose releases before 2.24 cannot read in any form")]
    TrailingBackslash,
}

/// Tells whether `value` can be carried by a `.env` file.
///
/// # Errors
/// Fails with the reason when it cannot.
pub fn check(value: &str) -> Result<(), NotRenderable> {
    if value.contains(['\n', '\r']) {
        Err(NotRenderable::LineBreak)
    } else if value.contains('\0') {
        Err(NotRenderable::Nul)
    } else if value.ends_with('\\') {
        Err(NotRenderable::TrailingBackslash)
    } else {
        Ok(())
    }
}

/// Returns `value` as the right side of a `.env` line.
///
/// # Errors
/// Fails when no form carries it in every Compose release.
pub fn quote(value: &str) -> Result<String, NotRenderable> {
    check(value)?;
    if !value.contains('\'') {
        return Ok(format!("'{value}'"));
    }
    let mut quoted = String::with_capacity(value.len() + 8);
    quoted.push('"');
    for c in value.chars() {
        if matches!(c, '\\' | '"' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// Returns the value of a variable in the text of a `.env` file, as a host keeps it; `None` when it is not there or empty.
#[must_use]
pub fn kept(text: &str, variable: &str) -> Option<SecretString> {
    parse(text)
        .into_iter()
        .rfind(|(name, _)| name == variable)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
        .map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn round_trip(value: &str) -> String {
        let text = format!("BEFORE='x'\nNAME={}\nAFTER='y'\n", quote(value).unwrap());
        let pairs = parse(&text);
        assert_eq!(pairs.len(), 3, "{text}");
        pairs[1].1.clone()
    }

    /// The table of test values, rows 1 to 11, 14 and 15: each comes back byte for byte.
    #[rstest]
    #[case::row_1("66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%#")]
    #[case::row_2("66n6ldql(b2g0jmop(gr)")]
    #[case::row_3("!2ImY6&A!*i3")]
    #[case::row_4("Myyxngwf-NL04CgyD6WvcyMD09rMkN_fk3q0Bga54ME=")]
    #[case::row_5_space("abc #def")]
    #[case::row_5_inside("abc#def")]
    #[case::row_5_start("#abc")]
    #[case::row_6_single("it's")]
    #[case::row_6_double("a\"b")]
    #[case::row_6_both("it's \"both\"")]
    #[case::row_6_dollar("a'b$c")]
    #[case::row_7_inside("a\\b")]
    #[case::row_7_newline_look("a\\nb")]
    #[case::row_7_quote("it's\\a")]
    #[case::row_8_name("$HOME")]
    #[case::row_8_braces("${X}")]
    #[case::row_8_default("${X:-y}")]
    #[case::row_8_twice("$$")]
    #[case::row_8_end("a$")]
    #[case::row_8_open("${")]
    #[case::row_8_command("$(id)")]
    #[case::row_8_backtick("`id`")]
    #[case::row_9_semicolon("a;touch x")]
    #[case::row_9_pipe("a|b")]
    #[case::row_9_and("a&b")]
    #[case::row_9_redirect("a>b")]
    #[case::row_10_leading("  a")]
    #[case::row_10_trailing("a  ")]
    #[case::row_10_tab("a\tb")]
    #[case::row_10_empty("")]
    #[case::row_11_accents("é€ü")]
    #[case::row_14("\"syntho-core\",\"syntho-backend\"")]
    #[case::row_15_ours("{{ LICENSE_KEY }}")]
    #[case::row_15_printf("%s")]
    #[case::row_15_format("{0}")]
    fn table_of_test_values(#[case] value: &str) {
        assert_eq!(round_trip(value), value);
    }

    #[test]
    fn row_11_a_long_key_survives() {
        let key = "Ab1+/=".repeat(700);
        assert_eq!(round_trip(&key), key);
    }

    #[rstest]
    #[case::row_7("abc\\", NotRenderable::TrailingBackslash)]
    #[case::row_13_lf("a\nb", NotRenderable::LineBreak)]
    #[case::row_13_cr("a\rb", NotRenderable::LineBreak)]
    #[case::nul("a\0b", NotRenderable::Nul)]
    fn refused(#[case] value: &str, #[case] reason: NotRenderable) {
        assert_eq!(quote(value), Err(reason));
    }

    #[test]
    fn single_quotes_wherever_they_can_be() {
        assert_eq!(quote("a$b\"c").unwrap(), "'a$b\"c'");
        assert_eq!(quote("it's $5").unwrap(), "\"it's \\$5\"");
    }

    proptest! {
        #[test]
        fn whatever_can_be_written_is_read_back(value in "[^\n\r\0]{0,60}") {
            if check(&value).is_ok() {
                prop_assert_eq!(round_trip(&value), value);
            }
        }

        #[test]
        fn nasty_values_are_read_back(value in r#"[\\'"$#= {}a`\t]{0,24}"#) {
            if check(&value).is_ok() {
                prop_assert_eq!(round_trip(&value), value);
            }
        }
    }
}
