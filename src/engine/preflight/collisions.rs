//! Things with our names that are not ours: containers, Compose projects, networks and volumes.

use std::collections::BTreeSet;

use super::ports::describe;
use super::scene::Seat;
use crate::model::check::CheckResult;
use crate::model::resolved::PlacedStack;

/// Compose's label for the project a thing belongs to.
const PROJECT: &str = "com.docker.compose.project";

/// Judges whether anything stands in the way of what will be created.
pub(super) fn collisions(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(docker) = seat.docker() else {
        return Vec::new();
    };
    let mut results = containers(seat);
    results.extend(projects(seat));
    for stack in seat.stacks() {
        let prefix = format!("{}_", stack.project);
        for network in docker
            .networks
            .iter()
            .filter(|n| n.name.starts_with(&prefix))
        {
            if network.labels.get(PROJECT) != Some(&stack.project) {
                results.push(network_in_the_way(seat, &network.name));
            }
        }
        for volume in docker
            .volumes
            .iter()
            .filter(|v| v.name.starts_with(&prefix))
        {
            if !seat.labelled(&volume.labels) && !stands(seat, stack) {
                results.push(volume_found(seat, &volume.name));
            }
        }
    }
    if results.is_empty() {
        results.push(
            seat.draft("collisions", "Names in use")
                .pass("no container, network or volume stands in the way"),
        );
    }
    results
}

/// Returns whether containers of a stack are there: then its volumes are its own.
fn stands(seat: Seat<'_>, stack: &PlacedStack) -> bool {
    seat.docker().is_some_and(|docker| {
        docker
            .containers
            .iter()
            .any(|c| seat.stack_of(c).is_some_and(|of| of.id == stack.id))
    })
}

/// Finds containers with a fixed name of ours that are not ours.
fn containers(seat: Seat<'_>) -> Vec<CheckResult> {
    let names: BTreeSet<&str> = seat.stacks().flat_map(fixed_names).collect();
    let Some(docker) = seat.docker() else {
        return Vec::new();
    };
    docker
        .containers
        .iter()
        .filter(|container| names.contains(container.name.as_str()) && !seat.is_ours(container))
        .map(|container| {
            let name = &container.name;
            seat.draft("collisions", "Names in use")
                .because("a container of that name will be created, and a name can be given once")
                .remedy("if nobody needs it, stop it and give it another name; its volumes stay")
                .mended_by(format!(
                    "sudo docker update --restart no {name} && sudo docker stop {name} && sudo docker rename {name} {name}-before"
                ))
                .fail(format!("{} has a name we need ({})", describe(container), container.state))
        })
        .collect()
}

/// Returns the `container_name` values of a stack's Compose file.
fn fixed_names(stack: &PlacedStack) -> impl Iterator<Item = &str> {
    compose_text(stack)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("container_name:"))
        .map(|value| {
            value
                .split(" #")
                .next()
                .unwrap_or(value)
                .trim()
                .trim_matches(['"', '\''])
        })
}

/// Returns the text of a stack's Compose file, secrets masked.
pub(super) fn compose_text(stack: &PlacedStack) -> &str {
    stack
        .files
        .iter()
        .find(|file| {
            matches!(
                file.path.as_str(),
                "docker-compose.yaml" | "docker-compose.yml" | "compose.yaml" | "compose.yml"
            )
        })
        .map_or("", |file| file.masked.as_str())
}

/// Finds Compose projects with a name of ours that somebody else started.
fn projects(seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(docker) = seat.docker() else {
        return Vec::new();
    };
    seat.stacks()
        .filter_map(|stack| {
            let other = docker.containers.iter().find(|container| {
                container.project() == Some(stack.project.as_str()) && !seat.is_ours(container)
            })?;
            let folder = other
                .labels
                .get("com.docker.compose.project.working_dir")
                .map_or("an unknown folder", String::as_str);
            Some(
                seat.draft("collisions", "Names in use")
                    .because("Compose would take its containers for ours and replace them")
                    .remedy("give this deployment another name, or remove that project from its own folder")
                    .command(format!("sudo docker compose -p {} ps -a", stack.project))
                    .fail(format!(
                        "the Compose project `{}` exists and was started from {folder}",
                        stack.project
                    )),
            )
        })
        .collect()
}

fn network_in_the_way(seat: Seat<'_>, name: &str) -> CheckResult {
    seat.draft("collisions", "Names in use")
        .because("Compose made no such network, and refuses one that carries the wrong label")
        .remedy("remove the network; Compose makes it anew")
        .mended_by(format!("sudo docker network rm {name}"))
        .fail(format!("the network `{name}` exists and is not ours"))
}

fn volume_found(seat: Seat<'_>, name: &str) -> CheckResult {
    seat.draft("collisions", "Names in use")
        .because("its data will be used as it is, with the passwords it was made with")
        .remedy("keep it if this deployment shall go on with that data; otherwise save and remove it first")
        .command(format!("sudo docker volume inspect {name}"))
        .warn(format!("the volume `{name}` exists already"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, container, told};
    use super::*;
    use crate::model::docker::{NetworkFacts, VolumeFacts};
    use std::collections::BTreeMap;

    #[test]
    fn an_empty_host_passes() {
        let sample = Sample::three();
        assert_eq!(
            told(&collisions(sample.seat("ray-1"))),
            ["pass collisions: no container, network or volume stands in the way"]
        );
    }

    #[test]
    fn a_container_with_our_name() {
        let mut sample = Sample::three();
        sample
            .docker("ray-1")
            .containers
            .push(container("ray-head", "old", false));
        assert_eq!(
            told(&collisions(sample.seat("ray-1"))),
            [
                "fail collisions: the container `ray-head` of the Compose project `old` has a name we need (running)"
            ]
        );
    }

    #[test]
    fn our_own_container_is_not_in_the_way() {
        let mut sample = Sample::three();
        sample
            .docker("ray-1")
            .containers
            .push(container("ray-head", "acme-ray-head", true));
        assert!(told(&collisions(sample.seat("ray-1")))[0].starts_with("pass"));
    }

    #[test]
    fn a_project_from_our_folder_is_ours_without_a_label() {
        let mut sample = Sample::three();
        let mut head = container("ray-head", "acme-ray-head", false);
        head.labels.insert(
            "com.docker.compose.project.working_dir".into(),
            "/opt/syntho/acme/ray-head".into(),
        );
        sample.docker("ray-1").containers.push(head);
        assert!(told(&collisions(sample.seat("ray-1")))[0].starts_with("pass"));
    }

    #[test]
    fn a_foreign_project_with_our_name() {
        let mut sample = Sample::three();
        sample
            .docker("ui")
            .containers
            .push(container("x", "acme-application", false));
        assert_eq!(
            told(&collisions(sample.seat("ui"))),
            [
                "fail collisions: the Compose project `acme-application` exists and was started from an unknown folder"
            ]
        );
    }

    #[test]
    fn a_network_of_nobody_and_a_volume_with_old_data() {
        let mut sample = Sample::three();
        sample.docker("ui").networks.push(NetworkFacts {
            name: "acme-application_default".into(),
            subnets: Vec::new(),
            labels: BTreeMap::new(),
        });
        sample.docker("ui").volumes.push(VolumeFacts {
            name: "acme-application_database-data".into(),
            labels: BTreeMap::new(),
        });
        assert_eq!(
            told(&collisions(sample.seat("ui"))),
            [
                "fail collisions: the network `acme-application_default` exists and is not ours",
                "warn collisions: the volume `acme-application_database-data` exists already"
            ]
        );
    }
}
