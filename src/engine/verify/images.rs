//! Whether hosts that share an image hold the same one: a moving name pulled on two days is two releases.

use std::collections::BTreeMap;

use super::{Finding, Verification, unreachable};
use crate::engine::fan_out::fan_out;
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::transport::TransportError;

/// What tells an image from another on one host.
type Identity = (HostName, Vec<String>);

pub(super) fn look(verification: &Verification<'_>) -> Finding {
    let mut carriers: BTreeMap<&ImageRef, Vec<&HostName>> = BTreeMap::new();
    for stack in &verification.resolved.stacks {
        for image in &stack.images {
            let hosts = carriers.entry(&image.reference).or_default();
            if !hosts.contains(&&stack.host) {
                hosts.push(&stack.host);
            }
        }
    }
    carriers.retain(|_, hosts| hosts.len() > 1);
    let shared = carriers.len();
    for (reference, hosts) in carriers {
        match identities(verification, reference, &hosts) {
            Ok(found) => {
                if let Some(finding) = compare(reference, &found) {
                    return finding;
                }
            }
            Err(error) => return unreachable(&error),
        }
    }
    Finding::pass(format!("{shared} shared, each the same everywhere"))
}

/// Returns the layers of an image on each host: they are the same in every image store, where ids are not.
fn identities(
    verification: &Verification<'_>,
    reference: &ImageRef,
    hosts: &[&HostName],
) -> Result<Vec<Identity>, TransportError> {
    fan_out(hosts.to_vec(), hosts.len(), |name| {
        let docker = verification.links.host(name)?.docker()?;
        let image = docker.image(reference)?;
        Ok((
            name.clone(),
            image.map(|image| image.layers).unwrap_or_default(),
        ))
    })
    .into_iter()
    .collect()
}

fn compare(reference: &ImageRef, found: &[Identity]) -> Option<Finding> {
    let (first, layers) = found.first()?;
    let (other, _) = found.iter().find(|(_, other)| other != layers)?;
    Some(
        Finding::fail(format!(
            "`{reference}` on `{other}` is not the one on `{first}`"
        ))
        .certainly(),
    )
}
