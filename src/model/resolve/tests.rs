//! Resolving a small preset: what is refused, and what each refusal says.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::*;
use crate::model::preset::{Preset, PresetFile};
use crate::model::sample;

const PRESET: &str = r#"
id = "small"
title = "Small"
summary = "Two hosts."
needs = "2 hosts"
guide = "none"

[[role]]
id = "one"
title = "One"
help = "Runs it"
count = "2"

[[question]]
id = "token"
page = "auth"
kind = "secret"
generate = "text64"
generate-when = "mode == 'made'"
kept = [{ stack = "web", variable = "TOKEN" }]
prompt = "Token"
help = "A token"

[[question]]
id = "mode"
page = "auth"
kind = "choice"
choices = ["made", "given"]
default = "made"
prompt = "Mode"
help = "Where the token comes from"

[[question]]
id = "size"
page = "sizing"
kind = "size"
optional = true
prompt = "Size"
help = "How much"

[[rule]]
on = "one"
holds = "not size or hosts('one')[0].memory > 1 and host.memory >= 2 ** 40"
message = "wants {{ size }} of {{ megabytes(host.memory) }}"
example = "size = \"1gb\""
about = ["size"]

[[image]]
id = "web"
title = "Web"
reference = "{{ registry }}/web:{{ tag }}"
unpacked = "1gb"

[[stack]]
id = "web"
title = "Web"
role = "one"
images = ["web"]
ports = ["8080", "9000-9002", "{% if size %}7000{% endif %}"]
files = [{ from = "web.env", to = ".env" }, { from = "note.md", to = "NOTE" }]
"#;

#[derive(Debug)]
struct Files;

impl Assets for Files {
    fn asset(&self, path: &str) -> Option<String> {
        match path {
            "web.env" => Some(
                "TOKEN={{ token }}\nURL=x?{{ url_encode(token) }}\nME={{ host.name }}\n".to_owned(),
            ),
            "note.md" => Some("{{ project }} in {{ folder }}\n".to_owned()),
            _ => None,
        }
    }

    fn operator_file(&self, path: &str) -> Result<String, String> {
        Err(format!("no {path}"))
    }
}

fn deployment(choices: &[(&str, &str)]) -> Deployment {
    let file: PresetFile = toml::from_str(PRESET).unwrap();
    let preset: Arc<Preset> = Arc::new(file.into_preset(Vec::new()).unwrap());
    let choices = choices
        .iter()
        .map(|(id, value)| (id.parse().unwrap(), (*value).to_owned()));
    sample::deployment(&preset, &choices.collect::<BTreeMap<_, _>>()).unwrap()
}

fn resolved(deployment: &Deployment, kept: &[(&str, &str)]) -> Result<Resolved, ResolveError> {
    let kept = |host: &HostName, stack: &StackId, variable: &str| {
        assert_eq!((stack.as_str(), variable), ("web", "TOKEN"));
        let value = kept.iter().find(|(own, _)| *own == host.as_str());
        value.map(|(_, value)| SecretString::from(*value))
    };
    let assets: Arc<dyn Assets> = Arc::new(Files);
    let facts = sample::facts_of(deployment);
    let random = |buffer: &mut [u8]| buffer.fill(b'a');
    let making = Making {
        random: &random,
        ..sample::making()
    };
    resolve(deployment, &facts, &kept, &assets, making)
}

#[test]
fn files_are_rendered_with_and_without_their_secrets() {
    let resolved = resolved(&deployment(&[("token", "s3cret/é")]), &[]).unwrap();
    let stack = &resolved.stacks[1];
    assert_eq!(
        (stack.host.as_str(), stack.project.as_str()),
        ("one-2", "sample-web")
    );
    assert_eq!(stack.ports, [8080, 9000, 9001, 9002]);
    let env = &stack.files[0];
    assert_eq!(
        env.content.expose_secret(),
        "TOKEN='s3cret/é'\nURL='x?s3cret%2F%C3%A9'\nME='one-2'\n"
    );
    assert_eq!(env.masked, "TOKEN='‹token›'\nURL='x?‹token›'\nME='one-2'\n");
    assert_eq!((env.mode, env.secret), (0o600, true));
    let note = &stack.files[1];
    assert_eq!(
        note.content.expose_secret(),
        "sample-web in /opt/syntho/sample/web\n"
    );
    assert_eq!((note.mode, note.secret), (0o644, false));
    assert_eq!(
        stack.images[0].reference.to_string(),
        "registry.acme.example/web:1.9.0"
    );
    assert_eq!(stack.images[0].unpacked, 1 << 30);
    assert_eq!(resolved.registry.unwrap().host, "registry.acme.example");
}

#[test]
fn a_secret_that_one_host_keeps_is_used_on_all() {
    let resolved = resolved(&deployment(&[]), &[("one-2", "kept")]).unwrap();
    for stack in &resolved.stacks {
        assert_eq!(stack.environment[0].1.expose_secret(), "kept");
    }
}

#[test]
fn an_empty_variable_keeps_nothing() {
    let resolved = resolved(&deployment(&[]), &[("one-1", "")]).unwrap();
    assert_eq!(
        resolved.stacks[0].environment[0].1.expose_secret().len(),
        64
    );
}

#[test]
fn hosts_that_keep_different_secrets_stop_it() {
    let error = resolved(&deployment(&[]), &[("one-1", "a"), ("one-2", "b")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "hosts `one-1` and `one-2` keep different values of the secret `token`"
    );
}

#[test]
fn a_secret_that_is_given_wins_only_where_none_is_made() {
    let given = deployment(&[("mode", "given"), ("token", "new")]);
    let resolved_given = resolved(&given, &[("one-1", "old")]).unwrap();
    assert_eq!(
        resolved_given.stacks[0].environment[0].1.expose_secret(),
        "new"
    );
    let made = deployment(&[("token", "new")]);
    assert!(matches!(
        resolved(&made, &[("one-1", "old")]),
        Err(ResolveError::SecretDiffers { .. })
    ));
    let mut missing = deployment(&[("mode", "given")]);
    missing.secrets = crate::model::secret::Secrets::default();
    let error = resolved(&missing, &[]).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(error.hint().unwrap().contains("SYNTHO_SECRET_TOKEN"));
    let again = resolved(&missing, &[("one-1", "old")]).unwrap();
    assert_eq!(again.stacks[0].environment[0].1.expose_secret(), "old");
}

#[test]
fn rules_on_hosts_are_judged_on_each() {
    let error = resolved(&deployment(&[("size", "9gb")]), &[]).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Preflight);
    let ResolveError::DoesNotFit(faults) = error else {
        panic!("{error}")
    };
    let messages: Vec<String> = faults.iter().map(|fault| fault.message.clone()).collect();
    assert_eq!(
        messages,
        [
            "host `one-1`: wants 9gb of 32768m",
            "host `one-2`: wants 9gb of 32768m"
        ]
    );
}

#[test]
fn a_host_that_was_not_seen_is_our_own_fault() {
    let deployment = deployment(&[]);
    let assets: Arc<dyn Assets> = Arc::new(Files);
    let error = resolve(&deployment, &[], &|_, _, _| None, &assets, sample::making()).unwrap_err();
    assert_eq!(error.to_string(), "nothing is known of host `one-1`");
    assert_eq!(error.kind(), FailureKind::Bug);
}
