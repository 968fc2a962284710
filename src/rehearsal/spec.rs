//! What a fleet should look like, as data.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Which Docker Engine a VM has inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum InnerEngine {
    /// Debian 13's 26.1 with the Compose plugin v2.
    #[default]
    Current,
    /// Debian 12's own 20.10 with Compose 1.29 and no plugin.
    Distro,
}

impl InnerEngine {
    /// Returns the name that the image recipe uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Distro => "distro",
        }
    }
}

/// Which sudo a VM has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sudo {
    /// The usual one.
    #[default]
    Classic,
    /// sudo-rs, whose prompts and messages differ.
    Rs,
}

/// From where a VM can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// From the machine below and from the other VMs.
    #[default]
    Direct,
    /// From the other VMs only; the machine below must jump over one of them.
    JumpOnly,
}

/// Whether the VMs can reach anything but each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AirGap {
    /// No: what leaves the subnet is refused at once, and names outside the fleet are not resolved.
    #[default]
    Sealed,
    /// Yes, as far as the machine below lets them; not possible on the second engine.
    Open,
}

/// Whether a fleet outlives the value that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// No: it is taken down when the value is dropped, and by the next run when this one is killed.
    #[default]
    No,
    /// Yes, until somebody takes it down by name.
    Yes,
}

/// One VM of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmSpec {
    /// Its host name.
    pub name: String,
    /// Its address; the next free one of the subnet when not given.
    pub address: Option<Ipv4Addr>,
    /// Its Docker Engine.
    pub engine: InnerEngine,
    /// Its sudo.
    pub sudo: Sudo,
    /// From where it can be reached.
    pub reach: Reach,
    /// Its memory limit in MiB; the machine's memory when not given.
    pub memory_mb: Option<u32>,
    /// The size in MiB of a disk of its own below `/var/lib/docker`; the machine's disk when not given.
    pub disk_mb: Option<u32>,
    /// Images of the rehearsal's engine that its Docker holds from the start.
    pub images: Vec<String>,
}

impl VmSpec {
    /// Describes an ordinary VM.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: None,
            engine: InnerEngine::default(),
            sudo: Sudo::default(),
            reach: Reach::default(),
            memory_mb: None,
            disk_mb: None,
            images: Vec::new(),
        }
    }

    /// Gives it another Docker Engine.
    #[must_use]
    pub fn engine(mut self, engine: InnerEngine) -> Self {
        self.engine = engine;
        self
    }

    /// Gives it another sudo.
    #[must_use]
    pub fn sudo(mut self, sudo: Sudo) -> Self {
        self.sudo = sudo;
        self
    }

    /// Makes it reachable only by a jump over another VM.
    #[must_use]
    pub fn jump_only(mut self) -> Self {
        self.reach = Reach::JumpOnly;
        self
    }

    /// Limits its memory.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u32) -> Self {
        self.memory_mb = Some(megabytes);
        self
    }

    /// Gives it a disk of its own for Docker.
    #[must_use]
    pub fn disk_mb(mut self, megabytes: u32) -> Self {
        self.disk_mb = Some(megabytes);
        self
    }

    /// Puts images of the rehearsal's engine into its Docker.
    #[must_use]
    pub fn images<I>(mut self, images: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.images = images.into_iter().map(Into::into).collect();
        self
    }
}

/// A whole fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetSpec {
    /// Names it among the fleets of this machine; letters, digits and hyphens.
    pub name: String,
    /// Its VMs.
    pub vms: Vec<VmSpec>,
    /// Its subnet; a free one when not given.
    pub subnet: Option<Ipv4Net>,
    /// Whether it is cut off.
    pub air_gap: AirGap,
    /// Whether it outlives its value.
    pub keep: Keep,
    /// A folder that all VMs have in common, mounted in each as storage from elsewhere would be; none when not given.
    pub shared: Option<String>,
}

impl FleetSpec {
    /// Describes a fleet of ordinary VMs with a fixed name.
    #[must_use]
    pub fn new(name: impl Into<String>, vms: &[&str]) -> Self {
        Self {
            name: name.into(),
            vms: vms.iter().map(|&vm| VmSpec::new(vm)).collect(),
            subnet: None,
            air_gap: AirGap::default(),
            keep: Keep::default(),
            shared: None,
        }
    }

    /// Describes a fleet whose name starts with `prefix` and that nobody else has.
    #[must_use]
    pub fn unique(prefix: &str, vms: &[&str]) -> Self {
        Self::new(format!("{prefix}-{:08x}", rand::random::<u32>()), vms)
    }

    /// Adds a VM.
    #[must_use]
    pub fn vm(mut self, vm: VmSpec) -> Self {
        self.vms.push(vm);
        self
    }

    /// Chooses the subnet.
    #[must_use]
    pub fn subnet(mut self, subnet: Ipv4Net) -> Self {
        self.subnet = Some(subnet);
        self
    }

    /// Lets the VMs reach the outside.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.air_gap = AirGap::Open;
        self
    }

    /// Gives every VM the same folder at this path: a mount, as of a file server that no kernel here could offer.
    #[must_use]
    pub fn shared(mut self, folder: impl Into<String>) -> Self {
        self.shared = Some(folder.into());
        self
    }

    /// Lets it outlive its value.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.keep = Keep::Yes;
        self
    }
}
