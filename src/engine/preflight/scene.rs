//! What checks look at: all hosts together, and one host with what shall stand on it.

use std::collections::BTreeMap;

use super::draft::Draft;
use crate::model::docker::{ContainerFacts, ImageFacts};
use crate::model::facts::{DockerFacts, HostFacts};
use crate::model::ids::HostName;
use crate::model::image::ImageRef;
pub(super) use crate::model::image::canonical;
use crate::model::resolved::{PlacedImage, PlacedStack, Resolved, ResolvedHost};

pub use crate::engine::compose::DEPLOYMENT_LABEL;

/// Compose's label for the folder a project was started from.
const WORKING_FOLDER: &str = "com.docker.compose.project.working_dir";

/// All hosts together.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) facts: &'a BTreeMap<HostName, HostFacts>,
}

/// One host with what is known of it and what shall stand on it.
#[derive(Clone, Copy)]
pub(super) struct Seat<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) host: &'a ResolvedHost,
    pub(super) facts: &'a HostFacts,
}

impl<'a> Scene<'a> {
    /// Returns every host that told what it is, in the order of the answers.
    pub(super) fn seats(self) -> impl Iterator<Item = Seat<'a>> {
        self.resolved.hosts.iter().filter_map(move |host| {
            Some(Seat {
                resolved: self.resolved,
                host,
                facts: self.facts.get(&host.name)?,
            })
        })
    }

    /// Returns a host by its name.
    pub(super) fn host(self, name: &HostName) -> Option<&'a ResolvedHost> {
        self.resolved.hosts.iter().find(|host| host.name == *name)
    }

    /// Returns a host as people know it: name and private address.
    pub(super) fn label(self, name: &HostName) -> String {
        match self.host(name) {
            Some(host) => format!("{name} ({})", host.private_address),
            None => name.to_string(),
        }
    }
}

impl<'a> Seat<'a> {
    /// Begins a result about this host.
    pub(super) fn draft(self, id: &str, title: &str) -> Draft {
        Draft::new(id, title, Some(&self.host.name))
    }

    /// Returns the stacks that shall stand here.
    pub(super) fn stacks(self) -> impl Iterator<Item = &'a PlacedStack> {
        let host = &self.host.name;
        self.resolved
            .stacks
            .iter()
            .filter(move |stack| stack.host == *host)
    }

    /// Returns the images that shall be here, each once.
    pub(super) fn images(self) -> Vec<&'a PlacedImage> {
        let mut images: Vec<&PlacedImage> = Vec::new();
        for image in self.stacks().flat_map(|stack| &stack.images) {
            if !images.iter().any(|seen| seen.reference == image.reference) {
                images.push(image);
            }
        }
        images
    }

    /// Returns the needed images that are not here yet.
    pub(super) fn missing_images(self) -> Vec<&'a PlacedImage> {
        self.images()
            .into_iter()
            .filter(|image| self.image(&image.reference).is_none())
            .collect()
    }

    /// Returns an image that is here under this name.
    pub(super) fn image(self, reference: &ImageRef) -> Option<&'a ImageFacts> {
        let wanted = canonical(&reference.to_string());
        self.docker()?.images.iter().find(|image| {
            image
                .tags
                .iter()
                .chain(&image.digests)
                .any(|name| canonical(name) == wanted)
        })
    }

    /// Returns what Docker told, when it answered.
    pub(super) fn docker(self) -> Option<&'a DockerFacts> {
        self.facts.docker.as_ref()
    }

    /// Returns whether a container belongs to this deployment.
    pub(super) fn is_ours(self, container: &ContainerFacts) -> bool {
        self.labelled(&container.labels)
            || self.stack_of(container).is_some()
            || self.adopted_by(container).is_some()
    }

    /// Returns whether labels name this deployment.
    pub(super) fn labelled(self, labels: &BTreeMap<String, String>) -> bool {
        labels.get(DEPLOYMENT_LABEL).map(String::as_str) == Some(self.resolved.deployment.as_str())
    }

    /// Returns the stack a container was started by: same project, from the same folder or with our label.
    pub(super) fn stack_of(self, container: &ContainerFacts) -> Option<&'a PlacedStack> {
        self.stacks().find(|stack| {
            container.project() == Some(stack.project.as_str())
                && (self.labelled(&container.labels)
                    || container.labels.get(WORKING_FOLDER) == Some(&stack.folder))
        })
    }

    /// Returns the stack that takes the place of a container which somebody set up by hand.
    fn adopted_by(self, container: &ContainerFacts) -> Option<&'a PlacedStack> {
        self.stacks().find(|stack| {
            let adopted = stack.adopted.as_ref();
            adopted.is_some_and(|adopted| container.project() == Some(adopted.project.as_str()))
        })
    }

    /// Returns the running containers of a stack: of its project, or of no project and with the deployment's label, as tools start them.
    pub(super) fn running(self, stack: &PlacedStack) -> impl Iterator<Item = &'a ContainerFacts> {
        self.in_state(stack, "running")
    }

    /// Returns the containers of a stack that have ended and are about to start again.
    pub(super) fn restarting(
        self,
        stack: &PlacedStack,
    ) -> impl Iterator<Item = &'a ContainerFacts> {
        self.in_state(stack, "restarting")
    }

    fn in_state(
        self,
        stack: &PlacedStack,
        state: &'static str,
    ) -> impl Iterator<Item = &'a ContainerFacts> {
        let adopted = stack
            .adopted
            .as_ref()
            .map(|adopted| adopted.project.clone());
        let projects = [Some(stack.project.clone()), adopted];
        self.docker()
            .into_iter()
            .flat_map(|docker| &docker.containers)
            .filter(move |container| {
                container.state == state
                    && self.is_ours(container)
                    && container.project().is_none_or(|of| {
                        let mut projects = projects.iter().flatten();
                        projects.any(|project| project == of)
                    })
            })
    }

    /// Returns whether a program is on the host.
    pub(super) fn has(self, tool: &str) -> bool {
        self.facts.tools.get(tool).copied().unwrap_or(false)
    }
}
