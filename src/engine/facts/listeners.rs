//! Reads who listens on which TCP port, from `ss` where the host has it and from /proc where not.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::script::Told;
use crate::model::facts::Listener;

/// Returns the listening sockets, sorted by port. What `ss` or /proc told root is fuller; the caller hands over the fullest.
pub(super) fn listeners(told: &Told) -> Vec<Listener> {
    let by_ss: Vec<Listener> = told.all("ss").filter_map(ss_line).collect();
    let mut found = if by_ss.is_empty() {
        by_proc(told)
    } else {
        by_ss
    };
    found.sort_by(|a, b| (a.port, &a.address).cmp(&(b.port, &b.address)));
    found.dedup();
    found
}

/// Reads `LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=7,fd=3))`.
fn ss_line(line: &str) -> Option<Listener> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.first() != Some(&"LISTEN") {
        return None;
    }
    let (address, port) = words.get(3)?.rsplit_once(':')?;
    let process = line
        .split_once("users:((\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name.to_owned());
    Some(Listener {
        address: plain(address),
        port: port.parse().ok()?,
        process,
    })
}

/// Takes brackets and the interface off an address; `*` means every address of both families.
fn plain(address: &str) -> String {
    let address = address.split('%').next().unwrap_or(address);
    match address.trim_matches(['[', ']']) {
        "*" => "::".to_owned(),
        other => other.to_owned(),
    }
}

/// Joins /proc/net/tcp and tcp6 with the sockets that processes hold.
fn by_proc(told: &Told) -> Vec<Listener> {
    let owners: HashMap<&str, &str> = told
        .all("sockets")
        .filter_map(|line| line.split_once('\t'))
        .flat_map(|(process, inodes)| inodes.split_whitespace().map(move |inode| (inode, process)))
        .collect();
    told.all("proc-tcp")
        .chain(told.all("proc-tcp6"))
        .filter_map(|line| proc_line(line, &owners))
        .collect()
}

fn proc_line(line: &str, owners: &HashMap<&str, &str>) -> Option<Listener> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = words.get(1)?.split_once(':')?;
    Some(Listener {
        address: hexadecimal(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        process: words
            .get(9)
            .and_then(|inode| owners.get(inode))
            .map(|name| (*name).to_owned()),
    })
}

/// Reads an address as the kernel prints it: words of four bytes, each in the machine's byte order.
fn hexadecimal(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(16);
    for at in (0..text.len()).step_by(8) {
        let word = u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(Ipv6Addr::from(sixteen).to_string())
}

/// Returns the host port of a container's published port, written `address:port`.
pub(in crate::engine) fn published_port(published: &str) -> Option<u16> {
    let port = published
        .rsplit_once(':')
        .map_or(published, |(_, port)| port);
    port.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn text(listeners: &[Listener]) -> String {
        listeners
            .iter()
            .map(|l| {
                format!(
                    "{}:{}={}",
                    l.address,
                    l.port,
                    l.process.as_deref().unwrap_or("?")
                )
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn by_ss() {
        let told = Told::read(
            "ss\tState  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n\
             ss\tLISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=7,fd=3))\n\
             ss\tLISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*\n\
             ss\tLISTEN 0 4096 [::]:3000 [::]:* users:((\"docker-proxy\",pid=99,fd=4))\n\
             ss\tLISTEN 0 4096 *:8265 *:* users:((\"gcs_server\",pid=5,fd=4))\n",
        );
        insta::assert_snapshot!(text(&listeners(&told)), @"0.0.0.0:22=sshd 127.0.0.53:53=? :::3000=docker-proxy :::8265=gcs_server");
    }

    #[test]
    fn by_proc_where_there_is_no_ss() {
        let told = Told::read(
            "proc-tcp\t   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0\n\
             proc-tcp6\t   0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n\
             sockets\tsystemd-resolve\t4710 4711 \n",
        );
        insta::assert_snapshot!(text(&listeners(&told)), @"127.0.0.1:53=systemd-resolve :::3000=?");
    }

    #[rstest]
    #[case("0.0.0.0:3000", Some(3000))]
    #[case("[::]:3000", Some(3000))]
    #[case("10.0.0.1:6379/tcp", Some(6379))]
    #[case("nonsense", None)]
    fn published(#[case] text: &str, #[case] port: Option<u16>) {
        assert_eq!(published_port(text), port);
    }
}
