//! What is known of a host in words, the same in every front end.

use super::{Attempt, Desk};
use crate::model::facts::HostFacts;
use crate::model::size;
use crate::model::text::visible;

/// Returns what came of trying a host, in words.
#[must_use]
pub fn standing(desk: &Desk, slot: u64) -> Option<String> {
    Some(match desk.attempts.get(&slot)? {
        Attempt::Connecting | Attempt::Waiting => "connecting".to_owned(),
        Attempt::Looking { .. } => "connected, looking around".to_owned(),
        Attempt::Known { .. } => known(desk.wizard.facts(slot)?),
        Attempt::Failed(failure) => {
            let hint = failure.hint.as_deref();
            let hint = hint.map_or_else(String::new, |hint| format!("; next: {hint}"));
            format!("cannot be used: {}{hint}", visible(&failure.message))
        }
    })
}

/// Returns what a host is, in one line.
#[must_use]
pub fn known(facts: &HostFacts) -> String {
    let docker = match (&facts.docker, &facts.compose) {
        (Some(docker), Some(compose)) => format!(
            "Docker {}, Compose {}",
            visible(&docker.engine.version),
            visible(&compose.version)
        ),
        (Some(docker), None) => {
            format!("Docker {}, no Compose", visible(&docker.engine.version))
        }
        (None, _) => "no Docker that answers".to_owned(),
    };
    let free = facts.disks.first().map_or(0, |disk| disk.free);
    format!(
        "{}, {} CPUs, {} of memory, {} free, {docker}",
        visible(&facts.os),
        facts.cpus,
        size::human(facts.memory),
        size::human(free)
    )
}
