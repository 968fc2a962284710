//! Images of a registry that one host alone reaches: fetched through it into the store of this machine, from where every host gets what it lacks.
//!
//! Nothing is written on that host. It only carries connections, which are encrypted from here to the registry, and tells which authority its Docker
//! trusts. What is fetched stays in the store; a run that was killed goes on there, and the next run fetches nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::stages::Settled;
use super::story::{Ending, Run};
use crate::engine::action::Materials as _;
use crate::engine::delivery::Delivery;
use crate::engine::materials::FromResolved;
use crate::engine::runner::Links as _;
use crate::engine::way_out::WayOut;
use crate::images::ImagesError;
use crate::images::blobs::{BlobStore, LIMIT};
use crate::images::client::{Access, Platform, Remote, RemoteError, Told, Watch};
use crate::images::create::{self, Audience, Base, Found, Order};
use crate::model::answers::ImageSource;
use crate::model::event::{Event, Listener};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, ImageId};
use crate::model::image::ImageRef;
use crate::model::size::human;
use crate::model::text::shell_quoted;
use crate::transport::{Command, Host};

/// Fetches what some host lacks, when the answers name a host to fetch it through; from then on images come from this machine.
pub(super) fn fetch(run: &Run<'_>, settled: &mut Settled) -> Result<(), Ending> {
    let Some(through) = &run.job.deployment.images.through else {
        return Ok(());
    };
    settled.resolved.image_source = ImageSource::Bundle;
    let wanted = lacking(settled);
    if wanted.is_empty() {
        return Ok(());
    }
    run.go_on()?;
    let host = settled.seen.links.host(through);
    let host = host.map_err(|error| Failure::from_error(&error))?;
    let store = BlobStore::open(run.job.home.images(), LIMIT);
    let store = Arc::new(store.map_err(|error| Failure::from_error(&error))?);
    let images =
        fetched(run, settled, &host, &wanted, &store).map_err(|error| told(&error, through))?;
    settled.resolved.bundled = images;
    settled.delivery = Some(Delivery::new(store));
    Ok(())
}

/// Says what is wrong where it has to be mended: on the host that everything goes through.
fn told(error: &ImagesError, through: &HostName) -> Failure {
    let mut failure = Failure::from_error(error).on(through);
    match error {
        ImagesError::Remote(RemoteError::Proxy { registry, .. }) => {
            failure.message = format!("`{through}` does not lead to {registry}");
            failure.hint = Some(format!(
                "see on that host whether it gets there (`curl -v https://{registry}/v2/`) and whether its sshd allows forwarding (`AllowTcpForwarding`)"
            ));
        }
        ImagesError::Remote(RemoteError::Untrusted { registry, .. }) => {
            failure.hint = Some(format!(
                "put the authority's certificate on that host as /etc/docker/certs.d/{registry}/ca.crt, where everybody may read it"
            ));
        }
        _ => {}
    }
    failure
}

/// Returns every image that some host needs and lacks.
fn lacking(settled: &Settled) -> BTreeMap<ImageId, ImageRef> {
    let mut wanted = BTreeMap::new();
    for stack in &settled.resolved.stacks {
        let facts = settled.seen.facts.get(&stack.host);
        let there: BTreeSet<&str> = facts
            .and_then(|facts| facts.docker.as_ref())
            .into_iter()
            .flat_map(|docker| &docker.images)
            .flat_map(|image| &image.tags)
            .map(String::as_str)
            .collect();
        for image in &stack.images {
            if !there.contains(image.reference.to_string().as_str()) {
                wanted.insert(image.id.clone(), image.reference.clone());
            }
        }
    }
    wanted
}

fn fetched(
    run: &Run<'_>,
    settled: &Settled,
    host: &Arc<dyn Host>,
    wanted: &BTreeMap<ImageId, ImageRef>,
    store: &Arc<BlobStore>,
) -> Result<Vec<crate::model::bundle::BundledImage>, ImagesError> {
    let deployment = &run.job.deployment;
    let login = FromResolved(&settled.resolved, None).registry_login();
    let way = WayOut::through(Arc::clone(host))?;
    let remote = Remote::new(Access {
        registry: login
            .as_ref()
            .map_or_else(String::new, |login| login.registry.clone()),
        login: login.map(|login| (login.username, login.password)),
        authorities: authorities(host.as_ref(), wanted),
        proxy: Some(way.proxy()),
    })?;
    let facts = settled.seen.facts.get(host.name());
    let architecture = facts.map_or("amd64", |facts| facts.docker_architecture());
    let order = Order {
        images: wanted,
        platform: Platform {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
        },
        preset: deployment.preset.id.clone(),
        tag: deployment.images.tag.clone(),
        serves: Vec::new(),
        output: &run.job.home.images().join(deployment.name.as_str()),
        split: None,
        without: Base::default(),
    };
    create::gather(&order, &remote, store, &Teller::new(run, host.name()))
}

/// Returns the authorities by which the host's Docker trusts the registries, as far as it may be read; what they are is no secret.
fn authorities(host: &dyn Host, wanted: &BTreeMap<ImageId, ImageRef>) -> Option<Vec<u8>> {
    let registries: BTreeSet<&str> = wanted.values().filter_map(ImageRef::registry).collect();
    let files: Vec<String> = registries
        .iter()
        .map(|registry| {
            format!(
                "{}/*.crt",
                shell_quoted(&format!("/etc/docker/certs.d/{registry}"))
            )
        })
        .collect();
    let script = format!("cat -- {} 2>/dev/null || :", files.join(" "));
    let output = host.run(&Command::sh(script)).ok()?;
    Some(output.stdout).filter(|text| !text.is_empty())
}

/// Tells how far fetching is.
struct Teller<'a> {
    run: &'a Run<'a>,
    through: &'a HostName,
    total: AtomicU64,
    moved: AtomicU64,
}

impl<'a> Teller<'a> {
    fn new(run: &'a Run<'a>, through: &'a HostName) -> Self {
        Self {
            run,
            through,
            total: AtomicU64::new(0),
            moved: AtomicU64::new(0),
        }
    }

    fn say(&self, text: String) {
        self.run.listener.hear(Event::Noticed {
            host: Some(self.through.clone()),
            text,
        });
    }
}

impl Watch for Teller<'_> {
    fn hear(&self, told: Told) {
        match told {
            Told::Total(total) => self.total.store(total, Ordering::Relaxed),
            Told::Moved(bytes) => {
                let before = self.moved.fetch_add(bytes, Ordering::Relaxed);
                let total = self.total.load(Ordering::Relaxed).max(1);
                let tenth = |bytes: u64| bytes.min(total) * 10 / total;
                if tenth(before) < tenth(before + bytes) {
                    let done = human((before + bytes).min(total));
                    self.say(format!("fetched {done} of {}", human(total)));
                }
            }
            Told::Lost(bytes) => {
                let lose = |moved: u64| Some(moved.saturating_sub(bytes));
                // It always has a value to give back.
                let _ = self
                    .moved
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, lose);
            }
            Told::Again {
                registry,
                why,
                seconds,
            } => self.say(format!("{registry}: {why}; asking again in {seconds} s")),
        }
    }

    fn stopped(&self) -> bool {
        self.run.job.cancel.is_raised()
    }
}

impl Audience for Teller<'_> {
    fn waits(&self) {
        self.say("another run fetches into the store; waiting for it".to_owned());
    }

    fn found(&self, found: &Found) {
        self.say(format!(
            "fetching {} images through this host: {} of {} are here already",
            found.images,
            human(found.here),
            human(found.size)
        ));
    }

    fn writes(&self, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: RemoteError) -> (String, String) {
        let failure = told(&error.into(), &"ui".parse().unwrap());
        assert_eq!(failure.host, Some("ui".parse().unwrap()));
        (failure.message, failure.hint.unwrap())
    }

    #[test]
    fn what_is_wrong_is_mended_on_the_host() {
        let registry = || "r.example".to_owned();
        let (message, hint) = said(RemoteError::Proxy {
            registry: registry(),
            detail: "502".to_owned(),
        });
        assert_eq!(message, "`ui` does not lead to r.example");
        assert!(hint.contains("AllowTcpForwarding"), "{hint}");
        let (_, hint) = said(RemoteError::Untrusted {
            registry: registry(),
            trusts_more: false,
        });
        assert!(
            hint.contains("/etc/docker/certs.d/r.example/ca.crt"),
            "{hint}"
        );
    }
}
