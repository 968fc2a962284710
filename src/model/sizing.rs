//! What a host must have for all of its roles together, and what is good to have.
//!
//! Used by the preflight checks and by the wizard's sizing page, so that both say the same of a machine.

use super::facts::HostFacts;
use super::preset::RoleNeed;
use super::size;

/// The least amount, and the amount from which on all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Less does not work.
    pub least: u64,
    /// Less works badly.
    pub good: u64,
}

/// Returns the CPUs that roles want. They share them in time, so the most demanding one says how few will do; all of them together say how many are good.
pub fn cpus<'n>(needs: impl IntoIterator<Item = &'n RoleNeed>) -> Wanted {
    let mut wanted = Wanted { least: 0, good: 0 };
    for need in needs {
        wanted.least = wanted.least.max(need.cpus.map_or(0, u64::from));
        wanted.good += need.cpus_recommended.or(need.cpus).map_or(0, u64::from);
    }
    wanted
}

/// Returns the bytes of memory that roles want; they add up.
pub fn memory<'n>(needs: impl IntoIterator<Item = &'n RoleNeed>) -> Wanted {
    let bytes = |text: &Option<String>| size::parse(text.as_deref()?).ok();
    let mut wanted = Wanted { least: 0, good: 0 };
    for need in needs {
        let least = bytes(&need.memory);
        wanted.least += least.unwrap_or(0);
        wanted.good += bytes(&need.memory_recommended).or(least).unwrap_or(0);
    }
    wanted
}

/// Returns a host's memory as it was sold: the kernel and the firmware keep some, and a tenth is forgiven.
#[must_use]
pub fn memory_as_sold(facts: &HostFacts) -> u64 {
    facts.memory.saturating_add(facts.memory / 9)
}

/// Returns what a host lacks for roles with these needs, in words; the worst first.
#[must_use]
pub fn shortfalls(needs: &[&RoleNeed], facts: &HostFacts) -> Vec<String> {
    let cpus = cpus(needs.iter().copied());
    let memory = memory(needs.iter().copied());
    let (has_cpus, has_memory) = (u64::from(facts.cpus), memory_as_sold(facts));
    let mut lacks = Vec::new();
    if has_cpus < cpus.least {
        lacks.push(format!("too few CPUs: {} are needed", cpus.least));
    }
    if has_memory < memory.least {
        let least = size::human(memory.least);
        lacks.push(format!("too little memory: {least} are needed"));
    }
    if (cpus.least..cpus.good).contains(&has_cpus) {
        lacks.push(format!("{} CPUs are recommended", cpus.good));
    }
    if (memory.least..memory.good).contains(&has_memory) {
        let good = size::human(memory.good);
        lacks.push(format!("{good} of memory are recommended"));
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample;
    use rstest::rstest;

    #[rstest]
    #[case(8, 32, &[])]
    #[case(3, 32, &["4 CPUs are recommended"])]
    #[case(1, 1, &["too few CPUs: 2 are needed", "too little memory: 4 GB are needed"])]
    #[case(8, 15, &[])]
    #[case(8, 8, &["16 GB of memory are recommended"])]
    fn a_machine_against_its_roles(#[case] cpus: u32, #[case] gb: u64, #[case] lacks: &[&str]) {
        let need = RoleNeed {
            role: "web".parse().unwrap(),
            cpus: Some(2),
            cpus_recommended: Some(4),
            memory: Some("4gb".to_owned()),
            memory_recommended: Some("16gb".to_owned()),
            disk: None,
            docker: true,
        };
        let mut facts = sample::facts(&"web".parse().unwrap(), sample::address(0));
        facts.cpus = cpus;
        facts.memory = gb << 30;
        assert_eq!(shortfalls(&[&need], &facts), lacks);
    }
}
