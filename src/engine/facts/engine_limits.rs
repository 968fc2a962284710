//! Reads what the script told of Docker beside its API: traces of an engine that does not answer, Compose, and the files a container may have open.

use super::script::Told;
use crate::model::facts::{ComposeFacts, DockerProblem, RootAccess};
use crate::transport::TransportError;

/// `CAP_SYS_RESOURCE`, whose holder may raise a limit up to the kernel's.
const MAY_RAISE_LIMITS: u64 = 1 << 24;

/// Tells why Docker could not be asked, from the refusal and from what stands on the host.
///
/// `fullest` is what root saw, or the login again: a hardened host hides the processes of others.
pub(super) fn problem(
    told: &Told,
    fullest: &Told,
    root: RootAccess,
    refusal: &TransportError,
) -> DockerProblem {
    let detail = match refusal {
        TransportError::Docker { detail, .. } => detail.clone(),
        other => other.to_string(),
    };
    let socket = told.one("docker-socket").unwrap_or("absent");
    let runs = fullest
        .all("engine-process")
        .any(|line| line.starts_with("dockerd\t"));
    let installed = told.all("docker-binary").any(|binary| binary == "dockerd");
    let may_become_root = matches!(
        root,
        RootAccess::IsRoot | RootAccess::Passwordless | RootAccess::Password
    );
    // A socket that the login may not open says nothing about the engine behind it, unless no engine runs.
    match (installed || runs, runs, socket) {
        (false, _, "absent") => DockerProblem::Absent,
        (_, false, _) if installed => DockerProblem::Stopped { detail },
        (_, _, "denied") if !may_become_root => DockerProblem::Forbidden { detail },
        (false, false, "denied") => DockerProblem::Forbidden { detail },
        _ => DockerProblem::Other { detail },
    }
}

/// Returns Compose; version 2 before version 1, the plugin before the program of its own.
pub(super) fn compose(told: &Told) -> Option<ComposeFacts> {
    let mut found: Vec<ComposeFacts> = told
        .all("compose")
        .filter_map(|line| line.split_once('\t'))
        .map(|(command, version)| ComposeFacts {
            version: version.trim_start_matches('v').to_owned(),
            command: command.split(' ').map(str::to_owned).collect(),
        })
        .collect();
    found.sort_by_key(|compose| {
        (
            compose.version.starts_with("1."),
            compose.command.len() == 1,
        )
    });
    found.into_iter().next()
}

/// Returns the greatest number of open files the engine can give to a container.
///
/// runc inherits the limit of the engine's processes and may raise it only with the right capability, and then up to the kernel's own. Where something else
/// stands in runc's place nobody can tell.
pub(super) fn nofile_limit(told: &Told) -> Option<u64> {
    if told.one("runtime") == Some("wrapped") {
        return None;
    }
    let kernel: Option<u64> = told.one("nr-open").and_then(|text| text.parse().ok());
    told.all("engine-process")
        .filter_map(|line| {
            let mut parts = line.split('\t').skip(1);
            let (limit, capabilities) = (parts.next()?, parts.next()?);
            let capabilities = u64::from_str_radix(capabilities, 16).ok()?;
            if capabilities & MAY_RAISE_LIMITS != 0 || limit == "unlimited" {
                kernel
            } else {
                limit.parse().ok()
            }
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn refusal() -> TransportError {
        TransportError::Docker {
            action: "answer".into(),
            detail: "permission denied".into(),
            status: None,
        }
    }

    #[rstest]
    #[case::absent("docker-socket\tabsent", RootAccess::Passwordless, "absent")]
    #[case::client_only(
        "docker-binary\tdocker\ndocker-socket\tabsent",
        RootAccess::Passwordless,
        "absent"
    )]
    #[case::stopped(
        "docker-binary\tdockerd\ndocker-socket\tabsent",
        RootAccess::Passwordless,
        "stopped"
    )]
    #[case::stopped_with_socket(
        "docker-binary\tdockerd\ndocker-socket\tdenied",
        RootAccess::None,
        "stopped"
    )]
    #[case::forbidden(
        "docker-binary\tdockerd\ndocker-socket\tdenied\nengine-process\tdockerd\t1\t0",
        RootAccess::None,
        "forbidden"
    )]
    #[case::forbidden_without_password(
        "docker-binary\tdockerd\ndocker-socket\tdenied\nengine-process\tdockerd\t1\t0",
        RootAccess::PasswordMissing,
        "forbidden"
    )]
    #[case::broken(
        "docker-binary\tdockerd\ndocker-socket\twritable\nengine-process\tdockerd\t1\t0",
        RootAccess::IsRoot,
        "other"
    )]
    fn problems_are_told_apart(
        #[case] told: &str,
        #[case] root: RootAccess,
        #[case] expected: &str,
    ) {
        let told = Told::read(told);
        let word = match problem(&told, &told, root, &refusal()) {
            DockerProblem::Absent => "absent",
            DockerProblem::Stopped { .. } => "stopped",
            DockerProblem::Forbidden { .. } => "forbidden",
            DockerProblem::Other { .. } => "other",
        };
        assert_eq!(word, expected);
    }

    #[rstest]
    #[case("compose\tdocker compose\tv2.26.1-4", Some(("2.26.1-4", 2)))]
    #[case("compose\tdocker-compose\t1.29.2", Some(("1.29.2", 1)))]
    #[case("compose\tdocker-compose\t1.29.2\ncompose\tdocker compose\t2.20.0", Some(("2.20.0", 2)))]
    #[case("compose\tdocker-compose\t2.20.0\ncompose\tdocker compose\t2.26.0", Some(("2.26.0", 2)))]
    #[case("", None)]
    fn compose_versions(#[case] told: &str, #[case] expected: Option<(&str, usize)>) {
        let found = compose(&Told::read(told));
        let found = found
            .as_ref()
            .map(|c| (c.version.as_str(), c.command.len()));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::may_not_raise(
        "nr-open\t1048576\nengine-process\tdockerd\t20000\t000001fffeffffff",
        Some(20000)
    )]
    #[case::may_raise(
        "nr-open\t1048576\nengine-process\tdockerd\t1024\t000001ffffffffff",
        Some(1_048_576)
    )]
    #[case::least_counts(
        "nr-open\t1048576\nengine-process\tdockerd\t1024\t000001ffffffffff\nengine-process\tcontainerd\t4096\t0",
        Some(4096)
    )]
    #[case::wrapped(
        "nr-open\t1048576\nengine-process\tdockerd\t20000\t0\nruntime\twrapped",
        None
    )]
    #[case::no_engine("nr-open\t1048576", None)]
    fn nofile(#[case] told: &str, #[case] expected: Option<u64>) {
        assert_eq!(nofile_limit(&Told::read(told)), expected);
    }
}
