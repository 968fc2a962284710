//! Reads addresses and routes, from `ip` where the host has it and from /proc/net where not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::script::Told;
use crate::model::facts::{InterfaceAddress, Route};

/// The host's place in the network.
#[derive(Debug, PartialEq)]
pub(super) struct Network {
    pub(super) addresses: Vec<InterfaceAddress>,
    pub(super) routes: Vec<Route>,
    pub(super) default_address: Option<IpAddr>,
}

/// Reads what the script told of the network.
pub(super) fn network(told: &Told) -> Network {
    let by_ip: Vec<InterfaceAddress> = told.all("addr").filter_map(ip_address).collect();
    if !by_ip.is_empty() {
        return Network {
            addresses: by_ip
                .into_iter()
                .filter(|a| !a.address.is_loopback())
                .collect(),
            routes: told.all("route").filter_map(ip_route).collect(),
            default_address: told.all("route-get").find_map(source_of),
        };
    }
    let table: Vec<ProcRoute> = told.all("proc-route").filter_map(proc_route).collect();
    let mut addresses = local_addresses(told, &table);
    addresses.extend(told.all("if-inet6").filter_map(if_inet6));
    let default_address = table
        .iter()
        .find(|route| route.net.prefix_len() == 0)
        .and_then(|default| {
            addresses
                .iter()
                .find(|a| a.interface == default.interface && a.address.is_ipv4())
        })
        .map(|found| found.address);
    Network {
        default_address,
        routes: table.iter().map(ProcRoute::to_route).collect(),
        addresses,
    }
}

/// Reads `2: eth0    inet 10.0.0.5/24 brd …` of `ip -o addr show`.
fn ip_address(line: &str) -> Option<InterfaceAddress> {
    let mut words = line.split_whitespace().skip(1);
    let interface = words.next()?.trim_end_matches(':');
    let family = words.next()?;
    if !matches!(family, "inet" | "inet6") {
        return None;
    }
    let text = words.next()?;
    // A point-to-point address is told without its prefix.
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, prefix.parse().ok()?),
        None => (text, if family == "inet" { 32 } else { 128 }),
    };
    Some(InterfaceAddress {
        interface: interface_name(interface),
        address: address.parse().ok()?,
        prefix,
    })
}

/// Returns the name before `@`, which is followed by the other end of a virtual pair.
fn interface_name(text: &str) -> String {
    text.split('@').next().unwrap_or(text).to_owned()
}

/// Reads `default via 10.0.0.1 dev eth0 …` of `ip -4 route show`; routes without a device, such as `unreachable`, lead nowhere.
fn ip_route(line: &str) -> Option<Route> {
    let mut words = line.split_whitespace();
    let destination = match words.next()? {
        "default" => "0.0.0.0/0".to_owned(),
        net if net.parse::<Ipv4Net>().is_ok() => net.to_owned(),
        single => format!("{}/32", single.parse::<Ipv4Addr>().ok()?),
    };
    let interface = words.skip_while(|word| *word != "dev").nth(1)?;
    Some(Route {
        destination,
        interface: interface_name(interface),
    })
}

/// Reads the address after `src` of `ip route get`.
fn source_of(line: &str) -> Option<IpAddr> {
    line.split_whitespace()
        .skip_while(|word| *word != "src")
        .nth(1)?
        .parse()
        .ok()
}

/// One line of `/proc/net/route`.
struct ProcRoute {
    interface: String,
    net: Ipv4Net,
    direct: bool,
}

impl ProcRoute {
    fn to_route(&self) -> Route {
        Route {
            destination: self.net.to_string(),
            interface: self.interface.clone(),
        }
    }
}

/// Reads a line of `/proc/net/route`, whose numbers are hexadecimal in the machine's byte order.
fn proc_route(line: &str) -> Option<ProcRoute> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(words.get(at).copied()?, 16).ok();
    let (destination, gateway, mask) = (number(1)?, number(2)?, number(7)?);
    Some(ProcRoute {
        interface: (*words.first()?).to_owned(),
        net: Ipv4Net::with_netmask(address_of(destination), address_of(mask)).ok()?,
        direct: gateway == 0,
    })
}

/// Turns the kernel's number into an address; the supported machines are little-endian.
fn address_of(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(number.to_le_bytes())
}

/// Finds the host's own IPv4 addresses in `/proc/net/fib_trie`, and the interface of each by the network it is in.
fn local_addresses(told: &Told, table: &[ProcRoute]) -> Vec<InterfaceAddress> {
    let mut found: Vec<InterfaceAddress> = Vec::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in told.all("fib") {
        let line = line.trim();
        if let Some(leaf) = line.strip_prefix("|-- ") {
            last = leaf.parse().ok();
        } else if line == "/32 host LOCAL" {
            let Some(address) = last.filter(|a| !a.is_loopback()) else {
                continue;
            };
            if found.iter().any(|a| a.address == IpAddr::V4(address)) {
                continue;
            }
            let route = table
                .iter()
                .find(|route| route.direct && route.net.contains(&address));
            found.push(InterfaceAddress {
                interface: route.map_or_else(String::new, |route| route.interface.clone()),
                address: IpAddr::V4(address),
                prefix: route.map_or(32, |route| route.net.prefix_len()),
            });
        }
    }
    found
}

/// Reads a line of `/proc/net/if_inet6`: address, index, prefix, scope, flags, name.
fn if_inet6(line: &str) -> Option<InterfaceAddress> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let address = Ipv6Addr::from(u128::from_str_radix(words.first()?, 16).ok()?);
    let prefix = u8::from_str_radix(words.get(2)?, 16).ok()?;
    (!address.is_loopback()).then(|| InterfaceAddress {
        interface: words.get(5).copied().unwrap_or_default().to_owned(),
        address: IpAddr::V6(address),
        prefix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(network: &Network) -> String {
        let addresses: Vec<String> = network
            .addresses
            .iter()
            .map(|a| format!("{}={}/{}", a.interface, a.address, a.prefix))
            .collect();
        let routes: Vec<String> = network
            .routes
            .iter()
            .map(|r| format!("{}>{}", r.destination, r.interface))
            .collect();
        format!(
            "{} | {} | {:?}",
            addresses.join(" "),
            routes.join(" "),
            network.default_address
        )
    }

    #[test]
    fn by_ip() {
        let told = Told::read(
            "addr\t1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n\
             addr\t2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\\  valid_lft forever\n\
             addr\t2: eth0    inet6 fe80::1/64 scope link \\  valid_lft forever\n\
             addr\t7: veth1@if6    inet 169.254.3.4/16 scope link veth1\n\
             route\tdefault via 10.0.0.1 dev eth0 proto dhcp\n\
             route\t10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.5\n\
             route\t10.9.9.9 via 10.0.0.7 dev eth0\n\
             route\tunreachable 10.8.0.0/16\n\
             route-get\t8.8.8.8 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 0\n",
        );
        insta::assert_snapshot!(text(&network(&told)), @"eth0=10.0.0.5/24 eth0=fe80::1/64 veth1=169.254.3.4/16 | 0.0.0.0/0>eth0 10.0.0.0/24>eth0 10.9.9.9/32>eth0 | Some(10.0.0.5)");
    }

    #[test]
    fn by_proc_where_there_is_no_ip() {
        let told = Told::read(
            "fib\tMain:\nfib\t        |-- 10.0.0.5\nfib\t           /32 host LOCAL\nfib\t        |-- 10.0.0.255\nfib\t           /32 link BROADCAST\n\
             fib\t        |-- 127.0.0.1\nfib\t           /32 host LOCAL\nfib\tLocal:\nfib\t        |-- 10.0.0.5\nfib\t           /32 host LOCAL\n\
             proc-route\tIface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
             proc-route\teth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
             proc-route\teth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
             if-inet6\t00000000000000000000000000000001 01 80 10 80       lo\n\
             if-inet6\tfe800000000000000000000000000001 02 40 20 80     eth0\n",
        );
        insta::assert_snapshot!(text(&network(&told)), @"eth0=10.0.0.5/24 eth0=fe80::1/64 | 0.0.0.0/0>eth0 10.0.0.0/24>eth0 | Some(10.0.0.5)");
    }

    #[test]
    fn without_a_default_route_no_address_is_announced() {
        let told = Told::read(
            "addr\t2: eth0    inet 10.0.0.5/24 scope global eth0\nroute\t10.0.0.0/24 dev eth0\n",
        );
        assert_eq!(network(&told).default_address, None);
    }
}
