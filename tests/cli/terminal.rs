//! The binary on a terminal, made by `script` of util-linux.

use rstest::rstest;

use super::sandbox::Sandbox;

/// Runs the program on a terminal of its own and returns everything that appears there.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> String {
    let sandbox = Sandbox::new();
    let program = assert_cmd::cargo::cargo_bin!("syntho-installer");
    let mut command = assert_cmd::Command::new("script");
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!("'{}' {arguments}", program.display()))
        .arg("/dev/null")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .env("HOME", sandbox.folder())
        .env("SYNTHO_INSTALLER_HOME", sandbox.home())
        .envs(environment.iter().copied())
        .timeout(std::time::Duration::from_mins(1));
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[rstest]
#[case::by_itself("", &[], true)]
#[case::not_wanted("", &[("NO_COLOR", "1")], false)]
#[case::empty_means_nothing("", &[("NO_COLOR", "")], true)]
#[case::dumb("", &[("TERM", "dumb")], false)]
#[case::never("--color never", &[], false)]
fn colour(#[case] arguments: &str, #[case] environment: &[(&str, &str)], #[case] coloured: bool) {
    let shown = on_terminal(arguments, environment);
    assert!(shown.contains("Nothing is deployed yet"), "{shown}");
    assert_eq!(shown.contains('\u{1b}'), coloured, "{shown:?}");
}

#[test]
fn colour_without_a_terminal_only_when_asked_for() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.run(&[]).contains('\u{1b}'));
    assert!(sandbox.run(&["--color", "always"]).contains('\u{1b}'));
}
