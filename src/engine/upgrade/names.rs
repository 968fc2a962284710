//! What tags that move stand for before an upgrade, kept under names of ours, so that the way back leads to the very same images.

use std::collections::BTreeMap;

use crate::engine::action::{Action as _, AnyAction, NameImage};
use crate::engine::backups::Place;
use crate::engine::plan::PlannedStep;
use crate::model::docker::ContainerFacts;
use crate::model::ids::{HostName, StepId};
use crate::model::image::ImageRef;
use crate::model::plan::{Phase, Probe};

type Step = PlannedStep<AnyAction>;

/// Keeps the images of running containers whose names stand for something else now, or will.
pub(super) fn keep(place: &Place<'_>, ordinary: &[Step]) -> Vec<Step> {
    let mut kept: BTreeMap<(&HostName, ImageRef), &str> = BTreeMap::new();
    for (host, stack, container) in containers(place) {
        let same = stack
            .images
            .iter()
            .find(|image| image.reference.to_string() == container.image);
        let Some(reference) = same.map(|image| &image.reference) else {
            continue;
        };
        let stands =
            called(place, host, &container.image).is_none_or(|id| id == container.image_id);
        let comes = ordinary.iter().any(|step| {
            let delivers = matches!(&step.action, AnyAction::DeliverImage(image) if image.reference == *reference);
            delivers && step.host == *host && step.probe == Probe::Needed
        });
        if let Some(name) = kept_name(reference, place.id).filter(|_| comes || !stands) {
            kept.insert((host, name), &container.image_id);
        }
    }
    let steps = kept.into_iter().enumerate();
    steps
        .map(|(number, ((host, name), image))| {
            step(
                host,
                &format!("keep/{}", number + 1),
                AnyAction::NameImage(NameImage {
                    image: image.to_owned(),
                    name,
                    first: true,
                    rights: place.rights.get(host).copied().unwrap_or_default(),
                }),
            )
        })
        .collect()
}

/// Lets names stand for what was kept; only those that stand for something else now.
pub(super) fn bring_back(place: &Place<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for stack in &place.resolved.stacks {
        let called = |name: &ImageRef| called(place, &stack.host, &name.to_string());
        for image in &stack.images {
            let id = format!("{}/name/{}", stack.host, image.id);
            let kept = kept_name(&image.reference, place.id)
                .as_ref()
                .and_then(called);
            let Some(kept) = kept.filter(|kept| called(&image.reference) != Some(*kept)) else {
                continue;
            };
            if steps.iter().all(|step| step.id.0 != id) {
                steps.push(step(
                    &stack.host,
                    &format!("name/{}", image.id),
                    AnyAction::NameImage(NameImage {
                        image: kept.to_owned(),
                        name: image.reference.clone(),
                        first: false,
                        rights: place.rights.get(&stack.host).copied().unwrap_or_default(),
                    }),
                ));
            }
        }
    }
    steps
}

/// Returns the name under which what an image's name stands for is kept; none for one that is a digest itself.
fn kept_name(reference: &ImageRef, id: &str) -> Option<ImageRef> {
    if reference.digest().is_some() {
        return None;
    }
    let registry = reference.registry().map(|registry| format!("{registry}/"));
    let name = format!(
        "{}{}:before-{id}",
        registry.unwrap_or_default(),
        reference.repository()
    );
    ImageRef::parse(&name).ok()
}

/// Returns the id of the image that a name stands for on a host.
fn called<'a>(place: &Place<'a>, host: &HostName, name: &str) -> Option<&'a str> {
    let docker = place.facts.get(host)?.docker.as_ref()?;
    let found = docker
        .images
        .iter()
        .find(|image| image.tags.iter().any(|tag| tag == name));
    found.map(|image| image.id.as_str())
}

/// Returns every container of every stack.
pub(super) fn containers<'a>(
    place: &Place<'a>,
) -> impl Iterator<
    Item = (
        &'a HostName,
        &'a crate::model::resolved::PlacedStack,
        &'a ContainerFacts,
    ),
> {
    let facts = place.facts;
    place.resolved.stacks.iter().flat_map(move |stack| {
        let docker = facts
            .get(&stack.host)
            .and_then(|facts| facts.docker.as_ref());
        let all = docker.into_iter().flat_map(|docker| &docker.containers);
        all.filter(|container| container.project() == Some(stack.project.as_str()))
            .map(move |container| (&stack.host, stack, container))
    })
}

pub(super) fn step(host: &HostName, what: &str, action: AnyAction) -> Step {
    PlannedStep {
        id: StepId(format!("{host}/{what}")),
        host: host.clone(),
        phase: Phase::Images,
        after: Vec::new(),
        description: action.describe(),
        probe: Probe::Needed,
        action,
    }
}
