//! CPUs and memory against what the host's roles ask for.

use super::bytes;
use super::draft::Draft;
use super::scene::Seat;
use crate::model::check::CheckResult;
use crate::model::sizing::{self, Wanted};

/// Judges the number of CPUs.
pub(super) fn cpus(seat: Seat<'_>) -> Vec<CheckResult> {
    let found = format!("{} CPUs", seat.facts.cpus);
    vec![judge(
        seat.draft("cpus", "CPUs"),
        u64::from(seat.facts.cpus),
        sizing::cpus(&seat.host.needs),
        &found,
        |amount| format!("{amount} CPUs"),
    )]
}

/// Judges memory.
pub(super) fn memory(seat: Seat<'_>) -> Vec<CheckResult> {
    let found = format!("{} of memory", bytes::human(seat.facts.memory));
    vec![judge(
        seat.draft("memory", "Memory"),
        sizing::memory_as_sold(seat.facts),
        sizing::memory(&seat.host.needs),
        &found,
        bytes::human,
    )]
}

fn judge(
    draft: Draft,
    seen: u64,
    Wanted { least, good }: Wanted,
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
