//! What share of a processor a container takes: the difference between two looks.

use std::collections::HashMap;

use crate::model::docker::ContainerUsage;

/// Remembers the look before.
#[derive(Debug, Default)]
pub(super) struct Shares {
    before: HashMap<String, (u64, u64)>,
}

impl Shares {
    /// Returns the share of one processor in tenths of a hundredth, for each container that was there at the look before; and remembers this one.
    pub(super) fn of(&mut self, usage: &[ContainerUsage]) -> HashMap<String, u32> {
        let shares = usage
            .iter()
            .filter_map(|now| {
                let (cpu, system) = *self.before.get(&now.id)?;
                Some((now.id.clone(), share(now, cpu, system)?))
            })
            .collect();
        self.before = usage
            .iter()
            .map(|now| (now.id.clone(), (now.cpu, now.system)))
            .collect();
        shares
    }
}

fn share(now: &ContainerUsage, cpu: u64, system: u64) -> Option<u32> {
    // A container that was started anew begins at nothing.
    let taken = now.cpu.checked_sub(cpu)?;
    let had = now.system.checked_sub(system).filter(|had| *had > 0)?;
    let share = u128::from(taken) * 1000 * u128::from(now.cpus) / u128::from(had);
    u32::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, system: u64) -> [ContainerUsage; 1] {
        [ContainerUsage {
            id: "c".to_owned(),
            cpu,
            system,
            cpus: 4,
            memory: 0,
            memory_limit: 0,
        }]
    }

    #[test]
    fn a_share_is_of_one_processor_and_known_from_the_second_look_on() {
        let mut shares = Shares::default();
        assert!(shares.of(&usage(1000, 100_000)).is_empty());
        // A second on four processors, of which the container took one and a half.
        assert_eq!(shares.of(&usage(2500, 104_000))["c"], 1500);
        assert_eq!(shares.of(&usage(2500, 108_000))["c"], 0);
    }

    #[test]
    fn a_container_that_began_anew_has_none_at_first() {
        let mut shares = Shares::default();
        shares.of(&usage(9000, 100_000));
        assert!(shares.of(&usage(10, 104_000)).is_empty());
        assert_eq!(shares.of(&usage(20, 108_000)).len(), 1);
    }
}
