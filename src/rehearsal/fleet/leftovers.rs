//! Removes fleets, by name or because whoever brought them up has died.

use camino::Utf8Path;
use fs_err as fs;

use crate::rehearsal::engine::{Docker, Lock};
use crate::rehearsal::error::RehearsalError;
use crate::rehearsal::firewall;
use crate::rehearsal::spec::Keep;

/// The label with the fleet's name, on containers, volumes and networks.
const FLEET: &str = "syntho-rehearsal.fleet";
/// The label with the owner: a process with its start time, or `kept`.
const OWNER: &str = "syntho-rehearsal.owner";

/// Returns the labels of everything that belongs to the fleet `name`.
pub(crate) fn labels(name: &str, keep: Keep) -> Result<Vec<String>, RehearsalError> {
    let owner = match keep {
        Keep::Yes => "kept".to_owned(),
        Keep::No => {
            let pid = std::process::id();
            format!("{pid}:{}", start_time(pid)?)
        }
    };
    Ok(vec![format!("{FLEET}={name}"), format!("{OWNER}={owner}")])
}

/// Removes everything of the fleet `name`; nothing there is success.
pub(crate) fn remove(docker: &Docker, cache: &Utf8Path, name: &str) -> Result<(), RehearsalError> {
    let filter = format!("label={FLEET}={name}");
    let each = |list: &[&str], remove: &[&str]| -> Result<(), RehearsalError> {
        let found = docker
            .call(list.iter().copied())
            .args(["--quiet", "--filter", &filter])
            .output()?;
        if found.is_empty() {
            return Ok(());
        }
        let output = docker
            .call(remove.iter().copied())
            .args(found.lines())
            .run()?;
        // Whoever removes the same fleet at the same time is welcome.
        let gone = |line: &str| {
            line.to_lowercase().contains("no such")
                || line.contains("not found")
                || line.contains("in progress")
        };
        if output.ok() || output.stderr.lines().all(gone) {
            return Ok(());
        }
        Err(RehearsalError::Failed {
            what: format!("removing {name}"),
            status: output.status,
            tail: output.tail(),
        })
    };
    each(&["ps", "--all"], &["rm", "--force", "--volumes"])?;
    each(&["volume", "ls"], &["volume", "rm", "--force"])?;
    firewall::close(docker, name)?;
    // The network goes last: as long as it is there, the fleet can be found.
    each(&["network", "ls"], &["network", "rm"])?;
    let folder = cache.join("fleets").join(name);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Removes the fleets whose owner is dead, and returns their names.
pub(crate) fn sweep(docker: &Docker, cache: &Utf8Path) -> Result<Vec<String>, RehearsalError> {
    // Two that sweep at once would find the volumes in use of containers that the other is still removing.
    let _alone = Lock::take(&cache.join("sweep.lock"))?;
    let format = format!("{{{{.Label \"{FLEET}\"}}}} {{{{.Label \"{OWNER}\"}}}}");
    let found = docker
        .call([
            "network",
            "ls",
            "--filter",
            &format!("label={FLEET}"),
            "--format",
            &format,
        ])
        .output()?;
    let mut removed = Vec::new();
    for (name, owner) in found.lines().filter_map(|line| line.split_once(' ')) {
        if !alive(owner) {
            remove(docker, cache, name)?;
            removed.push(name.to_owned());
        }
    }
    Ok(removed)
}

/// Returns whether the owner still runs; a process number alone may have been given to somebody else.
fn alive(owner: &str) -> bool {
    let Some((pid, since)) = owner.split_once(':') else {
        return owner == "kept";
    };
    pid.parse()
        .ok()
        .and_then(|pid| start_time(pid).ok())
        .is_some_and(|time| time == since)
}

/// Returns when a process started, in the kernel's own ticks.
fn start_time(pid: u32) -> Result<String, RehearsalError> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name, in parentheses, may hold spaces; the start time is the 20th field after it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    Ok(after
        .split_whitespace()
        .nth(19)
        .unwrap_or_default()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_alive_until_its_process_ends() {
        let labels = labels("x", Keep::No).unwrap();
        let owner = labels[1].strip_prefix("syntho-rehearsal.owner=").unwrap();
        assert!(alive(owner), "{owner}");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let owner = format!("{}:{}", child.id(), start_time(child.id()).unwrap());
        child.wait().unwrap();
        assert!(!alive(&owner), "{owner}");
    }

    #[test]
    fn a_number_given_to_another_process_is_no_owner() {
        assert!(!alive(&format!("{}:1", std::process::id())));
    }

    #[test]
    fn a_kept_fleet_has_no_owner_to_die() {
        assert!(alive("kept"));
        assert!(!alive(""));
    }
}
