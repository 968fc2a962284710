//! Compose 2.

use super::docker_engine::{install, leading};
use super::scene::Seat;
use crate::model::check::CheckResult;

/// Judges Compose. Version 1 reads neither our files nor values in `.env` the same way, and is named as what it is.
pub(super) fn compose(seat: Seat<'_>) -> Vec<CheckResult> {
    if !seat.host.needs_docker() {
        return Vec::new();
    }
    let draft = seat.draft("compose", "Docker Compose");
    let Some(compose) = &seat.facts.compose else {
        return vec![
            draft
                .because("the stacks are Compose projects")
                .remedy("install the Compose plugin, version 2")
                .mended_by(install(seat))
                .fail("not installed"),
        ];
    };
    let found = format!("{} by `{}`", compose.version, compose.command.join(" "));
    vec![match leading(&compose.version) {
        Some((major, _)) if major >= 2 => draft.pass(found),
        Some((1, _)) => draft
            .because("this is Compose version 1, which has been abandoned since 2023 and reads `.env` differently")
            .remedy("install the Compose plugin, version 2; version 1 may stay")
            .mended_by(install(seat))
            .fail(found),
        _ => draft
            .because("the version is not one we can read")
            .remedy("make sure that it is version 2 or newer")
            .warn(found),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2.26.1-4", "pass compose: 2.26.1-4 by `docker compose`")]
    #[case("5.0.1", "pass compose: 5.0.1 by `docker compose`")]
    #[case("dev", "warn compose: dev by `docker compose`")]
    #[case("1.29.2", "fail compose: 1.29.2 by `docker compose`")]
    fn versions(#[case] version: &str, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").compose.as_mut().unwrap().version = version.into();
        assert_eq!(told(&compose(sample.seat("ui"))), [expected]);
    }

    #[test]
    fn absent() {
        let mut sample = Sample::three();
        sample.on("ui").compose = None;
        assert_eq!(
            told(&compose(sample.seat("ui"))),
            ["fail compose: not installed"]
        );
    }
}
