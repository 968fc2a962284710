//! Runs every check, those that ask hosts again beside those that only judge facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;

use super::declared::declared;
use super::draft::Draft;
use super::lookups::{self, Lookups};
use super::reach::{Reached, Roads, reach};
use super::scene::{Scene, Seat};
use super::{
    Report, address, clock, collisions, compose, disk, docker_engine, folder, identity, images,
    names, nofile, pools, ports, proxy, registry, rights, sizing, system,
};
use crate::engine::fan_out::fan_out;
use crate::model::check::{CheckResult, Verdict};
use crate::model::event::{Event, Listener};
use crate::model::facts::HostFacts;
use crate::model::ids::HostName;
use crate::model::resolved::Resolved;
use crate::transport::Host;

/// What checks need beside facts.
pub struct PreflightContext<'a> {
    /// Hears each result as it comes.
    pub listener: &'a dyn Listener,
    /// Hosts that the operator's machine reaches through another host only; nothing can be said about ports from here to them.
    pub behind_jump: BTreeSet<HostName>,
    /// How many hosts are worked on at once.
    pub concurrency: usize,
}

/// The checks of one host by its facts, in the order in which results are read best.
const OF_A_HOST: &[fn(Seat<'_>) -> Vec<CheckResult>] = &[
    system::os,
    system::architecture,
    sizing::cpus,
    sizing::memory,
    disk::space,
    disk::inodes,
    disk::folder,
    docker_engine::engine,
    docker_engine::access,
    compose::compose,
    nofile::nofile,
    ports::ports,
    collisions::collisions,
    folder::folder,
    images::images,
    address::address,
];

/// The checks of one host that look at the others, too.
const OF_A_HOST_AMONG_OTHERS: &[fn(Scene<'_>, Seat<'_>) -> Vec<CheckResult>] =
    &[pools::pools, proxy::proxy];

/// The checks of all hosts together.
const OF_ALL: &[fn(Scene<'_>) -> Vec<CheckResult>] = &[clock::clock, identity::identity];

/// Makes every check. A host that was lost is told as such, and one failed check hides no other.
#[must_use]
pub fn run(
    resolved: &Resolved,
    facts: &BTreeMap<HostName, HostFacts>,
    hosts: &BTreeMap<HostName, Arc<dyn Host>>,
    cx: &PreflightContext<'_>,
) -> Report {
    let scene = Scene { resolved, facts };
    let roads = Roads {
        hosts,
        behind_jump: &cx.behind_jump,
        concurrency: cx.concurrency,
    };
    let (asked, declared, judged, reached) = thread::scope(|scope| {
        let reached = scope.spawn(|| {
            let reached = reach(scene, &roads);
            cx.listener.hear(Event::ReachKnown {
                cells: reached.cells.clone(),
            });
            tell(cx, reached.checks.iter());
            reached
        });
        let asked = scope.spawn(|| ask(scene, hosts, cx));
        let declared = scope.spawn(|| {
            let checks = declared(scene, hosts, cx.concurrency);
            tell(cx, checks.iter());
            checks
        });
        let judged = judge(scene, cx);
        (
            asked.join().unwrap_or_default(),
            declared.join().unwrap_or_default(),
            judged,
            reached.join().unwrap_or_else(|_| broken()),
        )
    });
    let mut checks = judged;
    checks.extend(asked);
    checks.extend(declared);
    checks.extend(reached.checks);
    sort(&mut checks, resolved);
    Report {
        checks,
        reach: reached.cells,
    }
}

/// Tries every path between hosts and nothing else; the checks are those about paths.
#[must_use]
pub fn grid(
    resolved: &Resolved,
    facts: &BTreeMap<HostName, HostFacts>,
    hosts: &BTreeMap<HostName, Arc<dyn Host>>,
    behind_jump: &BTreeSet<HostName>,
) -> Report {
    let roads = Roads {
        hosts,
        behind_jump,
        concurrency: hosts.len().max(1),
    };
    let reached = reach(Scene { resolved, facts }, &roads);
    Report {
        checks: reached.checks,
        reach: reached.cells,
    }
}

/// A grid whose making broke off is worth a word, not silence.
fn broken() -> Reached {
    Reached {
        cells: Vec::new(),
        checks: vec![
            Draft::new("reach", "Reached by the others", None)
                .because("the attempt broke off")
                .warn("not tried"),
        ],
    }
}

/// Makes the checks that only judge facts.
fn judge(scene: Scene<'_>, cx: &PreflightContext<'_>) -> Vec<CheckResult> {
    let mut checks: Vec<CheckResult> = Vec::new();
    for host in &scene.resolved.hosts {
        if !scene.facts.contains_key(&host.name) {
            checks.push(
                Draft::new("facts", "Host", Some(&host.name))
                    .because("it could not be looked at, so nothing is known of it")
                    .remedy("mend what was said about the connection, and check again")
                    .fail("not looked at"),
            );
        }
    }
    for seat in scene.seats() {
        checks.extend(OF_A_HOST.iter().flat_map(|check| check(seat)));
        checks.extend(
            OF_A_HOST_AMONG_OTHERS
                .iter()
                .flat_map(|check| check(scene, seat)),
        );
    }
    checks.extend(OF_ALL.iter().flat_map(|check| check(scene)));
    tell(cx, checks.iter());
    checks
}

/// Makes the checks for which hosts are asked again.
fn ask(
    scene: Scene<'_>,
    hosts: &BTreeMap<HostName, Arc<dyn Host>>,
    cx: &PreflightContext<'_>,
) -> Vec<CheckResult> {
    let work: Vec<(Seat<'_>, &Arc<dyn Host>)> = scene
        .seats()
        .filter_map(|seat| Some((seat, hosts.get(&seat.host.name)?)))
        .collect();
    fan_out(work, cx.concurrency, |(seat, host)| {
        let checks = match lookups::ask(host.as_ref(), scene, seat) {
            Ok(lookups) => of_lookups(scene, seat, &lookups),
            Err(error) => vec![
                seat.draft("lookups", "Names, registry and rights")
                    .because(error.to_string())
                    .remedy("check again")
                    .fail("the host did not answer"),
            ],
        };
        tell(cx, checks.iter());
        checks
    })
    .into_iter()
    .flatten()
    .collect()
}

fn of_lookups(scene: Scene<'_>, seat: Seat<'_>, lookups: &Lookups) -> Vec<CheckResult> {
    let mut checks = rights::rights(seat, lookups);
    checks.extend(names::names(scene, seat, lookups));
    checks.extend(registry::registry(seat, lookups));
    checks
}

fn tell<'a>(cx: &PreflightContext<'_>, checks: impl Iterator<Item = &'a CheckResult>) {
    for check in checks {
        cx.listener.hear(Event::CheckEnded {
            check: check.clone(),
        });
    }
}

/// Sorts by host in the order of the answers, what concerns all hosts last; within a host the worst first.
fn sort(checks: &mut [CheckResult], resolved: &Resolved) {
    let place = |check: &CheckResult| {
        resolved
            .hosts
            .iter()
            .position(|host| Some(&host.name) == check.host.as_ref())
            .unwrap_or(usize::MAX)
    };
    checks.sort_by_key(|check| {
        let worst_first = match check.verdict {
            Verdict::Fail => 0,
            Verdict::Warn => 1,
            Verdict::Pass => 2,
        };
        (place(check), worst_first)
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, name, troubles};
    use super::*;
    use crate::transport::fake::FakeHost;
    use std::sync::Mutex;

    #[test]
    fn one_failed_check_hides_no_other_and_everything_is_told() {
        let mut sample = Sample::three();
        sample.facts.remove(&name("ray-2"));
        sample.on("ui").compose = None;
        sample.on("ui").cpus = 1;
        sample.on("ui").architecture = "riscv64".into();
        let hosts = ["ui", "ray-1"]
            .into_iter()
            .map(|host| {
                (
                    name(host),
                    Arc::new(FakeHost::new(name(host))) as Arc<dyn Host>,
                )
            })
            .collect();
        let heard = Mutex::new(Vec::new());
        let listener = |event: Event| heard.lock().unwrap().push(event);
        let cx = PreflightContext {
            listener: &listener,
            behind_jump: BTreeSet::new(),
            concurrency: 4,
        };
        let report = run(&sample.resolved, &sample.facts, &hosts, &cx);
        assert_eq!(report.verdict(), Verdict::Fail);
        insta::assert_snapshot!(troubles(&report.checks).join("\n"), @r"
        fail architecture: riscv64
        fail cpus: 1 CPUs
        fail compose: not installed
        fail images: syntho.azurecr.io/syntho-core-backend:1.9.0 is there, made for amd64
        warn reach: not tried: 3000
        warn reach: not tried: 6379
        fail facts: not looked at
        ");
        let heard = heard.into_inner().unwrap();
        let told = heard
            .iter()
            .filter(|e| matches!(e, Event::CheckEnded { .. }))
            .count();
        assert_eq!(told, report.checks.len());
        assert!(heard.iter().any(|e| matches!(e, Event::ReachKnown { .. })));
    }
}
