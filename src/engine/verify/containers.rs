//! Whether every service of a stack is as it must be.

use super::{Finding, Verification, unreachable};
use crate::engine::compose::PROJECT_LABEL;
use crate::engine::judge::{self, Standing, starting};
use crate::model::check::Verdict;
use crate::model::docker::ContainerFacts;
use crate::model::resolved::PlacedStack;
use crate::transport::{ContainerFilter, TransportError};

/// Restarts from which on a service that runs now is still worth a warning.
const RESTLESS: i64 = 3;

pub(super) fn look(verification: &Verification<'_>, stack: &PlacedStack) -> Finding {
    match containers(verification, stack) {
        Ok(containers) => judge(stack, &containers),
        Err(error) => unreachable(&error),
    }
}

fn containers(
    verification: &Verification<'_>,
    stack: &PlacedStack,
) -> Result<Vec<ContainerFacts>, TransportError> {
    let host = verification.links.host(&stack.host)?;
    let docker = host.docker()?;
    let containers = docker.containers(&ContainerFilter {
        labels: vec![format!("{PROJECT_LABEL}={}", stack.project)],
    })?;
    Ok(starting::asked(docker.as_ref(), containers))
}

fn judge(stack: &PlacedStack, containers: &[ContainerFacts]) -> Finding {
    let lacking =
        stack
            .services
            .iter()
            .find_map(|service| match judge::service(service, containers) {
                Standing::Good => None,
                Standing::Waiting(why) => Some(Finding::fail(why)),
                Standing::Bad(why) => Some(Finding::fail(why).certainly()),
            });
    if let Some(lacking) = lacking {
        return lacking;
    }
    let restless = containers
        .iter()
        .find(|container| container.restarts >= RESTLESS);
    match restless {
        Some(container) => Finding {
            verdict: Verdict::Warn,
            ..Finding::pass(format!(
                "all as they must be; `{}` was restarted {} times",
                container.service().unwrap_or(&container.name),
                container.restarts
            ))
        },
        None => Finding::pass(format!("{} as they must be", stack.services.len())),
    }
}
