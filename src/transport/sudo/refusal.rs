//! sudo's refusals in our words. Success never depends on these texts; what is not recognised is quoted.

/// The user may not use sudo, or not for this.
const NOT_ALLOWED: &[&str] = &[
    "not in the sudoers",
    "may not run sudo",
    "not allowed to",
    "isn't allowed to",
    "is not allowed",
    "afraid i can't do that",
];
/// The password was not accepted.
const WRONG: &[&str] = &[
    "incorrect password",
    "incorrect authentication",
    "try again",
    "authentication failed",
    "maximum 3 incorrect",
    "no password was provided",
];
/// What [`explain`] says of a wrong password.
const REFUSES_PASSWORD: &str = "sudo refuses the password";

/// Returns why no password would help, when the words say so.
pub(super) fn hopeless(words: &str) -> Option<String> {
    let lower = words.to_lowercase();
    if lower.contains("must have a tty") || lower.contains("a terminal is required to run") {
        return Some("sudo insists on a terminal (`requiretty` in sudoers)".to_owned());
    }
    NOT_ALLOWED
        .iter()
        .any(|part| lower.contains(part))
        .then(|| {
            format!(
                "the user may not use sudo for a shell: {}",
                last_line(words)
            )
        })
}

/// Returns why sudo said no although it got a password.
pub(super) fn explain(words: &str) -> String {
    let lower = words.to_lowercase();
    hopeless(words).unwrap_or_else(|| {
        if WRONG.iter().any(|part| lower.contains(part)) {
            REFUSES_PASSWORD.to_owned()
        } else {
            format!("sudo says: {}", last_line(words))
        }
    })
}

/// Returns whether a reason of [`explain`] is about the password.
pub(super) fn of_password(reason: &str) -> bool {
    reason == REFUSES_PASSWORD
}

fn last_line(words: &str) -> &str {
    let line = words.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.unwrap_or("nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::sudo_wrong(
        "   Sorry, try again.\n \nsudo: no password was provided\nsudo: 1 incorrect password attempt",
        REFUSES_PASSWORD
    )]
    #[case::sudo_rs_wrong(
        "sudo: Authentication failed, try again.\nsudo: no password was provided",
        REFUSES_PASSWORD
    )]
    #[case::sudoers(
        " deploy is not in the sudoers file.",
        "the user may not use sudo for a shell: deploy is not in the sudoers file."
    )]
    #[case::sudo_rs_sudoers(
        "sudo: I'm sorry deploy. I'm afraid I can't do that",
        "the user may not use sudo for a shell: sudo: I'm sorry deploy. I'm afraid I can't do that"
    )]
    #[case::one_command(
        "Sorry, user deploy is not allowed to execute '/usr/bin/sh -c id' as root on vm.",
        "the user may not use sudo for a shell: Sorry, user deploy is not allowed to execute '/usr/bin/sh -c id' as root on vm."
    )]
    #[case::tty(
        "sudo: sorry, you must have a tty to run sudo",
        "sudo insists on a terminal (`requiretty` in sudoers)"
    )]
    #[case::silent("", "sudo says: nothing")]
    fn reasons(#[case] words: &str, #[case] reason: &str) {
        assert_eq!(explain(words), reason);
    }

    #[test]
    fn being_asked_for_a_password_is_no_refusal() {
        assert_eq!(hopeless("sudo: a password is required"), None);
        assert_eq!(
            hopeless("sudo: interactive authentication is required"),
            None
        );
    }
}
