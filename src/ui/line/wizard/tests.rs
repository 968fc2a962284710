//! The walk through the pages, with answers from a script.

use std::collections::VecDeque;

use camino::Utf8Path;
use secrecy::SecretString;

use super::*;
use crate::ui::channel::Ask;
use crate::ui::desk::sample::{Site, desk};

/// Answers from a list; leaves at its end.
struct Script {
    answers: VecDeque<&'static str>,
    said: Vec<String>,
}

impl Script {
    fn new(answers: &str) -> Self
    where
        Self: Sized,
    {
        let answers: String = answers.to_owned();
        let lines: Vec<&'static str> = Box::leak(answers.into_boxed_str()).lines().collect();
        Self {
            answers: lines.into(),
            said: Vec::new(),
        }
    }

    fn next(&mut self, prompt: &str) -> Option<&'static str> {
        let answer = self.answers.pop_front().map(str::trim);
        self.said
            .push(format!("{prompt} <- {}", answer.unwrap_or("(leaves)")));
        answer
    }

    fn heard(&self) -> String {
        self.said.join("\n")
    }
}

impl Asker for Script {
    fn say(&mut self, line: &str) {
        self.said.push(line.to_owned());
    }

    fn text(&mut self, prompt: &str, default: Option<&str>) -> Reply {
        let shown = default.map_or_else(|| prompt.to_owned(), |d| format!("{prompt} [{d}]"));
        match (self.next(&shown), default) {
            (None, _) => Reply::Leave,
            (Some("esc"), _) => Reply::Back,
            (Some("" | "enter"), default) => Reply::Text(default.unwrap_or_default().to_owned()),
            (Some(text), _) => Reply::Text(text.to_owned()),
        }
    }

    fn secret(&mut self, prompt: &str) -> Reply<SecretString> {
        match self.next(prompt) {
            None => Reply::Leave,
            Some(text) => Reply::Text(text.into()),
        }
    }

    fn put(&mut self, ask: &Ask) {
        self.said.push(format!("asked: {ask:?}"));
    }
}

/// Answers everything that the sample preset asks, on one host.
const WHOLE: &str = "1\nacme\nenter\n1.9.0\nenter\nenter\nenter\ndeploy\nenter\nenter\nenter\nenter\nenter\nenter\nenter\n2\nweb\n10.0.0.11\nenter\n1\n1\n1\nenter\n\
    shop.acme.example\nenter\n2\nquite-secret-indeed\nenter\nenter\nadmin@acme.example\nenter\nenter\nenter\n";

#[test]
fn a_walk_to_the_end_writes_the_answers() {
    let site = Site::new();
    let mut desk = desk(&site);
    let path = site.path("acme.toml");
    let mut script = Script::new(&format!("{WHOLE}1\n{path}\n"));
    let ending = run(&mut desk, &mut script).unwrap();
    assert_eq!(ending, Ending::Written(path.clone()), "{}", script.heard());
    insta::assert_snapshot!(fs_err::read_to_string(&path).unwrap());
    insta::assert_snapshot!(
        "walk",
        script.heard().replace(site.path("").as_str(), "[folder]/")
    );
}

#[test]
fn a_wrong_answer_is_asked_again_with_its_rule() {
    let site = Site::new();
    let mut desk = desk(&site);
    let mut script = Script::new("9\n1\nAcme Prod\n?\nacme\n");
    assert_eq!(run(&mut desk, &mut script).unwrap(), Ending::Left);
    let heard = script.heard();
    assert!(heard.contains("It is a number from 1 to 1"), "{heard}");
    assert!(
        heard.contains("not accepted: `Acme Prod` is not a valid deployment name"),
        "{heard}"
    );
    assert!(heard.contains("for example: acme-prod"), "{heard}");
    assert_eq!(desk.wizard.draft().name(), Some("acme"));
}

#[test]
fn leaving_anywhere_comes_back_to_the_same_question() {
    let answers: Vec<&str> = WHOLE.lines().collect();
    for count in 0..answers.len() {
        let site = Site::new();
        let mut first = desk(&site);
        let mut script = Script::new(&answers[..count].join("\n"));
        assert_eq!(run(&mut first, &mut script).unwrap(), Ending::Left);
        let asked = script.said.last().unwrap().clone();
        // The program ended; only what is on disk is left.
        let again = site.last_draft();
        let Some(draft) = again else {
            assert!(first.wizard.draft().is_empty(), "{asked}");
            continue;
        };
        assert_eq!(&draft.place, first.wizard.place(), "{asked}");
        assert_eq!(draft.fields, first.wizard.draft().fields, "{asked}");
        let mut second = site.desk_of(draft);
        let mut script = Script::new("");
        assert_eq!(run(&mut second, &mut script).unwrap(), Ending::Left);
        assert_eq!(second.wizard.place(), first.wizard.place(), "{asked}");
    }
}

#[test]
fn going_back_keeps_what_was_said() {
    let site = Site::new();
    let mut desk = desk(&site);
    let mut script = Script::new("1\nacme\nenter\n1.9.0\n<\n<\n<\n");
    run(&mut desk, &mut script).unwrap();
    assert_eq!(desk.wizard.place().page, Page::Option);
    assert_eq!(desk.wizard.draft().name(), Some("acme"));
    assert!(desk.wizard.draft().to_text().unwrap().contains("1.9.0"));
}

#[test]
fn a_file_that_is_there_is_not_written_over_by_itself() {
    let site = Site::new();
    let mut desk = desk(&site);
    let (first, second) = (site.path("acme.toml"), site.path("other.toml"));
    fs_err::write(&first, "mine").unwrap();
    let mut script = Script::new(&format!("{WHOLE}1\n{first}\n1\n{second}\n"));
    let ending = run(&mut desk, &mut script).unwrap();
    assert_eq!(ending, Ending::Written(second));
    assert_eq!(fs_err::read_to_string(&first).unwrap(), "mine");
}

#[test]
fn a_pasted_list_and_an_import_become_hosts() {
    let site = Site::new();
    fs_err::create_dir(site.path(".ssh")).unwrap();
    fs_err::write(
        site.path(".ssh/config"),
        "Host back\n HostName 10.0.0.9\n User ops\n",
    )
    .unwrap();
    let mut desk = desk(&site);
    assert!(desk.choose(&"shop".parse().unwrap()));
    desk.wizard.go(Page::Hosts);
    let mut script = Script::new(">\n6\nweb 10.0.0.1 deploy\nnonsense here:99999\n\n7\n1\n");
    run(&mut desk, &mut script).unwrap();
    let hosts: Vec<String> = desk
        .wizard
        .draft()
        .hosts
        .iter()
        .map(|host| format!("{} {} {}", host.name, host.address, host.user))
        .collect();
    assert_eq!(
        hosts,
        ["web 10.0.0.1 deploy", "back back "],
        "{}",
        script.heard()
    );
    assert!(script.heard().contains("back leads to ops@10.0.0.9"));
    assert!(Utf8Path::new(&desk.draft_path()).is_file());
}
