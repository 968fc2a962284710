//! The runbook: a plan as numbered commands that somebody types, for change boards and for sites where no program may do it.
//!
//! Markdown, so that it can be mailed, printed or pasted into a ticket as it is. It says what the plan says, step by step in the plan's order; secrets stand
//! in it by their names only.

mod judgements;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::action::{Action, AnyAction, Materials};
use super::plan::{Plan, PlannedStep};
use crate::model::deployment::Deployment;
use crate::model::ids::HostName;
use crate::model::plan::{ByHand, Probe};
use crate::model::resolved::Resolved;
use crate::model::text::shell_quoted;

/// What a runbook is written from.
pub struct Runbook<'a> {
    /// The deployment, for what its secrets are.
    pub deployment: &'a Deployment,
    /// What shall be.
    pub resolved: &'a Resolved,
    /// The plan.
    pub plan: &'a Plan<AnyAction>,
    /// Contents of files, secrets masked.
    pub materials: &'a dyn Materials,
    /// When the hosts were looked at, UTC.
    pub made: Timestamp,
}

impl std::fmt::Debug for Runbook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runbook({})", self.resolved.deployment)
    }
}

/// Writes it.
#[must_use]
pub fn runbook(book: &Runbook<'_>) -> String {
    let resolved = book.resolved;
    let mut text = format!(
        "# Runbook for {}: {}\n\n",
        resolved.deployment, resolved.title
    );
    let _ = writeln!(
        text,
        "Written on {} by syntho-installer {} from the plan of that moment. `syntho-installer deploy {}` does the same, and checks each step.\n",
        book.made.strftime("%Y-%m-%d %H:%M UTC"),
        env!("CARGO_PKG_VERSION"),
        resolved.deployment,
    );
    machines(&mut text, book);
    let steps = steps(book);
    secrets(&mut text, book, &steps);
    text.push_str("## Steps\n\nIn this order; each is for a shell on the host that it names.\n\n");
    text.push_str(&steps);
    judgements::write(&mut text, resolved);
    way_back(&mut text, book);
    text
}

fn machines(text: &mut String, book: &Runbook<'_>) {
    text.push_str("## Machines\n\n");
    for host in &book.resolved.hosts {
        let mine = book.plan.steps.iter().filter(|step| step.host == host.name);
        let (done, all) = mine.fold((0, 0), |(done, all), step| {
            (done + usize::from(step.probe == Probe::AlreadySo), all + 1)
        });
        let _ = writeln!(
            text,
            "- **{}**, `{}`: {all} steps, {done} of them done already",
            host.name, host.address
        );
    }
    text.push_str("\nCommands with `sudo` need root's rights; where your login may not use Docker, write `sudo docker` for `docker`, and where Compose is no plugin of Docker, write `docker-compose` for `docker compose`.\n\n");
}

/// What stands in `‹›` in the files, and what it is.
fn secrets(text: &mut String, book: &Runbook<'_>, steps: &str) {
    let questions = &book.deployment.preset.parts.questions;
    let named: BTreeMap<String, &str> = questions
        .iter()
        .map(|question| (format!("‹{}›", question.id), question.prompt.as_str()))
        .filter(|(name, _)| steps.contains(name))
        .collect();
    if named.is_empty() {
        return;
    }
    text.push_str("## Secrets\n\nThey are not in this runbook. Have them ready; one that nobody gave you is yours to choose, long and random, and stays the same for ever.\n\n");
    for (name, prompt) in named {
        let _ = writeln!(text, "- `{name}`: {prompt}");
    }
    text.push('\n');
}

fn steps(book: &Runbook<'_>) -> String {
    let mut text = String::new();
    for (number, step) in book.plan.steps.iter().enumerate() {
        write_step(&mut text, number + 1, step, book.materials);
    }
    text
}

fn write_step(
    text: &mut String,
    number: usize,
    step: &PlannedStep<AnyAction>,
    materials: &dyn Materials,
) {
    let _ = writeln!(
        text,
        "### {number}. {}: {}\n",
        step.host, step.description.summary
    );
    match &step.probe {
        Probe::AlreadySo => text.push_str("It is so already: nothing to do.\n\n"),
        Probe::Conflict(why) => {
            let _ = writeln!(text, "In the way: {why}.\n");
            write_parts(text, &step.action.by_hand(&step.host, materials));
        }
        Probe::Needed => write_parts(text, &step.action.by_hand(&step.host, materials)),
    }
}

fn write_parts(text: &mut String, parts: &[ByHand]) {
    for part in parts {
        match part {
            ByHand::Run(commands) => {
                let fence = fence_around(commands);
                let _ = writeln!(text, "{fence}sh\n{commands}\n{fence}\n");
            }
            ByHand::Say(words) => {
                let _ = writeln!(text, "{words}\n");
            }
        }
    }
}

/// Returns a fence that the commands do not hold themselves.
fn fence_around(commands: &str) -> String {
    let mut fence = "```".to_owned();
    while commands.contains(&fence) {
        fence.push('`');
    }
    fence
}

/// How each stack is taken down again, the last one first; what a host kept before is not touched by that.
fn way_back(text: &mut String, book: &Runbook<'_>) {
    text.push_str("## The way back\n\nThe last stack first. Volumes, and with them the data, stay; files that were replaced stand beside the new ones with the ending `.before`.\n\n");
    let mut by_host: Vec<(&HostName, String)> = Vec::new();
    for stack in book.resolved.stacks.iter().rev() {
        let tools = book.plan.steps.iter().rev();
        by_host.extend(tools.filter_map(|step| match &step.action {
            AnyAction::RunStep(tool) if tool.stack == stack.id && step.host == stack.host => {
                Some((&stack.host, tool.typed_revert()?))
            }
            _ => None,
        }));
        if !stack.is_project() {
            continue;
        }
        let step = book.plan.steps.iter().find_map(|step| match &step.action {
            AnyAction::StartStack(start) if start.stack == stack.id && step.host == stack.host => {
                Some(start.compose.typed("down --remove-orphans"))
            }
            _ => None,
        });
        let command = step.unwrap_or_else(|| {
            format!(
                "cd {} && docker compose down --remove-orphans",
                shell_quoted(&stack.folder)
            )
        });
        by_host.push((&stack.host, command));
    }
    for (host, command) in by_host {
        let _ = writeln!(text, "On {host}:\n\n```sh\n{command}\n```\n");
    }
}

#[cfg(test)]
mod tests;
