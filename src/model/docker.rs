//! What Docker says about images, containers, networks and volumes, reduced to what decisions need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An image as one engine holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageFacts {
    /// The engine's image id, `sha256:…`.
    pub id: String,
    /// The names it carries.
    pub tags: Vec<String>,
    /// Repository digests, when it was pulled.
    pub digests: Vec<String>,
    /// Architecture in Docker's words, such as `amd64`.
    pub architecture: String,
    /// Operating system in Docker's words, such as `linux`.
    pub os: String,
    /// Size on disk in bytes.
    pub size: u64,
    /// The layers' diff ids, lowest first.
    pub layers: Vec<String>,
    /// When it was made, RFC 3339, as its maker says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

/// A container as one engine holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ContainerFacts {
    /// The engine's container id.
    pub id: String,
    /// The name without the leading slash.
    pub name: String,
    /// The image reference it was created from.
    pub image: String,
    /// The id of that image.
    pub image_id: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// `created`, `running`, `restarting`, `exited`, `paused` or `dead`.
    pub state: String,
    /// The health check's word, when the container has one: `starting`, `healthy` or `unhealthy`.
    pub health: Option<String>,
    /// Exit code of the last end.
    pub exit_code: Option<i64>,
    /// How often the engine restarted it.
    pub restarts: i64,
    /// When it was last started, RFC 3339.
    pub started_at: Option<String>,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// Published ports as `host-address:host-port`.
    pub published: Vec<String>,
    /// The program and arguments of the health check, as run inside; empty without one.
    pub health_check: Vec<String>,
}

impl ContainerFacts {
    /// Returns the Compose service this container belongs to.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.labels
            .get("com.docker.compose.service")
            .map(String::as_str)
    }

    /// Returns the Compose project this container belongs to.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.labels
            .get("com.docker.compose.project")
            .map(String::as_str)
    }

    /// Returns whether it is the container of a swarm's task that is over: the swarm has started another in its place, and keeps this one for its log.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.labels.contains_key("com.docker.swarm.task.id")
            && matches!(self.state.as_str(), "exited" | "dead")
    }
}

/// What a container has taken so far and takes now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The engine's container id.
    pub id: String,
    /// Processor time it has taken since it began, in nanoseconds.
    pub cpu: u64,
    /// Processor time the whole machine has had since it began, on all processors, in nanoseconds.
    pub system: u64,
    /// Processors.
    pub cpus: u32,
    /// Memory it holds, without what the kernel keeps only for speed.
    pub memory: u64,
    /// Memory it may take; that of the machine when it has no limit of its own.
    pub memory_limit: u64,
}

/// An engine's own description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EngineFacts {
    /// Engine version, such as `26.1.5`.
    pub version: String,
    /// Data folder, usually `/var/lib/docker`.
    pub root: String,
    /// Storage driver, such as `overlay2`.
    pub storage_driver: String,
    /// Whether images live in containerd's store, where image ids are not config digests.
    pub containerd_store: bool,
    /// Proxy settings of the daemon, by name.
    pub proxies: BTreeMap<String, String>,
}

/// A network as one engine holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NetworkFacts {
    /// Its name.
    pub name: String,
    /// Its subnets in CIDR form.
    pub subnets: Vec<String>,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume as one engine holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct VolumeFacts {
    /// Its name.
    pub name: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// Progress of one layer while an image is pulled or loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerProgress {
    /// The layer's short id as Docker prints it.
    pub layer: String,
    /// What happens to it, in Docker's words: `Downloading`, `Extracting`, `Pull complete`, `Already exists`, …
    pub status: String,
    /// Bytes done, when Docker says.
    pub done: Option<u64>,
    /// Bytes in all, when Docker says.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(true, "exited", true)]
    #[case(true, "dead", true)]
    #[case(true, "running", false)]
    #[case(false, "exited", false)]
    fn only_an_ended_task_of_a_swarm_is_over(
        #[case] task: bool,
        #[case] state: &str,
        #[case] over: bool,
    ) {
        let label = ("com.docker.swarm.task.id".to_owned(), "t1".to_owned());
        let container = ContainerFacts {
            id: "c1".to_owned(),
            name: "acme-hub_hub.1.t1".to_owned(),
            image: "hub:1".to_owned(),
            image_id: "sha256:1".to_owned(),
            labels: task.then_some(label).into_iter().collect(),
            state: state.to_owned(),
            health: None,
            exit_code: Some(0),
            restarts: 0,
            started_at: None,
            oom_killed: false,
            published: Vec::new(),
            health_check: Vec::new(),
        };
        assert_eq!(container.is_over(), over);
    }
}
