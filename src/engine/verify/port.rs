//! Connects to a port that must, or must not, be open from somewhere.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Finding, Probing, unreachable};
use crate::model::resolved::{PlacedProbe, ResolvedHost};
use crate::transport::{Command, TransportError, local};

const SCRIPT: &str = include_str!("../../../assets/remote/connect.sh");
/// What can connect, the quickest to start first.
const TOOLS: &str = "perl python3 bash ncat nc busybox";
/// Seconds for one connection.
const LIMIT: u64 = 3;

pub(super) fn dial(probing: Probing<'_>, probe: &PlacedProbe) -> Finding {
    let PlacedProbe::Port {
        from,
        to,
        port,
        open: wanted,
    } = probe
    else {
        return Finding::fail("is not a port").certainly();
    };
    let hosts = probing.hosts;
    let Some(target) = hosts.iter().find(|host| host.name == *to) else {
        return Finding::fail(format!("there is no host `{to}`")).certainly();
    };
    let is_open = match from {
        None => Ok(Some(is_open(seen_from_here(target), *port))),
        Some(host) => match probing.links.host(host) {
            Ok(host) => is_open_from(host.as_ref(), target.private_address, *port),
            Err(error) => Err(error),
        },
    };
    match is_open {
        Ok(Some(open)) => judge(open, *wanted, *port, to.as_str()),
        Ok(None) => Finding::untried("nothing on the host can try it"),
        Err(error) => unreachable(&error),
    }
}

fn judge(open: bool, wanted: bool, port: u16, to: &str) -> Finding {
    match (open, wanted) {
        (true, true) => Finding::pass(format!("port {port} of `{to}` is open")),
        (false, false) => Finding::pass(format!("port {port} of `{to}` is closed")),
        (false, true) => Finding::fail(format!("port {port} of `{to}` is closed")),
        (true, false) => {
            Finding::fail(format!("port {port} of `{to}` is open and must not be")).certainly()
        }
    }
}

/// Returns the address at which the operator's machine sees a host: where SSH goes, unless that is this machine or a name only SSH knows.
fn seen_from_here(host: &ResolvedHost) -> IpAddr {
    if host.address == local::ADDRESS {
        return host.private_address;
    }
    let found = (host.address.as_str(), 0).to_socket_addrs();
    let first = found.ok().and_then(|mut addresses| addresses.next());
    first.map_or(host.private_address, |address| address.ip())
}

fn is_open(address: IpAddr, port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::new(address, port), Duration::from_secs(LIMIT)).is_ok()
}

/// Returns `None` when nothing on the host can connect.
fn is_open_from(
    host: &dyn crate::transport::Host,
    address: IpAddr,
    port: u16,
) -> Result<Option<bool>, TransportError> {
    let script = format!("targets='{address},{port}' limit={LIMIT} tools='{TOOLS}'\n{SCRIPT}");
    let command = Command::sh(script).within(Duration::from_secs(LIMIT + 15));
    let text = host.run(&command)?.text();
    let outcome = text.lines().find_map(|line| line.strip_prefix("reach\t"));
    Ok(outcome.map(|outcome| outcome.ends_with("\topen")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::machine::Machine;
    use crate::model::check::Verdict;
    use rstest::rstest;

    #[test]
    fn an_open_and_a_closed_port_are_told_apart_from_here_and_from_a_host() {
        let machine = Machine::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = free.local_addr().unwrap();
        drop(free);
        for (address, expected) in [(open, true), (closed, false)] {
            assert_eq!(is_open(address.ip(), address.port()), expected);
            let from_host = is_open_from(machine.host.as_ref(), address.ip(), address.port());
            assert_eq!(from_host.unwrap(), Some(expected));
        }
    }

    #[rstest]
    #[case(true, true, Verdict::Pass)]
    #[case(false, false, Verdict::Pass)]
    #[case(false, true, Verdict::Fail)]
    #[case(true, false, Verdict::Fail)]
    fn what_must_be_and_what_must_not(
        #[case] open: bool,
        #[case] wanted: bool,
        #[case] verdict: Verdict,
    ) {
        assert_eq!(judge(open, wanted, 6379, "ui").verdict, verdict);
    }
}
