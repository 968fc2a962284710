//! Which paths are tried.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::preflight::scene::Scene;
use crate::model::ids::HostName;

/// One connection to be tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attempt {
    /// Who connects; `None` for the operator's machine.
    pub(super) from: Option<HostName>,
    /// Who listens.
    pub(super) to: HostName,
    /// The port.
    pub(super) port: u16,
}

/// From how far a port is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reachable {
    /// By other hosts, at the private address.
    Privately,
    /// Also by the operator's machine, at whatever address leads there.
    FromHere,
}

/// Returns the ports of a range that are tried: both ends and the middle.
pub(in crate::engine) fn samples((first, last): (u16, u16)) -> BTreeSet<u16> {
    [first, first.midpoint(last), last].into()
}

/// Returns every connection the deployment needs between different machines.
pub(super) fn attempts(scene: Scene<'_>) -> BTreeSet<Attempt> {
    scene
        .resolved
        .reach
        .iter()
        .filter(|need| need.from.as_ref() != Some(&need.to))
        .flat_map(|need| {
            samples(need.ports).into_iter().map(|port| Attempt {
                from: need.from.clone(),
                to: need.to.clone(),
                port,
            })
        })
        .collect()
}

/// Returns the ports of one host, and from how far each is dialled.
pub(super) fn ports_of(attempts: &BTreeSet<Attempt>, to: &HostName) -> BTreeMap<u16, Reachable> {
    let mut ports = BTreeMap::new();
    for attempt in attempts.iter().filter(|attempt| attempt.to == *to) {
        let reachable = match attempt.from {
            Some(_) => Reachable::Privately,
            None => Reachable::FromHere,
        };
        let known = ports.entry(attempt.port).or_insert(reachable);
        *known = reachable.max(*known);
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::preflight::tests::{Sample, name, reach};

    #[test]
    fn ranges_are_tried_at_both_ends_and_in_the_middle() {
        assert_eq!(samples((6379, 6379)).len(), 1);
        assert_eq!(Vec::from_iter(samples((8076, 8077))), [8076, 8077]);
        assert_eq!(
            Vec::from_iter(samples((11000, 11999))),
            [11000, 11499, 11999]
        );
        assert_eq!(Vec::from_iter(samples((1, u16::MAX))), [1, 32768, 65535]);
    }

    #[test]
    fn a_host_is_not_tried_from_itself() {
        let mut sample = Sample::three();
        sample.resolved.reach = vec![
            reach(Some("ui"), "ui", (1, 1), ""),
            reach(Some("ray-1"), "ui", (6379, 6379), ""),
            reach(None, "ui", (6379, 6379), ""),
        ];
        let attempts = attempts(sample.scene());
        assert_eq!(attempts.len(), 2);
        assert_eq!(
            ports_of(&attempts, &name("ui")),
            [(6379, Reachable::FromHere)].into()
        );
    }
}
