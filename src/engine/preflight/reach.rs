//! Reachability: every host to every other on every port that will be used, with real listeners, before anything is installed.
//!
//! Three phases, each on all hosts at once: listeners go up ([`stand`]), every host dials all its targets in one process ([`dial`]), listeners come down. A
//! port on which something listens already is dialled as it is. Of a range both ends and the middle are tried. What came of it is judged by [`judge`].

mod dial;
mod judge;
mod need;
mod stand;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scene::Scene;
use crate::engine::fan_out::fan_out;
use crate::model::check::{CheckResult, Reach, ReachOutcome};
use crate::model::ids::HostName;
use crate::transport::Host;
pub(in crate::engine) use judge::written as written_ports;
use need::Attempt;
pub(in crate::engine) use need::samples as sampled_ports;
use stand::{Ground, Stand};

/// What came of the grid.
#[derive(Debug, Default)]
pub(super) struct Reached {
    pub(super) cells: Vec<Reach>,
    pub(super) checks: Vec<CheckResult>,
}

/// What is known of the way to the hosts.
pub(super) struct Roads<'a> {
    /// Every host that is connected.
    pub(super) hosts: &'a BTreeMap<HostName, Arc<dyn Host>>,
    /// Hosts that the operator's machine reaches through another host only.
    pub(super) behind_jump: &'a BTreeSet<HostName>,
    /// How many hosts are worked on at once.
    pub(super) concurrency: usize,
}

/// Tries every path that the deployment needs.
pub(super) fn reach(scene: Scene<'_>, roads: &Roads<'_>) -> Reached {
    let attempts = need::attempts(scene);
    let stands = put_up(scene, roads, &attempts);
    let mut outcomes = untried(&attempts);
    let dialled = dial_all(scene, roads, &attempts, &stands);
    for (attempt, outcome) in dialled {
        outcomes.insert(attempt, outcome);
    }
    take_down(roads, &stands);
    let checks = judge::judge(scene, &outcomes, &stands, roads.behind_jump);
    Reached {
        cells: cells(scene, outcomes),
        checks,
    }
}

fn untried(attempts: &BTreeSet<Attempt>) -> BTreeMap<Attempt, ReachOutcome> {
    attempts
        .iter()
        .map(|attempt| (attempt.clone(), ReachOutcome::Untried))
        .collect()
}

/// Puts up listeners on every host that is to be reached.
fn put_up(
    scene: Scene<'_>,
    roads: &Roads<'_>,
    attempts: &BTreeSet<Attempt>,
) -> BTreeMap<HostName, Stand> {
    let work = scene
        .seats()
        .filter_map(|seat| Some((seat, roads.hosts.get(&seat.host.name)?)))
        .map(|(seat, host)| (seat, host, need::ports_of(attempts, &seat.host.name)))
        .filter(|(_, _, ports)| !ports.is_empty())
        .collect();
    fan_out(work, roads.concurrency, |(seat, host, ports)| {
        (
            seat.host.name.clone(),
            stand::put_up(host.as_ref(), seat, &ports),
        )
    })
    .into_iter()
    .collect()
}

fn take_down(roads: &Roads<'_>, stands: &BTreeMap<HostName, Stand>) {
    let standing = stands
        .iter()
        .filter_map(|(name, stand)| Some((roads.hosts.get(name)?, stand)))
        .collect();
    fan_out(standing, roads.concurrency, |(host, stand)| {
        stand::take_down(host.as_ref(), stand);
    });
}

/// Dials from every host and from here; attempts without anybody to answer are left out.
fn dial_all(
    scene: Scene<'_>,
    roads: &Roads<'_>,
    attempts: &BTreeSet<Attempt>,
    stands: &BTreeMap<HostName, Stand>,
) -> Vec<(Attempt, ReachOutcome)> {
    let answered = |attempt: &&Attempt| {
        stands
            .get(&attempt.to)
            .and_then(|stand| stand.ground.get(&attempt.port))
            .is_some_and(|ground| !matches!(ground, Ground::Nothing(_)))
    };
    let mut by_host: BTreeMap<&HostName, Vec<&Attempt>> = BTreeMap::new();
    let mut from_here: Vec<&Attempt> = Vec::new();
    for attempt in attempts.iter().filter(answered) {
        match &attempt.from {
            Some(from) => by_host.entry(from).or_default().push(attempt),
            None if !roads.behind_jump.contains(&attempt.to) => from_here.push(attempt),
            None => {}
        }
    }
    let mut work: Vec<(Option<&Arc<dyn Host>>, _)> = Vec::new();
    for (from, targets) in by_host {
        if let Some(host) = roads.hosts.get(from) {
            work.push((Some(host), targets));
        }
    }
    work.push((None, from_here));
    // One more at a time than hosts, so that this machine's own attempts run beside theirs.
    fan_out(work, roads.concurrency + 1, |(host, targets)| match host {
        Some(host) => dial::from_host(host.as_ref(), scene, &targets),
        None => dial::from_here(scene, &targets),
    })
    .into_iter()
    .flatten()
    .collect()
}

/// The name that stands for the operator's machine in the grid.
const OPERATOR: &str = "operator";

/// Turns outcomes into the grid's cells. A deployment with a host called `operator` gets no cells for the operator's machine.
fn cells(scene: Scene<'_>, outcomes: BTreeMap<Attempt, ReachOutcome>) -> Vec<Reach> {
    let operator: Option<HostName> = OPERATOR
        .parse()
        .ok()
        .filter(|name| scene.host(name).is_none());
    outcomes
        .into_iter()
        .filter_map(|(attempt, outcome)| {
            Some(Reach {
                from: attempt.from.or_else(|| operator.clone())?,
                to: attempt.to,
                port: attempt.port,
                outcome,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
