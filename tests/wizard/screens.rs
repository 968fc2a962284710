//! Full screens.

use rstest::rstest;

use super::terminal::{Place, Terminal};

const ENTER: &str = "\r";
const DOWN: &str = "\u{1b}[B";
const PAGE_DOWN: &str = "\u{1b}[6~";
const PAGE_UP: &str = "\u{1b}[5~";
const F5: &str = "\u{1b}[15~";

/// Presses keys one after the other, waiting after each for what must be seen then.
fn walk(terminal: &mut Terminal, keys: &[(&str, &str)]) {
    for (key, seen) in keys {
        terminal.send(key);
        terminal.wait_for(seen);
    }
}

/// The whole way, in steps: keys, and what is seen after them.
fn way() -> Vec<(&'static str, &'static str)> {
    vec![
        (DOWN, "▸  Syntho Application on one host"),
        (ENTER, "such as acme-prod"),
        ("acme", "✔ Name of the deployment"),
        (ENTER, "page 2/8 Images"),
        ("\u{1b}[C", "[bundle]"),
        ("\u{1b}[C", "[present]"),
        (ENTER, "▸! Release"),
        ("1.9.0", "1.9.0"),
        (PAGE_DOWN, "page 3/8 Hosts"),
        ("a", "Host without a name yet"),
        ("ui", "Host"),
        (ENTER, "▸! Address"),
        ("local", "▸✔ Address"),
        (ENTER, "✔ Address"),
        ("\u{1b}", "Roles: a number gives"),
        ("1", "1 of exactly 1"),
        (PAGE_DOWN, "page 4/8 Sizing"),
        (PAGE_DOWN, "page 5/8 Application"),
        (F5, "such as SYNTHO_SECRET_LICEN"),
        ("LICENCE", "LICENCE"),
        (ENTER, "▸! Host name for browsers"),
        ("127.0.0.1", "127.0.0.1"),
        (PAGE_DOWN, "page 6/8 Login"),
        (DOWN, "▸! E-mail address"),
        ("admin@acme.example", "admin@acme.example"),
        (ENTER, "▸! Password of the first"),
        (F5, "such as SYNTHO_SECRET_ADMIN"),
        ("ADMIN_PASSWORD", "ADMIN_PASSWORD"),
        (PAGE_DOWN, "page 7/8 Certificate"),
        (PAGE_DOWN, "All is said"),
    ]
}

#[rstest]
fn from_an_empty_start_to_an_answers_file(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let place = Place::new();
    // Without a command: nothing is deployed, so the wizard opens.
    let mut terminal = place.start(&[], size);
    terminal.wait_for("What shall be deployed?");
    walk(&mut terminal, &way());
    walk(&mut terminal, &[("w", "Write the answers to")]);
    terminal.send(ENTER);
    assert_eq!(terminal.ended(), 0, "{}", terminal.shown());
    let text = fs_err::read_to_string(place.path("acme.toml")).unwrap();
    insta::assert_snapshot!("answers", text);
    let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("syntho-installer"));
    command
        .args(["answers", "validate"])
        .arg(place.path("acme.toml"));
    command.envs([
        ("LICENCE", "a-licence-key-of-some-length"),
        ("ADMIN_PASSWORD", "a-long-password"),
    ]);
    command.env("SYNTHO_INSTALLER_HOME", place.path("home"));
    command.env("SYNTHO_INSTALLER_OFFLINE", "1");
    command.assert().success();
    // The terminal is given back.
    assert!(terminal.printed().contains("\u{1b}[?1049l"));
}

#[test]
fn the_plan_is_looked_at_on_the_screens_and_the_wizard_comes_back() {
    let place = Place::new();
    let secrets = [
        ("LICENCE", "a-licence-key-of-some-length"),
        ("ADMIN_PASSWORD", "a-long-password"),
    ];
    let mut terminal = place.start_with(&[], (80, 24), &secrets);
    terminal.wait_for("What shall be deployed?");
    walk(&mut terminal, &way());
    for key in ["c", "p"] {
        walk(&mut terminal, &[(key, "Write the answers to")]);
        terminal.send(ENTER);
        terminal.wait_for("Nothing was changed: w goes back");
        // The whole terminal stays taken: nothing was shown as lines in between.
        assert!(!terminal.printed().contains("Enter goes back to the wizard"));
        walk(&mut terminal, &[("w", "All is said")]);
    }
    assert_eq!(page_of(&terminal.shown()).trim(), "8/8 Review");
}

#[test]
fn killed_on_every_page_it_comes_back_to_the_same_place() {
    let place = Place::new();
    let mut terminal = place.start(&["new"], (80, 24));
    terminal.wait_for("What shall be deployed?");
    let mut page = page_of(&terminal.shown());
    let mut seen_pages = std::collections::BTreeSet::new();
    for (key, seen) in way() {
        walk(&mut terminal, &[(key, seen)]);
        let now = page_of(&terminal.shown());
        // Once on every page, and wherever something was accepted last.
        if now == page && key != ENTER {
            continue;
        }
        page = now;
        terminal.settle();
        let before = still(&terminal.shown());
        seen_pages.insert(page.trim().chars().next());
        terminal.kill();
        terminal = place.start(&["new"], (80, 24));
        terminal.wait_until(&format!("the same screen\n{before}\n"), |shown| {
            still(shown) == before
        });
    }
    let every = "12345678".chars().map(Some).collect();
    assert_eq!(seen_pages, every, "killed on every page");
    terminal.send(PAGE_UP);
    terminal.wait_for("page 7/8");
}

/// Returns what the title line says of the page.
fn page_of(shown: &str) -> String {
    let title = shown.lines().next().unwrap_or_default();
    title.split("page ").nth(1).unwrap_or_default().to_owned()
}

/// Returns a screen without what hosts answer, which comes when it comes, and without what only passes by.
fn still(shown: &str) -> String {
    let page = page_of(shown);
    let rows: Vec<&str> = shown.lines().map(str::trim_end).collect();
    match page.trim() {
        // The list, its roles and the details tell of attempts; the sizes and the review follow from them.
        "3/8 Hosts" | "4/8 Sizing" | "8/8 Review" => {
            let titles = rows
                .iter()
                .map(|row| row.chars().take(17).collect::<String>());
            format!(
                "{}\n{}",
                page,
                titles.collect::<Vec<_>>().join("\n").replace('✖', "✔")
            )
        }
        _ => rows.join("\n"),
    }
}
