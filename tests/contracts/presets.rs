//! Presets: the shipped ones are sound, a folder adds and overrides, and a broken one is refused with file, line and rule.

use camino::Utf8Path;
use rstest::rstest;
use syntho_installer::model::failure::{Failure, FailureKind, Hinted};
use syntho_installer::presets::{PresetError, Presets, describe};

#[test]
fn every_shipped_preset_loads_and_is_sound() {
    let presets = Presets::default();
    for id in presets.ids() {
        let preset = presets.load(&id).unwrap();
        let problems = preset.check(&presets.assets());
        assert!(problems.is_empty(), "{id}: {problems:#?}");
    }
}

#[test]
fn the_names_of_the_contract_are_there() {
    let presets = Presets::default();
    for (id, roles, more) in [
        (
            "syntho-app-ray",
            vec!["ui 1", "ray-head 1", "ray-worker 0.."],
            vec![],
        ),
        (
            "syntho-one-node",
            vec!["ui 1"],
            vec!["ray-cpus", "ray-memory"],
        ),
    ] {
        let summary = describe(&presets.load(&id.parse().unwrap()).unwrap());
        let own: Vec<String> = summary
            .roles
            .iter()
            .map(|role| format!("{} {}", role.id, role.count))
            .collect();
        assert_eq!(own, roles);
        let questions: Vec<&str> = summary
            .questions
            .iter()
            .map(|question| question.id.as_str())
            .collect();
        let wanted = "public-host protocol tls tls-cert tls-key frontend-port backend-port core-port admin-username admin-email database \
            database-host database-port redis redis-host ray-shm license-key admin-password database-password core-secret-key backend-secret-key";
        for name in wanted.split_whitespace().chain(more) {
            assert!(questions.contains(&name), "{id}: {name}");
        }
        let images: Vec<&str> = summary
            .images
            .iter()
            .map(|image| image.id.as_str())
            .collect();
        for name in [
            "ray", "core", "backend", "frontend", "postgres", "redis", "proxy",
        ] {
            assert!(images.contains(&name), "{id}: {name}");
        }
    }
}

#[test]
fn the_names_of_the_hubs_contract_are_there() {
    let presets = Presets::default();
    let summary = describe(&presets.load(&"jupyterhub-ray".parse().unwrap()).unwrap());
    let roles: Vec<String> = summary
        .roles
        .iter()
        .map(|role| format!("{} {}", role.id, role.count))
        .collect();
    assert_eq!(roles, ["hub 1", "ray-head 1", "ray-worker 1.."]);
    let names = |list: &[&str], wanted: &str| {
        for name in wanted.split_whitespace() {
            assert!(list.contains(&name), "{name}");
        }
    };
    let questions: Vec<&str> = summary.questions.iter().map(|q| q.id.as_str()).collect();
    names(
        &questions,
        "public-host hub-port tls tls-cert tls-key authenticator allowed-users admin-users allow-all ray-shm license-key hub-database-password",
    );
    let images: Vec<&str> = summary.images.iter().map(|i| i.id.as_str()).collect();
    names(&images, "ray hub notebook postgres proxy");
}

const PRESET: &str = r#"id = "small"
title = "Small"
summary = "One service."
needs = "1 host"
guide = "none"
include = ["base"]

[[role]]
id = "one"
title = "One"
help = "Runs it"
count = "1"

[[question]]
id = "port"
page = "application"
kind = "port"
default = "8080"
prompt = "Port"
help = "Where it listens"

[[stack]]
id = "web"
title = "Web"
role = "one"
images = ["web"]
files = [
    { from = "small/docker-compose.yaml" },
    { from = "small/web.env", to = ".env" },
]

[[stack.service]]
name = "web"

[[health]]
id = "answers"
title = "It answers"
kind = "http"
from = "operator"
url = "http://{{ hosts('one')[0].operator_address }}:{{ port }}/"

[[stack.step]]
id = "index"
title = "The index is built"
probe = ["test", "-e", "index"]
run = ["sh", "build.sh", "{{ port }}"]
remedy = "see its output"
fails = [{ says = "no (.*)", message = "{{ found }} is missing", remedy = "bring it" }]
"#;

const FRAGMENT: &str = r#"[[question]]
id = "key"
page = "auth"
kind = "secret"
generate = "text64"
kept = [{ stack = "web", variable = "KEY" }]
prompt = "Key"
help = "Made here"

[[image]]
id = "web"
title = "Web"
reference = "web:{{ tag }}"
unpacked = "1gb"
"#;

const COMPOSE: &str = "name: {{ project }}\nservices:\n  web:\n    image: ${IMAGE}\n";
const ENV: &str = "IMAGE={{ image('web') }}\nKEY={{ key }}\n";

/// Writes the small preset with one piece of one file replaced, and loads it.
fn load(file: &str, from: &str, to: &str) -> Result<(), PresetError> {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    for (name, text) in [
        ("small.toml", PRESET),
        ("shared/base.toml", FRAGMENT),
        ("assets/small/docker-compose.yaml", COMPOSE),
        ("assets/small/web.env", ENV),
    ] {
        let path = root.join(name);
        let edited = if name == file {
            text.replacen(from, to, 1)
        } else {
            text.to_owned()
        };
        assert!(
            name != file || from.is_empty() || edited != text,
            "`{from}` is not in {name}"
        );
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, edited).unwrap();
    }
    let presets = Presets::new(Some(root));
    assert!(presets.ids().iter().any(|id| id.as_str() == "small"));
    assert!(
        presets
            .ids()
            .iter()
            .any(|id| id.as_str() == "syntho-one-node"),
        "the shipped ones stay"
    );
    presets.load(&"small".parse().unwrap()).map(|_| ())
}

#[test]
fn a_folder_adds_a_preset() {
    load("", "", "").unwrap();
}

#[rstest]
#[case::syntax(
    "small.toml",
    "kind = \"port\"",
    "kind = port",
    "small.toml:17:8: string values must be quoted"
)]
#[case::unknown_key(
    "small.toml",
    "page = \"app",
    "pgae = \"app",
    "small.toml:16:1: unknown field `pgae`"
)]
#[case::unknown_top_key(
    "small.toml",
    "guide =",
    "giude =",
    "small.toml:5:1: unknown field `giude`"
)]
#[case::unknown_kind(
    "small.toml",
    "kind = \"port\"",
    "kind = \"prot\"",
    "small.toml:17:8: unknown variant `prot`"
)]
#[case::unknown_health_key(
    "small.toml",
    "from = \"operator\"",
    "form = \"operator\"",
    "small.toml:39:1: unknown field `form`"
)]
#[case::key_of_another_kind(
    "small.toml",
    "from = \"operator\"",
    "from = \"operator\"\nopen = true",
    "health `answers` of kind `http` has no key `open`"
)]
#[case::no_fragment(
    "small.toml",
    "\"base\"",
    "\"bass\"",
    "small.toml:6:1: `include`: there is no fragment `shared/bass.toml`"
)]
#[case::head_in_fragment(
    "shared/base.toml",
    "[[question]]",
    "title = \"x\"\n[[question]]",
    "shared/base.toml:1:1: `title`: does not belong in a fragment"
)]
#[case::missing_head("small.toml", "title = \"Small\"\n", "", "`title`: is missing")]
#[case::other_id(
    "small.toml",
    "id = \"small\"",
    "id = \"smaller\"",
    "small.toml:1:1: `id`: must be the file's name, `small`"
)]
#[case::bad_count(
    "small.toml",
    "count = \"1\"",
    "count = \"many\"",
    "`many` is not a count"
)]
#[case::no_role(
    "small.toml",
    "role = \"one\"",
    "role = \"two\"",
    "small.toml:25:1: `stack.web.role`: there is no role `two`"
)]
#[case::no_image(
    "small.toml",
    "images = [\"web\"]",
    "images = [\"wbe\"]",
    "small.toml:26:1: `stack.web.images`: there is no image `wbe`"
)]
#[case::not_kept(
    "shared/base.toml",
    "kept = [{ stack = \"web\", variable = \"KEY\" }]\n",
    "",
    "base.toml:5:1: `question.key.generate`: a secret that is made needs `kept`"
)]
#[case::kept_elsewhere(
    "shared/base.toml",
    "variable = \"KEY\"",
    "variable = \"KYE\"",
    "base.toml:6:1: `question.key.kept`: the `.env` of stack `web` has no variable `KYE`"
)]
#[case::choices(
    "small.toml",
    "kind = \"port\"",
    "kind = \"choice\"",
    "a question of kind `choice`, and no other, has choices"
)]
#[case::default(
    "small.toml",
    "default = \"8080\"",
    "default = \"{{ prot }}\"",
    "small.toml:18:1: `question.port.default`: `prot` is not defined"
)]
#[case::default_rule(
    "small.toml",
    "default = \"8080\"",
    "default = \"99999\"",
    "small.toml:18:1: `question.port.default`: the default or example breaks the question's own rule: is 99999"
)]
#[case::when(
    "small.toml",
    "default = \"8080\"",
    "default = \"8080\"\nwhen = \"tsl == 'x'\"",
    "small.toml:19:1: `question.port.when`: `tsl` is not defined"
)]
#[case::url(
    "small.toml",
    "{{ port }}/",
    "{{ prot }}/",
    "small.toml:40:1: `health.answers.url`: `prot` is not defined"
)]
#[case::template(
    "assets/small/web.env",
    "{{ key }}",
    "{{ kye }}",
    "`small/web.env`: line 2: `kye` is not defined"
)]
#[case::template_syntax(
    "assets/small/docker-compose.yaml",
    "  web:\n",
    "  {% if %}\n",
    "`small/docker-compose.yaml`: line 3:"
)]
#[case::step_without_program(
    "small.toml",
    "run = [\"sh\", \"build.sh\", \"{{ port }}\"]",
    "run = []",
    "`stack.web.step.index.run`: it needs a program"
)]
#[case::step_with_a_bad_expression(
    "small.toml",
    "no (.*)",
    "no (",
    "`stack.web.step.index.fails`: regex parse error"
)]
#[case::step_about_nothing(
    "small.toml",
    "remedy = \"bring it\"",
    "remedy = \"bring it\", about = \"prot\"",
    "`stack.web.step.index.fails`: there is no question `prot`"
)]
#[case::step_takes_from_what_is_not_before(
    "small.toml",
    "remedy = \"see",
    "takes = { TOKEN = { from = \"web\", run = [\"true\"] } }\nremedy = \"see",
    "`stack.web.step.index.takes`: `web` must stand in the `after` of `web`"
)]
#[case::step_with_an_unknown_key(
    "small.toml",
    "remedy = \"see",
    "tiemout = 5\nremedy = \"see",
    "unknown field `tiemout`"
)]
#[case::step_with_a_secret(
    "small.toml",
    "\"build.sh\", \"{{ port }}\"",
    "\"build.sh\", \"{{ key }}\"",
    "`stack.web.step.index.run`: it puts a secret where everybody can read it"
)]
#[case::step_template(
    "small.toml",
    "{{ found }} is",
    "{{ fuond }} is",
    "`stack.web.step.index.fails`: `fuond` is not defined"
)]
#[case::no_template(
    "small.toml",
    "small/web.env",
    "small/wbe.env",
    "`small/wbe.env`: there is no such file under `assets`"
)]
#[case::secret_in_the_open(
    "assets/small/docker-compose.yaml",
    "image: ${IMAGE}",
    "image: {{ key }}",
    ""
)]
#[case::secret_in_a_url(
    "small.toml",
    "{{ port }}/",
    "{{ port }}/{{ key }}",
    "`health.answers.url`: it puts a secret where everybody can read it"
)]
#[case::two_of_a_name(
    "small.toml",
    "id = \"port\"",
    "id = \"key\"",
    "`key` is taken by question.key"
)]
fn a_broken_preset_is_refused_with_its_place(
    #[case] file: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] message: &str,
) {
    if message.is_empty() {
        // A file with a secret that asks for no mode of its own gets 0600, so this is no fault.
        return load(file, from, to).unwrap();
    }
    let error = load(file, from, to).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    let text = Failure::from_error(&error).causes.join("\n");
    assert!(text.contains(message), "{text}");
}

#[test]
fn an_unknown_preset_names_the_nearest() {
    let error = Presets::default()
        .load(&"syntho-one-nod".parse().unwrap())
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no preset `syntho-one-nod`");
    assert_eq!(error.hint().unwrap(), "did you mean `syntho-one-node`?");
}

#[test]
fn assets_are_taken_from_inside_only() {
    let assets = Presets::default().assets();
    assert!(assets.asset("ray/head.env").is_some());
    for path in ["../Cargo.toml", "/etc/passwd", "ray/../../Cargo.toml", ""] {
        assert!(assets.asset(path).is_none(), "{path}");
    }
}
