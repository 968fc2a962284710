//! Whether each host reaches the registries its images come from, and how fast.

use super::lookups::{Lookups, RegistryAnswer};
use super::scene::Seat;
use crate::model::check::CheckResult;

/// A registry that takes longer for one small answer is far away or behind something slow.
const SLOW: f64 = 2.0;

/// Judges every registry of the host's images.
pub(super) fn registry(seat: Seat<'_>, lookups: &Lookups) -> Vec<CheckResult> {
    lookups
        .registries
        .iter()
        .map(|answer| judge(seat, answer))
        .collect()
}

fn judge(seat: Seat<'_>, answer: &RegistryAnswer) -> CheckResult {
    let draft = seat.draft("registry", "Registry");
    let registry = &answer.registry;
    let time = answer
        .seconds
        .map_or_else(String::new, |s| format!(" in {s:.2} s"));
    match answer.outcome.as_str() {
        "ok" if answer.seconds.is_some_and(|seconds| seconds > SLOW) => draft
            .because("pulling images will take long")
            .remedy("use the source `bundle`, or a registry at the site")
            .warn(format!("{registry} answers{time}")),
        "ok" => draft.pass(format!("{registry} answers{time}")),
        "tcp" => draft.pass(format!("{registry} accepts connections{time}; TLS could not be tried without curl or openssl")),
        "untried" => draft
            .because("the host has neither curl nor openssl nor bash")
            .warn(format!("{registry} could not be tried")),
        "untrusted" => draft
            .because(format!("the host does not trust its certificate: {}", answer.detail))
            .remedy("if Docker trusts it by itself, nothing; otherwise give Docker the authority's certificate")
            .command(format!("sudo install -D -m 0644 CA.crt /etc/docker/certs.d/{registry}/ca.crt"))
            .warn(format!("{registry} answers with a certificate that is not trusted")),
        other => unreachable(seat, answer, other),
    }
}

fn unreachable(seat: Seat<'_>, answer: &RegistryAnswer, outcome: &str) -> CheckResult {
    let registry = &answer.registry;
    let what = match outcome {
        "resolve" => "its name cannot be resolved".to_owned(),
        "timeout" => "nothing answers in time".to_owned(),
        "connect" => "no connection".to_owned(),
        _ => "no TLS with it".to_owned(),
    };
    let cause = if answer.detail.is_empty() {
        what.clone()
    } else {
        answer.detail.clone()
    };
    let draft = seat
        .draft("registry", "Registry")
        .because(cause)
        .command(format!("curl -v https://{registry}/v2/"));
    let found = format!("{registry} is not reached: {what}");
    let by_proxy = seat.docker().is_some_and(|docker| {
        docker
            .engine
            .proxies
            .values()
            .any(|value| !value.is_empty())
    });
    if seat.missing_images().is_empty() {
        draft
            .remedy("nothing now: every image is on the host already")
            .warn(found)
    } else if by_proxy {
        draft
            .remedy("nothing, if Docker's proxy lets it through: this was tried without it")
            .warn(found)
    } else {
        draft
            .remedy("let the host reach it (TCP 443 for a name without port), set a proxy for Docker, or use the source `bundle`")
            .fail(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    fn answer(outcome: &str, seconds: Option<f64>) -> Lookups {
        Lookups {
            registries: vec![RegistryAnswer {
                registry: "r.example".into(),
                tool: "curl".into(),
                outcome: outcome.into(),
                seconds,
                detail: String::new(),
            }],
            ..Lookups::default()
        }
    }

    #[rstest]
    #[case("ok", Some(0.2), "pass registry: r.example answers in 0.20 s")]
    #[case("ok", Some(4.0), "warn registry: r.example answers in 4.00 s")]
    #[case(
        "tcp",
        Some(0.1),
        "pass registry: r.example accepts connections in 0.10 s; TLS could not be tried without curl or openssl"
    )]
    #[case("untried", None, "warn registry: r.example could not be tried")]
    #[case(
        "untrusted",
        None,
        "warn registry: r.example answers with a certificate that is not trusted"
    )]
    #[case(
        "resolve",
        None,
        "fail registry: r.example is not reached: its name cannot be resolved"
    )]
    #[case(
        "timeout",
        None,
        "fail registry: r.example is not reached: nothing answers in time"
    )]
    fn outcomes(#[case] outcome: &str, #[case] seconds: Option<f64>, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.docker("ui").images.clear();
        assert_eq!(
            told(&registry(sample.seat("ui"), &answer(outcome, seconds))),
            [expected]
        );
    }

    #[test]
    fn a_registry_that_is_not_needed_now_or_reached_by_proxy_only_warns() {
        let mut sample = Sample::three();
        let lost = answer("timeout", None);
        let expected = ["warn registry: r.example is not reached: nothing answers in time"];
        assert_eq!(told(&registry(sample.seat("ui"), &lost)), expected);
        sample.docker("ui").images.clear();
        sample
            .docker("ui")
            .engine
            .proxies
            .insert("HttpsProxy".into(), "http://proxy:1".into());
        assert_eq!(told(&registry(sample.seat("ui"), &lost)), expected);
    }
}
