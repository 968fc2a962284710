//! Puts up listeners on a host for a few seconds, and takes them down again.
//!
//! All ports of a host are held by one process (or one process group), which was started detached and ends by itself: nothing stays when we die.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::need::Reachable;
use crate::engine::preflight::scene::Seat;
use crate::model::facts::RootAccess;
use crate::transport::{Command, Host, Privilege, TransportError};

const LISTEN: &str = include_str!("../../../../assets/remote/listen.sh");
const UNLISTEN: &str = include_str!("../../../../assets/remote/unlisten.sh");

/// Seconds after which listeners end by themselves: longer than the dialling takes on any number of hosts.
const LIVES: u32 = 25;

/// What can listen, the quickest to start first. Debian and Ubuntu always have Perl, Red Hat's systems Python; a container is the last resort.
const TOOLS: &str = "perl python3 socat ncat nc busybox container";

/// What stands behind a port that will be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ground {
    /// Our listener.
    Ours,
    /// Something that listened already.
    Already,
    /// Nothing, and why.
    Nothing(String),
}

/// The listeners of one host.
#[derive(Debug)]
pub(super) struct Stand {
    /// What stands behind each port.
    pub(super) ground: BTreeMap<u16, Ground>,
    mark: String,
    pid: String,
    privilege: Privilege,
    up: bool,
}

/// Puts up listeners on those ports where nothing listens yet.
pub(super) fn put_up(host: &dyn Host, seat: Seat<'_>, ports: &BTreeMap<u16, Reachable>) -> Stand {
    let mut stand = Stand {
        ground: BTreeMap::new(),
        mark: format!("syntho-probe-{:016x}", rand::random::<u64>()),
        pid: String::new(),
        privilege: privilege(seat, ports),
        up: false,
    };
    let mut specs = Vec::new();
    for (&port, &reachable) in ports {
        if listened(seat, port, reachable) {
            stand.ground.insert(port, Ground::Already);
        } else {
            let why = "nothing could listen there".to_owned();
            stand.ground.insert(port, Ground::Nothing(why));
            specs.push(format!("{},{port}", bind_to(seat, reachable)));
        }
    }
    if specs.is_empty() {
        return stand;
    }
    stand.up = true;
    match listen(host, seat, &stand, &specs) {
        Ok(text) => read(&mut stand, &text),
        Err(error) => {
            for ground in stand.ground.values_mut() {
                if let Ground::Nothing(why) = ground {
                    *why = error.to_string();
                }
            }
        }
    }
    stand
}

fn listen(
    host: &dyn Host,
    seat: Seat<'_>,
    stand: &Stand,
    specs: &[String],
) -> Result<String, TransportError> {
    let images: Vec<String> = seat
        .images()
        .iter()
        .filter(|image| seat.image(&image.reference).is_some())
        .map(|image| image.reference.to_string())
        .collect();
    // Addresses, ports and image references hold nothing that a shell would read, and are quoted all the same.
    let quoted = |words: &[String]| {
        shlex::try_quote(&words.join(" "))
            .map(String::from)
            .map_err(|_| TransportError::Unquotable)
    };
    let script = format!(
        "specs={} mark={} limit={LIVES} images={} tools='{TOOLS}'\n{LISTEN}",
        quoted(specs)?,
        stand.mark,
        quoted(&images)?
    );
    let command = Command::sh(script)
        .with_privilege(stand.privilege)
        .within(Duration::from_secs(15));
    Ok(host.run(&command)?.text())
}

/// Reads what the script told.
fn read(stand: &mut Stand, text: &str) {
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let port = |spec: &str| {
            spec.rsplit_once(',')
                .and_then(|(_, port)| port.parse().ok())
        };
        match parts[..] {
            ["pid", pid] => pid.trim().clone_into(&mut stand.pid),
            ["listening", spec] => {
                if let Some(port) = port(spec) {
                    stand.ground.insert(port, Ground::Ours);
                }
            }
            ["busy", spec, why] => {
                if let Some(port) = port(spec) {
                    let why = format!("nothing could listen there: {}", why.to_lowercase());
                    stand.ground.insert(port, Ground::Nothing(why));
                }
            }
            ["tool", "none"] => {
                for ground in stand
                    .ground
                    .values_mut()
                    .filter(|g| matches!(g, Ground::Nothing(_)))
                {
                    *ground = Ground::Nothing(
                        "the host has no program that can listen (Python, Perl, socat, ncat)"
                            .to_owned(),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Takes the listeners down; they would end by themselves, so a failure is only noted.
pub(super) fn take_down(host: &dyn Host, stand: &Stand) {
    if !stand.up {
        return;
    }
    let script = format!("pid={} mark={}\n{UNLISTEN}", digits(&stand.pid), stand.mark);
    let command = Command::sh(script)
        .with_privilege(stand.privilege)
        .within(Duration::from_secs(10));
    if let Err(error) = host.run(&command) {
        tracing::info!(host = %host.name(), %error, "listeners are left to end by themselves");
    }
}

/// Keeps what a process id may consist of; the rest of what a host says does not get into a script.
fn digits(text: &str) -> &str {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text
    } else {
        ""
    }
}

/// Ports below 1024 are root's, and so is Docker where the login may not use it.
fn privilege(seat: Seat<'_>, ports: &BTreeMap<u16, Reachable>) -> Privilege {
    let may = matches!(
        seat.facts.user.root,
        RootAccess::Passwordless | RootAccess::Password
    );
    let low = ports.keys().any(|port| *port < 1024);
    let container = !["perl", "python3", "socat", "ncat", "nc", "busybox"]
        .iter()
        .any(|tool| seat.has(tool));
    if may && (low || container) {
        Privilege::Root
    } else {
        Privilege::User
    }
}

/// Returns the address a listener binds: only the private one where only other hosts connect.
fn bind_to(seat: Seat<'_>, reachable: Reachable) -> IpAddr {
    let private = seat.host.private_address;
    let here = seat
        .facts
        .addresses
        .iter()
        .any(|own| own.address == private);
    match (reachable, private) {
        (Reachable::Privately, _) if here => private,
        (_, IpAddr::V4(_)) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        (_, IpAddr::V6(_)) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}

/// Returns whether something already listens on a port where the others can get at it: then the path to it is tried as it is.
fn listened(seat: Seat<'_>, port: u16, reachable: Reachable) -> bool {
    let private = seat.host.private_address;
    let fits = |address: &str| {
        let Ok(address) = address.trim_matches(['[', ']']).parse::<IpAddr>() else {
            return false;
        };
        let outside = reachable == Reachable::FromHere && !address.is_loopback();
        address.is_unspecified() || address == private || outside
    };
    let by_process = seat
        .facts
        .listeners
        .iter()
        .any(|listener| listener.port == port && fits(&listener.address));
    // Without the userland proxy a published port has no listener.
    let by_container = seat
        .docker()
        .into_iter()
        .flat_map(|docker| &docker.containers)
        .filter(|container| container.state == "running")
        .flat_map(|container| &container.published)
        .filter_map(|published| published.rsplit_once(':'))
        .any(|(address, found)| found == port.to_string() && fits(address));
    by_process || by_container
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::preflight::tests::{Sample, container, listener};
    use crate::transport::fake::{FakeHost, Reply};

    const PORTS: [(u16, Reachable); 2] = [(443, Reachable::FromHere), (6379, Reachable::Privately)];

    fn fake(reply: &str) -> FakeHost {
        FakeHost::new("ui".parse().unwrap()).on("specs=", Reply::ok(reply))
    }

    #[test]
    fn only_what_is_free_is_listened_on_and_only_as_far_as_needed() {
        let mut sample = Sample::three();
        sample
            .on("ui")
            .listeners
            .push(listener("0.0.0.0", 3000, None));
        let mut ports: BTreeMap<u16, Reachable> = PORTS.into();
        ports.insert(3000, Reachable::Privately);
        let host = fake(
            "tool\tperl\nlistening\t0.0.0.0,443\nbusy\t10.0.0.11,6379\tAddress already in use\npid\t77\n",
        );
        let stand = put_up(&host, sample.seat("ui"), &ports);
        assert_eq!(stand.ground[&443], Ground::Ours);
        assert_eq!(stand.ground[&3000], Ground::Already);
        assert_eq!(
            stand.ground[&6379],
            Ground::Nothing("nothing could listen there: address already in use".into())
        );
        take_down(&host, &stand);
        let ran = host.ran();
        assert!(ran[0].script.contains("specs='0.0.0.0,443 10.0.0.11,6379'"));
        // 443 is root's, and so is ending what root started.
        assert!(
            ran.iter()
                .all(|command| command.privilege == Privilege::Root)
        );
        assert!(ran[1].script.starts_with("pid=77 mark=syntho-probe-"));
    }

    #[test]
    fn a_host_without_any_program_is_told() {
        let sample = Sample::three();
        let stand = put_up(&fake("tool\tnone\n"), sample.seat("ui"), &PORTS.into());
        assert!(matches!(&stand.ground[&443], Ground::Nothing(why) if why.contains("no program")));
    }

    #[test]
    fn a_lost_host_is_told_and_strange_process_ids_do_not_get_into_scripts() {
        let sample = Sample::three();
        let lost = FakeHost::new("ui".parse().unwrap()).on("specs=", Reply::lost());
        let stand = put_up(&lost, sample.seat("ui"), &PORTS.into());
        assert!(matches!(&stand.ground[&443], Ground::Nothing(why) if why.contains("lost")));
        assert_eq!(digits("1;reboot"), "");
    }

    #[test]
    fn a_published_port_and_a_loopback_listener() {
        let mut sample = Sample::three();
        let mut web = container("web", "acme-application", true);
        web.published = vec!["0.0.0.0:443".into()];
        sample.docker("ui").containers.push(web);
        sample
            .on("ui")
            .listeners
            .push(listener("127.0.0.1", 6379, None));
        assert!(listened(sample.seat("ui"), 443, Reachable::FromHere));
        assert!(!listened(sample.seat("ui"), 6379, Reachable::Privately));
    }
}
