//! CPUs and memory against what the host's roles ask for.

use super::bytes;
use super::draft::Draft;
use super::scene::Seat;
use crate::model::check::CheckResult;
use crate::model::preset::RoleNeed;

/// Judges the number of CPUs. Roles share them in time, so the most demanding one says how few will do; all of them together say how many are good.
pub(super) fn cpus(seat: Seat<'_>) -> Vec<CheckResult> {
    let needs = seat.host.needs.iter();
    let least = needs.filter_map(|need| need.cpus.map(u64::from)).max();
    let least = least.unwrap_or_default();
    let good = sum(seat, |need| {
        need.cpus_recommended.or(need.cpus).map(u64::from)
    });
    let found = format!("{} CPUs", seat.facts.cpus);
    vec![judge(
        seat.draft("cpus", "CPUs"),
        u64::from(seat.facts.cpus),
        (least, good),
        &found,
        |amount| format!("{amount} CPUs"),
    )]
}

/// Judges memory. A machine sold with 32 GB shows somewhat less, because the kernel and the firmware keep some: a tenth is forgiven.
pub(super) fn memory(seat: Seat<'_>) -> Vec<CheckResult> {
    let size = |text: &Option<String>| text.as_deref().and_then(bytes::parse);
    let least = sum(seat, |need| size(&need.memory));
    let good = sum(seat, |need| {
        size(&need.memory_recommended).or_else(|| size(&need.memory))
    });
    let found = format!("{} of memory", bytes::human(seat.facts.memory));
    let seen = seat.facts.memory.saturating_add(seat.facts.memory / 9);
    vec![judge(
        seat.draft("memory", "Memory"),
        seen,
        (least, good),
        &found,
        bytes::human,
    )]
}

/// Adds up what all roles of the host ask for.
fn sum(seat: Seat<'_>, amount: impl Fn(&RoleNeed) -> Option<u64>) -> u64 {
    seat.host.needs.iter().filter_map(amount).sum()
}

fn judge(
    draft: Draft,
    seen: u64,
    (least, good): (u64, u64),
    found: &str,
    words: impl Fn(u64) -> String,
) -> CheckResult {
    if seen < least {
        draft
            .because(format!("its roles need at least {}", words(least)))
            .remedy("give the machine more, or put a role on another host")
            .fail(found)
    } else if seen < good {
        draft
            .because(format!("its roles work well from {} on", words(good)))
            .remedy("give the machine more before real work begins")
            .warn(found)
    } else {
        draft.pass(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(8, "pass cpus: 8 CPUs")]
    #[case(3, "warn cpus: 3 CPUs")]
    #[case(1, "fail cpus: 1 CPUs")]
    fn cpus_against_needs(#[case] cpus: u32, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").cpus = cpus;
        assert_eq!(told(&super::cpus(sample.seat("ui"))), [expected]);
    }

    #[rstest]
    #[case(7_900 << 20, "pass memory: 7.7 GB of memory")]
    #[case(6_000 << 20, "warn memory: 5.8 GB of memory")]
    #[case(3_000 << 20, "fail memory: 2.9 GB of memory")]
    fn memory_against_needs(#[case] bytes: u64, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.on("ui").memory = bytes;
        assert_eq!(told(&memory(sample.seat("ui"))), [expected]);
    }

    #[test]
    fn two_roles_on_one_host_share_cpus_and_add_up_memory() {
        let mut sample = Sample::three();
        let second = sample.host("ray-1").needs[0].clone();
        sample.host("ui").needs.push(second);
        sample.on("ui").cpus = 3;
        sample.on("ui").memory = 6_000 << 20;
        let seat = sample.seat("ui");
        assert_eq!(told(&super::cpus(seat)), ["warn cpus: 3 CPUs"]);
        assert_eq!(told(&memory(seat)), ["fail memory: 5.8 GB of memory"]);
    }
}
