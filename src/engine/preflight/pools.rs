//! Docker's networks against the site's: an address that Docker takes for its own is out of reach from that host.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::scene::{Scene, Seat};
use crate::model::check::CheckResult;

/// Networks from which Docker takes one for each new Compose project, unless `default-address-pools` says otherwise.
const DEFAULT_POOLS: &[&str] = &["172.17.0.0/12", "192.168.0.0/16"];

/// Judges the host's Docker networks, present and future, against the addresses of the other hosts and the host's routes.
pub(super) fn pools(scene: Scene<'_>, seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(docker) = seat.docker() else {
        return Vec::new();
    };
    let draft = || seat.draft("docker-networks", "Docker's networks");
    let own: Vec<(&str, IpNet)> = docker
        .networks
        .iter()
        .flat_map(|network| {
            network
                .subnets
                .iter()
                .map(|subnet| (network.name.as_str(), subnet))
        })
        .filter_map(|(name, subnet)| Some((name, subnet.parse().ok()?)))
        .collect();
    let mut results: Vec<CheckResult> = Vec::new();
    for host in &scene.resolved.hosts {
        let swallowed = own
            .iter()
            .find(|(_, net)| net.contains(&host.private_address));
        if let Some((name, net)) = swallowed {
            results.push(
                draft()
                    .because(format!(
                        "{} would look for {} ({}) inside its own Docker",
                        seat.host.name, host.name, host.private_address
                    ))
                    .remedy(
                        "give Docker other address pools, remove that network and restart Docker",
                    )
                    .command(other_pools())
                    .fail(format!(
                        "the Docker network `{name}` is {net}, which holds {}",
                        host.private_address
                    )),
            );
        }
    }
    for (name, net, route) in overlapping_routes(seat, &own) {
        results.push(
            draft()
                .because("what lies behind that route can no longer be reached from this host")
                .remedy("give Docker other address pools, remove that network and restart Docker")
                .command(other_pools())
                .warn(format!(
                    "the Docker network `{name}` is {net}, and a route leads to {route}"
                )),
        );
    }
    results.extend(future(scene, seat));
    if results.is_empty() {
        results.push(draft().pass("no overlap with the site's networks"));
    }
    results
}

/// Finds routes into the site that a Docker network covers or lies in.
fn overlapping_routes<'a>(
    seat: Seat<'_>,
    own: &[(&'a str, IpNet)],
) -> Vec<(&'a str, IpNet, IpNet)> {
    let mut found = Vec::new();
    for route in &seat.facts.routes {
        let Ok(target) = route.destination.parse::<IpNet>() else {
            continue;
        };
        // The default route overlaps with everything, and a Docker network has its own route.
        let is_dockers = own.iter().any(|(_, net)| *net == target) || is_bridge(&route.interface);
        if target.prefix_len() == 0 || is_dockers {
            continue;
        }
        for (name, net) in own {
            if net.contains(&target) || target.contains(net) {
                found.push((*name, *net, target));
            }
        }
    }
    found
}

fn is_bridge(interface: &str) -> bool {
    interface.starts_with("docker") || interface.starts_with("br-")
}

/// Warns when a network that Docker makes later may cover another host. Docker avoids networks to which the host has a route of its own, and knows no others.
fn future(scene: Scene<'_>, seat: Seat<'_>) -> Option<CheckResult> {
    let at_risk: Vec<String> = scene
        .resolved
        .hosts
        .iter()
        .filter(|host| host.name != seat.host.name)
        .filter(|host| {
            in_default_pools(host.private_address) && !routed(seat, host.private_address)
        })
        .map(|host| format!("{} ({})", host.name, host.private_address))
        .collect();
    if at_risk.is_empty() {
        return None;
    }
    Some(
        seat.draft("docker-networks", "Docker's networks")
            .because("Docker takes networks for Compose projects from these ranges, and knows of the site's only those with a route on this host")
            .remedy("give Docker address pools that the site does not use, and restart it")
            .command(other_pools())
            .warn(format!("{} lies in the ranges from which Docker makes networks", at_risk.join(", "))),
    )
}

fn in_default_pools(address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else {
        return false;
    };
    DEFAULT_POOLS
        .iter()
        .filter_map(|pool| pool.parse::<Ipv4Net>().ok())
        .any(|pool| pool.contains(&address))
}

fn routed(seat: Seat<'_>, address: IpAddr) -> bool {
    seat.facts
        .routes
        .iter()
        .filter_map(|route| route.destination.parse::<IpNet>().ok())
        .any(|net| net.prefix_len() > 0 && net.contains(&address))
}

fn other_pools() -> String {
    "sudoedit /etc/docker/daemon.json  # \"default-address-pools\": [{\"base\": \"10.200.0.0/16\", \"size\": 24}], then: sudo systemctl restart docker".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, ip, route, told};
    use super::*;
    use crate::model::docker::NetworkFacts;
    use std::collections::BTreeMap;

    fn network(name: &str, subnet: &str) -> NetworkFacts {
        NetworkFacts {
            name: name.into(),
            subnets: vec![subnet.into()],
            labels: BTreeMap::new(),
        }
    }

    fn judged(sample: &Sample) -> Vec<String> {
        told(&pools(sample.scene(), sample.seat("ui")))
    }

    #[test]
    fn dockers_own_routes_are_no_overlap() {
        let mut sample = Sample::three();
        sample
            .docker("ui")
            .networks
            .push(network("bridge", "172.17.0.0/16"));
        sample
            .on("ui")
            .routes
            .push(route("172.17.0.0/16", "docker0"));
        assert_eq!(
            judged(&sample),
            ["pass docker-networks: no overlap with the site's networks"]
        );
    }

    #[test]
    fn a_network_that_holds_another_host_fails() {
        let mut sample = Sample::three();
        sample
            .docker("ui")
            .networks
            .push(network("bridge", "10.0.0.0/16"));
        sample.on("ui").routes.clear();
        assert_eq!(
            judged(&sample)[1],
            "fail docker-networks: the Docker network `bridge` is 10.0.0.0/16, which holds 10.0.0.12"
        );
    }

    #[test]
    fn a_network_that_covers_a_route_warns() {
        let mut sample = Sample::three();
        sample
            .docker("ui")
            .networks
            .push(network("bridge", "172.17.0.0/16"));
        sample.on("ui").routes.push(route("172.17.5.0/24", "eth1"));
        assert_eq!(
            judged(&sample),
            [
                "warn docker-networks: the Docker network `bridge` is 172.17.0.0/16, and a route leads to 172.17.5.0/24"
            ]
        );
    }

    #[test]
    fn a_host_in_dockers_ranges_without_a_route_warns() {
        let mut sample = Sample::three();
        sample.host("ray-1").private_address = ip("172.20.0.5");
        assert_eq!(
            judged(&sample),
            [
                "warn docker-networks: ray-1 (172.20.0.5) lies in the ranges from which Docker makes networks"
            ]
        );
        sample.on("ui").routes.push(route("172.20.0.0/24", "eth0"));
        assert_eq!(
            judged(&sample),
            ["pass docker-networks: no overlap with the site's networks"]
        );
    }
}
