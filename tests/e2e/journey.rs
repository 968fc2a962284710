//! The whole way by keys alone, from an empty home to a deployment that stands: on small and on large screens, and by plain questions. All say the same.

use std::time::Duration;

use toml::Table;

use crate::program::{self, is};
use crate::site::{ADMIN_PASSWORD, LICENSE, Site};
use crate::still;
use crate::terminal::{Place, Terminal};

/// How long a deployment may take.
const LIMIT: Duration = Duration::from_mins(10);

const ENTER: &str = "\r";
const ESC: &str = "\u{1b}";
const DOWN: &str = "\u{1b}[B";
const RIGHT: &str = "\u{1b}[C";
const PAGE_DOWN: &str = "\u{1b}[6~";
const F4: &str = "\u{1b}OS";

/// The hosts with the numbers of their roles.
const HOSTS: [(&str, &str); 3] = [("ui", "1"), ("ray-1", "2"), ("ray-2", "3")];

#[test]
fn the_whole_way_by_keys_on_every_kind_of_terminal() {
    let site = Site::three();
    let before = site.footprint();
    let [small, large, plain] = [Place::new(), Place::new(), Place::new()];

    let mut terminal = small.start(&[], (80, 24));
    asked_on_screens(&site, &mut terminal);
    the_plan_is_looked_at(&mut terminal);
    // Neither asking nor looking has written anything.
    site.expect_footprint(&before);
    deployed(&mut terminal);

    let mut terminal = large.start(&[], (120, 40));
    asked_on_screens(&site, &mut terminal);
    stands_already(&mut terminal);

    let mut terminal = plain.start(&["new", "--plain"], (100, 40));
    asked_plainly(&site, &mut terminal);
    assert_eq!(terminal.ended(), 0, "{}", terminal.shown());

    let answers = [&small, &large, &plain].map(|place| {
        let text = fs_err::read_to_string(place.path("acme.toml")).unwrap();
        text.parse::<Table>().unwrap()
    });
    assert_eq!(answers[0], answers[1], "small and large screens");
    assert_eq!(answers[0], answers[2], "screens and plain questions");
    for place in [&small, &large, &plain] {
        nothing_is_left_to_do(&site, place);
    }
}

/// Presses keys one after the other, waiting after each for what must be seen then.
fn walk(terminal: &mut Terminal, keys: &[(&str, &str)]) {
    for (key, seen) in keys {
        terminal.send(key);
        terminal.wait_for(seen);
    }
}

/// Answers every page of the wizard up to the review.
fn asked_on_screens(site: &Site, terminal: &mut Terminal) {
    let key = site.fleet.private_key().to_string();
    let public = site.vm("ui").address().to_string();
    terminal.wait_for("What shall be deployed?");
    walk(
        terminal,
        &[
            (ENTER, "such as acme-prod"),
            ("acme", "✔ Name of the deployment"),
        ],
    );
    still::keep(terminal.screen(), "wizard-option");
    walk(
        terminal,
        &[
            (ENTER, "page 2/8 Images"),
            (RIGHT, "[bundle]"),
            (RIGHT, "[present]"),
            (ENTER, "▸! Release"),
            ("1.9.0", "▸✔ Release"),
        ],
    );
    still::keep(terminal.screen(), "wizard-images");
    walk(
        terminal,
        &[
            (PAGE_DOWN, "page 3/8 Hosts"),
            ("l", "How to log in to every host"),
            ("deploy", "▸✔ User"),
            (ENTER, "▸  Port"),
            (DOWN, "▸  Key file"),
            (&key, "▸✔ Key file"),
            (ENTER, "✔ Key file"),
            (ESC, "No host yet"),
        ],
    );
    hosts_on_screens(site, terminal);
    still::keep(terminal.screen(), "wizard-hosts");
    who_reaches_whom(terminal);
    walk(terminal, &[(PAGE_DOWN, "page 4/8 Sizing")]);
    still::keep(terminal.screen(), "wizard-sizing");
    said_on_screens(&public, terminal);
}

/// Lets the hosts try each other: all of them are open to each other here.
fn who_reaches_whom(terminal: &mut Terminal) {
    terminal.send("g");
    terminal.wait_within(LIMIT, "who reaches whom", |shown| {
        shown.contains("Rows connect to columns") && shown.contains("✔ ")
    });
    assert!(!terminal.shown().contains('✖'), "{}", terminal.shown());
    still::keep(terminal.screen(), "wizard-reach");
    walk(terminal, &[(ESC, "Roles: a number gives")]);
}

/// Answers the pages behind the sizes.
fn said_on_screens(public: &str, terminal: &mut Terminal) {
    walk(
        terminal,
        &[
            (PAGE_DOWN, "page 5/8 Application"),
            (LICENSE, "▸✔ Licence key"),
            (ENTER, "▸! Host name for browsers"),
            (public, "▸✔ Host name for browsers"),
        ],
    );
    still::keep(terminal.screen(), "wizard-application");
    walk(
        terminal,
        &[
            (PAGE_DOWN, "page 6/8 Login"),
            (DOWN, "▸! E-mail address"),
            ("admin@acme.example", "▸✔ E-mail address"),
            (ENTER, "▸! Password of the first"),
            (ADMIN_PASSWORD, "▸✔ Password of the first"),
        ],
    );
    still::keep(terminal.screen(), "wizard-login");
    walk(terminal, &[(PAGE_DOWN, "page 7/8 Certificate")]);
    still::keep(terminal.screen(), "wizard-certificate");
    walk(terminal, &[(PAGE_DOWN, "All is said")]);
    still::keep(terminal.screen(), "wizard-review");
}

/// Adds every host with its role, and answers for its key.
fn hosts_on_screens(site: &Site, terminal: &mut Terminal) {
    for (name, role) in HOSTS {
        let address = site.vm(name).address().to_string();
        walk(
            terminal,
            &[
                ("a", "Host without a name yet"),
                (name, "▸✔ Name"),
                (ENTER, "▸! Address"),
                (&address, "▸✔ Address"),
                (ENTER, "▸  User"),
                (ESC, "Roles: a number gives"),
                (role, &format!("{role} ✔ ")),
                // Its key is on no record yet.
                ("", "F4 answers"),
                (F4, "It is the host's own"),
            ],
        );
        terminal.send("y");
        terminal.wait_until("what the host is", |shown| {
            let mut rows = shown.lines();
            rows.any(|row| row.contains(&address) && row.contains("CPUs"))
        });
    }
}

/// Looks at the plan from the review, and comes back.
fn the_plan_is_looked_at(terminal: &mut Terminal) {
    walk(terminal, &[("p", "Write the answers to")]);
    terminal.send(ENTER);
    terminal.wait_within(LIMIT, "the plan", |shown| {
        shown.contains("Plan: ") && shown.contains("w goes back to the wizard")
    });
    walk(terminal, &[("w", "All is said")]);
}

/// Deploys from the review.
fn deployed(terminal: &mut Terminal) {
    walk(terminal, &[("d", "Write the answers to")]);
    terminal.send(ENTER);
    terminal.wait_within(LIMIT, "the plan", |shown| {
        shown.contains("Nothing was changed so far")
    });
    walk(terminal, &[("y", "connect files")]);
    terminal.wait_within(LIMIT, "the end", |shown| shown.contains("deploy done in"));
    terminal.send("q");
    assert_eq!(terminal.ended(), 0, "{}", terminal.shown());
}

/// The same site, asked for from another home: there is nothing to do.
fn stands_already(terminal: &mut Terminal) {
    walk(terminal, &[("d", "Write the answers to")]);
    terminal.send(ENTER);
    terminal.wait_within(LIMIT, "nothing to do", |shown| {
        shown.contains("nothing to do: everything is as asked")
    });
    terminal.send("q");
    assert_eq!(terminal.ended(), 0, "{}", terminal.shown());
}

/// Answers the same by plain questions, and writes the file.
fn asked_plainly(site: &Site, terminal: &mut Terminal) {
    let key = site.fleet.private_key().to_string();
    let public = site.vm("ui").address().to_string();
    for (prompt, answer) in [
        ("Number", "1"),
        ("Name of the deployment", "acme"),
        ("Number", "3"),
        ("Release", "1.9.0"),
        ("Registry", ""),
        ("Number of one to change", ""),
        ("User", "deploy"),
        ("Port", ""),
        ("Key file", &key),
        ("Jump host", ">"),
    ] {
        terminal.answer(prompt, answer);
    }
    for (name, role) in HOSTS {
        let address = site.vm(name).address().to_string();
        for (prompt, answer) in [
            ("Number", "2"),
            ("Name", name),
            ("Address", &address),
            ("User", ""),
            ("Numbers, parted by commas", role),
            ("Number", "1"),
        ] {
            terminal.answer(prompt, answer);
        }
    }
    terminal.answer("Number", "8");
    for answered in 1..=HOSTS.len() {
        terminal.wait_for("? Is this the key of that host?");
        terminal.send("y\r");
        terminal.wait_until("the answer to be taken", |shown| {
            shown.matches("> Is this the key of that host?").count() == answered
        });
    }
    terminal.answer("Number", "1");
    terminal.answer("Shared memory of Ray", ">");
    terminal.wait_for("Page 5 of 8");
    terminal.answer("Number", "2");
    terminal.answer("Licence key", LICENSE);
    terminal.answer("Host name for browsers", &public);
    terminal.answer("Port of the user interface", ">");
    terminal.wait_for("Page 6 of 8");
    terminal.answer("Name of the first administrator", "");
    terminal.answer("E-mail address", "admin@acme.example");
    terminal.answer("Number", "2");
    terminal.answer("Password of the first administrator", ADMIN_PASSWORD);
    terminal.wait_for("Page 7 of 8");
    terminal.answer("Number", ">");
    terminal.wait_for("They are whole");
    terminal.answer("Number", "1");
    terminal.answer("Write it to", "acme.toml");
}

/// Deploys the file of a home without anybody there: nothing is to be done any more.
fn nothing_is_left_to_do(site: &Site, place: &Place) {
    let path = place.path("acme.toml");
    let mut command = site.program();
    command
        .env("HOME", place.path("."))
        .env("SYNTHO_INSTALLER_HOME", place.path("home"))
        .args(["deploy", "--yes", "--json", "--answers"])
        .arg(&path);
    let ended = program::run(command).expect_code(0);
    let events = ended.events();
    let last = events.last().unwrap();
    assert!(is(last, "run-ended"), "{last}");
    assert_eq!(last["outcome"]["outcome"], "nothing-to-do", "{last}");
}
