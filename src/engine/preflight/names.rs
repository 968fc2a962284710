//! Name resolution between hosts.

use super::lookups::Lookups;
use super::scene::{Scene, Seat};
use crate::model::check::CheckResult;

/// Judges whether the host's own name and the names that the answers use for other hosts resolve on it.
pub(super) fn names(scene: Scene<'_>, seat: Seat<'_>, lookups: &Lookups) -> Vec<CheckResult> {
    let draft = seat.draft("names", "Name resolution");
    if !lookups.names_tried {
        return vec![
            draft
                .because("the host has no `getent`")
                .warn("could not be tried"),
        ];
    }
    let mut results: Vec<CheckResult> = unresolved(scene, seat, lookups).into_iter().collect();
    results.extend(astray(scene, seat, lookups));
    if results.is_empty() {
        results.push(draft.pass(match lookups.names.len() {
            1 => "its own name resolves".to_owned(),
            names => format!("{names} names resolve"),
        }));
    }
    results
}

/// Finds names that do not resolve.
fn unresolved(scene: Scene<'_>, seat: Seat<'_>, lookups: &Lookups) -> Option<CheckResult> {
    let lost: Vec<&String> = lookups
        .names
        .iter()
        .filter(|(_, addresses)| addresses.is_empty())
        .map(|(name, _)| name)
        .collect();
    if lost.is_empty() {
        return None;
    }
    let lines: Vec<String> = lost
        .iter()
        .map(|name| format!("'{} {name}'", address_for(scene, seat, name)))
        .collect();
    let names: Vec<String> = lost.iter().map(|name| format!("`{name}`")).collect();
    let cause = if lost.contains(&&seat.facts.hostname) {
        "sudo and software that looks up its own name wait for the time-out each time"
    } else {
        "the answers use these names; the hosts are given addresses, so the deployment works without"
    };
    Some(
        seat.draft("names", "Name resolution")
            .because(cause)
            .remedy("enter them in the site's DNS or in /etc/hosts")
            .mended_by(format!(
                "printf '%s\\n' {} | sudo tee -a /etc/hosts",
                lines.join(" ")
            ))
            .warn(format!(
                "{} cannot be resolved on this host",
                names.join(", ")
            )),
    )
}

/// Finds names of other hosts that lead to some other machine.
fn astray(scene: Scene<'_>, seat: Seat<'_>, lookups: &Lookups) -> Vec<CheckResult> {
    let others = scene
        .seats()
        .filter(|other| other.host.name != seat.host.name);
    others
        .filter_map(|other| {
            let found = lookups.names.get(&other.host.address)?;
            let theirs = &other.facts.addresses;
            let right = found.iter().any(|a| theirs.iter().any(|own| own.address == *a));
            (!found.is_empty() && !right).then(|| {
                seat.draft("names", "Name resolution")
                    .because(format!("{} has none of these addresses", other.host.name))
                    .remedy("correct the entry in the site's DNS or in /etc/hosts, if anything on the hosts uses that name")
                    .warn(format!("`{}` resolves to {}", other.host.address, listed(found)))
            })
        })
        .collect()
}

fn listed(addresses: &[std::net::IpAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the address that a name should have.
fn address_for(scene: Scene<'_>, seat: Seat<'_>, name: &str) -> String {
    if name == seat.facts.hostname {
        return "127.0.1.1".to_owned();
    }
    scene
        .resolved
        .hosts
        .iter()
        .find(|host| host.address == name)
        .map_or_else(
            || "ADDRESS".to_owned(),
            |host| host.private_address.to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, ip, told};
    use super::*;

    fn resolving(pairs: &[(&str, &[&str])]) -> Lookups {
        Lookups {
            names: pairs
                .iter()
                .map(|(name, found)| ((*name).to_owned(), found.iter().map(|a| ip(a)).collect()))
                .collect(),
            names_tried: true,
            ..Lookups::default()
        }
    }

    fn judged(sample: &Sample, lookups: &Lookups) -> Vec<String> {
        told(&names(sample.scene(), sample.seat("ui"), lookups))
    }

    #[test]
    fn names_that_resolve_pass() {
        let sample = Sample::three();
        assert_eq!(
            judged(&sample, &resolving(&[("ui", &["127.0.1.1"])])),
            ["pass names: its own name resolves"]
        );
    }

    #[test]
    fn names_that_do_not_resolve_are_listed_with_the_line_to_add() {
        let mut sample = Sample::three();
        sample.host("ray-1").address = "ray.acme.example".into();
        let lookups = resolving(&[("ui", &["127.0.1.1"]), ("ray.acme.example", &[])]);
        let result = names(sample.scene(), sample.seat("ui"), &lookups).remove(0);
        assert_eq!(
            result.found,
            "`ray.acme.example` cannot be resolved on this host"
        );
        assert_eq!(
            result.command.as_deref(),
            Some("printf '%s\\n' '10.0.0.12 ray.acme.example' | sudo tee -a /etc/hosts")
        );
    }

    #[test]
    fn a_name_of_another_machine_is_told() {
        let mut sample = Sample::three();
        sample.host("ray-1").address = "ray.acme.example".into();
        let lookups = resolving(&[("ui", &["10.0.0.11"]), ("ray.acme.example", &["10.9.9.9"])]);
        assert_eq!(
            judged(&sample, &lookups),
            ["warn names: `ray.acme.example` resolves to 10.9.9.9"]
        );
    }

    #[test]
    fn without_getent_nothing_is_claimed() {
        let sample = Sample::three();
        assert_eq!(
            judged(&sample, &Lookups::default()),
            ["warn names: could not be tried"]
        );
    }
}
