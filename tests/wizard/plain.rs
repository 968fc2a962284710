//! Line mode.

use super::terminal::Place;

/// Prompts and answers for everything on one host.
const ANSWERS: &[(&str, &str)] = &[
    ("Number", "2"),
    ("Name of the deployment", "acme"),
    ("Number", "3"),
    ("Release", "1.9.0"),
    ("Registry", ""),
    ("Number of one to change", ""),
    ("User", "deploy"),
    ("Port", ">"),
    ("Number", "2"),
    ("Name", "ui"),
    ("Address", "local"),
    ("User", ""),
    ("Numbers, parted by commas", "1"),
    ("Number", "1"),
    ("Number", "1"),
    ("Shared memory of Ray", ">"),
];

/// What comes after the page of hosts.
const REST: &[(&str, &str)] = &[("Licence key", "a-licence-key-of-some-length")];

#[test]
fn the_way_through_by_plain_questions() {
    let place = Place::new();
    let mut terminal = place.start(&["new", "--plain"], (100, 40));
    for (prompt, answer) in ANSWERS {
        terminal.answer(prompt, answer);
    }
    terminal.wait_for("Page 5 of 8");
    terminal.answer("Number", "2");
    terminal.wait_for("Licence key");
    for (prompt, answer) in REST {
        terminal.answer(prompt, answer);
    }
    terminal.answer("Host name for browsers", "127.0.0.1");
    terminal.answer("Port of the user interface", ">");
    terminal.wait_for("Page 6 of 8");
    terminal.answer("Name of the first administrator", "");
    terminal.answer("E-mail address", "admin@acme.example");
    terminal.answer("Number", "3");
    terminal.answer("Which", "ADMIN_PASSWORD");
    terminal.wait_for("Page 7 of 8");
    terminal.answer("Number", ">");
    terminal.wait_for("They are whole");
    terminal.answer("Number", "1");
    terminal.answer("Write it to", "acme.toml");
    assert_eq!(terminal.ended(), 0);
    let text = fs_err::read_to_string(place.path("acme.toml")).unwrap();
    insta::assert_snapshot!(text);
    // No alternate screen, and no secret anywhere on disk.
    assert!(!terminal.printed().contains("\u{1b}[?1049h"));
    assert!(!terminal.printed().contains("a-licence-key-of-some-length"));
    assert!(
        !place
            .path("home/drafts")
            .read_dir()
            .unwrap()
            .any(|entry| entry.is_ok())
    );
}

#[test]
fn killed_it_comes_back_to_the_same_question() {
    let place = Place::new();
    let mut terminal = place.start(&["new", "--plain"], (100, 40));
    for (prompt, answer) in &ANSWERS[..12] {
        terminal.answer(prompt, answer);
    }
    terminal.wait_for("Roles of this host");
    terminal.kill();
    let mut terminal = place.start(&["new", "--plain"], (100, 40));
    terminal.wait_for("going on with the answers that were given before");
    terminal.wait_for("Page 3 of 8");
    // The address is accepted, the user is where it was left.
    terminal.answer("User", "");
    terminal.wait_for("? Numbers, parted by commas");
    terminal.send("\u{3}");
    assert_eq!(terminal.ended(), 130);
    assert!(
        terminal.shown().contains("the answers are kept"),
        "{}",
        terminal.shown()
    );
}

#[rstest::rstest]
#[case::by_a_question(&[], "Number")]
#[case::while_hosts_are_tried(&ANSWERS[..8], "Number")]
fn a_signal_leaves_with_a_word_on_how_to_go_on(
    #[case] answers: &[(&str, &str)],
    #[case] last: &str,
) {
    let place = Place::new();
    let mut terminal = place.start(&["new", "--plain"], (100, 40));
    for (prompt, answer) in answers {
        terminal.answer(prompt, answer);
    }
    terminal.wait_for(last);
    // From outside, as between two questions: then Ctrl-C is no key.
    terminal.signal(rustix::process::Signal::INT);
    assert_eq!(terminal.ended(), 130, "{}", terminal.shown());
    let said = "the answers are kept; `syntho-installer new` goes on from there";
    assert_eq!(
        terminal.shown().matches(said).count(),
        1,
        "{}",
        terminal.shown()
    );
    assert!(terminal.is_cooked(), "the terminal is not as it was found");
    if !answers.is_empty() {
        let mut terminal = place.start(&["new", "--plain"], (100, 40));
        terminal.wait_for("going on with the answers that were given before");
    }
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let place = Place::new();
    let output = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("syntho-installer"))
        .arg("new")
        .env("SYNTHO_INSTALLER_HOME", place.path("home"))
        .env("SYNTHO_INSTALLER_OFFLINE", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("nobody is there to answer"), "{told}");
}
