//! What stands before and behind a collection in the file: what was asked for, and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Gathered, Order};
use crate::model::deployment::Deployment;

/// Returns the lines before the first record.
pub(super) fn head(deployment: &Deployment, order: &Order, began: Timestamp) -> String {
    let mut asked = String::new();
    let hosts: Vec<String> = match order.hosts.as_slice() {
        [] => deployment
            .hosts
            .iter()
            .map(|h| h.name.to_string())
            .collect(),
        hosts => hosts.iter().map(ToString::to_string).collect(),
    };
    // Writing to a String cannot fail.
    let _ = write!(asked, "hosts {}", hosts.join(", "));
    if !order.services.is_empty() {
        let _ = write!(asked, "; services {}", order.services.join(", "));
    }
    let reach = &order.reach;
    for (word, time) in [("since", reach.since), ("until", reach.until)] {
        if let Some(time) = time {
            let _ = write!(asked, "; {word} {time}");
        }
    }
    if let Some(tail) = reach.tail {
        let _ = write!(asked, "; the last {tail} lines of each source");
    }
    if order.follow {
        asked.push_str("; followed");
    }
    format!(
        "# ---- syntho-installer {} gathers the logs of {} ({}) at {began:.0}\n# {asked}\n# each record: time host/stack/service | text; secrets stand as their names in ‹›\n",
        env!("CARGO_PKG_VERSION"),
        deployment.name,
        deployment.preset.id,
    )
}

/// Returns the lines behind the last record.
pub(super) fn tail(gathered: &Gathered, cancelled: bool) -> String {
    let how = if cancelled { "was stopped" } else { "ended" };
    let sources = gathered.counts.iter().filter(|count| count.records > 0);
    let mut text = format!(
        "# ---- {how} at {:.0}: {} records of {} sources, {} bytes\n",
        Timestamp::now(),
        gathered.records,
        sources.count(),
        gathered.bytes
    );
    for (name, places) in masked(gathered) {
        let all: u64 = places.values().sum();
        let places: Vec<String> = places
            .iter()
            .map(|(source, count)| format!("{source} {count}"))
            .collect();
        let _ = writeln!(text, "# masked ‹{name}› {all} times: {}", places.join(", "));
    }
    for missing in gathered.missing() {
        let line: Vec<&str> = missing.split_whitespace().collect();
        let _ = writeln!(text, "# MISSING {}", line.join(" "));
    }
    text
}

/// Returns how often each secret was replaced in each source.
fn masked(gathered: &Gathered) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    let mut masked: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for count in &gathered.counts {
        for (name, times) in &count.masked {
            let places = masked.entry(name).or_default();
            *places.entry(&count.source).or_default() += times;
        }
    }
    masked
}
