//! What comes compared with what runs by when each was made: where tags do not tell which of two releases is the newer one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::names::{containers, step};
use crate::engine::action::{AnyAction, RefuseOlder, Successor, made};
use crate::engine::backups::Place;
use crate::engine::plan::PlannedStep;
use crate::images::matching;
use crate::model::answers::ImageSource;
use crate::model::docker::ContainerFacts;
use crate::model::facts::DockerFacts;
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
use crate::model::plan::Probe;
use crate::model::resolved::PlacedStack;

type Step = PlannedStep<AnyAction>;

/// The steps that compare, by when they can.
pub(super) struct Ages {
    /// Those that know enough before any image is sent.
    pub(super) at_once: Vec<Step>,
    /// Those that look at images once they are there.
    pub(super) once_there: Vec<Step>,
}

/// Compares on every host where something changes.
pub(super) fn compare(place: &Place<'_>, rest: &[Step]) -> Ages {
    let mut pairs: BTreeMap<&HostName, Vec<Successor>> = BTreeMap::new();
    for (host, stack, container) in containers(place) {
        let changes = |step: &Step| {
            let is =
                matches!(&step.action, AnyAction::StartStack(start) if start.stack == stack.id);
            is && step.host == *host && step.probe != Probe::AlreadySo
        };
        let Some(pair) = successor(place, host, stack, container) else {
            continue;
        };
        let of_host = pairs.entry(host).or_default();
        let is_new = of_host.iter().all(|other| other.image != pair.image);
        if is_new && rest.iter().any(changes) {
            of_host.push(pair);
        }
    }
    let mut ages = Ages {
        at_once: Vec::new(),
        once_there: Vec::new(),
    };
    for (host, pairs) in pairs {
        let (told, untold): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|pair| pair.comes.is_some());
        let refuse = |pairs| AnyAction::RefuseOlder(RefuseOlder { pairs });
        if !told.is_empty() {
            ages.at_once
                .push(step(host, "keep/newer-told", refuse(told)));
        }
        if !untold.is_empty() {
            ages.once_there
                .push(step(host, "keep/newer", refuse(untold)));
        }
    }
    ages
}

/// Returns what comes in the place of what a container runs, where it is known when that was made.
fn successor(
    place: &Place<'_>,
    host: &HostName,
    stack: &PlacedStack,
    container: &ContainerFacts,
) -> Option<Successor> {
    let runs = ImageRef::parse(&container.image).ok()?;
    let mut next = stack.images.iter().map(|image| &image.reference).rev();
    let image = next.find(|next| runs.repository() == next.repository())?;
    let own = docker(place, host)?.images.iter();
    let own = own.into_iter().find(|own| own.id == container.image_id)?;
    Some(Successor {
        image: image.clone(),
        runs: container.image.clone(),
        made: made(own.created.as_deref())?,
        comes: comes(place, host, image),
    })
}

/// Returns when what comes was made, as far as that is known before it is sent.
fn comes(place: &Place<'_>, host: &HostName, image: &ImageRef) -> Option<Timestamp> {
    let created = match place.resolved.image_source {
        // A registry tells it to whoever pulls.
        ImageSource::Registry => None,
        ImageSource::Bundle => {
            let architecture = place.facts.get(host)?.docker_architecture();
            let found = matching::find(&place.resolved.bundled, image, Some(architecture))?;
            found.created.as_deref()
        }
        ImageSource::Present => {
            let name = image.to_string();
            let mut all = docker(place, host)?.images.iter();
            let found = all.find(|found| found.tags.contains(&name))?;
            found.created.as_deref()
        }
    };
    made(created)
}

fn docker<'a>(place: &Place<'a>, host: &HostName) -> Option<&'a DockerFacts> {
    place.facts.get(host)?.docker.as_ref()
}
