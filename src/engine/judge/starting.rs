//! Asks the health check of a container that has just started, rather than waiting for Docker's next round.
//!
//! Docker asks for the first time after a whole interval, from version 25 on after five seconds, however short a preset's interval is. What is asked is the
//! container's own check, inside it, so the verdict means the same.

use std::time::Duration;

use crate::model::docker::ContainerFacts;
use crate::transport::{Docker, Input};

/// Longer than this, Docker's own round is as good.
const LIMIT: Duration = Duration::from_secs(5);

/// Returns the containers, in which one that is "starting" and passes its check now counts as healthy; one that cannot be asked stays as it is.
#[must_use]
pub fn asked(docker: &dyn Docker, mut containers: Vec<ContainerFacts>) -> Vec<ContainerFacts> {
    for container in &mut containers {
        if is_starting(container) && passes(docker, container) {
            container.health = Some("healthy".to_owned());
        }
    }
    containers
}

fn is_starting(container: &ContainerFacts) -> bool {
    container.state == "running"
        && container.health.as_deref() == Some("starting")
        && !container.health_check.is_empty()
}

fn passes(docker: &dyn Docker, container: &ContainerFacts) -> bool {
    match docker.exec(&container.id, &container.health_check, &Input::Empty, LIMIT) {
        Ok(output) => output.ok(),
        Err(error) => {
            tracing::debug!(container = container.name, %error, "its health check was not asked");
            false
        }
    }
}
