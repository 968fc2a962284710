//! What earlier runs learnt of hosts, for looks that go on although some are down. Nothing is ever changed on the ground of it.

use crate::engine::store::{DeploymentFolder, Records};
use crate::model::event::Event;
use crate::model::facts::HostFacts;
use crate::model::ids::HostName;

/// Returns what is known of these hosts from the newest run that saw each; a host that none saw is left out.
pub(super) fn facts(folder: &DeploymentFolder, hosts: &[HostName]) -> Vec<HostFacts> {
    let mut known: Vec<HostFacts> = Vec::new();
    // A run whose events cannot be read tells nothing.
    for run in folder.recorded_runs().unwrap_or_default().iter().rev() {
        if known.len() == hosts.len() {
            break;
        }
        let Ok(records) = Records::open(&folder.events_path(run)) else {
            continue;
        };
        for record in records {
            let Event::FactsGathered { facts } = record.event else {
                continue;
            };
            let is_new = known.iter().all(|other| other.host != facts.host);
            if is_new && hosts.contains(&facts.host) {
                known.push(*facts);
            }
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::store::Home;
    use crate::model::event::Listener as _;
    use crate::model::ids::RunId;
    use crate::model::sample;

    #[test]
    fn the_newest_run_that_saw_a_host_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(camino::Utf8Path::from_path(dir.path()).unwrap());
        let folder = home.deployment(&"acme".parse().unwrap());
        folder.create().unwrap();
        let host = |name: &str| -> HostName { name.parse().unwrap() };
        let saw = |run: &str, name: &str, cpus: u32| {
            let mut facts = sample::facts(&host(name), "10.0.0.11".parse().unwrap());
            facts.cpus = cpus;
            let log = folder.event_log(&RunId(run.to_owned())).unwrap();
            log.hear(Event::FactsGathered {
                facts: Box::new(facts),
            });
        };
        saw("20261120T120000Z-0001", "ui", 2);
        saw("20261121T120000Z-0001", "ui", 4);
        saw("20261122T120000Z-0001", "ray-1", 8);
        let known = facts(&folder, &[host("ui"), host("ray-2")]);
        let told: Vec<(&str, u32)> = known
            .iter()
            .map(|facts| (facts.host.as_str(), facts.cpus))
            .collect();
        assert_eq!(told, [("ui", 4)]);
    }
}
