//! The subnet of a fleet: one that neither the machine's routes nor another fleet uses.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::call::Output;
use super::engine::Docker;
use super::error::RehearsalError;
use super::firewall;
use super::spec::{AirGap, FleetSpec};

/// The second byte of the subnets that are tried: `10.77.N.0/24`. The last of them is the second engine's own.
const SECOND_BYTE: u8 = 77;
/// The host number of the first VM; the ones below are for the gateway and the registry.
const FIRST_VM: usize = 11;
/// The host number of the registry.
const REGISTRY: usize = 2;

/// Returns the name of a fleet's network.
pub(crate) fn name(fleet: &str) -> String {
    format!("rehearsal-{fleet}")
}

/// Creates the network of a fleet in the subnet it wants or the first free one, and returns the subnet.
pub(crate) fn create(
    docker: &Docker,
    spec: &FleetSpec,
    labels: &[String],
) -> Result<Ipv4Net, RehearsalError> {
    let routes = machine_routes(&fs_err::read_to_string("/proc/net/route")?);
    let candidates: Vec<Ipv4Net> = match spec.subnet {
        Some(subnet) => vec![subnet],
        None => candidates()
            .filter(|subnet| !routes.iter().any(|route| overlap(*route, *subnet)))
            .collect(),
    };
    for subnet in candidates {
        let output = try_create(docker, spec, labels, subnet)?;
        if output.ok() {
            return Ok(subnet);
        }
        if output.stderr.contains("already exists") {
            return Err(RehearsalError::AlreadyUp {
                name: spec.name.clone(),
            });
        }
        // Another fleet may have taken it since the routes were read.
        if spec.subnet.is_some() || !output.stderr.contains("overlap") {
            return Err(RehearsalError::Failed {
                what: format!("the network {subnet}"),
                status: output.status,
                tail: output.tail(),
            });
        }
    }
    Err(RehearsalError::NoSubnet)
}

fn try_create(
    docker: &Docker,
    spec: &FleetSpec,
    labels: &[String],
    subnet: Ipv4Net,
) -> Result<Output, RehearsalError> {
    let masquerade = spec.air_gap == AirGap::Open;
    docker
        .call([
            "network",
            "create",
            "--driver",
            "bridge",
            "--subnet",
            &subnet.to_string(),
        ])
        .args(["--gateway", &gateway(subnet).to_string()])
        .args([
            "--opt",
            &format!("com.docker.network.bridge.enable_ip_masquerade={masquerade}"),
        ])
        .args(labels.iter().flat_map(|label| ["--label", label]))
        .args([
            "--opt",
            &format!(
                "com.docker.network.bridge.name={}",
                firewall::bridge(&spec.name)
            ),
        ])
        .arg(name(&spec.name))
        .run()
}

/// Returns the address of the machine below in the subnet.
pub(crate) fn gateway(subnet: Ipv4Net) -> Ipv4Addr {
    host(subnet, 1).unwrap_or(subnet.network())
}

/// Returns the address of the registry.
pub(crate) fn registry(subnet: Ipv4Net) -> Ipv4Addr {
    host(subnet, REGISTRY).unwrap_or(subnet.network())
}

/// Returns the address of the VM with this index.
pub(crate) fn vm(subnet: Ipv4Net, index: usize) -> Option<Ipv4Addr> {
    host(subnet, FIRST_VM + index)
}

fn host(subnet: Ipv4Net, number: usize) -> Option<Ipv4Addr> {
    // `hosts` starts with number 1.
    subnet.hosts().nth(number - 1)
}

fn candidates() -> impl Iterator<Item = Ipv4Net> {
    (0..255u8).filter_map(|third| Ipv4Net::new(Ipv4Addr::new(10, SECOND_BYTE, third, 0), 24).ok())
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Reads the kernel's routing table; the default route covers everything and says nothing.
fn machine_routes(table: &str) -> Vec<Ipv4Net> {
    let address = |hex: &str| {
        u32::from_str_radix(hex, 16)
            .ok()
            .map(|number| Ipv4Addr::from(number.to_be()))
    };
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (to, mask) = (address(fields.get(1)?)?, address(fields.get(7)?)?);
            Ipv4Net::with_netmask(to, mask).ok()
        })
        .filter(|route| route.prefix_len() > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
        br-1\t00014D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

    #[test]
    fn routes_are_read_and_the_default_is_left_out() {
        let routes: Vec<String> = machine_routes(TABLE)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(routes, ["172.17.0.0/16", "10.77.1.0/24"]);
    }

    #[test]
    fn taken_subnets_are_passed_over() {
        let routes = machine_routes(TABLE);
        let free: Vec<Ipv4Net> = candidates()
            .filter(|subnet| !routes.iter().any(|route| overlap(*route, *subnet)))
            .take(2)
            .collect();
        assert_eq!(
            free,
            [
                "10.77.0.0/24".parse().unwrap(),
                "10.77.2.0/24".parse().unwrap()
            ]
        );
    }

    #[test]
    fn addresses_have_fixed_places() {
        let subnet: Ipv4Net = "10.77.3.0/24".parse().unwrap();
        assert_eq!(gateway(subnet).to_string(), "10.77.3.1");
        assert_eq!(registry(subnet).to_string(), "10.77.3.2");
        assert_eq!(vm(subnet, 2).unwrap().to_string(), "10.77.3.13");
    }
}
