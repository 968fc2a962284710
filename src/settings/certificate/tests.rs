use super::*;
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
