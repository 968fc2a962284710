//! What is known of a host or a secret in words, the same in every front end.

use super::{Attempt, Desk};
use crate::model::facts::HostFacts;
use crate::model::secret::{CommandLine, SecretSource};
use crate::model::size;
use crate::model::text::visible;
use crate::wizard::SecretState;

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

/// Returns where a secret stands, in words.
#[must_use]
pub fn secret(state: &SecretState) -> String {
    match state {
        SecretState::Missing => "not given yet".to_owned(),
        SecretState::Optional => "not given, and need not be".to_owned(),
        SecretState::Made => "made on the first deployment and kept on the host".to_owned(),
        SecretState::Typed(count) => format!("typed, {count} characters, in memory only"),
        SecretState::Forgotten => "typed before, and not kept on disk: type it again".to_owned(),
        SecretState::From(source) => format!("from {}", source_words(source)),
        SecretState::InEnvironment(variable) => {
            format!("from the variable {variable}, which is set")
        }
    }
}

/// Returns where a secret stands, in as few words as a row has room for.
#[must_use]
pub fn secret_in_short(state: &SecretState) -> String {
    match state {
        SecretState::Missing => "not given yet".to_owned(),
        SecretState::Optional => "-".to_owned(),
        SecretState::Made => "made by itself".to_owned(),
        SecretState::Typed(count) => format!("typed, {count} characters"),
        SecretState::Forgotten => "type it again".to_owned(),
        SecretState::From(source) => format!("from {}", source_words(source)),
        SecretState::InEnvironment(variable) => format!("from {variable}"),
    }
}

fn source_words(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(name) => format!("the variable {name}"),
        SecretSource::File(path) => format!("the file {path}"),
        SecretSource::Command(CommandLine::Line(line)) => format!("the command `{line}`"),
        SecretSource::Command(CommandLine::Arguments(words)) => {
            format!("the command `{}`", words.join(" "))
        }
    }
}
