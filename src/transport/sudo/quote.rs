//! Quoting for the login shell, of which we know nothing: sh, bash, zsh, ksh, fish; csh as far as a single line goes.
//!
//! Scripts that we write are POSIX sh and quoted by `shlex`; this is only for the outermost line.

use std::fmt::Write as _;

/// Returns `text` as one word. Inside single quotes fish gives a meaning to backslashes and csh to `!`, so those stand outside of them.
pub(super) fn for_any_shell(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 16);
    let mut open = false;
    for c in text.chars() {
        let bare = matches!(c, '\\' | '\'' | '!');
        if bare == open {
            word.push('\'');
            open = !open;
        }
        if bare {
            word.push('\\');
        }
        word.push(c);
    }
    if open {
        word.push('\'');
    }
    if word.is_empty() {
        let _ = word.write_str("''");
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "''")]
    #[case("id -u", "'id -u'")]
    #[case("it's", r"'it'\''s'")]
    #[case(r"a\\b!", r"'a'\\\\'b'\!")]
    fn words(#[case] text: &str, #[case] word: &str) {
        assert_eq!(for_any_shell(text), word);
    }

    proptest! {
        #[test]
        fn sh_reads_back_what_went_in(text in r"[\x01-\x7eäß\n\t']{0,60}") {
            let line = format!("printf %s {}", for_any_shell(&text));
            let output = std::process::Command::new("sh").arg("-c").arg(line).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
