//! None of the vendor's traps is inherited: one test for each that applies, named after it.
//!
//! Those about other products have no test here: T11 (registry password in a cluster manager's file), T20 (a compose generation we do not write; our
//! container port is fixed), T25 (how images are delivered, which the image and transport tests show), T26 (a way to build that we do not go), T30 (a
//! typing error), T36 (one key for two variables, shown with T02).

mod compose;
mod hub;
mod secrets;
mod values;

use serde_yaml_ng::Value;
use syntho_installer::model::resolved::PlacedStack;

use crate::support::{self, Variant};

/// Every stack of every variant with its Compose file.
pub(super) fn stacks() -> Vec<(String, PlacedStack, Value)> {
    let mut stacks = Vec::new();
    for variant in Variant::all() {
        for stack in variant.projects() {
            let yaml = support::compose(&stack);
            stacks.push((variant.name.clone(), stack, yaml));
        }
    }
    stacks
}

pub(super) fn services(yaml: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let services = yaml["services"].as_mapping().unwrap();
    services
        .iter()
        .map(|(name, service)| (name.as_str().unwrap(), service))
}

pub(super) fn application(variant: &Variant) -> (PlacedStack, Value) {
    let resolved = variant.resolve();
    let stack = resolved
        .stacks
        .into_iter()
        .find(|stack| stack.id.as_str() == "application")
        .unwrap();
    let yaml = support::compose(&stack);
    (stack, yaml)
}

pub(super) fn published(service: &Value) -> Vec<&str> {
    service["ports"]
        .as_sequence()
        .into_iter()
        .flatten()
        .map(|port| port.as_str().unwrap())
        .collect()
}
