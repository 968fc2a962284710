//! The one line that an exec request carries, written so that every login shell passes it on unharmed.
//!
//! sshd hands the line to the login shell, and csh ends a word at a line break, quoted or not. So a script of several lines travels as
//! octal escapes for `printf %b`, within single quotes and without anything that some shell gives a meaning to there.

use std::fmt::Write as _;

/// The longest line that a Linux host takes as one argument, with room for the shell's own words.
pub(super) const LONGEST: usize = 128 * 1024 - 512;

/// Returns `line`, which is written for POSIX sh and fish, in a form that csh passes on as well.
pub(super) fn carry(line: &str) -> String {
    if !line.contains('\n') {
        return line.to_owned();
    }
    let mut escaped = String::with_capacity(line.len() + line.len() / 4);
    for byte in line.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\0{byte:03o}");
        }
    }
    // The shell's `$0` is the escaped text; `eval` runs what `printf` makes of it.
    format!("exec sh -c 'eval \"$(printf %b \"$0\")\"' '{escaped}'")
}

/// Returns whether a byte means itself inside single quotes in sh, bash, zsh, ksh, fish, csh and tcsh.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\' | b'!')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use rstest::rstest;

    #[test]
    fn a_single_line_stays_readable() {
        assert_eq!(carry("exec id -u"), "exec id -u");
    }

    #[rstest]
    #[case("printf %s 'a b'", "a b")]
    #[case("printf %s 'back\\slash'\n", "back\\slash")]
    #[case("printf %s 'wow! 100% $x `y`'\n", "wow! 100% $x `y`")]
    #[case("printf %s one\nprintf %s two", "onetwo")]
    #[case("cat <<'END'\nit's \\0101 é\nEND\n", "it's \\0101 é\n")]
    fn sh_runs_what_was_meant(#[case] line: &str, #[case] expected: &str) {
        let carried = carry(line);
        assert!(!carried.contains('\n'));
        let output = Command::new("sh").args(["-c", &carried]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }

    #[test]
    fn the_status_is_the_scripts_own() {
        let status = Command::new("sh")
            .args(["-c", &carry("false\nexit 7")])
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(7));
    }
}
