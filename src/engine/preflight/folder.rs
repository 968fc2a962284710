//! The deployment's folder on the host.

use super::scene::Seat;
use crate::model::check::CheckResult;

/// Judges whether the deployment's folder is there without anything of ours running or resting on the host.
pub(super) fn folder(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(stack) = seat.stacks().next() else {
        return Vec::new();
    };
    let path = deployment_folder(&stack.folder);
    let draft = seat.draft("folder", "Deployment's folder");
    let there = seat
        .facts
        .folders
        .iter()
        .any(|folder| folder == seat.resolved.deployment.as_str());
    let ours = seat
        .docker()
        .is_some_and(|docker| docker.containers.iter().any(|c| seat.is_ours(c)));
    vec![match (there, ours) {
        (false, _) => draft.pass(format!("{path} does not exist yet")),
        (true, true) => draft.pass(format!("{path} belongs to this deployment")),
        (true, false) => draft
            .because("no container of this deployment is on the host: the folder is from a run that was stopped early, or from somebody else")
            .remedy("look at the differences that the review shows before saying yes")
            .command(format!("sudo ls -lR {path}"))
            .warn(format!("{path} exists already")),
    }]
}

/// Returns the folder of a deployment from that of one of its stacks.
pub(super) fn deployment_folder(stack: &str) -> &str {
    stack.rsplit_once('/').map_or(stack, |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, container, told};
    use super::*;

    #[test]
    fn a_folder_without_containers_of_ours_is_worth_a_look() {
        let mut sample = Sample::three();
        assert_eq!(
            told(&folder(sample.seat("ui"))),
            ["pass folder: /opt/syntho/acme does not exist yet"]
        );
        sample.on("ui").folders.push("acme".into());
        assert_eq!(
            told(&folder(sample.seat("ui"))),
            ["warn folder: /opt/syntho/acme exists already"]
        );
        sample
            .docker("ui")
            .containers
            .push(container("x", "acme-application", true));
        assert_eq!(
            told(&folder(sample.seat("ui"))),
            ["pass folder: /opt/syntho/acme belongs to this deployment"]
        );
    }
}
