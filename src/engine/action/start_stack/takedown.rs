//! Takes a stack down again: by Compose as long as its files make sense to it, and what is left then by its labels. Volumes stay.

use std::time::Duration;

use super::StartStack;
use crate::engine::action::place::quote;
use crate::engine::action::{ActionError, Context};
use crate::engine::compose::{DEPLOYMENT_LABEL, PROJECT_LABEL, STACK_LABEL};
use crate::transport::detached::{self, State};
use crate::transport::{Command, ContainerFilter, Input};

/// Limit for taking a stack down.
const LIMIT: Duration = Duration::from_mins(5);

/// Removes what carries the labels; whoever sets them for us has put a container's labels before a network's.
const BY_LABEL: &str = r#"docker ps -aq --filter "label=$project" | xargs -r docker rm -f
docker ps -aq --filter "label=$deployment" --filter "label=$stack" | xargs -r docker rm -f
docker network ls -q --filter "label=$project" | xargs -r docker network rm
"#;

/// The labels that a stack's own things carry.
struct Labels {
    project: String,
    deployment: String,
    stack: String,
}

impl Labels {
    fn of(stack: &StartStack) -> Self {
        let deployment = stack.deployment.rsplit('/').next().unwrap_or_default();
        Self {
            project: format!("{PROJECT_LABEL}={}", stack.compose.project),
            deployment: format!("{DEPLOYMENT_LABEL}={deployment}"),
            stack: format!("{STACK_LABEL}={}", stack.stack),
        }
    }
}

/// Returns whether any container or network of the stack is there, also one that a service of it has made.
pub(super) fn stands(stack: &StartStack, cx: &Context<'_>) -> Result<bool, ActionError> {
    let labels = Labels::of(stack);
    let docker = cx.host.docker()?;
    for labels in [vec![labels.project], vec![labels.deployment, labels.stack]] {
        if !docker.containers(&ContainerFilter { labels })?.is_empty() {
            return Ok(true);
        }
    }
    let ours = |network: &crate::model::docker::NetworkFacts| {
        network.labels.get(PROJECT_LABEL) == Some(&stack.compose.project)
    };
    Ok(docker.networks()?.iter().any(ours))
}

/// Removes the stack's containers and networks.
pub(super) fn take_down(stack: &StartStack, cx: &Context<'_>) -> Result<(), ActionError> {
    // A start that an earlier run left to the host would bring back what goes now.
    let id = stack.step_id();
    let step = stack.step(&id);
    if detached::status(cx.host, &step)? == State::Running {
        detached::cancel(cx.host, &step)?;
    }
    detached::clean(cx.host, &step)?;
    if !stands(stack, cx)? {
        return Ok(());
    }
    let down = stack
        .compose
        .run(cx.host, &["down", "--remove-orphans"], Input::Empty, LIMIT)?;
    if down.ok() && !stands(stack, cx)? {
        return Ok(());
    }
    cx.progress
        .line("Compose left something: removing it by its labels");
    let labels = Labels::of(stack);
    let script = format!(
        "project={}\ndeployment={}\nstack={}\n{BY_LABEL}",
        quote(&labels.project)?,
        quote(&labels.deployment)?,
        quote(&labels.stack)?
    );
    let command = Command::sh(script)
        .with_privilege(stack.compose.rights.privilege())
        .within(LIMIT);
    let output = cx.host.run(&command)?;
    if stands(stack, cx)? {
        let words = [down.complaint(), output.complaint()].join("\n");
        return Err(ActionError::Situation {
            message: format!("containers or networks of `{}` are left", stack.stack),
            evidence: words.lines().map(str::to_owned).collect(),
            remedy: Some(
                "mend the cause, which is in Docker's words, and run the same command again"
                    .to_owned(),
            ),
            command: None,
        });
    }
    Ok(())
}
