//! Dials: from a host, all its targets in one process; from here, each in a thread.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::need::Attempt;
use crate::engine::fan_out::fan_out;
use crate::engine::preflight::scene::Scene;
use crate::model::check::ReachOutcome;
use crate::model::ids::HostName;
use crate::transport::{Command, Host};

const CONNECT: &str = include_str!("../../../../assets/remote/connect.sh");

/// Seconds for one connection: a lost first packet is sent again after one.
const LIMIT: u64 = 2;

/// What can connect, the quickest to start first.
const TOOLS: &str = "perl python3 bash ncat nc busybox";

/// Connections tried at once from here.
const AT_ONCE: usize = 64;

/// Dials from a host to the private addresses of the others.
pub(super) fn from_host(
    host: &dyn Host,
    scene: Scene<'_>,
    attempts: &[&Attempt],
) -> Vec<(Attempt, ReachOutcome)> {
    let mut by_target: BTreeMap<String, &Attempt> = BTreeMap::new();
    for attempt in attempts {
        if let Some(to) = scene.host(&attempt.to) {
            by_target.insert(format!("{},{}", to.private_address, attempt.port), attempt);
        }
    }
    let targets = by_target.keys().cloned().collect::<Vec<_>>().join(" ");
    let script = format!("targets='{targets}' limit={LIMIT} tools='{TOOLS}'\n{CONNECT}");
    let command = Command::sh(script).within(Duration::from_secs(LIMIT + 15));
    match host.run(&command) {
        Ok(output) => read(&output.text(), &by_target),
        Err(error) => {
            tracing::warn!(host = %host.name(), %error, "reachability could not be tried from here");
            Vec::new()
        }
    }
}

fn read(text: &str, by_target: &BTreeMap<String, &Attempt>) -> Vec<(Attempt, ReachOutcome)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("reach\t")?.split_once('\t'))
        .filter_map(|(target, word)| {
            let outcome = match word.trim() {
                "open" => ReachOutcome::Open,
                "refused" => ReachOutcome::Refused,
                "timeout" => ReachOutcome::TimedOut,
                "unreachable" => ReachOutcome::Unreachable,
                _ => return None,
            };
            Some(((*by_target.get(target)?).clone(), outcome))
        })
        .collect()
}

/// Dials from the operator's machine, at the address by which SSH goes there.
pub(super) fn from_here(scene: Scene<'_>, attempts: &[&Attempt]) -> Vec<(Attempt, ReachOutcome)> {
    let mut addresses: BTreeMap<&HostName, IpAddr> = BTreeMap::new();
    for attempt in attempts {
        if let Some(host) = scene.host(&attempt.to) {
            addresses
                .entry(&host.name)
                .or_insert_with(|| seen_from_here(&host.address).unwrap_or(host.private_address));
        }
    }
    fan_out(attempts.to_vec(), AT_ONCE, |attempt| {
        let address = addresses.get(&attempt.to)?;
        Some((
            attempt.clone(),
            dial(SocketAddr::new(*address, attempt.port)),
        ))
    })
    .into_iter()
    .flatten()
    .collect()
}

/// Returns where a host's SSH address leads; an alias of `~/.ssh/config` leads nowhere by itself.
fn seen_from_here(address: &str) -> Option<IpAddr> {
    if address == "local" {
        return None;
    }
    if let Ok(address) = address.parse() {
        return Some(address);
    }
    let mut found = (address, 0).to_socket_addrs().ok()?;
    found.next().map(|found| found.ip())
}

fn dial(place: SocketAddr) -> ReachOutcome {
    match TcpStream::connect_timeout(&place, Duration::from_secs(LIMIT)) {
        Ok(_) => ReachOutcome::Open,
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => ReachOutcome::Refused,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ReachOutcome::TimedOut,
            _ => ReachOutcome::Unreachable,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::preflight::tests::{Sample, name};
    use crate::transport::fake::{FakeHost, Reply};

    #[test]
    fn answers_find_their_attempts() {
        let sample = Sample::three();
        let to = |port| Attempt {
            from: Some(name("ray-2")),
            to: name("ray-1"),
            port,
        };
        let (open, closed, silent) = (to(6379), to(8265), to(10001));
        let host = FakeHost::new(name("ray-2")).on(
            "targets='10.0.0.12,10001 10.0.0.12,6379 10.0.0.12,8265'",
            Reply::ok("tool\tperl\nreach\t10.0.0.12,6379\topen\nreach\t10.0.0.12,8265\ttimeout\nreach\tstray,1\topen\n"),
        );
        let found = from_host(&host, sample.scene(), &[&open, &closed, &silent]);
        assert_eq!(
            found,
            [(open, ReachOutcome::Open), (closed, ReachOutcome::TimedOut)]
        );
    }

    #[test]
    fn from_here() {
        let mut sample = Sample::three();
        sample.host("ui").address = "localhost".into();
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = Attempt {
            from: None,
            to: name("ui"),
            port: listening.local_addr().unwrap().port(),
        };
        let found = super::from_here(sample.scene(), &[&open]);
        assert_eq!(found, [(open.clone(), ReachOutcome::Open)]);
        drop(listening);
        let found = super::from_here(sample.scene(), &[&open]);
        assert_eq!(found, [(open, ReachOutcome::Refused)]);
    }
}
