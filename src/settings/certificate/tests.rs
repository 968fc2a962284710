use std::collections::BTreeMap;

use super::*;
use crate::model::sample;
use crate::presets::{Presets, answers_example};
use rstest::rstest;

fn with(preset: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let preset = Presets::default().load(&preset.parse().unwrap()).unwrap();
    let text = change(&answers_example(&preset));
    let around = Surroundings {
        environment: &|_| None,
        home: None,
        now: jiff::Timestamp::from_second(1_800_000_000).unwrap(),
    };
    let files = PairFiles {
        certificate: Utf8Path::new("/keys/new.crt"),
        key: Utf8Path::new("/keys/new.key"),
    };
    with_certificate(&text, Utf8Path::new("/"), &preset, files, &around)
}

fn line<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let begin = format!("{key} = ");
    text.lines().find(|line| line.starts_with(&begin))
}

#[rstest]
#[case("self-signed")]
#[case("provided")]
fn the_answers_ask_for_what_they_are_given(#[case] before: &str) {
    for preset in ["syntho-app-ray", "syntho-one-node", "jupyterhub-ray"] {
        let text = with(preset, |text| {
            let tls = format!("[answers]\ntls = \"{before}\" # as agreed\n");
            text.replacen("[answers]\n", &tls, 1)
        });
        let text = text.unwrap();
        assert_eq!(
            line(&text, "tls"),
            Some("tls = \"provided\" # as agreed"),
            "{preset}: {text}"
        );
        assert_eq!(
            line(&text, "tls-cert"),
            Some("tls-cert = \"/keys/new.crt\"")
        );
        assert_eq!(line(&text, "tls-key"), Some("tls-key = \"/keys/new.key\""));
    }
}

#[test]
fn nothing_else_of_the_file_changes() {
    let preset = "syntho-app-ray";
    let asked = |text: &str| text.replacen("[answers]\n", "[answers]\ntls = \"provided\"\n", 1);
    let text = with(preset, asked).unwrap();
    let before = Presets::default().load(&preset.parse().unwrap()).unwrap();
    let before = asked(&answers_example(&before));
    let new: Vec<&str> = text
        .lines()
        .filter(|line| !before.lines().any(|old| old == *line))
        .collect();
    assert_eq!(
        new,
        [
            "tls-cert = \"/keys/new.crt\"",
            "tls-key = \"/keys/new.key\""
        ]
    );
}

#[test]
fn a_text_that_is_no_answers_file_is_left_alone() {
    assert_eq!(with("syntho-app-ray", |_| "= no".to_owned()), None);
}

/// Returns a deployment whose answers name this certificate, and the key beside it.
fn serving(certificate: Option<&str>) -> Deployment {
    let preset = Presets::default()
        .load(&"syntho-app-ray".parse().unwrap())
        .unwrap();
    let mut now = sample::deployment(&preset, &BTreeMap::new()).unwrap();
    for (id, ending) in [("tls-cert", "crt"), ("tls-key", "key")] {
        let id = id.parse().unwrap();
        now.answers.remove(&id);
        if let Some(path) = certificate {
            let path = path.replace("crt", ending);
            now.answers.insert(id, AnswerValue::Text(path));
        }
    }
    now
}

#[rstest]
#[case::replaced_by_one_from_elsewhere("/new/a.crt", "/here", "/new/a.crt")]
#[case::as_it_was("certs/a.crt", "/here", "certs/a.crt")]
#[case::answers_that_moved("certs/a.crt", "/there", "/there/certs/a.crt")]
#[case::in_the_operators_home("~/a.crt", "/there", "~/a.crt")]
fn coming_back_keeps_the_certificate_that_is_served(
    #[case] now: &str,
    #[case] its_folder: &str,
    #[case] wanted: &str,
) {
    let before = "[answers]\ntls = \"provided\"\ntls-cert = \"certs/a.crt\" # ours\ntls-key = \"certs/a.key\"\n";
    let example = answers_example(&serving(None).preset);
    let before = example.replacen("[answers]\n", before, 1);
    let around = Surroundings {
        environment: &|_| None,
        home: None,
        now: jiff::Timestamp::from_second(1_800_000_000).unwrap(),
    };
    let back = |now: Option<&str>| {
        let now = serving(now);
        let its_folder = Utf8Path::new(its_folder);
        with_certificate_of((&now, its_folder), &before, Utf8Path::new("/here"), &around)
    };
    let text = back(Some(now));
    let wanted = format!("tls-cert = \"{wanted}\" # ours");
    assert!(text.lines().any(|line| line == wanted), "{text}");
    // One that is made is kept on the host, and in no answer.
    assert_eq!(back(None), before);
}
