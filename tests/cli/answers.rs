//! Presets and answers files without any host.

use rstest::rstest;

use super::sandbox::Sandbox;

#[test]
fn the_presets_are_listed() {
    insta::assert_snapshot!(Sandbox::new().run(&["presets"]));
}

#[rstest]
#[case("syntho-app-ray")]
#[case("syntho-one-node")]
fn a_preset_is_described(#[case] id: &str) {
    insta::assert_snapshot!(format!("preset_{id}"), Sandbox::new().run(&["presets", id]));
}

#[test]
fn a_preset_as_json_is_one_document() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["presets", "syntho-app-ray", "--json"]);
    let output = command.output().unwrap();
    let preset: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(preset["id"], "syntho-app-ray");
    assert!(
        preset["questions"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}

#[test]
fn an_unknown_preset_names_those_there_are() {
    insta::assert_snapshot!(Sandbox::new().run(&["presets", "syntho-app-rya"]));
}

#[rstest]
#[case("syntho-app-ray")]
#[case("syntho-one-node")]
fn an_example_is_valid_as_it_stands(#[case] id: &str) {
    let sandbox = Sandbox::new();
    let output = sandbox
        .command(&["answers", "example", id])
        .output()
        .unwrap();
    sandbox.write("a.toml", &String::from_utf8(output.stdout).unwrap());
    let mut validate = sandbox.command(&["answers", "validate", "a.toml"]);
    validate.env("SYNTHO_SECRET_LICENSE_KEY", "a-license");
    validate.env("SYNTHO_SECRET_ADMIN_PASSWORD", "a-password-to-log-in");
    let told = sandbox.told(&mut validate);
    assert!(told.starts_with("exit 0"), "{told}");
}

#[rstest]
#[case::not_toml("not_toml", "version = \nname")]
#[case::unknown_key(
    "unknown_key",
    "version = 1\nname = \"a\"\npreset = \"syntho-app-ray\"\ncolour = \"red\"\n"
)]
#[case::bad_name(
    "bad_name",
    "version = 1\nname = \"Acme Prod\"\npreset = \"syntho-app-ray\"\n"
)]
#[case::unknown_preset(
    "unknown_preset",
    "version = 1\nname = \"a\"\npreset = \"syntho-app-rya\"\n"
)]
#[case::no_hosts("no_hosts", "version = 1\nname = \"a\"\npreset = \"syntho-app-ray\"\n")]
fn broken_answers(#[case] name: &str, #[case] text: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("a.toml", text);
    let told = sandbox.run(&["answers", "validate", "a.toml"]);
    assert!(told.starts_with("exit 2"), "{told}");
    insta::assert_snapshot!(format!("broken_{name}"), told);
}
