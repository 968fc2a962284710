//! Which address of each host the others use.
//!
//! A given address must be the host's own, since programs announce it. Otherwise one in a network that all hosts share; never loopback, link-local or an
//! address that Docker made.

use std::net::IpAddr;

use ipnet::IpNet;

use super::ResolveError;
use crate::model::deployment::HostSettings;
use crate::model::facts::HostFacts;

/// Interfaces that container and VM software makes for itself.
const VIRTUAL: [&str; 8] = [
    "lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "cali",
];

/// One address a host may be reached by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    address: IpAddr,
    network: IpNet,
}

/// Settles the address of every host, in the order of `hosts`.
pub(super) fn settle(
    hosts: &[HostSettings],
    facts: &[HostFacts],
) -> Result<Vec<IpAddr>, ResolveError> {
    let mut seen = Vec::with_capacity(hosts.len());
    for host in hosts {
        let facts = facts
            .iter()
            .find(|facts| facts.host == host.name)
            .ok_or_else(|| ResolveError::NoFacts {
                host: host.name.clone(),
            })?;
        seen.push((host, facts, candidates(host, facts)?));
    }
    let shared = shared_network(&seen);
    seen.iter()
        .map(|(host, facts, candidates)| pick(host, facts, candidates, shared))
        .collect()
}

type Seen<'a> = (&'a HostSettings, &'a HostFacts, Vec<Candidate>);

/// Returns the addresses that may be used: the given one alone when there is one.
fn candidates(host: &HostSettings, facts: &HostFacts) -> Result<Vec<Candidate>, ResolveError> {
    let given: Option<IpAddr> = host
        .private_address
        .as_ref()
        .and_then(|text| text.parse().ok());
    let all = facts.addresses.iter().filter_map(|own| {
        let network = IpNet::new(own.address, own.prefix).ok()?.trunc();
        Some((
            own,
            Candidate {
                address: own.address,
                network,
            },
        ))
    });
    if let Some(given) = given {
        let own: Vec<Candidate> = all
            .map(|(_, candidate)| candidate)
            .filter(|c| c.address == given)
            .collect();
        if own.is_empty() {
            return Err(ResolveError::ForeignAddress {
                host: host.name.clone(),
                address: given.to_string(),
                found: list(facts),
            });
        }
        return Ok(own);
    }
    Ok(all
        .filter(|(own, candidate)| {
            is_usable(candidate.address)
                && !VIRTUAL
                    .iter()
                    .any(|prefix| own.interface.starts_with(prefix))
                && !is_docker_made(candidate.address, facts)
        })
        .map(|(_, candidate)| candidate)
        .collect())
}

fn is_usable(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !address.is_multicast() && !link_local
}

/// Returns whether the address belongs to a network of the host's Docker: bridges may have any name.
fn is_docker_made(address: IpAddr, facts: &HostFacts) -> bool {
    let networks = facts.docker.iter().flat_map(|docker| &docker.networks);
    facts.default_address != Some(address)
        && networks
            .flat_map(|network| &network.subnets)
            .filter_map(|subnet| subnet.parse::<IpNet>().ok())
            .any(|subnet| subnet.contains(&address))
}

/// Returns the network in which every host has an address: the one that SSH uses most, then IPv4, then private ones, then the lowest.
fn shared_network(seen: &[Seen<'_>]) -> Option<IpNet> {
    let (_, _, first) = seen.first()?;
    let in_all = |network: &IpNet| {
        seen.iter()
            .all(|(_, _, candidates)| candidates.iter().any(|c| network.contains(&c.address)))
    };
    let ssh = |network: &IpNet| {
        seen.iter()
            .filter(|(host, _, _)| {
                host.address
                    .parse()
                    .is_ok_and(|ip: IpAddr| network.contains(&ip))
            })
            .count()
    };
    let mut shared: Vec<IpNet> = first.iter().map(|c| c.network).filter(in_all).collect();
    shared.sort_by_key(|network| {
        (
            std::cmp::Reverse(ssh(network)),
            network.addr().is_ipv6(),
            !is_private(network.addr()),
            network.to_string(),
        )
    });
    shared.first().copied()
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

fn pick(
    host: &HostSettings,
    facts: &HostFacts,
    candidates: &[Candidate],
    shared: Option<IpNet>,
) -> Result<IpAddr, ResolveError> {
    let ssh: Option<IpAddr> = host.address.parse().ok();
    let among = |wanted: Option<IpAddr>| {
        candidates
            .iter()
            .map(|c| c.address)
            .find(|own| Some(*own) == wanted)
    };
    let in_shared = shared.and_then(|network| {
        let inside = |own: &IpAddr| network.contains(own);
        among(ssh)
            .filter(inside)
            .or_else(|| candidates.iter().map(|c| c.address).find(inside))
    });
    in_shared
        .or_else(|| among(ssh))
        .or_else(|| among(facts.default_address))
        .or(match candidates {
            [only] => Some(only.address),
            _ => None,
        })
        .ok_or_else(|| ResolveError::NoPrivateAddress {
            host: host.name.clone(),
            found: list(facts),
        })
}

fn list(facts: &HostFacts) -> String {
    let addresses: Vec<String> = facts
        .addresses
        .iter()
        .map(|own| format!("{} ({})", own.address, own.interface))
        .collect();
    if addresses.is_empty() {
        "none".to_owned()
    } else {
        addresses.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::InterfaceAddress;
    use crate::model::sample;
    use rstest::rstest;

    /// A host with its SSH address and its interfaces, written `eth0 10.0.0.1/24`.
    fn host(name: &str, ssh: &str, interfaces: &[&str]) -> (HostSettings, HostFacts) {
        let settings = HostSettings {
            name: name.parse().unwrap(),
            address: ssh.to_owned(),
            private_address: None,
            roles: Vec::new(),
            host_key: None,
            login: crate::model::answers::SshSection::default(),
        };
        let mut facts = sample::facts(&settings.name, "10.9.9.9".parse().unwrap());
        facts.default_address = None;
        facts.addresses = interfaces
            .iter()
            .map(|text| {
                let (interface, network) = text.split_once(' ').unwrap();
                let network: IpNet = network.parse().unwrap();
                InterfaceAddress {
                    interface: interface.to_owned(),
                    address: network.addr(),
                    prefix: network.prefix_len(),
                }
            })
            .collect();
        (settings, facts)
    }

    fn settled(hosts: &[(HostSettings, HostFacts)]) -> Result<Vec<String>, String> {
        let (settings, facts): (Vec<_>, Vec<_>) = hosts.iter().cloned().unzip();
        settle(&settings, &facts)
            .map(|addresses| addresses.iter().map(ToString::to_string).collect())
            .map_err(|error| error.to_string())
    }

    #[rstest]
    #[case::ssh_address("10.0.0.1", &["eth0 10.0.0.1/24", "eth1 10.1.0.1/24"], "10.0.0.2", &["eth0 10.0.0.2/24"], ["10.0.0.1", "10.0.0.2"])]
    #[case::network_both_share("a.example", &["eth0 203.0.113.5/24", "eth1 10.1.0.1/24"], "b.example", &["eth0 198.51.100.7/24", "eth1 10.1.0.2/24"], ["10.1.0.1", "10.1.0.2"])]
    #[case::reached_from_outside("203.0.113.5", &["eth0 10.0.0.1/24"], "203.0.113.6", &["eth0 10.0.0.2/24"], ["10.0.0.1", "10.0.0.2"])]
    #[case::never_docker("a", &["docker0 172.17.0.1/16", "eth0 10.0.0.1/24"], "b", &["docker0 172.17.0.1/16", "eth0 10.0.0.2/24"], ["10.0.0.1", "10.0.0.2"])]
    #[case::different_networks("10.0.0.1", &["eth0 10.0.0.1/24"], "10.0.1.1", &["eth0 10.0.1.1/24"], ["10.0.0.1", "10.0.1.1"])]
    #[case::not_link_local("a", &["eth0 169.254.1.1/16", "eth1 fd00::1/64"], "b", &["eth0 169.254.1.2/16", "eth1 fd00::2/64"], ["fd00::1", "fd00::2"])]
    fn two_hosts(
        #[case] ssh_a: &str,
        #[case] a: &[&str],
        #[case] ssh_b: &str,
        #[case] b: &[&str],
        #[case] expected: [&str; 2],
    ) {
        let hosts = [host("a", ssh_a, a), host("b", ssh_b, b)];
        assert_eq!(settled(&hosts).unwrap(), expected);
    }

    #[test]
    fn a_given_address_must_be_the_hosts_own() {
        let mut given = host(
            "a",
            "a.example",
            &["eth0 203.0.113.5/24", "eth1 10.1.0.1/24"],
        );
        given.0.private_address = Some("203.0.113.5".to_owned());
        assert_eq!(settled(&[given.clone()]).unwrap(), ["203.0.113.5"]);
        given.0.private_address = Some("10.7.7.7".to_owned());
        let error = settled(&[given]).unwrap_err();
        assert!(
            error.contains("10.7.7.7 is not an address of host `a`"),
            "{error}"
        );
        assert!(error.contains("10.1.0.1 (eth1)"), "{error}");
    }

    #[test]
    fn several_addresses_and_no_clue_is_an_error() {
        let error = settled(&[
            host("a", "a.example", &["eth0 10.0.0.1/24", "eth1 10.1.0.1/24"]),
            host("b", "b.example", &["eth0 10.2.0.1/24"]),
        ])
        .unwrap_err();
        assert!(error.contains("no address of host `a`"), "{error}");
    }

    #[test]
    fn an_address_in_a_network_of_docker_is_not_the_hosts() {
        let mut odd = host("a", "local", &["lab0 172.30.0.1/16", "eth0 10.0.0.1/24"]);
        let docker = odd.1.docker.as_mut().unwrap();
        docker.networks[0].subnets = vec!["172.30.0.0/16".to_owned()];
        assert_eq!(settled(&[odd]).unwrap(), ["10.0.0.1"]);
    }
}
