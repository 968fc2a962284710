//! Turns what came of the attempts into checks, one for each missing opening, with the command that makes it.

use std::collections::{BTreeMap, BTreeSet};

use super::need::{Attempt, samples};
use super::stand::{Ground, Stand};
use crate::engine::preflight::draft::Draft;
use crate::engine::preflight::firewall::Firewall;
use crate::engine::preflight::scene::{Scene, Seat};
use crate::model::check::{CheckResult, Opening, ReachOutcome};
use crate::model::ids::HostName;
use crate::model::resolved::ReachNeed;

/// How the operator's machine is called in results.
const HERE: &str = "this machine";

/// Judges every path, host by host.
pub(super) fn judge(
    scene: Scene<'_>,
    outcomes: &BTreeMap<Attempt, ReachOutcome>,
    stands: &BTreeMap<HostName, Stand>,
    behind_jump: &BTreeSet<HostName>,
) -> Vec<CheckResult> {
    scene
        .seats()
        .flat_map(|seat| {
            let mut results = closed(scene, seat, outcomes);
            results.extend(untried(
                seat,
                outcomes,
                stands.get(&seat.host.name),
                behind_jump,
            ));
            if results.is_empty() {
                results.extend(open(seat, outcomes));
            }
            results
        })
        .collect()
}

/// Says that a host is reached on every port.
fn open(seat: Seat<'_>, outcomes: &BTreeMap<Attempt, ReachOutcome>) -> Option<CheckResult> {
    let attempts = outcomes
        .keys()
        .filter(|attempt| attempt.to == seat.host.name);
    let ports: BTreeSet<u16> = attempts.clone().map(|attempt| attempt.port).collect();
    let from: BTreeSet<&Option<HostName>> = attempts.map(|attempt| &attempt.from).collect();
    let found = format!(
        "{} ports tried from {} machines, all open",
        ports.len(),
        from.len()
    );
    (!ports.is_empty()).then(|| draft(seat).pass(found))
}

fn draft(seat: Seat<'_>) -> Draft {
    seat.draft("reach", "Reached by the others")
}

/// Finds the needs that are not met, those of several machines for the same ports together.
fn closed(
    scene: Scene<'_>,
    seat: Seat<'_>,
    outcomes: &BTreeMap<Attempt, ReachOutcome>,
) -> Vec<CheckResult> {
    let mut groups: BTreeMap<Group<'_>, Vec<(&ReachNeed, Vec<ReachOutcome>)>> = BTreeMap::new();
    for need in scene
        .resolved
        .reach
        .iter()
        .filter(|need| need.to == seat.host.name)
    {
        let bad: Vec<ReachOutcome> = samples(need.ports)
            .into_iter()
            .filter_map(|port| {
                outcomes.get(&Attempt {
                    from: need.from.clone(),
                    to: need.to.clone(),
                    port,
                })
            })
            .copied()
            .filter(|outcome| !matches!(outcome, ReachOutcome::Open | ReachOutcome::Untried))
            .collect();
        if !bad.is_empty() {
            let group = (need.ports, need.why.as_str(), need.from.is_none());
            groups.entry(group).or_default().push((need, bad));
        }
    }
    groups
        .into_iter()
        .map(|(group, needs)| missing(scene, seat, group, &needs))
        .collect()
}

/// What needs have in common to be told as one: ports, purpose, and whether it is this machine that connects.
type Group<'a> = ((u16, u16), &'a str, bool);

fn missing(
    scene: Scene<'_>,
    seat: Seat<'_>,
    (ports, why, from_here): Group<'_>,
    needs: &[(&ReachNeed, Vec<ReachOutcome>)],
) -> CheckResult {
    let firewall = Firewall::of(seat);
    let from: Vec<String> = needs.iter().map(|(need, _)| label(scene, need)).collect();
    let commands: Vec<String> = needs
        .iter()
        .map(|(need, _)| {
            let source = need.from.as_ref().and_then(|name| scene.host(name));
            firewall.open(source.map(|host| host.private_address), ports)
        })
        .collect();
    let outcomes: BTreeSet<&'static str> = needs
        .iter()
        .flat_map(|(_, bad)| bad)
        .map(|outcome| in_words(*outcome))
        .collect();
    let to = scene.label(&seat.host.name);
    let found = format!(
        "{} cannot open port {} here ({why}): {}",
        from.join(", "),
        written(ports),
        outcomes.into_iter().collect::<Vec<_>>().join("; ")
    );
    let draft = draft(seat)
        .because("a firewall on this host, on the way, or of the cloud (security group) does not let it through")
        .remedy("open it on the host, and in every firewall on the way")
        .mended_by(commands.join(" && "))
        .opening(Opening {
            from: from.join(", "),
            to,
            ports: written(ports),
            why: why.to_owned(),
        });
    if from_here {
        draft
            .because("whether browsers elsewhere get through is another question, but the result cannot be verified from here")
            .warn(found)
    } else {
        draft.fail(found)
    }
}

fn label(scene: Scene<'_>, need: &ReachNeed) -> String {
    need.from
        .as_ref()
        .map_or_else(|| HERE.to_owned(), |name| scene.label(name))
}

/// Writes a port or a range.
pub(in crate::engine) fn written((first, last): (u16, u16)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    }
}

fn in_words(outcome: ReachOutcome) -> &'static str {
    match outcome {
        ReachOutcome::Refused => "refused, although something listens",
        ReachOutcome::TimedOut => "no answer in time, most often a firewall that drops",
        ReachOutcome::Unreachable => "no route, or a firewall that rejects",
        ReachOutcome::Open | ReachOutcome::Untried => "not tried",
    }
}

/// Says what could not be tried, and why.
fn untried(
    seat: Seat<'_>,
    outcomes: &BTreeMap<Attempt, ReachOutcome>,
    stand: Option<&Stand>,
    behind_jump: &BTreeSet<HostName>,
) -> Vec<CheckResult> {
    let mut reasons: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for (attempt, outcome) in outcomes {
        if attempt.to != seat.host.name || *outcome != ReachOutcome::Untried {
            continue;
        }
        let ground = stand.and_then(|stand| stand.ground.get(&attempt.port));
        let reason = match (ground, &attempt.from) {
            (Some(Ground::Nothing(why)), _) => why.clone(),
            (_, None) if behind_jump.contains(&attempt.to) => {
                "from here it is reached through another host only".to_owned()
            }
            (_, None) => "this machine could not try".to_owned(),
            (_, Some(from)) => {
                format!("{from} could not try: it is not connected, or has no program that can")
            }
        };
        reasons.entry(reason).or_default().insert(attempt.port);
    }
    reasons
        .into_iter()
        .map(|(reason, ports)| {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            draft(seat)
                .because(reason)
                .remedy("make sure by hand that the ports are open to the machines that need them")
                .warn(format!("not tried: {}", ports.join(", ")))
        })
        .collect()
}
