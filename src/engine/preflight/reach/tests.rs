//! The grid against scripted hosts, and with real listeners on this machine.

use std::fmt::Write as _;

use super::*;
use crate::engine::local_shell::LocalShell;
use crate::engine::preflight::tests::{Sample, ip, listener, name, reach as need, told};
use crate::transport::fake::{FakeHost, Reply};

const NOBODY: BTreeSet<HostName> = BTreeSet::new();

fn all(hosts: Vec<Arc<dyn Host>>) -> BTreeMap<HostName, Arc<dyn Host>> {
    hosts
        .into_iter()
        .map(|host| (host.name().clone(), host))
        .collect()
}

/// A host whose listeners come up, and whose connections end with one word.
fn fake(host: &str, word: &'static str) -> Arc<dyn Host> {
    Arc::new(FakeHost::new(name(host)).respond(move |command| {
        let script = &command.script;
        let words = |key: &str| {
            let (_, rest) = script.split_once(&format!("{key}='"))?;
            Some(rest.split_once('\'')?.0.to_owned())
        };
        let mut told = String::new();
        if script.starts_with("specs=") {
            let specs =
                words("specs").unwrap_or_else(|| script[6..].split(' ').next().unwrap().to_owned());
            for spec in specs.split(' ') {
                let _ = writeln!(told, "listening\t{spec}");
            }
        } else if script.starts_with("targets=") {
            for target in words("targets").unwrap().split(' ') {
                let _ = writeln!(told, "reach\t{target}\t{word}");
            }
        }
        Some(Reply::ok(told))
    }))
}

fn judged(sample: &Sample, hosts: Vec<Arc<dyn Host>>, behind_jump: &BTreeSet<HostName>) -> Reached {
    reach(
        sample.scene(),
        &Roads {
            hosts: &all(hosts),
            behind_jump,
            concurrency: 8,
        },
    )
}

fn between_hosts(sample: &mut Sample) {
    sample.resolved.reach.retain(|need| need.from.is_some());
}

#[test]
fn every_path_open() {
    let mut sample = Sample::three();
    between_hosts(&mut sample);
    let reached = judged(
        &sample,
        vec![
            fake("ui", "open"),
            fake("ray-1", "open"),
            fake("ray-2", "open"),
        ],
        &NOBODY,
    );
    assert_eq!(
        told(&reached.checks),
        [
            "pass reach: 1 ports tried from 1 machines, all open",
            "pass reach: 3 ports tried from 1 machines, all open"
        ]
    );
    assert_eq!(reached.cells.len(), 4);
    assert!(
        reached
            .cells
            .iter()
            .all(|cell| cell.outcome == ReachOutcome::Open)
    );
}

#[test]
fn a_closed_path_names_the_opening_and_the_command() {
    let mut sample = Sample::three();
    between_hosts(&mut sample);
    sample.resolved.reach.push(need(
        Some("ui"),
        "ray-1",
        (6379, 6379),
        "Ray's address book",
    ));
    let reached = judged(
        &sample,
        vec![
            fake("ui", "timeout"),
            fake("ray-1", "open"),
            fake("ray-2", "timeout"),
        ],
        &NOBODY,
    );
    assert_eq!(
        told(&reached.checks),
        [
            "fail reach: ray-2 (10.0.0.13), ui (10.0.0.11) cannot open port 6379 here (Ray's address book): no answer in time, most often a firewall that drops",
            "pass reach: 3 ports tried from 1 machines, all open"
        ]
    );
    let check = &reached.checks[0];
    assert_eq!(
        check.command.as_deref(),
        Some(
            "sudo ufw allow proto tcp from 10.0.0.13 to any port 6379 && sudo ufw allow proto tcp from 10.0.0.11 to any port 6379"
        )
    );
    assert_eq!(check.opening.as_ref().unwrap().to, "ray-1 (10.0.0.12)");
    assert_eq!(check.host.as_ref().unwrap().as_str(), "ray-1");
}

#[test]
fn part_of_a_range_closed_asks_for_the_whole_range() {
    let mut sample = Sample::three();
    between_hosts(&mut sample);
    let reached = judged(
        &sample,
        vec![fake("ray-1", "unreachable"), fake("ray-2", "open")],
        &NOBODY,
    );
    let check = reached
        .checks
        .iter()
        .find(|check| check.opening.is_some())
        .unwrap();
    assert_eq!(check.opening.as_ref().unwrap().ports, "11000-11999");
    assert!(
        check
            .found
            .ends_with("no route, or a firewall that rejects")
    );
}

#[test]
fn what_cannot_be_tried_warns() {
    let mut sample = Sample::three();
    let lost: Arc<dyn Host> =
        Arc::new(FakeHost::new(name("ray-1")).on("specs=", Reply::ok("tool\tnone\n")));
    let jump = [name("ui")].into();
    let reached = judged(
        &sample,
        vec![fake("ui", "open"), lost, fake("ray-2", "open")],
        &jump,
    );
    assert_eq!(
        told(&reached.checks),
        [
            "warn reach: not tried: 3000",
            "warn reach: not tried: 6379",
            "warn reach: not tried: 11000, 11499, 11999"
        ]
    );
    assert_eq!(
        reached.checks[0].cause.as_deref(),
        Some("from here it is reached through another host only")
    );
    sample.resolved.reach.clear();
    assert!(judged(&sample, Vec::new(), &NOBODY).checks.is_empty());
}

#[test]
fn a_closed_way_from_here_only_warns() {
    let mut sample = Sample::three();
    sample.resolved.reach.retain(|need| need.from.is_none());
    sample.host("ui").address = "127.0.0.1".into();
    // The fake listener is nowhere: this machine is refused.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    sample.resolved.reach[0].ports = (closed, closed);
    let reached = judged(&sample, vec![fake("ui", "open")], &NOBODY);
    assert_eq!(
        told(&reached.checks),
        [format!(
            "warn reach: this machine cannot open port {closed} here (the application's pages): refused, although something listens"
        )]
    );
    assert_eq!(reached.cells[0].from.as_str(), "operator");
}

/// Two hosts that are this machine under two loopback addresses, with the scripts that really listen and connect.
#[test]
fn real_listeners_are_reached_and_gone_afterwards() {
    let mut sample = Sample::three();
    for (host, address) in [("ray-1", "127.0.0.1"), ("ray-2", "127.0.0.2")] {
        sample.host(host).private_address = ip(address);
        sample.on(host).addresses[0].address = ip(address);
    }
    let taken = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    sample
        .on("ray-2")
        .listeners
        .push(listener("127.0.0.2", port, Some("somebody")));
    let free = free_port();
    sample.resolved.reach = vec![
        need(Some("ray-1"), "ray-2", (port, port), "there already"),
        need(Some("ray-2"), "ray-1", (free, free), "ours"),
    ];
    let hosts: Vec<Arc<dyn Host>> = vec![
        Arc::new(LocalShell::new("ray-1", &["sh"])),
        Arc::new(LocalShell::new("ray-2", &["bash"])),
    ];
    let reached = judged(&sample, hosts, &NOBODY);
    assert!(
        reached
            .cells
            .iter()
            .all(|cell| cell.outcome == ReachOutcome::Open),
        "{reached:?}"
    );
    // Ending is a signal away: whoever is refused knows that nobody listens any more.
    let bound = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while std::net::TcpStream::connect(("127.0.0.1", free)).is_ok() {
        assert!(std::time::Instant::now() < bound, "the listener stays");
        std::thread::yield_now();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
