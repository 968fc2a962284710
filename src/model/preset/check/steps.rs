//! Steps by tools: programs that are there, regular expressions, and values from stacks that come before.

use std::collections::BTreeSet;

use regex::Regex;

use super::Problem;
use crate::model::preset::{Preset, Stack, ToolStep};

/// Checks what a stack says of its steps.
pub(super) fn check(preset: &Preset, stack: &Stack, problems: &mut Vec<Problem>) {
    for id in &stack.step_sets {
        problems.push(Problem::new(
            format!("stack.{}.step-sets", stack.id),
            format!("there is no step set `{id}`"),
        ));
    }
    let mut seen = BTreeSet::new();
    for step in &stack.steps {
        let entry = format!("stack.{}.step.{}", stack.id, step.id);
        let mut complain = |key: &str, message: String| {
            problems.push(Problem::new(format!("{entry}.{key}"), message));
        };
        if !seen.insert(&step.id) {
            complain("id", format!("there are two of `{}`", step.id));
        }
        programs(step, &mut complain);
        expressions(preset, step, &mut complain);
        takes(preset, stack, step, &mut complain);
    }
}

fn programs(step: &ToolStep, complain: &mut dyn FnMut(&str, String)) {
    for (key, program) in [("probe", &step.probe), ("run", &step.run)] {
        if program.is_empty() {
            complain(key, "it needs a program".to_owned());
        }
    }
    if step.leaves.is_some() && step.revert.is_empty() {
        complain("leaves", "only what has a `revert` has this".to_owned());
    }
    for name in step.makes.iter().filter(|name| !is_name(name)) {
        complain(
            "makes",
            format!("`{name}` is not the name of something in the stack's folder"),
        );
    }
    if step.within == 0 {
        complain("within", "nothing is done in 0 seconds".to_owned());
    }
}

fn expressions(preset: &Preset, step: &ToolStep, complain: &mut dyn FnMut(&str, String)) {
    let fails = step.fails.iter().map(|known| ("fails", &known.says));
    let phases = step.phases.iter().map(|phase| ("phases", &phase.says));
    for (key, says) in fails.chain(phases) {
        if let Err(error) = Regex::new(says) {
            complain(key, error.to_string());
        }
    }
    let about = step.fails.iter().filter_map(|known| known.about.as_ref());
    for id in about.filter(|id| preset.question(id).is_none()) {
        complain("fails", format!("there is no question `{id}`"));
    }
}

fn takes(preset: &Preset, stack: &Stack, step: &ToolStep, complain: &mut dyn FnMut(&str, String)) {
    for (name, take) in &step.takes {
        let from = &take.from;
        if preset.stack(from).is_none() {
            complain("takes", format!("there is no stack `{from}`"));
        } else if !stack.after.contains(from) {
            complain(
                "takes",
                format!("`{from}` must stand in the `after` of `{}`", stack.id),
            );
        }
        if take.run.is_empty() {
            complain("takes", format!("`{name}` needs a program"));
        }
        if !is_variable(name) {
            let rule = "capital letters, digits and `_`, starting with a letter";
            complain("takes", format!("`{name}` is not a variable of {rule}"));
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && name != "." && name != ".."
}

/// Returns whether a shell takes it for a variable that is none of its own.
fn is_variable(name: &str) -> bool {
    const TAKEN: [&str; 6] = ["PATH", "HOME", "IFS", "COMPOSE", "LC_ALL", "DOCKER_HOST"];
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && chars.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !TAKEN.contains(&name)
}
