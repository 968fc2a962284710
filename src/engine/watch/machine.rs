//! How a machine fares: load, memory, the disk of Docker's folder. One small script, one command.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::watch::{MachineReading, Share};
use crate::transport::{Command, Host, TransportError};

/// The script.
const SCRIPT: &str = include_str!("../../../assets/remote/watch.sh");

/// A host that does not answer this within so long hangs.
const LIMIT: Duration = Duration::from_secs(8);

/// Where Docker keeps its data unless it says otherwise.
pub(super) const DOCKER_ROOT: &str = "/var/lib/docker";

/// Asks a host.
///
/// # Errors
/// When it does not answer.
pub(super) fn ask(host: &dyn Host, root: &str) -> Result<MachineReading, TransportError> {
    let root = shlex::try_quote(root).map_err(|_| TransportError::Unquotable)?;
    let script = format!("root={root}\n{SCRIPT}");
    let output = host
        .run(&Command::sh(script).within(LIMIT))
        .map_err(|error| match error {
            // The script's own first line would say nothing to anybody.
            TransportError::TimedOut { limit, .. } => TransportError::TimedOut {
                what: "how the machine fares".to_owned(),
                limit,
            },
            error => error,
        })?;
    Ok(read(&output.text()))
}

/// Reads what the script tells; what it did not tell, or not in its form, is absent.
fn read(text: &str) -> MachineReading {
    let told: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let kilobytes = |key| Some(told.get(key)?.parse::<u64>().ok()?.saturating_mul(1024));
    let free = kilobytes("MemAvailable:").or_else(|| kilobytes("MemFree:"));
    let memory = kilobytes("MemTotal:").zip(free).map(|(total, free)| Share {
        used: total.saturating_sub(free),
        total,
    });
    MachineReading {
        load: told.get("load").and_then(|load| hundredths(load)),
        cpus: told
            .get("cpus")
            .and_then(|cpus| cpus.parse().ok())
            .filter(|cpus| *cpus > 0),
        memory,
        disk: told.get("disk").and_then(|disk| share_of_disk(disk)),
        clock: told.get("clock").and_then(|clock| time(clock)),
    }
}

/// Reads `total used free` in kilobytes; what root keeps for itself counts as used.
fn share_of_disk(text: &str) -> Option<Share> {
    let mut numbers = text.split(' ').map(str::parse::<u64>);
    let (total, _used, free) = (
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    );
    Some(Share {
        used: total.saturating_sub(free).saturating_mul(1024),
        total: total.saturating_mul(1024),
    })
}

fn hundredths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let part: u32 = format!("{part:0<2}").get(..2)?.parse().ok()?;
    whole
        .parse::<u32>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
}

fn time(text: &str) -> Option<Timestamp> {
    let seconds = text.split('.').next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local_shell::LocalShell;

    #[test]
    fn the_script_tells_of_this_machine() {
        let reading = ask(&LocalShell::new("ui", &["sh"]), "/").unwrap();
        assert!(reading.cpus.unwrap() >= 1);
        let memory = reading.memory.unwrap();
        assert!(memory.used > 0 && memory.used < memory.total);
        let disk = reading.disk.unwrap();
        assert!(disk.used <= disk.total && disk.total > 0);
        assert!(reading.load.is_some());
        let skew = reading.clock.unwrap().duration_since(Timestamp::now());
        assert!(skew.abs() < jiff::SignedDuration::from_secs(30), "{skew}");
    }

    #[test]
    fn what_is_not_told_is_absent() {
        assert_eq!(
            read("Welcome!\nload\tx\ndisk\t1 2\n"),
            MachineReading::default()
        );
        assert_eq!(read("load\t0.5\n").load, Some(50));
        assert_eq!(read("load\t12.07\n").load, Some(1207));
    }
}
