//! What the shipped presets put on hosts: the files are what Compose wants, and hold what was meant.

use std::collections::BTreeMap;

use crate::support::{Variant, compose, file, placed, service};
use rstest::rstest;
use secrecy::ExposeSecret;
use syntho_installer::model::resolved::RenderedFile;

/// Every way through every preset that changes files.
fn every_file() -> Vec<(String, String, String)> {
    let mut files = Vec::new();
    for variant in Variant::all() {
        for stack in variant.resolve().stacks {
            for file in &stack.files {
                let name = format!("{}/{}/{}/{}", variant.name, stack.host, stack.id, file.path);
                files.push((
                    name,
                    file.path.clone(),
                    file.content.expose_secret().to_owned(),
                ));
            }
        }
    }
    files
}

#[test]
fn no_template_syntax_is_left() {
    for (name, _, text) in every_file() {
        // Ours has a space behind the braces; Docker's own formats, which scripts use, have none.
        assert!(
            !text.contains("{{ ") && !text.contains("{%"),
            "{name}:\n{text}"
        );
    }
}

#[test]
fn every_compose_file_is_yaml_with_labels_on_everything() {
    for variant in Variant::all() {
        for stack in variant.projects() {
            let yaml = compose(&stack);
            assert_eq!(yaml["name"].as_str(), Some(stack.project.as_str()));
            let deployment = stack.project.split('-').next().unwrap();
            let labelled = |what: &serde_yaml_ng::Value, name: &str| {
                assert_eq!(
                    what["labels"]["io.syntho.installer.deployment"], deployment,
                    "{name}"
                );
                assert_eq!(
                    what["labels"]["io.syntho.installer.stack"],
                    stack.id.as_str(),
                    "{name}"
                );
            };
            for kind in ["services", "volumes", "networks"] {
                for (name, what) in yaml[kind].as_mapping().into_iter().flatten() {
                    labelled(what, name.as_str().unwrap());
                }
            }
            let declared: Vec<&str> = stack
                .services
                .iter()
                .map(|service| service.name.as_str())
                .collect();
            let mut written: Vec<&str> = yaml["services"]
                .as_mapping()
                .unwrap()
                .keys()
                .filter_map(|k| k.as_str())
                .collect();
            written.sort_unstable();
            let mut declared = declared;
            declared.sort_unstable();
            assert_eq!(written, declared, "{} {}", variant.name, stack.id);
        }
    }
}

#[rstest]
#[case("jupyterhub-ray")]
#[case("syntho-app-ray")]
#[case("syntho-one-node")]
fn the_files_of_each_preset(#[case] preset: &str) {
    let resolved = Variant::plain(preset).resolve();
    for stack in &resolved.stacks {
        // A certificate is another one each time.
        let lasting = |file: &&RenderedFile| !file.masked.starts_with("-----BEGIN");
        for file in stack.files.iter().filter(lasting) {
            let name = format!(
                "{preset}@{}@{}@{}",
                stack.host,
                stack.id,
                file.path.replace('/', "@")
            );
            insta::assert_snapshot!(name, format!("mode {:04o}\n\n{}", file.mode, file.masked));
        }
    }
}

#[test]
fn everything_is_settled_in_the_resolved_deployment() {
    let resolved = Variant::plain("syntho-app-ray").resolve();
    let order: Vec<String> = resolved
        .stacks
        .iter()
        .map(|s| format!("{} on {}", s.id, s.host))
        .collect();
    assert_eq!(
        order,
        [
            "ray-head on ray-head",
            "ray-worker on ray-worker-1",
            "ray-worker on ray-worker-2",
            "application on ui"
        ]
    );
    insta::assert_debug_snapshot!("reach", resolved.reach);
    insta::assert_debug_snapshot!(
        "health",
        resolved
            .health
            .iter()
            .map(|h| (&h.id, &h.title, h.within))
            .collect::<Vec<_>>()
    );
    insta::assert_debug_snapshot!("endpoints", resolved.endpoints);
    let confirm = &placed(&resolved, "ray-head", "ray-head").confirms[0];
    assert_eq!(confirm.equals, "10.0.0.12:6379");
    assert!(confirm.remedy.contains("{found}"));
}

#[test]
fn the_env_file_reads_back_as_it_was_meant() {
    for variant in Variant::all() {
        for stack in variant.resolve().stacks {
            if stack.environment.is_empty() {
                continue;
            }
            let text = file(&stack, ".env").content.expose_secret();
            let read = syntho_installer::model::dotenv::parse(text);
            let meant: Vec<(String, String)> = stack
                .environment
                .iter()
                .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
                .collect();
            assert_eq!(read, meant, "{}", variant.name);
            let unique: BTreeMap<_, _> = meant.iter().cloned().collect();
            assert_eq!(unique.len(), meant.len(), "a variable stands twice");
        }
    }
}

#[test]
fn every_variable_that_a_compose_file_wants_is_in_the_env_file() {
    let wanted = regex::Regex::new(r"\$\{([A-Z_]+)").unwrap();
    for variant in Variant::all() {
        for stack in variant.projects() {
            let text = file(&stack, "docker-compose.yaml").content.expose_secret();
            let names: Vec<&String> = stack.environment.iter().map(|(name, _)| name).collect();
            for found in wanted.captures_iter(text) {
                assert!(
                    names.iter().any(|name| *name == &found[1]),
                    "{} {}: {}",
                    variant.name,
                    stack.id,
                    &found[1]
                );
            }
        }
    }
}

#[test]
fn a_service_without_a_health_check_is_waited_for_by_nobody_as_healthy() {
    for variant in Variant::all() {
        for stack in variant.projects() {
            let yaml = compose(&stack);
            for (name, needs) in yaml["services"].as_mapping().unwrap() {
                for (need, how) in needs["depends_on"].as_mapping().into_iter().flatten() {
                    let need = need.as_str().unwrap();
                    if how["condition"] == "service_healthy" {
                        assert!(
                            !service(&yaml, need)["healthcheck"].is_null(),
                            "{name:?} waits for {need}"
                        );
                    }
                }
            }
        }
    }
}

/// With the Compose that carries the deployment: every rendered file is accepted, and every variable arrives as it was meant.
#[cfg(feature = "e2e")]
#[test]
fn compose_itself_accepts_every_file_and_reads_every_variable() {
    use syntho_installer::model::dotenv;
    let mut seen = std::collections::BTreeSet::new();
    for variant in Variant::all() {
        for stack in variant.projects() {
            if !seen.insert(
                file(&stack, "docker-compose.yaml")
                    .content
                    .expose_secret()
                    .to_owned(),
            ) {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            for file in &stack.files {
                let path = folder.path().join(&file.path);
                fs_err::create_dir_all(path.parent().unwrap()).unwrap();
                fs_err::write(&path, file.content.expose_secret()).unwrap();
            }
            let config =
                crate::compose_v2::docker_compose(folder.path(), &["config", "--quiet"], "");
            assert!(
                config.is_ok(),
                "{} {}: {}",
                variant.name,
                stack.id,
                config.unwrap_err()
            );
            let names: Vec<&str> = stack
                .environment
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            let proof = crate::compose_v2::docker_compose(
                folder.path(),
                &[
                    "-p",
                    "env-proof",
                    "--env-file",
                    ".env",
                    "-f",
                    "-",
                    "config",
                    "--format",
                    "json",
                ],
                &dotenv::proof_file(&names),
            );
            assert_eq!(dotenv::compare(&proof.unwrap(), &stack.environment), []);
        }
    }
}

/// Values that lose characters, or break a file, in careless hands.
#[cfg(feature = "e2e")]
const NASTY: [&str; 24] = [
    "66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%#",
    "66n6ldql(b2g0jmop(gr)",
    "!2ImY6&A!*i3",
    "Myyxngwf-NL04CgyD6WvcyMD09rMkN_fk3q0Bga54ME=",
    "abc #def",
    "abc#defg",
    "#abcdefg",
    "it's it's",
    "a\"b\"c\"d\"",
    "it's \"both\"",
    "a'b$c'd$e",
    "a\\b\\c\\d",
    "a\\nb\\nc\\n.",
    "$HOME ${X} ${X:-y}",
    "$$ a$ b${ $(id)",
    "`id` a;touch x|b&c>d",
    "   leading",
    "trailing   ",
    "tab\tinside",
    "é€ü é€ü é€ü",
    "\"syntho-core\",\"syntho-backend\"",
    "{{ license_key }}",
    "%s%s%s%s {0}",
    "it's \\$ \"x\" $y",
];

/// Every value through one `.env`, as Compose itself reads it.
#[cfg(feature = "e2e")]
#[test]
fn nasty_values_are_read_by_compose_byte_for_byte() {
    use secrecy::SecretString;
    use syntho_installer::model::dotenv;
    let meant: Vec<(String, SecretString)> = NASTY
        .iter()
        .enumerate()
        .map(|(number, value)| (format!("VALUE_{number}"), SecretString::from(*value)))
        .collect();
    let lines: Vec<String> = meant
        .iter()
        .map(|(name, value)| format!("{name}={}\n", dotenv::quote(value.expose_secret()).unwrap()))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join(".env"), lines.concat()).unwrap();
    let names: Vec<&str> = meant.iter().map(|(name, _)| name.as_str()).collect();
    let arguments = [
        "--env-file",
        ".env",
        "-f",
        "-",
        "config",
        "--format",
        "json",
    ];
    let config =
        crate::compose_v2::docker_compose(folder.path(), &arguments, &dotenv::proof_file(&names))
            .unwrap();
    assert_eq!(dotenv::compare(&config, &meant), []);
}

/// From the answer to the container's environment, byte for byte, as Compose reads the real file.
#[cfg(feature = "e2e")]
#[rstest]
#[case(NASTY[0], NASTY[17])]
#[case(NASTY[23], NASTY[12])]
fn nasty_values_reach_the_containers_environment(#[case] password: &str, #[case] key: &str) {
    let variant = Variant::chosen(
        "syntho-one-node",
        &[("admin-password", password), ("license-key", key)],
    );
    let stack = variant.resolve().stacks.remove(0);
    let folder = tempfile::tempdir().unwrap();
    for name in ["docker-compose.yaml", ".env"] {
        fs_err::write(
            folder.path().join(name),
            file(&stack, name).content.expose_secret(),
        )
        .unwrap();
    }
    let config =
        crate::compose_v2::docker_compose(folder.path(), &["config", "--format", "json"], "")
            .unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let variable = |service: &str, name: &str| {
        let text = config["services"][service]["environment"][name].as_str();
        text.unwrap().replace("$$", "$")
    };
    assert_eq!(variable("backend", "USER_PASSWORD"), password);
    assert_eq!(variable("core", "LICENSE_KEY_SIGNED"), key);
}
