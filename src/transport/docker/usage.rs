//! What a container takes, by one look without the second that Docker's own command waits.

use std::pin::pin;

use bollard::Docker as Bollard;
use bollard::errors::Error as EngineError;
use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::stream::StreamExt;

use crate::model::docker::ContainerUsage;

/// Names under which the two versions of control groups tell what the kernel keeps of files only for speed.
const CACHE: [&str; 2] = ["inactive_file", "total_inactive_file"];

/// Returns what a container takes, or `None` when it has gone or does not run.
pub(super) async fn of(engine: &Bollard, id: &str) -> Result<Option<ContainerUsage>, EngineError> {
    let options = StatsOptionsBuilder::new()
        .stream(false)
        .one_shot(true)
        .build();
    let mut answer = pin!(engine.stats(id, Some(options)));
    match answer.next().await {
        None => Ok(None),
        Some(found) => Ok(super::unless_gone(found.map(Some))?
            .flatten()
            .and_then(|found| read(id, found))),
    }
}

fn read(id: &str, found: ContainerStatsResponse) -> Option<ContainerUsage> {
    let cpu = found.cpu_stats.unwrap_or_default();
    let memory = found.memory_stats.unwrap_or_default();
    Some(ContainerUsage {
        id: id.to_owned(),
        cpu: cpu.cpu_usage.and_then(|usage| usage.total_usage)?,
        // Of a container that does not run the engine tells nothing but zeroes, and this is left out.
        system: cpu.system_cpu_usage?,
        cpus: cpu.online_cpus.unwrap_or(1).max(1),
        memory: taken(&memory),
        memory_limit: memory.limit.unwrap_or(0),
    })
}

fn taken(memory: &ContainerMemoryStats) -> u64 {
    let stats = memory.stats.as_ref();
    let cache = CACHE
        .iter()
        .find_map(|name| stats.and_then(|stats| stats.get(*name)));
    let usage = memory.usage.unwrap_or(0);
    usage.saturating_sub(cache.copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::second_version(json!({"inactive_file": 30, "file": 50}), 70)]
    #[case::first_version(json!({"total_inactive_file": 40}), 60)]
    #[case::nothing_told(json!({}), 100)]
    fn memory_is_without_what_is_kept_for_speed(
        #[case] stats: serde_json::Value,
        #[case] taken: u64,
    ) {
        let told = json!({
            "cpu_stats": {"cpu_usage": {"total_usage": 5}, "system_cpu_usage": 9, "online_cpus": 2},
            "memory_stats": {"usage": 100, "limit": 1000, "stats": stats},
        });
        let usage = read("c", serde_json::from_value(told).unwrap()).unwrap();
        assert_eq!((usage.memory, usage.memory_limit), (taken, 1000));
        assert_eq!((usage.cpu, usage.system, usage.cpus), (5, 9, 2));
    }

    #[test]
    fn a_container_that_does_not_run_takes_nothing() {
        let told = json!({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}});
        assert_eq!(read("c", serde_json::from_value(told).unwrap()), None);
    }
}
