//! Traps of secrets, and where secrets may stand.

use secrecy::{ExposeSecret, SecretString};
use syntho_installer::model::failure::Hinted as _;

use super::application;
use crate::support::{Variant, placed, preset, service, variable};

#[test]
fn t02_the_backends_key_really_reaches_its_containers() {
    let (stack, yaml) = application(&Variant::plain("syntho-app-ray"));
    for name in ["backend", "worker"] {
        let key = service(&yaml, name)["environment"]["SECRET_KEY"]
            .as_str()
            .unwrap();
        assert!(key.starts_with("${BACKEND_SECRET_KEY:?"), "{name}: {key}");
    }
    assert_eq!(variable(&stack, "BACKEND_SECRET_KEY").len(), 64);
    let core = &service(&yaml, "core")["environment"];
    assert_eq!(core["SECRET_KEY"], core["SECRET_KEY_2"]);
}

#[test]
fn t04_one_password_of_the_database_from_one_source_and_new_for_each_installation() {
    let variant = Variant::plain("syntho-app-ray");
    let (stack, yaml) = application(&variant);
    let postgres = service(&yaml, "postgres")["environment"]["POSTGRES_PASSWORD"]
        .as_str()
        .unwrap();
    let backend = service(&yaml, "backend")["environment"]["DB_PASSWORD"]
        .as_str()
        .unwrap();
    let core = service(&yaml, "core")["environment"]["DATABASE_URL"]
        .as_str()
        .unwrap();
    assert!(
        postgres.starts_with("${DATABASE_PASSWORD:?")
            && backend.starts_with("${DATABASE_PASSWORD:?")
    );
    assert!(core.contains(":${DATABASE_PASSWORD:?}@"), "{core}");
    let other = application(&variant).0;
    for secret in ["DATABASE_PASSWORD", "CORE_SECRET_KEY", "BACKEND_SECRET_KEY"] {
        assert_ne!(variable(&stack, secret), variable(&other, secret));
    }
    for known in ["database-password", "core-secret-key", "backend-secret-key"] {
        let question = preset("syntho-app-ray")
            .question(&known.parse().unwrap())
            .unwrap()
            .clone();
        assert!(!question.refuse.is_empty(), "{known}");
    }
}

#[test]
fn a_secret_that_a_host_keeps_is_used_again() {
    let variant = Variant::plain("syntho-app-ray");
    let kept = |host: &syntho_installer::model::ids::HostName,
                stack: &syntho_installer::model::ids::StackId,
                variable: &str| {
        (host.as_str() == "ui"
            && stack.as_str() == "application"
            && variable == "DATABASE_PASSWORD")
            .then(|| SecretString::from("from-the-host"))
    };
    let resolved = variant.try_resolve_with(&kept).unwrap();
    assert_eq!(
        variable(placed(&resolved, "application", "ui"), "DATABASE_PASSWORD"),
        "from-the-host"
    );

    let given = Variant::chosen("syntho-app-ray", &[("database-password", "another-one")]);
    let error = given.try_resolve_with(&kept).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`database-password` differs from the one that host `ui` was set up with"),
        "{error}"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("leave `database-password` out of `[secrets]`")
    );
    assert!(!format!("{error:?}{}", error.hint().unwrap()).contains("another-one"));

    let same = Variant::chosen("syntho-app-ray", &[("database-password", "from-the-host")]);
    same.try_resolve_with(&kept).unwrap();
}

#[test]
fn no_secret_stands_in_anything_but_files_of_mode_0600() {
    for variant in Variant::all() {
        let resolved = variant.resolve();
        for stack in &resolved.stacks {
            for file in &stack.files {
                let text = file.content.expose_secret();
                assert!(
                    !resolved.secrets.appear_in(text) || (file.mode == 0o600 && file.secret),
                    "{} {}",
                    variant.name,
                    file.path
                );
                assert!(
                    !resolved.secrets.appear_in(&file.masked),
                    "{} {}",
                    variant.name,
                    file.path
                );
            }
        }
        let open = format!(
            "{:?} {:?} {:?} {:?}",
            resolved.reach, resolved.endpoints, resolved.hosts, resolved.health
        );
        assert!(!resolved.secrets.appear_in(&open), "{}", variant.name);
    }
}
