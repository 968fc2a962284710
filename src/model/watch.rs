//! What a look at a running deployment tells: each host's machine and services, as often as they are read.

use jiff::Timestamp;

use super::failure::Failure;
use super::ids::HostName;
use super::log::LogRecord;

/// One thing seen while a deployment is watched.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Watched {
    /// A host is being reached.
    Connecting {
        /// Which.
        host: HostName,
    },
    /// A host was read.
    Read {
        /// Which.
        host: HostName,
        /// What it told.
        reading: Box<HostReading>,
    },
    /// A host could not be reached or read; what was read before is old from now on.
    Lost {
        /// Which.
        host: HostName,
        /// Why.
        failure: Failure,
        /// When it is tried again; `None` when only the operator can change it.
        again: Option<Timestamp>,
    },
    /// A container printed a line.
    Logged(LogRecord),
    /// The lines of a host do not come at present.
    LogsBroken {
        /// Which.
        host: HostName,
        /// Why.
        why: String,
    },
}

/// A host at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HostReading {
    /// When it was read, by our clock.
    pub time: Timestamp,
    /// The machine.
    pub machine: MachineReading,
    /// Its services, those without a container among them; `Err` when its Docker did not answer.
    pub services: Result<Vec<ServiceReading>, Failure>,
}

/// A machine at one moment; what it did not tell is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MachineReading {
    /// Processes that want to run, on average over a minute, in hundredths.
    pub load: Option<u32>,
    /// Processors.
    pub cpus: Option<u32>,
    /// Memory.
    pub memory: Option<Share>,
    /// The disk that holds Docker's folder.
    pub disk: Option<Share>,
    /// Its clock, for ages that do not depend on ours.
    pub clock: Option<Timestamp>,
}

/// A part of something, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Taken.
    pub used: u64,
    /// In all; 0 without a limit.
    pub total: u64,
}

impl Share {
    /// Returns the part that is taken, in hundredths.
    #[must_use]
    pub fn percent(self) -> u8 {
        let percent = (u128::from(self.used) * 100).checked_div(u128::from(self.total));
        u8::try_from(percent.unwrap_or(0).min(100)).unwrap_or(100)
    }
}

/// Whether a service is as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fitness {
    /// Yes.
    Good,
    /// Not yet; it may come.
    Coming(String),
    /// No, and this is why.
    Bad(String),
}

/// A service at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceReading {
    /// Its stack, as the preset names it.
    pub stack: String,
    /// Its name in the Compose file.
    pub service: String,
    /// Our verdict.
    pub fitness: Fitness,
    /// Its container; `None` when there is none.
    pub container: Option<ContainerReading>,
}

/// A container at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerReading {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The engine's word, such as `running`.
    pub state: String,
    /// The health check's word, when there is a check.
    pub health: Option<String>,
    /// How often the engine restarted it.
    pub restarts: i64,
    /// Seconds since it was last started.
    pub age: Option<u64>,
    /// The share of one processor it takes, in tenths of a hundredth; absent at the first look.
    pub cpu: Option<u32>,
    /// Memory and its limit.
    pub memory: Option<Share>,
    /// The image it was made from.
    pub image: String,
    /// Ports of the host that lead to it.
    pub published: Vec<String>,
}
