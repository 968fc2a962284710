//! The real JupyterHub reads what the answers about each authenticator become, by the proof that runs on hosts before the hub is started.

use std::process::{Command, Output};
use std::sync::OnceLock;

use secrecy::ExposeSecret;
use syntho_installer::model::resolved::PlacedStack;
use syntho_installer::rehearsal::Engine;
use syntho_installer::rehearsal::images::{Product, Release, ensure_of};

use crate::authenticators::{AUTHENTICATORS, Choices, variant, variant_of};
use crate::support::{Variant, file, placed};

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Engine::default_cache().unwrap();
        Engine::find_or_start(&cache, &|_| {}).unwrap()
    })
}

/// A release's hub image; the real JupyterHub with every authenticator.
fn hub_image(release: Release) -> String {
    let images = ensure_of(engine(), Product::Notebooks, &[release], &|_| {}).unwrap();
    let names = images.iter().map(ToString::to_string);
    let mut hub = names.filter(|name| name.contains("/hub-"));
    hub.next().unwrap()
}

/// What the configuration finds in its container beside secrets.
fn given(hub: &PlacedStack) -> Vec<(String, String)> {
    let own = hub.environment.iter();
    let own = own.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    if hub.is_project() {
        return own.collect();
    }
    let text = file(hub, "stack.yaml").content.expose_secret();
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).unwrap();
    let fixed = yaml["services"]["hub"]["environment"].as_mapping().unwrap();
    let fixed = fixed.iter().map(|(name, value)| {
        let text = |value: &serde_yaml_ng::Value| value.as_str().unwrap().to_owned();
        (text(name), text(value))
    });
    own.chain(fixed).collect()
}

/// Runs the proof of this release on a hub's files, with this line before the configuration and without this variable.
fn prove(release: Release, hub: &PlacedStack, more: &str, without: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut docker = Command::new("docker");
    if let Some(host) = engine().docker().host() {
        docker.env("DOCKER_HOST", host);
    }
    docker.args(["run", "--rm", "--network", "none", "--entrypoint", "sh"]);
    for name in ["jupyterhub_config.py", "authenticator.py"] {
        let text = file(hub, name).content.expose_secret();
        let text = format!("c = get_config()\n{more}\n{text}");
        fs_err::write(folder.path().join(name), text).unwrap();
        let from = folder.path().join(name).display().to_string();
        docker.args(["--volume", &format!("{from}:/srv/jupyterhub/{name}:ro")]);
    }
    for (name, value) in given(hub) {
        if name != without {
            docker.args(["--env", &name]).env(name, value);
        }
    }
    let script = file(hub, "prove_config.py").content.expose_secret();
    let run = "exec python -c \"$0\" /srv/jupyterhub/jupyterhub_config.py";
    docker
        .args([&hub_image(release), "-c", run, script])
        .output()
        .unwrap()
}

/// What the proof found, and whether that is good.
fn finding(output: &Output) -> (bool, String) {
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default().to_owned();
    (output.status.success(), last)
}

#[test]
fn jupyterhub_accepts_what_every_authenticator_is_written_as() {
    for (name, choices) in AUTHENTICATORS {
        accepts(Release::Old, "5.5.4", name, choices);
    }
}

#[test]
fn its_next_release_accepts_all_but_accounts_of_its_own_which_do_not_work_with_it_yet() {
    for (name, choices) in AUTHENTICATORS {
        if name != "native" {
            accepts(Release::New, "6.1.1", name, choices);
        }
    }
    let resolved = Variant::plain("jupyterhub-ray").resolve();
    let hub = placed(&resolved, "hub", "hub");
    let (accepted, said) = finding(&prove(Release::New, hub, "", ""));
    let found = "with which accounts of its own do not work by NativeAuthenticator 1.3.0";
    assert!(!accepted && said.contains(found), "{said}");
}

#[track_caller]
fn accepts(release: Release, version: &str, name: &str, choices: Choices) {
    let resolved = variant(choices).resolve();
    let output = prove(release, placed(&resolved, "hub", "hub"), "", "");
    let accepted = format!("JupyterHub {version} accepts its configuration");
    assert_eq!(
        finding(&output),
        (true, accepted),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn jupyterhub_accepts_what_a_swarm_is_written_as() {
    for (name, choices) in [
        ("folder", &[][..]),
        ("local", &[("storage", "local")][..]),
        ("for ever", &[("idle-minutes", "0")][..]),
    ] {
        let resolved = variant_of("jupyterhub-swarm", choices).resolve();
        let output = prove(Release::Old, placed(&resolved, "hub", "hub"), "", "");
        let accepted = "JupyterHub 5.5.4 accepts its configuration".to_owned();
        assert_eq!(
            finding(&output),
            (true, accepted),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let resolved = variant_of("jupyterhub-swarm", &[]).resolve();
    let mounts = "c.SwarmSpawner.mounts = []";
    let (accepted, said) = finding(&prove(
        Release::Old,
        placed(&resolved, "hub", "hub"),
        mounts,
        "",
    ));
    assert!(
        !accepted && said.contains("`mounts` not recognized"),
        "{said}"
    );
}

#[test]
fn what_jupyterhub_would_only_warn_of_or_end_with_is_found_before_it_starts() {
    let resolved = Variant::plain("jupyterhub-ray").resolve();
    let hub = placed(&resolved, "hub", "hub");
    let cases = [
        // Looked at when the hub starts, when somebody logs in, and when somebody's notebook starts.
        (
            "c.JupyterHub.bind_ulr = 'x'",
            "",
            "`bind_ulr` not recognized by `JupyterHub`",
        ),
        (
            "c.NativeAuthenticator.open_sinup = True",
            "",
            "`open_sinup` not recognized",
        ),
        (
            "c.DockerSpawner.mem_limt = 1",
            "",
            "`mem_limt` not recognized by `DockerSpawner`",
        ),
        ("c.Spawner.default_url = 5", "", "default_url"),
        ("no such thing", "", "invalid syntax"),
        (
            "",
            "NATIVE_ADMIN_PASSWORD",
            "NATIVE_ADMIN_PASSWORD is missing",
        ),
        (
            "import jupyterhub; jupyterhub.version_info = (5, 4)",
            "",
            "need 5.5 or later",
        ),
    ];
    for (more, without, found) in cases {
        let (accepted, said) = finding(&prove(Release::Old, hub, more, without));
        assert!(!accepted && said.contains(found), "{more}{without}: {said}");
    }
}
