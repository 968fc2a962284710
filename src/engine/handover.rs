//! The hand-over record: what stands where, in words for whoever looks after it from now on.
//!
//! Markdown, so that it can be mailed, printed or put into a customer's wiki as it is. It holds no secret: accounts come without passwords, and what is kept in
//! a file is named by its file. Deployments write it when they came to a good end; it is written from what hosts say then, not from what was meant.

mod trust;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fan_out::fan_out;
use super::runner::Links;
use crate::model::check::CheckResult;
use crate::model::deployment::Deployment;
use crate::model::docker::{ContainerFacts, ImageFacts, VolumeFacts};
use crate::model::facts::HostFacts;
use crate::model::ids::{HostName, RunId};
use crate::model::resolved::{Resolved, ResolvedHost};
use crate::transport::{ContainerFilter, TransportError};

pub use trust::AUTHORITY_FILE;
pub use write::record;

/// What the record is written from.
#[derive(Debug)]
pub struct HandOver<'a> {
    /// The deployment, for its accounts.
    pub deployment: &'a Deployment,
    /// What shall be.
    pub resolved: &'a Resolved,
    /// What stands on each host; a host that could not be asked is left out.
    pub stands: &'a BTreeMap<HostName, Stands>,
    /// The judgements.
    pub checks: &'a [CheckResult],
    /// The run that ended well.
    pub run: &'a RunId,
    /// When it was judged, UTC.
    pub judged: Timestamp,
}

/// What stands on one host.
#[derive(Debug, Clone, Default)]
pub struct Stands {
    /// The engine's data folder.
    pub root: String,
    /// Images.
    pub images: Vec<ImageFacts>,
    /// Containers.
    pub containers: Vec<ContainerFacts>,
    /// Volumes.
    pub volumes: Vec<VolumeFacts>,
}

/// Returns what facts say of each host; for a deployment on which nothing was changed since they were gathered.
#[must_use]
pub fn seen(facts: &BTreeMap<HostName, HostFacts>) -> BTreeMap<HostName, Stands> {
    let stands = facts.iter().filter_map(|(host, facts)| {
        let docker = facts.docker.as_ref()?;
        let stands = Stands {
            root: docker.engine.root.clone(),
            images: docker.images.clone(),
            containers: docker.containers.clone(),
            volumes: docker.volumes.clone(),
        };
        Some((host.clone(), stands))
    });
    stands.collect()
}

/// Asks every host of the deployment what stands on it; one that does not answer is told to the log and left out.
#[must_use]
pub fn look(resolved: &Resolved, links: &dyn Links) -> BTreeMap<HostName, Stands> {
    let hosts: Vec<HostName> = resolved
        .hosts
        .iter()
        .map(|host| host.name.clone())
        .collect();
    let at_once = hosts.len().max(1);
    fan_out(hosts, at_once, |host| {
        let without_docker = |known: &ResolvedHost| known.name == host && !known.needs_docker();
        let stands = if resolved.hosts.iter().any(without_docker) {
            Ok(Stands::default())
        } else {
            ask(links, &host)
        };
        (host, stands)
    })
    .into_iter()
    .filter_map(|(host, stands)| match stands {
        Ok(stands) => Some((host, stands)),
        Err(error) => {
            tracing::warn!(%host, %error, "left out of the hand-over record");
            None
        }
    })
    .collect()
}

fn ask(links: &dyn Links, host: &HostName) -> Result<Stands, TransportError> {
    let docker = links.host(host)?.docker()?;
    Ok(Stands {
        root: docker.engine()?.root,
        images: docker.images()?,
        containers: docker.containers(&ContainerFilter::default())?,
        volumes: docker.volumes()?,
    })
}
