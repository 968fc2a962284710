//! Images that only pin layers until the whole is there. Docker throws everything of a pull away when it ends without success, and lets it break at most
//! five times; what an image holds stays.

use super::Job;
use crate::engine::action::ActionError;
use crate::engine::delivery::Place;
use crate::images::registry::Registry;
use crate::model::image::ImageRef;

/// What such images are called.
pub(super) const PART: &str = "syntho-installer-part";

/// Bytes on the way that are worth an image of their own, which costs a host some hundredths of a second.
const WORTH: u64 = 16_000_000;

impl Job<'_> {
    /// Returns the name of the image that pins so many of the lowest layers.
    pub(super) fn pin(&self, layers: usize) -> String {
        format!("{}{layers}", self.pins())
    }

    /// Returns how the names of all of them begin.
    fn pins(&self) -> String {
        let hex = self.image.id.chars().skip("sha256:".len()).take(12);
        format!("{PART}:{}-", hex.collect::<String>())
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

    /// Returns what runs on the host: the whole is pulled and beside it every part, which costs nothing, as Docker fetches a layer once whoever asks
    /// for it; each part gets its lasting name as soon as it is there.
    pub(super) fn script(&self, here: &Place, repository: &str, stops: &[usize]) -> String {
        let from = format!("127.0.0.1:{}/{repository}", here.port);
        let mut script = format!("echo 'from {}/{}'\n", here.port, here.token);
        for stop in stops {
            let (part, pin) = (Registry::part_tag(*stop), self.pin(*stop));
            script += &format!(
                "{{ docker pull --quiet '{from}:{part}' && docker tag '{from}:{part}' '{pin}' && docker rmi '{from}:{part}'; }} >/dev/null 2>&1 &\n"
            );
        }
        script += &format!("docker pull '{from}:latest'\ncode=$?\nwait\nexit $code\n");
        script
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
