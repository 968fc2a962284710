//! Asks each host what only it can answer: do names resolve there, is the registry reached from there, may the login write the folder.
//!
//! What the answers mean is judged by [`super::names`], [`super::registry`] and [`super::rights`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::folder::deployment_folder;
use super::scene::{Scene, Seat};
use crate::model::answers::ImageSource;
use crate::model::facts::RootAccess;
use crate::transport::{Command, Host, Privilege, TransportError};

const SCRIPT: &str = include_str!("../../../assets/remote/lookups.sh");

/// Every look-up has a shorter limit of its own and they run at once.
const LIMIT: Duration = Duration::from_secs(30);

/// The registry of names without one.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// What a host answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lookups {
    /// Names and the addresses they resolve to; none when they do not.
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    /// Whether names could be looked up at all.
    pub(super) names_tried: bool,
    /// Registries and what came of them.
    pub(super) registries: Vec<RegistryAnswer>,
    /// Whether the login may write the deployment's folder, or make it.
    pub(super) folder_writable: bool,
    /// What sudo said when root's rights could not be had.
    pub(super) root_refusal: Option<String>,
}

/// What came of one registry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RegistryAnswer {
    pub(super) registry: String,
    pub(super) tool: String,
    pub(super) outcome: String,
    pub(super) seconds: Option<f64>,
    pub(super) detail: String,
}

/// Asks one host.
pub(super) fn ask(
    host: &dyn Host,
    scene: Scene<'_>,
    seat: Seat<'_>,
) -> Result<Lookups, TransportError> {
    let folder = seat
        .stacks()
        .next()
        .map_or("/", |stack| deployment_folder(&stack.folder));
    let quoted = |text: &str| {
        shlex::try_quote(text)
            .map(String::from)
            .map_err(|_| TransportError::Unquotable)
    };
    let script = format!(
        "names={} registries={} folder={}\n{SCRIPT}",
        quoted(
            &names_of(scene, seat)
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        )?,
        quoted(
            &registries_of(seat)
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        )?,
        quoted(folder)?,
    );
    let output = host.run(&Command::sh(script).within(LIMIT))?;
    Ok(Lookups {
        root_refusal: root_refusal(host, seat),
        ..read(&output.text())
    })
}

/// Asks for root's rights once more where they were not given, for the reason.
fn root_refusal(host: &dyn Host, seat: Seat<'_>) -> Option<String> {
    if !matches!(
        seat.facts.user.root,
        RootAccess::None | RootAccess::PasswordMissing
    ) {
        return None;
    }
    let nothing = Command::sh("true").with_privilege(Privilege::Root);
    match host.run(&nothing.within(LIMIT)) {
        Err(TransportError::Sudo { detail }) => Some(detail),
        _ => None,
    }
}

/// Returns the names a host must resolve: its own, and those that the answers use for other hosts.
pub(super) fn names_of(scene: Scene<'_>, seat: Seat<'_>) -> BTreeSet<String> {
    let used = scene
        .resolved
        .hosts
        .iter()
        .filter(|host| host.name != seat.host.name)
        .map(|host| host.address.clone());
    used.chain([seat.facts.hostname.clone()])
        .filter(|name| is_network_name(name))
        .collect()
}

/// Returns whether a text is a name that a network would know; addresses, `local` and odd characters are not looked up.
fn is_network_name(text: &str) -> bool {
    text != "local"
        && !text.is_empty()
        && text.parse::<IpAddr>().is_err()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Returns the registries from which the host's images come.
pub(super) fn registries_of(seat: Seat<'_>) -> BTreeSet<String> {
    if seat.resolved.image_source != ImageSource::Registry {
        return BTreeSet::new();
    }
    seat.images()
        .into_iter()
        .map(|image| match image.reference.registry() {
            None | Some("docker.io") => DOCKER_HUB.to_owned(),
            Some(host) => host.to_owned(),
        })
        .collect()
}

fn read(text: &str) -> Lookups {
    let mut found = Lookups {
        names_tried: true,
        ..Lookups::default()
    };
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["name", name, addresses] => {
                let mut addresses: Vec<IpAddr> = addresses
                    .split_whitespace()
                    .filter_map(|address| address.parse().ok())
                    .collect();
                addresses.sort();
                addresses.dedup();
                found.names.insert(name.to_owned(), addresses);
            }
            ["name-untried", _] => found.names_tried = false,
            ["folder", answer, _] => found.folder_writable = answer == "yes",
            ["registry", registry, tool, outcome, time, detail] => {
                found.registries.push(RegistryAnswer {
                    registry: registry.to_owned(),
                    tool: tool.to_owned(),
                    outcome: outcome.to_owned(),
                    seconds: seconds(time),
                    detail: detail.trim().to_owned(),
                });
            }
            _ => {}
        }
    }
    found.registries.sort_by(|a, b| a.registry.cmp(&b.registry));
    found
}

/// Reads a duration, or the difference of two clock readings.
fn seconds(text: &str) -> Option<f64> {
    match text.split_once(' ') {
        Some((before, after)) => Some(after.parse::<f64>().ok()? - before.parse::<f64>().ok()?),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RAY, Sample, ip};
    use super::*;
    use crate::engine::local_shell::LocalShell;

    #[test]
    fn answers_are_read() {
        let found = read(
            "name\tui\t10.0.0.11 10.0.0.11 \nname\tlost\t\nfolder\tyes\t/opt\n\
             registry\tb.example\tcurl\tok\t0.25\tHTTP 401\nregistry\ta.example\tbash\ttcp\t10.5 11.0\t\n",
        );
        assert_eq!(found.names["ui"], [ip("10.0.0.11")]);
        assert!(found.names["lost"].is_empty() && found.names_tried && found.folder_writable);
        assert_eq!(found.registries[0].seconds, Some(0.5));
        assert_eq!(found.registries[1].detail, "HTTP 401");
    }

    #[test]
    fn only_names_are_looked_up_and_only_registries_in_use() {
        let mut sample = Sample::three();
        sample.host("ray-1").address = "ray-1.acme.example".into();
        sample.host("ray-2").address = "local".into();
        let names = names_of(sample.scene(), sample.seat("ui"));
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["ray-1.acme.example", "ui"]
        );
        assert!(registries_of(sample.seat("ray-1")).is_empty());
        sample.resolved.image_source = ImageSource::Registry;
        let registries = registries_of(sample.seat("ray-1"));
        assert!(RAY.starts_with(registries.first().unwrap().as_str()));
    }

    #[test]
    fn the_script_answers_for_this_machine() {
        let mut sample = Sample::three();
        sample.resolved.image_source = ImageSource::Registry;
        // A port on which nobody listens: refused at once, by whichever tool is there.
        let closed = {
            let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            bound.local_addr().unwrap()
        };
        let image = &mut sample.stack("application").images[0];
        image.reference = format!("{closed}/app:1").try_into().unwrap();
        sample.on("ui").hostname = "localhost".into();
        sample.stack("application").folder =
            std::env::temp_dir().join("acme/app").display().to_string();
        let here = LocalShell::new("ui", &["sh"]);
        let found = ask(&here, sample.scene(), sample.seat("ui")).unwrap();
        assert!(found.names["localhost"].iter().all(IpAddr::is_loopback));
        assert!(found.folder_writable);
        assert_eq!(found.registries[0].outcome, "connect");
    }
}
