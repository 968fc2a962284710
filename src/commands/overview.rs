//! Without a command, where a screen is there: the wizard while nothing is deployed yet, later the deployments and their dashboards. Elsewhere the deployments
//! that are known, and what to type next.

use super::{Session, dashboard, new, screens};
use crate::cli::NewArgs;
use crate::engine::store::{DESTROY, DeploymentState, RESTORE, ROLLBACK, UPGRADE};
use crate::model::event::Outcome;
use crate::model::failure::Failure;
use crate::report::{Paint, Tone};

/// Prints the deployments and the next command.
pub(super) fn run(session: &Session) -> Result<u8, Failure> {
    let states = session.home.deployments()?;
    if !states.is_empty() && screens::fit(session) {
        return dashboard::run(session);
    }
    let unfinished = new::last(session)?;
    if states.is_empty() && screens::fit(session) {
        return new::run(session, &NewArgs::default());
    }
    let paint = session.printer.out_paint();
    let lines = if states.is_empty() {
        first_steps(paint)
    } else {
        known(&states, paint)
    };
    for line in lines {
        session.printer.data(&line);
    }
    if let Some((_, draft)) = unfinished {
        let name = draft.name().unwrap_or("without a name yet").to_owned();
        session.printer.data(&format!(
            "The answers of a deployment {name} are unfinished: `syntho-installer new` goes on with them."
        ));
    }
    Ok(0)
}

/// Returns what somebody types who has deployed nothing yet.
fn first_steps(paint: Paint) -> Vec<String> {
    let steps = [
        ("presets", "what can be deployed"),
        ("answers example ID > my.toml", "an answers file to fill in"),
        (
            "check --answers my.toml",
            "check the hosts and change nothing",
        ),
        ("deploy --answers my.toml", "show the plan, ask, and deploy"),
        ("demo", "rehearse all of it on this machine"),
    ];
    let mut lines = vec![
        paint.tone(Tone::Strong, "Nothing is deployed yet. The way there:"),
        String::new(),
    ];
    lines.extend(steps.map(|(command, what)| format!("  syntho-installer {command:30} {what}")));
    lines.push(String::new());
    lines.push("`syntho-installer --help` lists everything.".to_owned());
    lines
}

/// Returns the known deployments with the command that comes next for each.
fn known(states: &[DeploymentState], paint: Paint) -> Vec<String> {
    let name_width = widest(states.iter().map(|state| state.name.as_str()));
    let preset_width = widest(states.iter().map(|state| state.preset.as_str()));
    let mut lines = vec![paint.tone(Tone::Strong, "Deployments"), String::new()];
    for state in states {
        let (tone, ended, command) = standing(state);
        lines.push(format!(
            "  {:name_width$}  {:preset_width$}  {}  next: `syntho-installer {command} {}`",
            state.name.as_str(),
            state.preset.as_str(),
            paint.tone(tone, &format!("{ended:14}")),
            state.name,
        ));
    }
    lines.push(String::new());
    lines.push("`syntho-installer --help` lists everything.".to_owned());
    lines
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(str::len).max().unwrap_or_default()
}

/// Returns how the last run of a deployment ended, and the command that comes next.
fn standing(state: &DeploymentState) -> (Tone, &'static str, &str) {
    match &state.outcome {
        _ if state.purpose == DESTROY => (Tone::Warn, "- half removed", DESTROY),
        Some(Outcome::Done | Outcome::NothingToDo) => (Tone::Good, "✔ deployed", "status"),
        _ if state.purpose == UPGRADE => (Tone::Warn, "- half upgraded", ROLLBACK),
        _ if state.purpose == ROLLBACK => (Tone::Warn, "- half way back", ROLLBACK),
        _ if state.purpose == RESTORE => (Tone::Warn, "- half restored", RESTORE),
        Some(Outcome::ChecksFailed) => (Tone::Bad, "✖ checks failed", "check"),
        Some(Outcome::Failed(_)) => (Tone::Bad, "✖ failed", "deploy"),
        Some(Outcome::Cancelled) => (Tone::Warn, "- cancelled", "deploy"),
        None => (Tone::Warn, "- interrupted", "deploy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RunId;

    fn state(name: &str, outcome: Option<Outcome>) -> DeploymentState {
        DeploymentState {
            version: 1,
            name: name.parse().unwrap(),
            preset: "some-preset".parse().unwrap(),
            answers_folder: None,
            accepted: jiff::Timestamp::UNIX_EPOCH,
            last_run: RunId("r".to_owned()),
            purpose: "deploy".to_owned(),
            outcome,
        }
    }

    #[test]
    fn each_deployment_names_its_next_command() {
        let states = [
            state("acme-prod", Some(Outcome::Done)),
            state("acme-test", None),
            state("new", Some(Outcome::Cancelled)),
        ];
        insta::assert_snapshot!(known(&states, Paint::PLAIN).join("\n"), @r"
        Deployments

          acme-prod  some-preset  ✔ deployed      next: `syntho-installer status acme-prod`
          acme-test  some-preset  - interrupted   next: `syntho-installer deploy acme-test`
          new        some-preset  - cancelled     next: `syntho-installer deploy new`

        `syntho-installer --help` lists everything.
        ");
    }
}
