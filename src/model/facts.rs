//! What was found on a host, before anything is decided.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::docker::{ContainerFacts, EngineFacts, ImageFacts, NetworkFacts, VolumeFacts};
use super::ids::HostName;

/// What is known of one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HostFacts {
    /// The host's name in the deployment.
    pub host: HostName,
    /// `PRETTY_NAME` of os-release.
    pub os: String,
    /// `ID` of os-release, such as `ubuntu`.
    pub os_id: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Kernel release.
    pub kernel: String,
    /// Machine architecture as `uname -m` says it.
    pub architecture: String,
    /// Logical CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// Memory available now, in bytes.
    pub memory_available: u64,
    /// The host's own name.
    pub hostname: String,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// Addresses of all interfaces, loopback left out.
    pub addresses: Vec<InterfaceAddress>,
    /// Routes in CIDR form with their device.
    pub routes: Vec<Route>,
    /// Address that a connection to a far address would leave from; what software that guesses its own address will announce. `None` without a default route.
    pub default_address: Option<IpAddr>,
    /// Difference of the host's clock to the operator's, in seconds; positive when the host is ahead.
    pub clock_skew: f64,
    /// File systems that matter: under Docker's root and the deployment's folder.
    pub disks: Vec<Disk>,
    /// Listening TCP ports and who listens.
    pub listeners: Vec<Listener>,
    /// Who logs in and what he may do.
    pub user: UserFacts,
    /// Docker, when its engine answers.
    pub docker: Option<DockerFacts>,
    /// Why Docker could not be asked, when it could not.
    pub docker_problem: Option<DockerProblem>,
    /// Compose's version, and by which command it was reached.
    pub compose: Option<ComposeFacts>,
    /// Hard limit of open files that Docker can give to a container.
    pub nofile_limit: Option<u64>,
    /// Proxy variables in the login environment, names only in lower case, values without credentials.
    pub proxies: BTreeMap<String, String>,
    /// Programs that later steps need and whether they are there.
    pub tools: BTreeMap<String, bool>,
    /// Deployment folders already under the base folder.
    pub folders: Vec<String>,
}

impl HostFacts {
    /// Returns the architecture in Docker's words, such as `amd64` for `x86_64`.
    #[must_use]
    pub fn docker_architecture(&self) -> &str {
        match self.architecture.as_str() {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "armv7l" => "arm",
            "i386" | "i686" => "386",
            other => other,
        }
    }
}

/// One address of one interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InterfaceAddress {
    /// Interface name.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// Prefix length of its network.
    pub prefix: u8,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Route {
    /// Destination in CIDR form; `0.0.0.0/0` for the default route.
    pub destination: String,
    /// Interface it leaves by.
    pub interface: String,
}

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Disk {
    /// The folder that was asked about.
    pub path: String,
    /// Where its file system is mounted.
    pub mount: String,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free for the one who will write.
    pub free: u64,
    /// Inodes free.
    pub free_inodes: u64,
}

/// One listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listener {
    /// Address it listens on.
    pub address: String,
    /// Port.
    pub port: u16,
    /// Process name, when we may see it.
    pub process: Option<String>,
}

/// The login and its rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UserFacts {
    /// Login name.
    pub name: String,
    /// Numeric id.
    pub uid: u32,
    /// Groups by name.
    pub groups: Vec<String>,
    /// How root's rights can be had.
    pub root: RootAccess,
}

/// How root's rights can be had on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootAccess {
    /// The login is root.
    IsRoot,
    /// sudo asks for nothing.
    Passwordless,
    /// sudo wants a password, and one that works is at hand.
    Password,
    /// sudo wants a password and none that works was given.
    PasswordMissing,
    /// sudo is absent or refuses.
    None,
}

/// What the engine on a host holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DockerFacts {
    /// The engine.
    pub engine: EngineFacts,
    /// Whether the login reaches it without root's rights.
    pub as_user: bool,
    /// Its images.
    pub images: Vec<ImageFacts>,
    /// Its containers, stopped ones too.
    pub containers: Vec<ContainerFacts>,
    /// Its networks.
    pub networks: Vec<NetworkFacts>,
    /// Its volumes.
    pub volumes: Vec<VolumeFacts>,
}

/// Why Docker could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum DockerProblem {
    /// No engine is installed.
    Absent,
    /// An engine is installed and does not run.
    Stopped {
        /// What was said.
        detail: String,
    },
    /// The login may not reach it, and root's rights are not to be had.
    Forbidden {
        /// What was said.
        detail: String,
    },
    /// Anything else.
    Other {
        /// What was said.
        detail: String,
    },
}

/// Compose on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComposeFacts {
    /// Version, such as `2.26.1`.
    pub version: String,
    /// The command that reaches it: `docker compose` or `docker-compose`.
    pub command: Vec<String>,
}
