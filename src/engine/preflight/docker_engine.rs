//! Docker: installed, running, recent enough, and open to the login.

use super::scene::Seat;
use crate::model::check::CheckResult;
use crate::model::facts::{DockerProblem, RootAccess};

/// The oldest engine that runs Compose 2 files as ours are.
const OLDEST: (u32, u32) = (20, 10);

/// Judges whether an engine is there, runs and is recent enough.
pub(super) fn engine(seat: Seat<'_>) -> Vec<CheckResult> {
    if !seat.host.needs_docker() {
        return Vec::new();
    }
    let draft = seat.draft("docker", "Docker Engine");
    if let Some(docker) = seat.docker() {
        let version = &docker.engine.version;
        let found = format!("{version}, storage driver {}", docker.engine.storage_driver);
        return vec![if leading(version) < Some(OLDEST) {
            draft
                .because("20.10 is the oldest that is supported")
                .remedy("upgrade Docker Engine")
                .mended_by(install(seat))
                .fail(found)
        } else if docker.engine.storage_driver == "vfs" {
            draft
                .because("vfs copies every layer whole: slow, and it takes many times the disk")
                .remedy("put Docker's root on ext4 or xfs so that overlay2 is used")
                .warn(found)
        } else {
            draft.pass(found)
        }];
    }
    vec![match &seat.facts.docker_problem {
        Some(DockerProblem::Absent) | None => draft
            .because("containers need Docker Engine 20.10 or newer")
            .remedy("install Docker Engine and the Compose plugin")
            .mended_by(install(seat))
            .fail("not installed"),
        Some(DockerProblem::Stopped { detail }) => draft
            .because(format!("no engine answers: {detail}"))
            .remedy("start Docker, now and at every boot")
            .mended_by("sudo systemctl enable --now docker")
            .fail("installed, but it does not run"),
        Some(DockerProblem::Forbidden { .. }) => draft
            .because("what the login may not reach cannot be judged")
            .remedy("mend the access first")
            .warn("runs, version unknown"),
        Some(DockerProblem::Other { detail }) => draft
            .because(detail.clone())
            .remedy("see what Docker says about itself")
            .command("sudo journalctl -u docker --since -1h --no-pager | tail -n 50")
            .fail("does not answer as it should"),
    }]
}

/// Judges whether the login reaches Docker, by itself or with root's rights.
pub(super) fn access(seat: Seat<'_>) -> Vec<CheckResult> {
    if !seat.host.needs_docker() {
        return Vec::new();
    }
    let draft = seat.draft("docker-access", "Access to Docker");
    let user = &seat.facts.user;
    if let Some(docker) = seat.docker() {
        let how = match (docker.as_user, user.root) {
            (_, RootAccess::IsRoot) => "as root",
            (true, _) => "without root's rights",
            (false, _) => "by sudo",
        };
        return vec![draft.pass(format!("{} reaches it {how}", user.name))];
    }
    let Some(DockerProblem::Forbidden { detail }) = &seat.facts.docker_problem else {
        return Vec::new();
    };
    let in_group = user.groups.iter().any(|group| group == "docker");
    let remedy = if user.root == RootAccess::PasswordMissing {
        "give the secret `sudo-password`, or let an administrator add the user to the group `docker` and connect again"
    } else if in_group {
        "the user is in the group `docker`, but the socket is not open to that group: let an administrator look at its owner"
    } else {
        "let an administrator add the user to the group `docker`, then connect again"
    };
    let command = if in_group {
        "ls -l /var/run/docker.sock".to_owned()
    } else {
        format!("sudo usermod -aG docker {}", user.name)
    };
    vec![
        draft
            .because(format!(
                "neither the group `docker` nor sudo lets it in: {detail}"
            ))
            .remedy(remedy)
            .command(command)
            .fail(format!("{} may not reach Docker", user.name)),
    ]
}

/// Returns the first two numbers of a version.
pub(super) fn leading(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Returns the command that installs Docker on the host's system.
pub(super) fn install(seat: Seat<'_>) -> String {
    match seat.facts.os_id.as_str() {
        "ubuntu" => "sudo apt-get update && sudo apt-get install -y docker.io docker-compose-v2",
        "debian" => "sudo apt-get update && sudo apt-get install -y docker-ce docker-compose-plugin  # needs Docker's own package source, docs.docker.com/engine/install/debian",
        "rhel" | "centos" | "rocky" | "almalinux" | "ol" | "fedora" => "sudo dnf install -y docker-ce docker-compose-plugin  # needs Docker's own package source, docs.docker.com/engine/install",
        "sles" | "opensuse-leap" => "sudo zypper install -y docker docker-compose",
        _ => "curl -fsSL https://get.docker.com | sudo sh",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("26.1.5", "overlay2", "pass docker: 26.1.5, storage driver overlay2")]
    #[case(
        "20.10.24+dfsg1",
        "overlay2",
        "pass docker: 20.10.24+dfsg1, storage driver overlay2"
    )]
    #[case("26.1.5", "vfs", "warn docker: 26.1.5, storage driver vfs")]
    #[case("19.03.8", "overlay2", "fail docker: 19.03.8, storage driver overlay2")]
    fn versions(#[case] version: &str, #[case] driver: &str, #[case] expected: &str) {
        let mut sample = Sample::three();
        let engine_facts = &mut sample.docker("ui").engine;
        engine_facts.version = version.into();
        engine_facts.storage_driver = driver.into();
        assert_eq!(told(&engine(sample.seat("ui"))), [expected]);
    }

    #[test]
    fn a_host_whose_roles_need_no_docker_is_not_asked_for_it() {
        let mut sample = Sample::three();
        sample.on("ui").docker = None;
        sample.on("ui").compose = None;
        sample.host("ui").needs[0].docker = false;
        let seat = sample.seat("ui");
        assert!(engine(seat).is_empty() && access(seat).is_empty());
        assert!(super::super::compose::compose(seat).is_empty());
        // Another role of the same host may.
        sample.host("ui").roles.push("other".parse().unwrap());
        assert_eq!(
            told(&engine(sample.seat("ui"))),
            ["fail docker: not installed"]
        );
    }

    #[rstest]
    #[case(DockerProblem::Absent, "fail docker: not installed", &[])]
    #[case(DockerProblem::Stopped { detail: "no socket".into() }, "fail docker: installed, but it does not run", &[])]
    #[case(DockerProblem::Other { detail: "500".into() }, "fail docker: does not answer as it should", &[])]
    #[case(DockerProblem::Forbidden { detail: "denied".into() }, "warn docker: runs, version unknown", &["fail docker-access: deploy may not reach Docker"])]
    fn problems(
        #[case] problem: DockerProblem,
        #[case] expected: &str,
        #[case] of_access: &[&str],
    ) {
        let mut sample = Sample::three();
        sample.on("ui").docker = None;
        sample.on("ui").docker_problem = Some(problem);
        assert_eq!(told(&engine(sample.seat("ui"))), [expected]);
        assert_eq!(told(&access(sample.seat("ui"))), of_access);
    }

    #[rstest]
    #[case(
        true,
        RootAccess::None,
        "pass docker-access: deploy reaches it without root's rights"
    )]
    #[case(
        false,
        RootAccess::Password,
        "pass docker-access: deploy reaches it by sudo"
    )]
    #[case(
        true,
        RootAccess::IsRoot,
        "pass docker-access: deploy reaches it as root"
    )]
    fn ways_in(#[case] as_user: bool, #[case] root: RootAccess, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").user.root = root;
        sample.docker("ui").as_user = as_user;
        assert_eq!(told(&access(sample.seat("ui"))), [expected]);
    }
}
