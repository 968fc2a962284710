//! The wrapping by itself; with feature `e2e` also against a real sudo.

use rstest::rstest;

use super::*;
use crate::transport::Privilege;

fn root(script: &str) -> Command {
    Command::sh(script).with_privilege(Privilege::Root)
}

#[test]
fn the_password_is_in_the_input_and_nowhere_else() {
    let password = SecretString::from("hunter2");
    let wrapped = wrap(&root("id"), RootAccess::Password, Some(&password), "mark").unwrap();
    assert!(!wrapped.script.contains("hunter2"));
    assert!(!format!("{wrapped:?}").contains("hunter2"));
    assert_eq!(wrapped.prefix.unwrap().expose_secret(), "hunter2\nmark\n");
}

#[rstest]
#[case(RootAccess::IsRoot)]
#[case(RootAccess::Passwordless)]
fn without_a_question_nothing_is_put_before_the_input(#[case] access: RootAccess) {
    let password = SecretString::from("hunter2");
    let wrapped = wrap(&root("id"), access, Some(&password), "mark").unwrap();
    assert!(wrapped.prefix.is_none());
    assert_eq!(
        wrapped.script.contains("sudo -n"),
        access == RootAccess::Passwordless
    );
}

#[rstest]
#[case(RootAccess::PasswordMissing)]
#[case(RootAccess::None)]
#[case(RootAccess::Password)]
fn rights_that_cannot_be_had_are_an_error(#[case] access: RootAccess) {
    let error = wrap(&root("id"), access, None, "mark").unwrap_err();
    assert!(matches!(error, TransportError::Sudo { .. }), "{error}");
}

#[test]
fn a_password_with_a_line_break_is_refused() {
    let password = SecretString::from("a\nb");
    assert!(wrap(&root("id"), RootAccess::Password, Some(&password), "mark").is_err());
}

/// Shells that people have as login shell; those that this machine holds are tried, and `sh` it always holds.
#[rstest]
fn every_login_shell_runs_the_line(
    #[values("sh", "dash", "bash", "zsh", "ksh", "fish", "busybox")] shell: &str,
) {
    let script =
        "cat; printf '%s|' \"$LC_ALL\" 'it'\\''s' 'back\\\\slash!' \"$(echo a; echo b)\"\nexit 7";
    let wrapped = wrap(&Command::sh(script), RootAccess::None, None, "mark").unwrap();
    let mut process = std::process::Command::new(shell);
    if shell == "busybox" {
        process.arg("sh");
    }
    let spawned = process
        .args(["-c", &wrapped.script])
        .stdin(std::process::Stdio::null())
        .output();
    match spawned {
        Ok(output) => {
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "C|it's|back\\\\slash!|a\nb|"
            );
            assert_eq!(output.status.code(), Some(7));
        }
        Err(error) => assert!(shell != "sh" && error.kind() == std::io::ErrorKind::NotFound),
    }
}

#[rstest]
#[case("Sudo version 1.9.13p3", 0, Some(RootAccess::Password))]
#[case("sudo-rs 0.2.13", 0, Some(RootAccess::Password))]
#[case("sudo-rs 0.2.3", status::NO_MARK, None)]
fn a_sudo_that_reads_too_far_is_found_out(
    #[case] version: &str,
    #[case] third: i32,
    #[case] access: Option<RootAccess>,
) {
    let mut ends = [1, status::RAN, third].into_iter();
    let password = SecretString::from("hunter2");
    let found = probe(
        &mut |_| {
            Ok(Output {
                exit: Exit::Code(ends.next().unwrap()),
                stdout: version.into(),
                stderr: b"sudo: a password is required".to_vec(),
            })
        },
        Some(&password),
    );
    assert_eq!(found.ok(), access);
}

/// Runs the first question of [`probe`] against an answer.
fn answered(exit: i32, stderr: &str, password: Option<&str>) -> Result<RootAccess, TransportError> {
    let mut asked = 0;
    let password = password.map(SecretString::from);
    let outcome = probe(
        &mut |_| {
            asked += 1;
            Ok(Output {
                exit: Exit::Code(exit),
                stdout: Vec::new(),
                stderr: stderr.into(),
            })
        },
        password.as_ref(),
    );
    assert!(asked <= 2, "a password is tried once");
    outcome
}

#[rstest]
#[case(status::ROOT, "", Some(RootAccess::IsRoot))]
#[case(status::NO_SUDO, "", Some(RootAccess::None))]
#[case(status::RAN, "", Some(RootAccess::Passwordless))]
#[case(1, "sudo: a password is required", Some(RootAccess::PasswordMissing))]
#[case(1, "sudo: irgendwas", Some(RootAccess::PasswordMissing))]
#[case(1, "sudo: sorry, you must have a tty to run sudo", None)]
fn the_first_answer_decides_without_a_password(
    #[case] exit: i32,
    #[case] stderr: &str,
    #[case] access: Option<RootAccess>,
) {
    assert_eq!(answered(exit, stderr, None).ok(), access);
}

#[cfg(feature = "e2e")]
mod with_sudo {
    use std::sync::Arc;

    use super::*;
    use crate::transport::rehearsed::{Machine, PASSWORD, USER};
    use crate::transport::{Host, Input};

    fn machine(rule: &str) -> Arc<Machine> {
        Arc::new(Machine::start(&format!("{}\n", rule.replace("USER", USER))))
    }

    fn echoes(host: &dyn Host) {
        let command =
            root("id -u; cat; echo done >&2").with_input(Input::Bytes(b"payload\n".into()));
        for _ in 0..2 {
            let output = host.must(&command).unwrap();
            assert_eq!(output.text(), "0\npayload");
            assert!(output.complaint().ends_with("done"));
        }
    }

    #[rstest]
    #[case::asks_every_time("Defaults timestamp_timeout=0\nUSER ALL=(ALL) ALL")]
    #[case::asks_once("Defaults timestamp_type=global\nUSER ALL=(ALL) ALL")]
    #[case::in_its_own_words(
        "Defaults passprompt_override, passprompt=\"Kennwort bitte: \"\nUSER ALL=(ALL) ALL"
    )]
    #[case::with_a_pty("Defaults use_pty\nUSER ALL=(ALL) ALL")]
    #[case::with_a_narrow_path("Defaults secure_path=/bin:/usr/bin\nUSER ALL=(ALL) ALL")]
    fn a_password_never_reaches_the_payload(#[case] rule: &str) {
        let machine = machine(rule);
        let host = machine.connect(Some(PASSWORD));
        assert_eq!(host.root_access(), RootAccess::Password);
        echoes(&host);
    }

    #[test]
    fn sudo_that_asks_nothing_gets_no_password() {
        let host = machine("USER ALL=(ALL) NOPASSWD: ALL").connect(Some(PASSWORD));
        assert_eq!(host.root_access(), RootAccess::Passwordless);
        echoes(&host);
    }

    #[test]
    fn sudo_that_stops_asking_between_two_commands_does_no_harm() {
        let machine = machine("USER ALL=(ALL) ALL");
        let host = machine.connect(Some(PASSWORD));
        machine.inside(
            "cat > /etc/sudoers.d/00-test",
            &format!("{USER} ALL=(ALL) NOPASSWD: ALL\n"),
        );
        echoes(&host);
    }

    #[rstest]
    #[case::wrong(
        "USER ALL=(ALL) ALL",
        Some("wrong"),
        RootAccess::PasswordMissing,
        "sudo refuses the password"
    )]
    #[case::none_given(
        "USER ALL=(ALL) ALL",
        None,
        RootAccess::PasswordMissing,
        "sudo wants a password, and none that works was given"
    )]
    #[case::not_in_sudoers(
        "# nobody",
        Some(PASSWORD),
        RootAccess::None,
        "the user may not use sudo for a shell: engineer is not in the sudoers file."
    )]
    #[case::one_command_only(
        "USER ALL=(ALL) /usr/bin/id",
        Some(PASSWORD),
        RootAccess::None,
        "the user may not use sudo for a shell: Sorry, user engineer is not allowed to execute '/usr/bin/sh -c exit 124' as root on HOST."
    )]
    #[case::terminal_wanted(
        "Defaults requiretty\nUSER ALL=(ALL) ALL",
        Some(PASSWORD),
        RootAccess::None,
        "sudo insists on a terminal (`requiretty` in sudoers)"
    )]
    fn refusals_are_told_apart(
        #[case] rule: &str,
        #[case] password: Option<&str>,
        #[case] access: RootAccess,
        #[case] reason: &str,
    ) {
        let machine = machine(rule);
        let host = machine.connect(password);
        assert_eq!(host.root_access(), access);
        assert!(host.must(&Command::sh("true")).is_ok());
        let Err(TransportError::Sudo { detail }) = host.run(&root("true")) else {
            panic!("not refused");
        };
        let name = machine.inside("hostname", "");
        assert_eq!(detail, reason.replace("HOST", &name));
    }

    #[test]
    fn a_wrong_password_is_one_failed_login() {
        let machine = machine("Defaults logfile=/var/log/sudo.log\nUSER ALL=(ALL) ALL");
        machine.connect(Some("wrong"));
        let log = machine.inside("cat /var/log/sudo.log", "");
        assert!(log.contains("1 incorrect password attempt"), "{log}");
    }

    #[test]
    fn without_sudo_there_is_no_way() {
        let machine = machine("# nobody");
        machine.inside("rm $(command -v sudo)", "");
        assert_eq!(
            machine.connect(Some(PASSWORD)).root_access(),
            RootAccess::None
        );
    }
}
