//! Images that only pin layers until the whole is there: what an image holds stays, whatever becomes of the rest.

use super::Job;
use crate::engine::action::ActionError;
use crate::model::docker::ImageFacts;
use crate::model::image::ImageRef;

/// What such images are called.
pub(super) const PART: &str = "syntho-installer-part";

/// Bytes on the way that are worth an image of their own, which costs a host some tenths of a second.
pub(super) const WORTH: u64 = 16_000_000;

impl Job<'_> {
    /// Returns the name of the image that pins so many of the lowest layers.
    pub(super) fn pin(&self, layers: usize) -> String {
        format!("{}{layers}", self.pins())
    }

    /// Returns how the names of all of them begin.
    fn pins(&self) -> String {
        format!("{PART}:{}-", self.short())
    }

    /// Returns how many of its layers the host had before anything was pinned, so that progress never goes back.
    pub(super) fn shared_before(&self) -> usize {
        let begin = self.pins();
        let is_pin = |image: &&ImageFacts| image.tags.iter().any(|tag| tag.starts_with(&begin));
        let others: Vec<ImageFacts> = self
            .there
            .iter()
            .filter(|image| !is_pin(image))
            .cloned()
            .collect();
        self.image.shared_with(&others)
    }

    /// Returns after how many layers it is worth to pin what has come; layers that the host has count for nothing.
    pub(super) fn stops(&self) -> Vec<usize> {
        let mut stops = Vec::new();
        let mut coming = 0;
        for (at, layer) in self.image.layers.iter().enumerate().skip(self.shared()) {
            coming += layer.packed;
            if coming >= WORTH && at + 1 < self.image.layers.len() {
                stops.push(at + 1);
                coming = 0;
            }
        }
        stops
    }

    /// Takes the pins of runs that broke off away, when there were any.
    pub(super) fn unpin_old(&self) -> Result<(), ActionError> {
        let begin = self.pins();
        let mut tags = self.there.iter().flat_map(|image| &image.tags);
        if tags.any(|tag| tag.starts_with(&begin)) {
            self.unpin()?;
        }
        Ok(())
    }

    /// Takes the pins away, also those of runs that broke off.
    pub(super) fn unpin(&self) -> Result<(), ActionError> {
        let begin = self.pins();
        for image in self.docker.images()? {
            let pins = image.tags.iter().filter(|tag| tag.starts_with(&begin));
            for pin in pins.filter_map(|tag| ImageRef::parse(tag).ok()) {
                self.docker.untag(&pin)?;
            }
        }
        Ok(())
    }
}
