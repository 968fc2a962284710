//! The commands that open a port in the firewalls that hosts have.

use std::net::IpAddr;

use super::scene::Seat;

/// A firewall by the program that administers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firewall {
    /// firewalld, on Red Hat's and SUSE's systems.
    Firewalld,
    /// ufw, on Ubuntu.
    Ufw,
    /// nftables by itself.
    Nft,
    /// iptables by itself.
    Iptables,
}

impl Firewall {
    /// Every form, in the order in which the sheet for the customer's IT shows them.
    pub const ALL: [Self; 4] = [Self::Ufw, Self::Firewalld, Self::Nft, Self::Iptables];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Firewalld => "firewalld",
            Self::Ufw => "ufw",
            Self::Nft => "nft",
            Self::Iptables => "iptables",
        }
    }

    /// Returns the command, to be run on the host that listens, which lets `source` (everybody, when `None`) connect to these TCP ports.
    #[must_use]
    pub fn open(self, source: Option<IpAddr>, ports: (u16, u16)) -> String {
        let family = match source {
            Some(IpAddr::V6(_)) => "6",
            _ => "4",
        };
        let joined = |separator: char| match ports {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}{separator}{last}"),
        };
        match self {
            Self::Ufw => {
                let from = source.map_or_else(|| "any".to_owned(), |ip| ip.to_string());
                format!(
                    "sudo ufw allow proto tcp from {from} to any port {}",
                    joined(':')
                )
            }
            Self::Firewalld => {
                let rule = match source {
                    Some(ip) => format!(
                        "--add-rich-rule='rule family=\"ipv{family}\" source address=\"{ip}\" port port=\"{}\" protocol=\"tcp\" accept'",
                        joined('-')
                    ),
                    None => format!("--add-port={}/tcp", joined('-')),
                };
                format!("sudo firewall-cmd --permanent {rule} && sudo firewall-cmd --reload")
            }
            Self::Nft => {
                let word = if family == "6" { "ip6" } else { "ip" };
                let from = source.map_or_else(String::new, |ip| format!("{word} saddr {ip} "));
                format!(
                    "sudo nft insert rule inet filter input {from}tcp dport {} accept",
                    joined('-')
                )
            }
            Self::Iptables => {
                let program = if family == "6" {
                    "ip6tables"
                } else {
                    "iptables"
                };
                let from = source.map_or_else(String::new, |ip| format!("-s {ip} "));
                format!(
                    "sudo {program} -I INPUT {from}-p tcp --dport {} -j ACCEPT",
                    joined(':')
                )
            }
        }
    }

    /// Returns the firewall a host most likely uses.
    pub(super) fn of(seat: Seat<'_>) -> Self {
        [
            ("firewall-cmd", Self::Firewalld),
            ("ufw", Self::Ufw),
            ("nft", Self::Nft),
        ]
        .into_iter()
        .find(|(tool, _)| seat.has(tool))
        .map_or(Self::Iptables, |(_, firewall)| firewall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let from = Some("10.0.0.5".parse().unwrap());
        let mut all = Vec::new();
        for firewall in Firewall::ALL {
            all.push(firewall.open(from, (6379, 6379)));
            all.push(firewall.open(None, (11000, 11999)));
        }
        insta::assert_snapshot!(all.join("\n"), @r#"
        sudo ufw allow proto tcp from 10.0.0.5 to any port 6379
        sudo ufw allow proto tcp from any to any port 11000:11999
        sudo firewall-cmd --permanent --add-rich-rule='rule family="ipv4" source address="10.0.0.5" port port="6379" protocol="tcp" accept' && sudo firewall-cmd --reload
        sudo firewall-cmd --permanent --add-port=11000-11999/tcp && sudo firewall-cmd --reload
        sudo nft insert rule inet filter input ip saddr 10.0.0.5 tcp dport 6379 accept
        sudo nft insert rule inet filter input tcp dport 11000-11999 accept
        sudo iptables -I INPUT -s 10.0.0.5 -p tcp --dport 6379 -j ACCEPT
        sudo iptables -I INPUT -p tcp --dport 11000:11999 -j ACCEPT
        "#);
    }

    #[test]
    fn addresses_of_version_six() {
        let from = Some("fd00::5".parse().unwrap());
        assert!(
            Firewall::Nft
                .open(from, (1, 1))
                .contains("ip6 saddr fd00::5")
        );
        assert!(
            Firewall::Iptables
                .open(from, (1, 1))
                .starts_with("sudo ip6tables")
        );
    }
}
