//! Help, usage errors, the overview, completions and streams that go away.

use std::io::Read;
use std::process::{Command, Stdio};

use rstest::rstest;

use super::sandbox::Sandbox;

#[rstest]
#[case::whole("whole", &["--help"])]
#[case::short("short", &["-h"])]
#[case::presets("presets", &["presets", "--help"])]
#[case::answers("answers", &["answers", "--help"])]
#[case::check("check", &["check", "--help"])]
#[case::plan("plan", &["plan", "--help"])]
#[case::deploy("deploy", &["deploy", "--help"])]
#[case::status("status", &["status", "--help"])]
#[case::verify("verify", &["verify", "--help"])]
#[case::logs("logs", &["logs", "--help"])]
#[case::support("support", &["support", "--help"])]
#[case::adopt("adopt", &["adopt", "--help"])]
#[case::upgrade("upgrade", &["upgrade", "--help"])]
#[case::rollback("rollback", &["rollback", "--help"])]
#[case::backup("backup", &["backup", "--help"])]
#[case::restore("restore", &["restore", "--help"])]
#[case::certificate("certificate", &["certificate", "--help"])]
#[case::bundle("bundle", &["bundle", "--help"])]
#[case::bundle_inspect("bundle_inspect", &["bundle", "inspect", "--help"])]
#[case::bundle_create("bundle_create", &["bundle", "create", "--help"])]
#[case::bundle_push("bundle_push", &["bundle", "push", "--help"])]
#[case::bundle_store("bundle_store", &["bundle", "store", "--help"])]
#[case::destroy("destroy", &["destroy", "--help"])]
#[case::replay("replay", &["replay", "--help"])]
#[case::demo("demo", &["demo", "--help"])]
fn help(#[case] name: &str, #[case] arguments: &[&str]) {
    insta::assert_snapshot!(format!("help_{name}"), Sandbox::new().run(arguments));
}

#[rstest]
#[case::no_target("no_target", &["deploy"])]
#[case::two_targets("two_targets", &["deploy", "acme", "--answers", "a.toml"])]
#[case::bad_name("bad_name", &["status", "Acme Prod"])]
#[case::unknown_command("unknown_command", &["deplyo", "acme"])]
#[case::plain_and_json("plain_and_json", &["deploy", "acme", "--plain", "--json"])]
#[case::nobody_says_yes("nobody_says_yes", &["deploy", "acme"])]
#[case::nobody_says_yes_json("nobody_says_yes_json", &["deploy", "acme", "--json"])]
#[case::unknown_deployment("unknown_deployment", &["check", "acme"])]
#[case::unknown_deployment_json("unknown_deployment_json", &["check", "acme", "--json"])]
#[case::logs_of_unknown("logs_of_unknown", &["logs", "acme", "--json"])]
#[case::support_of_unknown("support_of_unknown", &["support", "acme", "--json"])]
#[case::logs_bad_time("logs_bad_time", &["logs", "acme", "--since", "yesterday-ish"])]
#[case::logs_no_time("logs_no_time", &["logs", "acme", "--since", "2026-11-20T00:00:00Z", "--until", "2026-11-19T00:00:00Z"])]
#[case::unknown_removal("unknown_removal", &["destroy", "acme", "--yes"])]
#[case::nobody_says_what_goes("nobody_says_what_goes", &["destroy", "acme"])]
#[case::data_without_a_name("data_without_a_name", &["destroy", "acme", "--yes", "--delete-data"])]
#[case::data_of_another("data_of_another", &["destroy", "acme", "--yes", "--delete-data=beta"])]
#[case::unknown_run("unknown_run", &["replay", "acme"])]
#[case::bad_speed("bad_speed", &["replay", "acme", "--speed", "fast"])]
#[case::missing_file("missing_file", &["check", "--answers", "nowhere.toml"])]
fn refused(#[case] name: &str, #[case] arguments: &[&str]) {
    insta::with_settings!({ filters => vec![(r#""time":"[^"]+""#, r#""time":"[time]""#)] }, {
        insta::assert_snapshot!(format!("refused_{name}"), Sandbox::new().run(arguments));
    });
}

#[test]
fn without_a_command_the_way_is_shown() {
    insta::assert_snapshot!(Sandbox::new().run(&[]));
}

#[test]
fn the_version_is_the_package_s() {
    let told = Sandbox::new().run(&["--version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        told,
        format!("exit 0\n--- stdout\nsyntho-installer {version}\n--- stderr\n")
    );
}

#[rstest]
#[case("bash", "complete -F _syntho__installer")]
#[case("zsh", "#compdef syntho-installer")]
#[case("fish", "complete -c syntho-installer")]
fn completions_are_for_this_program(#[case] shell: &str, #[case] part: &str) {
    let told = Sandbox::new().run(&["completions", shell]);
    assert!(told.starts_with("exit 0"), "{told}");
    assert!(told.contains(part), "{told}");
}

#[test]
fn nothing_is_written_by_looking() {
    let sandbox = Sandbox::new();
    for arguments in [
        &[] as &[&str],
        &["--help"],
        &["presets"],
        &["completions", "bash"],
    ] {
        sandbox.run(arguments);
    }
    assert!(!sandbox.home().exists());
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let sandbox = Sandbox::new();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("syntho-installer"))
        .args(["completions", "zsh"])
        .env("HOME", sandbox.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaint = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaint)
        .unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(complaint, "");
}

#[test]
fn a_full_disk_behind_the_output_is_an_error() {
    let Ok(full) = fs_err::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let output = Command::new(assert_cmd::cargo::cargo_bin!("syntho-installer"))
        .args(["completions", "zsh"])
        .env("HOME", "/nonexistent")
        .stdout(Stdio::from(full.into_file()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("cannot write the output"), "{complaint}");
}

#[test]
fn a_recorded_run_is_played_as_lines() {
    let sandbox = Sandbox::new();
    let recorded = include_str!("../fixtures/events/failed.jsonl");
    sandbox.write("run.jsonl", recorded);
    insta::assert_snapshot!(sandbox.run(&["replay", "run.jsonl", "--speed", "0"]));
}

#[test]
fn a_file_without_events_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("notes.txt", "nothing\n");
    insta::assert_snapshot!(sandbox.run(&["replay", "notes.txt"]));
}
