//! What must be different on every host: private address, machine id, host name.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::scene::{Scene, Seat};
use crate::model::check::CheckResult;

/// Judges whether two hosts are one, or look like one.
pub(super) fn identity(scene: Scene<'_>) -> Vec<CheckResult> {
    let seats: Vec<Seat<'_>> = scene.seats().collect();
    let mut results: Vec<CheckResult> = Vec::new();
    let addresses = scene
        .resolved
        .hosts
        .iter()
        .map(|host| (host.private_address.to_string(), host.name.to_string()));
    for (address, hosts) in shared(addresses) {
        results.push(
            Draft::new("address-unique", "Private addresses", None)
                .because("no two hosts can be reached at one address; if they are one machine, it is one host with two roles")
                .remedy("write one host with all its roles, or the right `private-address` of each")
                .fail(format!("{hosts} have the same private address {address}")),
        );
    }
    let ids = seats
        .iter()
        .filter(|seat| !seat.facts.machine_id.is_empty())
        .map(|seat| (seat.facts.machine_id.clone(), seat.host.name.to_string()));
    for (id, hosts) in shared(ids) {
        results.push(same_machine_id(&seats, &id, &hosts));
    }
    let names = seats
        .iter()
        .map(|seat| (seat.facts.hostname.clone(), seat.host.name.to_string()));
    for (name, hosts) in shared(names) {
        results.push(
            Draft::new("hostname-unique", "Host names", None)
                .because("dashboards and logs show host names, and nobody can tell these apart")
                .remedy("give each machine its own name")
                .command("sudo hostnamectl set-hostname NAME")
                .warn(format!("{hosts} are all called `{name}`")),
        );
    }
    if results.is_empty() && !seats.is_empty() {
        results.push(
            Draft::new("identity", "Hosts are different machines", None)
                .pass("addresses, machine ids and host names are all different"),
        );
    }
    results
}

/// Returns the keys that several hosts share, with these hosts in words.
fn shared(pairs: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, host) in pairs {
        hosts.entry(key).or_default().push(host);
    }
    hosts
        .into_iter()
        .filter(|(_, hosts)| hosts.len() > 1)
        .map(|(key, hosts)| (key, hosts.join(" and ")))
        .collect()
}

/// One machine given twice, or machines cloned from one image.
fn same_machine_id(seats: &[Seat<'_>], id: &str, hosts: &str) -> CheckResult {
    let sharing: Vec<&Seat<'_>> = seats
        .iter()
        .filter(|seat| seat.facts.machine_id == id)
        .collect();
    let same_machine = sharing.iter().enumerate().any(|(at, one)| {
        sharing[at + 1..].iter().any(|other| {
            one.facts.hostname == other.facts.hostname
                || one.host.private_address == other.host.private_address
                || one.facts.addresses == other.facts.addresses
        })
    });
    let draft = Draft::new("machine-id", "Machine ids", None);
    let found = format!("{hosts} have the same machine id {id}");
    if same_machine {
        draft
            .because("their host names or addresses are the same, too: this is one machine written down twice")
            .remedy("write one host with all its roles; if they are clones, give each its own id, name and address")
            .command("sudo rm /etc/machine-id && sudo systemd-machine-id-setup && sudo reboot")
            .fail(found)
    } else {
        draft
            .because("they were cloned from one image; DHCP may give both the same address one day")
            .remedy("give each machine its own id")
            .command("sudo rm /etc/machine-id && sudo systemd-machine-id-setup && sudo reboot")
            .warn(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, ip, told};
    use super::*;

    #[test]
    fn three_machines_pass() {
        let sample = Sample::three();
        assert_eq!(
            told(&identity(sample.scene())),
            ["pass identity: addresses, machine ids and host names are all different"]
        );
    }

    #[test]
    fn one_address_for_two_hosts_fails() {
        let mut sample = Sample::three();
        sample.host("ray-2").private_address = ip("10.0.0.12");
        assert_eq!(
            told(&identity(sample.scene())),
            ["fail address-unique: ray-1 and ray-2 have the same private address 10.0.0.12"]
        );
    }

    #[test]
    fn a_cloned_machine_id_warns_and_one_machine_twice_fails() {
        let mut sample = Sample::three();
        sample.on("ray-2").machine_id = "id-of-ray-1".into();
        assert_eq!(
            told(&identity(sample.scene())),
            ["warn machine-id: ray-1 and ray-2 have the same machine id id-of-ray-1"]
        );
        sample.on("ray-2").hostname = "ray-1".into();
        assert_eq!(
            told(&identity(sample.scene())),
            [
                "fail machine-id: ray-1 and ray-2 have the same machine id id-of-ray-1",
                "warn hostname-unique: ray-1 and ray-2 are all called `ray-1`"
            ]
        );
    }
}
