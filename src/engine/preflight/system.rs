//! Operating system and architecture.

use super::scene::Seat;
use crate::model::check::CheckResult;

/// Systems on which Docker's own packages exist; others work too, but nobody has tried.
const KNOWN: &[&str] = &[
    "ubuntu",
    "debian",
    "rhel",
    "centos",
    "rocky",
    "almalinux",
    "ol",
    "fedora",
    "amzn",
    "sles",
    "opensuse-leap",
    "mariner",
    "azurelinux",
    "raspbian",
];

/// The oldest Ubuntu the vendor names.
const OLDEST_UBUNTU: f64 = 18.04;

/// Judges the operating system.
pub(super) fn os(seat: Seat<'_>) -> Vec<CheckResult> {
    let facts = seat.facts;
    let draft = seat.draft("os", "Operating system");
    let old = facts.os_id == "ubuntu"
        && facts
            .os_version
            .parse::<f64>()
            .is_ok_and(|version| version < OLDEST_UBUNTU);
    let found = format!("{}, kernel {}", facts.os, facts.kernel);
    vec![if facts.os_id.is_empty()
        && matches!(
            facts.os.as_str(),
            "Darwin" | "FreeBSD" | "OpenBSD" | "NetBSD" | "SunOS"
        ) {
        draft
            .because("the containers need a Linux kernel")
            .remedy("use a Linux machine")
            .fail(found)
    } else if old {
        draft
            .because("the vendor documents Ubuntu 18.04 and newer")
            .remedy("upgrade the machine to a supported Ubuntu")
            .command("sudo do-release-upgrade")
            .warn(found)
    } else if KNOWN.contains(&facts.os_id.as_str()) {
        draft.pass(found)
    } else {
        draft
            .because("nobody has tried this system; any Linux that runs Docker should do")
            .warn(found)
    }]
}

/// Judges the architecture: the vendor documents amd64; another one works only with images that were made for it.
pub(super) fn architecture(seat: Seat<'_>) -> Vec<CheckResult> {
    let found = seat.facts.architecture.clone();
    let docker = seat.facts.docker_architecture();
    let draft = seat.draft("architecture", "Architecture");
    if docker == "amd64" {
        return vec![draft.pass(found)];
    }
    let images = seat.images();
    let all_fit = !images.is_empty()
        && images.iter().all(|image| {
            seat.image(&image.reference)
                .is_some_and(|here| here.architecture == docker)
        });
    vec![if all_fit {
        draft
            .because("the vendor documents amd64 only")
            .remedy("the images on the host are made for this architecture: go on if the vendor agreed to it")
            .warn(found)
    } else {
        draft
            .because("the vendor's images are made for amd64 (x86_64) only")
            .remedy(format!(
                "use an x86_64 machine, or put images made for {docker} on the host first"
            ))
            .fail(found)
    }]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RAY, Sample, image, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "ubuntu",
        "22.04",
        "Ubuntu 22.04",
        "pass os: Ubuntu 22.04, kernel 5.15.0-91-generic"
    )]
    #[case(
        "ubuntu",
        "16.04",
        "Ubuntu 16.04",
        "warn os: Ubuntu 16.04, kernel 5.15.0-91-generic"
    )]
    #[case(
        "plan9ish",
        "1",
        "Somebody's Linux",
        "warn os: Somebody's Linux, kernel 5.15.0-91-generic"
    )]
    #[case("", "", "FreeBSD", "fail os: FreeBSD, kernel 5.15.0-91-generic")]
    fn systems(
        #[case] id: &str,
        #[case] version: &str,
        #[case] name: &str,
        #[case] expected: &str,
    ) {
        let mut sample = Sample::three();
        let facts = sample.on("ui");
        (facts.os_id, facts.os_version, facts.os) = (id.into(), version.into(), name.into());
        assert_eq!(told(&os(sample.seat("ui"))), [expected]);
    }

    #[test]
    fn another_architecture_needs_its_own_images() {
        let mut sample = Sample::three();
        assert_eq!(
            told(&architecture(sample.seat("ray-1"))),
            ["pass architecture: x86_64"]
        );
        sample.on("ray-1").architecture = "aarch64".into();
        assert_eq!(
            told(&architecture(sample.seat("ray-1"))),
            ["fail architecture: aarch64"]
        );
        sample.docker("ray-1").images = vec![image(RAY, "arm64")];
        assert_eq!(
            told(&architecture(sample.seat("ray-1"))),
            ["warn architecture: aarch64"]
        );
    }
}
