//! Our own verdict on a service, from what its containers are. Used while waiting for a stack and again by verification.

pub mod looping;
pub mod starting;

use crate::model::docker::ContainerFacts;
use crate::model::preset::{Service, ServiceState};

/// How a service stands at one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As it must be.
    Good,
    /// Not yet; it may come.
    Waiting(String),
    /// It will not come by itself.
    Bad(String),
}

/// Judges a service by the containers of its project.
#[must_use]
pub fn service(service: &Service, containers: &[ContainerFacts]) -> Standing {
    let mut own = containers
        .iter()
        .filter(|container| container.service() == Some(&service.name))
        .peekable();
    if own.peek().is_none() {
        return Standing::Waiting(format!("`{}` has no container", service.name));
    }
    own.map(|container| match service.state {
        ServiceState::Running => running(&service.name, container),
        ServiceState::Completed => completed(&service.name, container),
    })
    .reduce(worse)
    .unwrap_or(Standing::Good)
}

fn worse(a: Standing, b: Standing) -> Standing {
    match (&a, &b) {
        (Standing::Bad(_), _) | (_, Standing::Good) => a,
        (_, Standing::Bad(_)) | (Standing::Good, _) => b,
        _ => a,
    }
}

fn running(name: &str, container: &ContainerFacts) -> Standing {
    match (container.state.as_str(), container.health.as_deref()) {
        ("running", None | Some("healthy" | "none" | "")) => Standing::Good,
        ("running", Some("unhealthy")) => {
            Standing::Waiting(format!("the health check of `{name}` says unhealthy"))
        }
        ("running", Some(word)) => {
            Standing::Waiting(format!("the health check of `{name}` says {word}"))
        }
        ("created", _) => Standing::Waiting(format!("`{name}` is created and not started")),
        ("restarting", _) => Standing::Waiting(format!(
            "`{name}` keeps restarting: it {}, {} restarts so far",
            end(container),
            container.restarts
        )),
        ("exited" | "dead", _) => Standing::Bad(format!("`{name}` {}", end(container))),
        (state, _) => Standing::Bad(format!("`{name}` is {state}")),
    }
}

fn completed(name: &str, container: &ContainerFacts) -> Standing {
    match (container.state.as_str(), container.exit_code) {
        ("exited", Some(0)) => Standing::Good,
        ("exited" | "dead", _) => Standing::Bad(format!("`{name}` {}", end(container))),
        ("restarting", _) => {
            Standing::Waiting(format!("`{name}` keeps restarting: it {}", end(container)))
        }
        (state, _) => Standing::Waiting(format!("`{name}` is {state} and has not ended yet")),
    }
}

/// Says how a container ended, with the meaning of the codes that have one.
fn end(container: &ContainerFacts) -> String {
    let code = container.exit_code.unwrap_or_default();
    if container.oom_killed {
        return format!("was killed by the kernel for want of memory (exit code {code})");
    }
    let meaning = match code {
        125 => ": Docker could not start it",
        126 => ": its program cannot be executed",
        127 => ": its program was not found",
        137 => ": it was killed",
        139 => ": it crashed",
        143 => ": it was told to stop",
        _ => "",
    };
    format!("ended with exit code {code}{meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn container(state: &str, health: Option<&str>, exit: i64) -> ContainerFacts {
        ContainerFacts {
            id: "c1".to_owned(),
            name: "x-1".to_owned(),
            image: "x:1".to_owned(),
            image_id: "sha256:1".to_owned(),
            labels: [("com.docker.compose.service".to_owned(), "x".to_owned())].into(),
            state: state.to_owned(),
            health: health.map(str::to_owned),
            exit_code: Some(exit),
            restarts: 0,
            started_at: None,
            oom_killed: false,
            published: Vec::new(),
            health_check: Vec::new(),
        }
    }

    fn wanted(state: ServiceState) -> Service {
        Service {
            name: "x".to_owned(),
            when: None,
            state,
            within: 1,
            reload: Vec::new(),
        }
    }

    #[rstest]
    #[case("running", None, 0, "good")]
    #[case("running", Some("healthy"), 0, "good")]
    #[case("running", Some("starting"), 0, "waiting")]
    #[case("running", Some("unhealthy"), 0, "waiting")]
    #[case("created", None, 0, "waiting")]
    #[case("restarting", None, 1, "waiting")]
    #[case("exited", None, 0, "bad")]
    #[case("paused", None, 0, "bad")]
    fn a_service_that_must_run(
        #[case] state: &str,
        #[case] health: Option<&str>,
        #[case] exit: i64,
        #[case] standing: &str,
    ) {
        let judged = service(
            &wanted(ServiceState::Running),
            &[container(state, health, exit)],
        );
        assert_eq!(word(&judged), standing);
    }

    #[rstest]
    #[case("exited", 0, "good")]
    #[case("exited", 3, "bad")]
    #[case("running", 0, "waiting")]
    #[case("restarting", 1, "waiting")]
    fn a_service_that_must_have_ended(
        #[case] state: &str,
        #[case] exit: i64,
        #[case] standing: &str,
    ) {
        let judged = service(
            &wanted(ServiceState::Completed),
            &[container(state, None, exit)],
        );
        assert_eq!(word(&judged), standing);
    }

    fn word(standing: &Standing) -> &'static str {
        match standing {
            Standing::Good => "good",
            Standing::Waiting(_) => "waiting",
            Standing::Bad(_) => "bad",
        }
    }

    #[test]
    fn want_of_memory_is_named() {
        let mut killed = container("exited", None, 137);
        killed.oom_killed = true;
        assert_eq!(
            service(&wanted(ServiceState::Running), &[killed]),
            Standing::Bad(
                "`x` was killed by the kernel for want of memory (exit code 137)".to_owned()
            )
        );
    }

    #[test]
    fn the_worst_container_counts() {
        let containers = [container("running", None, 0), container("exited", None, 1)];
        assert_eq!(
            word(&service(&wanted(ServiceState::Running), &containers)),
            "bad"
        );
        assert_eq!(
            word(&service(&wanted(ServiceState::Running), &[])),
            "waiting"
        );
    }
}
