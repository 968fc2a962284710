//! Fetches Python packages the way this machine's pip is configured, without leaving a trace of that in an image.
//!
//! They are installed in a container of their own, which is removed afterwards with the configuration in it; only the packed
//! result is taken out.

use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;

use super::super::call::{Call, Output};
use super::super::engine::{Docker, Engine};
use super::super::error::RehearsalError;
use super::super::recipes::Recipe;
use super::table::{PIP, Packages};

/// How long the download and installation of one set may take.
const FETCH: Duration = Duration::from_mins(15);
/// What of pip's configuration matters for finding packages.
const SETTINGS: [&str; 4] = ["index-url", "extra-index-url", "trusted-host", "proxy"];
/// Where a machine keeps the certificates that it trusts; the first one there is taken when pip names none.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Installs `packages` and writes the packed result to `packed`; `name` is the container's.
pub(super) fn fetch(
    engine: &Engine,
    recipe: &Recipe,
    packages: &Packages,
    name: &str,
    packed: &Utf8Path,
) -> Result<(), RehearsalError> {
    let docker = engine.docker();
    // One of a run that was killed may be there still.
    docker.call(["rm", "--force", "--volumes", name]).run()?;
    docker
        .call(["create", "--network", "host", "--name", name])
        .args(proxies().flat_map(|variable| ["--env".to_owned(), variable]))
        .args([PIP, packages.kind, packages.path])
        .args(packages.wanted.iter().copied())
        .output()?;
    let fetched = fetch_in(docker, recipe, name, packed);
    docker.call(["rm", "--force", "--volumes", name]).run()?;
    fetched
}

fn fetch_in(
    docker: &Docker,
    recipe: &Recipe,
    name: &str,
    packed: &Utf8Path,
) -> Result<(), RehearsalError> {
    let machine = MachinePip::find();
    let folder = tempfile::tempdir()?;
    let conf = folder.path().join("pip.conf");
    fs::write(&conf, machine.conf())?;
    let into = |from: &str, to: &str| {
        docker
            .call(["cp", "--follow-link", from, &format!("{name}:/in/{to}")])
            .output()
    };
    into(&conf.to_string_lossy(), "pip.conf")?;
    if let Some(bundle) = machine.bundle() {
        into(&bundle, "ca.pem")?;
    }
    let requirements = recipe.folder.join("requirements.txt");
    if requirements.exists() {
        into(requirements.as_str(), "requirements.txt")?;
    }
    docker
        .call(["start", "--attach", name])
        .limit(FETCH)
        .output()?;
    docker
        .call(["cp", &format!("{name}:/out/packages.tar"), packed.as_str()])
        .limit(FETCH)
        .output()?;
    Ok(())
}

/// Returns the variables that tell programs of a proxy, as names: Docker takes the values from our environment.
pub(super) fn proxies() -> impl Iterator<Item = String> {
    const NAMES: [&str; 3] = ["http_proxy", "https_proxy", "no_proxy"];
    NAMES
        .into_iter()
        .flat_map(|name| [name.to_owned(), name.to_uppercase()])
        .filter(|name| std::env::var_os(name).is_some())
}

/// What this machine's pip is configured with.
#[derive(Debug, Default, PartialEq, Eq)]
struct MachinePip {
    settings: Vec<(String, String)>,
    cert: Option<String>,
}

impl MachinePip {
    /// Asks pip itself, as it knows its files and the environment; a machine without pip has nothing special.
    fn find() -> Self {
        const ASK: [(&str, &[&str]); 3] =
            [("pip3", &[]), ("pip", &[]), ("python3", &["-m", "pip"])];
        let listed = |(program, args): (&str, &[&str])| -> Option<Output> {
            let asked = Call::new(program)
                .args(args.iter().copied())
                .args(["config", "list"])
                .run()
                .ok();
            asked.filter(Output::ok)
        };
        let mut found = ASK
            .into_iter()
            .find_map(listed)
            .map(|output| Self::read(&output.stdout))
            .unwrap_or_default();
        if found.cert.is_none() {
            found.cert = std::env::var("PIP_CERT")
                .or_else(|_| std::env::var("SSL_CERT_FILE"))
                .ok();
        }
        for key in SETTINGS {
            let variable = format!("PIP_{}", key.to_uppercase().replace('-', "_"));
            if let Ok(value) = std::env::var(variable) {
                found.settings.retain(|(name, _)| name != key);
                found.settings.push((key.to_owned(), value));
            }
        }
        found
    }

    /// Reads `pip config list`: lines such as `global.index-url='…'`, those of the environment under `:env:`.
    fn read(list: &str) -> Self {
        let mut found = Self::default();
        for line in list.lines() {
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let (section, key) = name.rsplit_once('.').unwrap_or_default();
            let value = value.trim_matches(['\'', '"']).replace("\\n", " ");
            if !matches!(section, "global" | "install" | ":env:") || value.trim().is_empty() {
                continue;
            }
            if key == "cert" {
                found.cert = Some(value);
            } else if SETTINGS.contains(&key) {
                found.settings.retain(|(name, _)| name != key);
                found.settings.push((key.to_owned(), value));
            }
        }
        found
    }

    /// Returns a configuration file that says the same.
    fn conf(&self) -> String {
        let head = "[global]\ntimeout = 60\nretries = 5\n".to_owned();
        self.settings.iter().fold(head, |text, (key, value)| {
            text + key + " = " + value.trim() + "\n"
        })
    }

    /// Returns the file with the certificates to trust.
    fn bundle(&self) -> Option<String> {
        let known = self.cert.iter().map(String::as_str).chain(BUNDLES);
        known
            .map(Utf8Path::new)
            .find(|path| path.is_file())
            .map(ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_the_machine_is_carried_over() {
        let found = MachinePip::read(
            ":env:.cert='/etc/ca.pem'\n:env:.timeout='180'\nglobal.index-url='https://user:word@index.example/simple'\n\
             global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'\nfreeze.all='1'\ndownload.index-url='https://not.example'\n",
        );
        assert_eq!(found.cert.as_deref(), Some("/etc/ca.pem"));
        insta::assert_snapshot!(found.conf(), @r"
        [global]
        timeout = 60
        retries = 5
        index-url = https://user:word@index.example/simple
        extra-index-url = https://a.example https://b.example
        ");
    }
}
