//! Clocks: the hosts' against each other, and against the operator's.

use super::draft::Draft;
use super::scene::Scene;
use crate::model::check::CheckResult;

/// Tokens and certificates begin to be refused beyond this.
const TOO_MUCH: f64 = 30.0;

/// Logs of two hosts can no longer be read side by side beyond this.
const NOTABLE: f64 = 5.0;

/// Judges how far apart the clocks of all hosts are.
pub(super) fn clock(scene: Scene<'_>) -> Vec<CheckResult> {
    let mut skews: Vec<(f64, &str)> = scene
        .seats()
        .map(|seat| (seat.facts.clock_skew, seat.host.name.as_str()))
        .collect();
    skews.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(last)) = (skews.first(), skews.last()) else {
        return Vec::new();
    };
    let apart = last.0 - first.0;
    let draft = Draft::new("clock", "Clocks", None)
        .remedy("let every host take the time from the same server")
        .command("sudo timedatectl set-ntp true");
    let found = format!("{} is {apart:.1} s ahead of {}", last.1, first.1);
    if apart > TOO_MUCH {
        return vec![
            draft
                .because("beyond 30 s logins, tokens and the cluster's time-outs go wrong")
                .fail(found),
        ];
    }
    if apart > NOTABLE {
        return vec![
            draft
                .because("logs of the hosts cannot be read side by side")
                .warn(found),
        ];
    }
    let to_us = if first.0.abs() > last.0.abs() {
        first
    } else {
        last
    };
    if to_us.0.abs() > TOO_MUCH {
        return vec![
            draft
                .because("the hosts agree with each other, but not with this machine: one side's certificates may look expired or not yet valid")
                .remedy("set this machine's clock, or the hosts', right")
                .warn(format!("the hosts' clocks differ from this machine's by {:.0} s", to_us.0)),
        ];
    }
    vec![Draft::new("clock", "Clocks", None).pass(format!("at most {apart:.1} s apart"))]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0.2, 0.0, "pass clock: at most 0.2 s apart")]
    #[case(-20.0, 0.0, "warn clock: ray-2 is 20.0 s ahead of ui")]
    #[case(61.0, 0.0, "fail clock: ui is 61.0 s ahead of ray-1")]
    #[case(
        100.0,
        100.0,
        "warn clock: the hosts' clocks differ from this machine's by 100 s"
    )]
    fn clocks(#[case] ui: f64, #[case] others: f64, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ray-1").clock_skew = others;
        sample.on("ray-2").clock_skew = others;
        sample.on("ui").clock_skew = ui;
        assert_eq!(told(&clock(sample.scene())), [expected]);
    }
}
