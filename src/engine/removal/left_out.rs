//! Hosts that could not be reached: named, and no reason to leave the others as they are.

use std::collections::BTreeSet;

use super::record;
use crate::engine::action::AnyAction;
use crate::engine::runner;
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::receipt::Receipt;

/// Returns what stands for the hosts that could not be reached.
#[must_use]
pub fn left_out(receipts: &[Receipt<AnyAction>], reached: &BTreeSet<HostName>) -> Vec<HostName> {
    let hosts: BTreeSet<HostName> = record::made(receipts)
        .into_iter()
        .map(|made| made.host)
        .filter(|host| !reached.contains(host))
        .collect();
    hosts.into_iter().collect()
}

/// Returns the failure of hosts that were left out.
#[must_use]
pub fn incomplete(hosts: &[HostName], lost: &[Failure]) -> Option<Failure> {
    let first = hosts.first()?;
    let mut failure = runner::sum_up(lost).unwrap_or(Failure {
        kind: crate::model::failure::FailureKind::Situation,
        host: Some(first.clone()),
        message: format!("`{first}` is no host of the answers any more"),
        causes: Vec::new(),
        hint: None,
        command: None,
    });
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    failure.causes.push(format!(
        "what stands on {} stays there until it is reached; the rest was done",
        names.join(", ")
    ));
    failure.hint = failure
        .hint
        .or_else(|| Some("when it is there again, run the same command once more".to_owned()));
    Some(failure)
}
