//! The list of hosts: added, edited, duplicated, removed, pasted, imported, and given roles.

use serde::{Deserialize, Serialize};

use super::Wizard;
use super::paste::Pasted;
use crate::model::ids::HostName;

/// One host as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostDraft {
    /// A number of its own while the program runs; it does not change when hosts before it are removed.
    #[serde(skip)]
    pub slot: u64,
    /// Its name here.
    pub name: String,
    /// Where SSH reaches it.
    pub address: String,
    /// What it is for.
    pub roles: Vec<String>,
    /// How the other hosts reach it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub private_address: String,
    /// Login name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// TCP port.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// Private key file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Jump host.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jump: String,
    /// Whether root's rights are used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sudo: String,
    /// The fingerprint of its key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host_key: String,
}

/// A part of a host that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostPart {
    /// Its name here.
    Name,
    /// Where SSH reaches it.
    Address,
    /// Login name.
    User,
    /// How the other hosts reach it.
    PrivateAddress,
    /// TCP port.
    Port,
    /// Private key file.
    KeyFile,
    /// Jump host.
    Jump,
    /// Whether root's rights are used.
    Sudo,
    /// The fingerprint of its key.
    HostKey,
}

impl HostPart {
    /// Every part, in the order in which they are asked.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Address,
        Self::User,
        Self::PrivateAddress,
        Self::Port,
        Self::KeyFile,
        Self::Jump,
        Self::Sudo,
        Self::HostKey,
    ];

    /// Returns its key in the answers file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::User => "user",
            Self::PrivateAddress => "private-address",
            Self::Port => "port",
            Self::KeyFile => "key",
            Self::Jump => "jump",
            Self::Sudo => "sudo",
            Self::HostKey => "host-key",
        }
    }

    /// Returns the part with this key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.key() == key)
    }

    /// Returns whether a change of it makes what was learned of the host worthless.
    #[must_use]
    pub fn leads_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Address | Self::User | Self::Port | Self::KeyFile | Self::Jump
        )
    }
}

impl HostDraft {
    /// Returns a part, unless it is empty.
    #[must_use]
    pub fn part(&self, part: HostPart) -> Option<&str> {
        let text = match part {
            HostPart::Name => &self.name,
            HostPart::Address => &self.address,
            HostPart::User => &self.user,
            HostPart::PrivateAddress => &self.private_address,
            HostPart::Port => &self.port,
            HostPart::KeyFile => &self.key,
            HostPart::Jump => &self.jump,
            HostPart::Sudo => &self.sudo,
            HostPart::HostKey => &self.host_key,
        };
        Some(text.as_str()).filter(|text| !text.is_empty())
    }

    pub(super) fn set(&mut self, part: HostPart, text: Option<String>) {
        let place = match part {
            HostPart::Name => &mut self.name,
            HostPart::Address => &mut self.address,
            HostPart::User => &mut self.user,
            HostPart::PrivateAddress => &mut self.private_address,
            HostPart::Port => &mut self.port,
            HostPart::KeyFile => &mut self.key,
            HostPart::Jump => &mut self.jump,
            HostPart::Sudo => &mut self.sudo,
            HostPart::HostKey => &mut self.host_key,
        };
        *place = text.unwrap_or_default();
    }

    /// Returns its name, or one that stands in while its own is not good, so that the other rules can be judged.
    #[must_use]
    pub fn name_or_stand_in(&self, number: usize) -> Option<HostName> {
        self.name
            .parse()
            .or_else(|_| format!("host-number-{}", number + 1).parse())
            .ok()
    }
}

impl Wizard {
    /// Adds an empty host at the end and returns its number.
    pub fn add_host(&mut self) -> usize {
        self.put_host(self.draft.hosts.len(), HostDraft::default())
    }

    /// Adds a copy of a host behind it, with a name of its own and no address; returns its number.
    pub fn duplicate_host(&mut self, number: usize) -> Option<usize> {
        let original = self.draft.hosts.get(number)?;
        let copy = HostDraft {
            slot: 0,
            name: self.free_name(&original.name),
            address: String::new(),
            private_address: String::new(),
            host_key: String::new(),
            ..original.clone()
        };
        Some(self.put_host(number + 1, copy))
    }

    /// Removes a host and returns it.
    pub fn remove_host(&mut self, number: usize) -> Option<HostDraft> {
        if number >= self.draft.hosts.len() {
            return None;
        }
        self.revision += 1;
        let host = self.draft.hosts.remove(number);
        self.facts.remove(&host.slot);
        Some(host)
    }

    /// Gives a host a role, or takes it away.
    pub fn toggle_role(&mut self, number: usize, role: &str) {
        let Some(host) = self.draft.hosts.get_mut(number) else {
            return;
        };
        self.revision += 1;
        match host.roles.iter().position(|own| own == role) {
            Some(at) => drop(host.roles.remove(at)),
            None => host.roles.push(role.to_owned()),
        }
        // The order of the preset, so that the same roles make the same file.
        if let Some(preset) = &self.preset {
            let rank = |role: &String| preset.roles.iter().position(|own| own.id.as_str() == role);
            host.roles.sort_by_key(rank);
        }
    }

    /// Adds hosts that were pasted or imported; one whose address is there already is left out. Returns how many were added.
    pub fn add_hosts(&mut self, hosts: Vec<Pasted>) -> usize {
        let before = self.draft.hosts.len();
        for host in hosts {
            let known = |own: &HostDraft| own.address == host.address && own.port == host.port;
            if self.draft.hosts.iter().any(known) {
                continue;
            }
            let draft = HostDraft {
                name: self.free_name(&host.name),
                address: host.address,
                user: host.user,
                port: host.port,
                ..HostDraft::default()
            };
            self.put_host(self.draft.hosts.len(), draft);
        }
        self.draft.hosts.len() - before
    }

    fn put_host(&mut self, at: usize, host: HostDraft) -> usize {
        self.draft.hosts.insert(at, host);
        self.draft.number_hosts();
        self.revision += 1;
        at
    }

    /// Returns `name`, with a number behind it when another host has it.
    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.draft.hosts.iter().any(|host| host.name == name);
        if name.is_empty() || !taken(name) {
            return name.to_owned();
        }
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (stem, number) = name.split_at(name.len() - digits);
        let stem = if digits == 0 {
            format!("{name}-")
        } else {
            stem.to_owned()
        };
        let first: u64 = number
            .parse()
            .map_or(2, |number: u64| number.saturating_add(1));
        // One more number than there are hosts is enough to find a free one.
        let last = first.saturating_add(self.draft.hosts.len() as u64);
        (first..=last)
            .map(|number| format!("{stem}{number}"))
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}
