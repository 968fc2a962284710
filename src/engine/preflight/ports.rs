//! Ports that stacks will listen on: free, or already ours.

use super::scene::Seat;
use crate::engine::facts::published_port;
use crate::model::check::CheckResult;
use crate::model::docker::ContainerFacts;
use crate::model::resolved::PlacedStack;

/// Judges every port of every stack on the host.
pub(super) fn ports(seat: Seat<'_>) -> Vec<CheckResult> {
    let mut results: Vec<CheckResult> = Vec::new();
    let mut free: Vec<String> = Vec::new();
    let mut ours: Vec<String> = Vec::new();
    for stack in seat.stacks() {
        for &port in &stack.ports {
            if let Some(other) = wanted_twice(seat, stack, port) {
                results.push(conflict(seat, port, stack, other));
                continue;
            }
            match holder(seat, stack, port) {
                Holder::Nobody => free.push(port.to_string()),
                Holder::Ours => ours.push(port.to_string()),
                Holder::Other(who) => results.push(taken(seat, port, stack, &who)),
            }
        }
    }
    if free.len() + ours.len() > 0 {
        let mut parts = Vec::new();
        if !free.is_empty() {
            parts.push(format!("{} free", free.join(", ")));
        }
        if !ours.is_empty() {
            parts.push(format!("{} in use by this deployment", ours.join(", ")));
        }
        results.push(seat.draft("ports", "Ports").pass(parts.join("; ")));
    }
    results
}

/// Who holds a port.
enum Holder {
    Nobody,
    Ours,
    Other(String),
}

fn holder(seat: Seat<'_>, stack: &PlacedStack, port: u16) -> Holder {
    // Without the userland proxy a published port has no listener, so both are asked.
    let publisher = publisher(seat, port);
    let listener = seat.facts.listeners.iter().find(|l| l.port == port);
    match (publisher, listener) {
        (Some(container), _) if seat.is_ours(container) => Holder::Ours,
        (Some(container), _) => Holder::Other(describe(container)),
        (None, None) => Holder::Nobody,
        // A container in the host's network publishes nothing; what listens on a port of a stack that runs is that stack.
        (None, Some(listener)) => {
            let ours = if listener.process.as_deref() == Some("docker-proxy") {
                // Of a container that ends again and again the proxy outlives what Docker says of its ports.
                seat.restarting(stack).next().is_some()
            } else {
                let mut running = seat.running(stack);
                running.any(|container| container.published.is_empty())
            };
            if ours {
                Holder::Ours
            } else {
                Holder::Other(match &listener.process {
                    Some(process) => format!("`{process}` ({}:{port})", listener.address),
                    None => format!(
                        "a process that only root sees ({}:{port})",
                        listener.address
                    ),
                })
            }
        }
    }
}

/// Returns the running container that publishes a port.
fn publisher(seat: Seat<'_>, port: u16) -> Option<&ContainerFacts> {
    seat.docker()?.containers.iter().find(|container| {
        container.state == "running"
            && container
                .published
                .iter()
                .any(|published| published_port(published) == Some(port))
    })
}

/// Names a container with its project.
pub(super) fn describe(container: &ContainerFacts) -> String {
    match container.project() {
        Some(project) => format!(
            "the container `{}` of the Compose project `{project}`",
            container.name
        ),
        None => format!("the container `{}`", container.name),
    }
}

/// Returns an earlier stack of this host that wants the same port.
fn wanted_twice<'a>(seat: Seat<'a>, stack: &PlacedStack, port: u16) -> Option<&'a PlacedStack> {
    seat.stacks()
        .take_while(|earlier| earlier.id != stack.id)
        .find(|earlier| earlier.ports.contains(&port))
}

fn conflict(seat: Seat<'_>, port: u16, stack: &PlacedStack, other: &PlacedStack) -> CheckResult {
    seat.draft("ports", "Ports")
        .because(format!(
            "`{}` and `{}` on this host both want it",
            other.id, stack.id
        ))
        .remedy("choose another port in the answers, or put one of the two on another host")
        .fail(format!("port {port} is wanted twice"))
}

fn taken(seat: Seat<'_>, port: u16, stack: &PlacedStack, who: &str) -> CheckResult {
    seat.draft("ports", "Ports")
        .because(format!("`{}` must listen there", stack.id))
        .remedy(
            "stop what listens there, or choose another port in the answers; the command shows it",
        )
        .command(format!("sudo ss -ltnp 'sport = :{port}'"))
        .fail(format!("port {port} is taken by {who}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, container, listener, told};
    use super::*;

    #[test]
    fn free_ports_pass() {
        let sample = Sample::three();
        assert_eq!(
            told(&ports(sample.seat("ray-1"))),
            ["pass ports: 6379, 8265, 10001 free"]
        );
        assert!(ports(sample.seat("ray-2")).is_empty());
    }

    #[test]
    fn a_foreign_process_is_named_and_hides_no_other_port() {
        let mut sample = Sample::three();
        sample
            .on("ray-1")
            .listeners
            .push(listener("127.0.0.1", 6379, Some("redis-server")));
        assert_eq!(
            told(&ports(sample.seat("ray-1"))),
            [
                "fail ports: port 6379 is taken by `redis-server` (127.0.0.1:6379)",
                "pass ports: 8265, 10001 free"
            ]
        );
    }

    #[test]
    fn a_foreign_container_is_named_with_its_project() {
        let mut sample = Sample::three();
        let mut other = container("web", "shop", false);
        other.published = vec!["0.0.0.0:3000".into()];
        sample.docker("ui").containers.push(other);
        assert_eq!(
            told(&ports(sample.seat("ui"))),
            ["fail ports: port 3000 is taken by the container `web` of the Compose project `shop`"]
        );
    }

    #[test]
    fn our_own_containers_may_listen_on_a_second_run() {
        let mut sample = Sample::three();
        let mut frontend = container("acme-application-frontend-1", "acme-application", true);
        frontend.published = vec!["0.0.0.0:3000".into()];
        sample.docker("ui").containers.push(frontend);
        sample
            .on("ui")
            .listeners
            .push(listener("0.0.0.0", 3000, Some("docker-proxy")));
        sample
            .docker("ray-1")
            .containers
            .push(container("ray-head", "acme-ray-head", true));
        for port in [6379, 8265] {
            sample
                .on("ray-1")
                .listeners
                .push(listener("0.0.0.0", port, Some("gcs_server")));
        }
        assert_eq!(
            told(&ports(sample.seat("ui"))),
            ["pass ports: 3000 in use by this deployment"]
        );
        assert_eq!(
            told(&ports(sample.seat("ray-1"))),
            ["pass ports: 10001 free; 6379, 8265 in use by this deployment"]
        );
    }

    #[test]
    fn a_proxy_that_outlives_a_container_of_ours_between_two_starts_is_ours() {
        let mut sample = Sample::three();
        let mut frontend = container("acme-application-frontend-1", "acme-application", true);
        frontend.state = "restarting".into();
        sample.docker("ui").containers.push(frontend);
        sample
            .on("ui")
            .listeners
            .push(listener("0.0.0.0", 3000, Some("docker-proxy")));
        assert_eq!(
            told(&ports(sample.seat("ui"))),
            ["pass ports: 3000 in use by this deployment"]
        );
    }

    #[test]
    fn what_a_tool_of_ours_started_may_listen_too() {
        let mut sample = Sample::three();
        let mut ray = container("acme-ray", "none", true);
        ray.labels.remove("com.docker.compose.project");
        sample.docker("ray-1").containers.push(ray);
        let listens = listener("0.0.0.0", 6379, Some("gcs_server"));
        sample.on("ray-1").listeners.push(listens);
        assert_eq!(
            told(&ports(sample.seat("ray-1"))),
            ["pass ports: 8265, 10001 free; 6379 in use by this deployment"]
        );
    }

    #[test]
    fn a_stopped_stack_of_ours_owns_no_listener() {
        let mut sample = Sample::three();
        let mut head = container("ray-head", "acme-ray-head", true);
        head.state = "exited".into();
        sample.docker("ray-1").containers.push(head);
        sample
            .on("ray-1")
            .listeners
            .push(listener("::", 6379, None));
        assert_eq!(
            told(&ports(sample.seat("ray-1")))[0],
            "fail ports: port 6379 is taken by a process that only root sees (:::6379)"
        );
    }

    #[test]
    fn two_stacks_of_one_host_may_not_share_a_port() {
        let mut sample = Sample::three();
        sample.stack("application").host = "ray-1".parse().unwrap();
        sample.stack("application").ports = vec![6379];
        assert_eq!(
            told(&ports(sample.seat("ray-1")))[0],
            "fail ports: port 6379 is wanted twice"
        );
    }
}
