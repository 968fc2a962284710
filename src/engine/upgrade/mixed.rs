//! What must be the same in several images, asked of them before anything stops.

use super::names::step;
use crate::engine::action::{AnyAction, Asked, RefuseMixed};
use crate::engine::backups::Place;
use crate::engine::plan::PlannedStep;
use crate::model::ids::{HostName, StepId};
use crate::model::preset::Alike;

/// Compares the images that will run, once all of them are there.
pub(super) fn refuse(place: &Place<'_>, after: &[StepId]) -> Vec<PlannedStep<AnyAction>> {
    let alikes = place.deployment.preset.parts.alikes.iter();
    let steps = alikes.enumerate().filter_map(|(number, alike)| {
        let asked = asked(place, alike);
        let host: HostName = asked.first()?.host.clone();
        let action = AnyAction::RefuseMixed(RefuseMixed {
            alike: alike.clone(),
            asked,
        });
        Some(PlannedStep {
            after: after.to_vec(),
            ..step(&host, &format!("keep/alike-{}", number + 1), action)
        })
    });
    steps.collect()
}

fn asked(place: &Place<'_>, alike: &Alike) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for stack in &place.resolved.stacks {
        for image in &stack.images {
            let asked = Asked {
                host: stack.host.clone(),
                image: image.reference.clone(),
                rights: place.rights.get(&stack.host).copied().unwrap_or_default(),
            };
            if alike.images.contains(&image.id) && !all.contains(&asked) {
                all.push(asked);
            }
        }
    }
    all
}
