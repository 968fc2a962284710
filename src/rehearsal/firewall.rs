//! The one rule that the second engine needs on the machine below.
//!
//! Docker on the machine drops what it does not know from being forwarded, and where bridged packets go through the firewall too,
//! that includes packets between two VMs. The machine's own engine lets its networks through; the second one keeps its hands off
//! the firewall, so each fleet has one rule, with its name as comment, for as long as it is up.

use super::engine::{Docker, as_root};
use super::error::RehearsalError;

/// Returns the name of a fleet's bridge; the kernel allows 15 characters.
pub(crate) fn bridge(fleet: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("rh-{}", super::recipes::short_hex(&Sha256::digest(fleet)))
}

/// Lets the VMs of a fleet reach each other.
pub(crate) fn open(docker: &Docker, fleet: &str) -> Result<(), RehearsalError> {
    if !needed(docker) || has_rule(fleet)? {
        return Ok(());
    }
    as_root("iptables")
        .args(["--wait", "10", "--insert"])
        .args(rule(fleet))
        .output()
        .map(drop)
}

/// Takes the rule away again; nothing there is success.
pub(crate) fn close(docker: &Docker, fleet: &str) -> Result<(), RehearsalError> {
    if !needed(docker) || !has_rule(fleet)? {
        return Ok(());
    }
    let output = as_root("iptables")
        .args(["--wait", "10", "--delete"])
        .args(rule(fleet))
        .run()?;
    // Whoever takes down the same fleet at the same time is welcome.
    if output.ok() || !has_rule(fleet)? {
        return Ok(());
    }
    let what = format!("removing the firewall rule of {fleet}");
    Err(RehearsalError::Failed {
        what,
        status: output.status,
        tail: output.tail(),
    })
}

fn needed(docker: &Docker) -> bool {
    let bridged = fs_err::read_to_string("/proc/sys/net/bridge/bridge-nf-call-iptables");
    // Without the file, bridged packets do not go through the firewall.
    docker.is_own() && bridged.is_ok_and(|value| value.trim() == "1")
}

fn has_rule(fleet: &str) -> Result<bool, RehearsalError> {
    Ok(as_root("iptables")
        .args(["--wait", "10", "--check"])
        .args(rule(fleet))
        .run()?
        .ok())
}

fn rule(fleet: &str) -> Vec<String> {
    let bridge = bridge(fleet);
    [
        "FORWARD",
        "-i",
        &bridge,
        "-o",
        &bridge,
        "-m",
        "comment",
        "--comment",
        &format!("rehearsal-{fleet}"),
        "-j",
        "ACCEPT",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_name_fits_the_kernel() {
        let long = bridge("a-fleet-with-a-very-long-name-indeed");
        assert_eq!(long.len(), 15);
        assert_ne!(long, bridge("another"));
    }
}
