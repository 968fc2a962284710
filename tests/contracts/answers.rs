//! Answers files: accepted ones give a deployment, rejected ones every message at its place, and no secret is repeated.

use camino::{Utf8Path, Utf8PathBuf};
use secrecy::{ExposeSecret, SecretString};
use syntho_installer::model::deployment::Deployment;
use syntho_installer::model::failure::{Failure, Hinted};
use syntho_installer::presets::{Presets, answers_example};
use syntho_installer::settings::{Loaded, SettingsError, Surroundings, load, load_text};

const SECRET: &str = "sesame-open";

fn environment(name: &str) -> Option<String> {
    match name {
        "LICENCE" | "SYNTHO_SECRET_LICENSE_KEY" => Some("  MIIB licence+/=\n".to_owned()),
        "REGISTRY_PASSWORD" => Some("p@ss\\".to_owned()),
        "DATABASE_PASSWORD" => Some("long.enough_~-1".to_owned()),
        "SYNTHO_SECRET_ADMIN_PASSWORD" => Some("correct horse".to_owned()),
        "SYNTHO_SECRET_APP_CLIENT_SECRET" => Some("app~secret".to_owned()),
        "SYNTHO_SECRET_NATIVE_ADMIN_PASSWORD" => Some("correct horse battery".to_owned()),
        _ => None,
    }
}

fn around(environment: &dyn Fn(&str) -> Option<String>) -> Surroundings<'_> {
    Surroundings {
        environment,
        home: Some("/home/ops".into()),
        now: jiff::Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

fn fixtures(folder: &str) -> Vec<Utf8PathBuf> {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/answers")
        .join(folder);
    let mut files: Vec<Utf8PathBuf> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().path().to_owned())
        .collect();
    files.sort();
    files
}

fn read(path: &Utf8Path) -> Result<Loaded, SettingsError> {
    load(path, &Presets::default(), &around(&environment))
}

/// Reads text as if it stood in `acme.toml`.
fn read_text(text: &str) -> Result<Loaded, SettingsError> {
    load_text(
        "acme.toml",
        text,
        Utf8Path::new("/nowhere"),
        &Presets::default(),
        &around(&environment),
    )
}

fn messages(error: &dyn Hinted) -> String {
    let failure = Failure::from_error(error);
    let folder = format!("{}/tests/fixtures/answers/", env!("CARGO_MANIFEST_DIR"));
    format!("{}\n\n{}", failure.message, failure.causes.join("\n\n")).replace(&folder, "")
}

#[test]
fn accepted_files_give_a_deployment() {
    for path in fixtures("accepted") {
        let deployment = read(&path)
            .unwrap_or_else(|error| panic!("{}", messages(&error)))
            .complete()
            .unwrap();
        let Deployment {
            name,
            hosts,
            answers,
            images,
            ..
        } = &deployment;
        let folder = path.parent().unwrap().as_str();
        let text =
            format!("{name}\n{hosts:#?}\n{images:#?}\n{answers:#?}").replace(folder, "FOLDER");
        insta::assert_snapshot!(format!("accepted@{}", path.file_stem().unwrap()), text);
    }
}

#[test]
fn rejected_files_say_everything_that_is_wrong() {
    for path in fixtures("rejected") {
        let error = read(&path).unwrap_err();
        let text = messages(&error);
        assert!(!text.contains(SECRET) && !text.contains("sesame"), "{text}");
        assert_eq!(error.kind().exit_code(), 2);
        insta::assert_snapshot!(format!("rejected@{}", path.file_stem().unwrap()), text);
    }
}

#[test]
fn secrets_pass_unharmed() {
    let deployment = read(&fixtures("accepted")[2]).unwrap().complete().unwrap();
    let secret = |id: &str| {
        deployment
            .secrets
            .get(&id.parse().unwrap())
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    assert_eq!(
        secret("license-key"),
        "MIIB licence+/=",
        "a pasted key is trimmed"
    );
    assert_eq!(secret("admin-password"), "it's $5; `id` {{ x }} #1");
    assert_eq!(secret("registry-password"), "p@ss\\");
}

#[test]
fn the_example_of_every_preset_is_valid_once_its_secrets_are_there() {
    let presets = Presets::default();
    for id in presets.ids() {
        let text = answers_example(&presets.load(&id).unwrap());
        let loaded =
            read_text(&text).unwrap_or_else(|error| panic!("{}\n{text}", messages(&error)));
        loaded.complete().unwrap();
        insta::assert_snapshot!(format!("example@{id}"), text);
    }
}

#[test]
fn secrets_that_are_missing_are_named_for_whoever_can_ask() {
    let text = answers_example(
        &Presets::default()
            .load(&"syntho-one-node".parse().unwrap())
            .unwrap(),
    );
    let text = text.split("[secrets]").next().unwrap();
    let nothing = |_: &str| None;
    let load = || {
        load_text(
            "acme.toml",
            text,
            Utf8Path::new("/"),
            &Presets::default(),
            &around(&nothing),
        )
        .unwrap()
    };
    let mut loaded = load();
    let missing: Vec<String> = loaded
        .missing()
        .map(|secret| format!("{}: {}", secret.id, secret.prompt))
        .collect();
    assert_eq!(
        missing,
        [
            "license-key: Licence key",
            "admin-password: Password of the first administrator"
        ]
    );
    let error = load().complete().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secrets `license-key`, `admin-password` are missing"
    );
    assert!(error.hint().unwrap().contains("SYNTHO_SECRET_LICENSE_KEY"));

    let short = loaded
        .supply(
            &"admin-password".parse().unwrap(),
            &SecretString::from("sesame"),
        )
        .unwrap_err();
    assert!(
        short.to_string().contains("at least 8 characters"),
        "{short}"
    );
    assert!(!short.to_string().contains("sesame"), "{short}");
    loaded
        .supply(
            &"admin-password".parse().unwrap(),
            &SecretString::from("correct horse"),
        )
        .unwrap();
    loaded
        .supply(
            &"license-key".parse().unwrap(),
            &SecretString::from("key\n"),
        )
        .unwrap();
    loaded.complete().unwrap();
}

#[test]
fn published_secrets_are_refused_by_value() {
    let known = [
        ("database-password", "!2ImY6&A!*i3"),
        (
            "core-secret-key",
            "Myyxngwf-NL04CgyD6WvcyMD09rMkN_fk3q0Bga54ME=",
        ),
        ("backend-secret-key", "66n6ldql(b2g0jmop(gr)"),
        (
            "backend-secret-key",
            "66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%#",
        ),
    ];
    let text = answers_example(
        &Presets::default()
            .load(&"syntho-app-ray".parse().unwrap())
            .unwrap(),
    );
    for (id, value) in known {
        let mut loaded = read_text(&text).unwrap();
        let fault = loaded
            .supply(&id.parse().unwrap(), &SecretString::from(value))
            .unwrap_err();
        assert!(!fault.to_string().contains(value), "{fault}");
    }
}

/// Reads answers for a hub with these lines under `[answers]`, and no secrets.
fn hub(lines: &str) -> Loaded {
    let text = fs_err::read_to_string(fixtures("hub").first().unwrap()).unwrap();
    let nothing = |_: &str| None;
    load_text(
        "acme.toml",
        &text.replace("[answers]\n", &format!("[answers]\n{lines}\n")),
        Utf8Path::new("/nowhere"),
        &Presets::default(),
        &around(&nothing),
    )
    .unwrap_or_else(|error| panic!("{}", messages(&error)))
}

#[test]
fn a_client_id_without_its_secret_is_missing_the_secret() {
    let lines =
        "authenticator = \"github\"\noauth-client-id = \"Iv1.8a61f9b3a7aba766\"\nallow-all = true";
    let error = hub(lines).complete().unwrap_err();
    assert_eq!(error.kind().exit_code(), 2);
    assert_eq!(
        error.to_string(),
        "the secrets `license-key`, `oauth-client-secret` are missing"
    );
}

#[test]
fn passwords_of_the_hub_that_are_too_short_are_refused_without_being_told() {
    let lines = "authenticator = \"shared-password\"\nallow-all = true";
    for (id, value, rule) in [
        (
            "shared-user-password",
            "sesame",
            "must have at least 8 characters; this has 6",
        ),
        (
            "shared-user-password",
            "sesame-open-sesame-open-sesame-open",
            "must have at most 31 characters; this has 35",
        ),
        (
            "shared-admin-password",
            SECRET,
            "must have at least 32 characters; this has 11",
        ),
    ] {
        let mut loaded = hub(lines);
        let error = loaded
            .supply(&id.parse().unwrap(), &SecretString::from(value))
            .unwrap_err();
        assert!(error.to_string().contains(rule), "{error}");
        assert!(!error.to_string().contains(value), "{error}");
    }
}

/// Runs the sources of secrets with one secret's entry replaced.
fn with_source(folder: &Utf8Path, entry: &str) -> Result<Loaded, SettingsError> {
    let text = answers_example(
        &Presets::default()
            .load(&"syntho-one-node".parse().unwrap())
            .unwrap(),
    );
    let text = text.split("[secrets]").next().unwrap().to_owned()
        + "[secrets]\nlicense-key = "
        + entry
        + "\n";
    load_text(
        "acme.toml",
        &text,
        folder,
        &Presets::default(),
        &around(&environment),
    )
}

#[test]
fn secret_sources_say_what_is_wrong_without_the_secret() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        fs_err::write(folder.join(name), text).unwrap();
        fs_err::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("open", SECRET, 0o640);
    write("good", "sesame-open\r\n", 0o600);
    write("two-lines", "sesame-open\nsesame", 0o600);
    write("empty", "\n", 0o600);
    for (entry, message) in [
        (
            "{ env = \"NOWHERE\" }",
            "the environment variable `NOWHERE` is not set",
        ),
        ("{ file = \"absent\" }", "there is no such file"),
        (
            "{ file = \"open\" }",
            "can be read by others (mode 0640): make it yours alone with `chmod 600",
        ),
        ("{ file = \"two-lines\" }", "holds a line break"),
        ("{ file = \"empty\" }", "is empty"),
        ("{ file = \".\" }", "is not a file"),
        (
            "{ command = \"printf sesame-open; exit 3\" }",
            "the command `printf` failed: exit status: 3",
        ),
        (
            "{ command = [\"no-such-program\"] }",
            "the command `no-such-program` cannot be run",
        ),
    ] {
        let text = messages(&with_source(folder, entry).unwrap_err());
        assert!(text.contains(message), "{entry}: {text}");
        assert!(text.contains("acme.toml:"), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }
    let loaded = with_source(folder, "{ file = \"good\" }").unwrap();
    let secret = loaded
        .deployment()
        .secrets
        .get(&"license-key".parse().unwrap())
        .unwrap();
    assert_eq!(secret.expose_secret(), SECRET);
}
