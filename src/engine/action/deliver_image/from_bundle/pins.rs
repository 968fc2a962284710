//! Images that only pin layers until the whole is there. Docker throws everything of a pull away when it ends without success, and lets it break at most
//! five times; what an image holds stays.

use super::Job;
use crate::engine::action::ActionError;
use crate::engine::delivery::Place;
use crate::images::registry::Registry;
use crate::model::image::ImageRef;

/// What such images are called.
pub(super) const PART: &str = "syntho-installer-part";

/// Bytes on the way that are worth an image of their own, which costs a host some tenths of a second.
const WORTH: u64 = 16_000_000;

/// Seconds that the rest may take to be pulled at once: so long a link may well hold.
const SHORT: u64 = 5;

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

    /// Returns after how many layers it is worth to pin what has come, with the bytes that come until there; layers that the host has count for nothing.
    pub(super) fn stops(&self) -> Vec<(usize, u64)> {
        let mut stops = Vec::new();
        let mut coming = 0;
        let mut pinned = 0;
        for (at, layer) in self.image.layers.iter().enumerate().skip(self.shared()) {
            coming += layer.packed;
            if coming - pinned >= WORTH && at + 1 < self.image.layers.len() {
                stops.push((at + 1, coming));
                pinned = coming;
            }
        }
        stops
    }

    /// Returns what runs on the host: part after part is pulled and pinned, so that a break concerns few layers and never what came before; once the
    /// link has shown that the rest takes a moment only, it is pulled at once.
    pub(super) fn script(&self, here: &Place, repository: &str, stops: &[(usize, u64)]) -> String {
        let from = format!("127.0.0.1:{}/{repository}", here.port);
        let missing = self.image.layers.iter().skip(self.shared());
        let all: u64 = missing.map(|layer| layer.packed).sum();
        let mut script = format!(
            "echo 'from {}/{}'\nbegan=$(date +%s)\nlong=1\n",
            here.port, here.token
        );
        for (stop, come) in stops {
            let (part, pin) = (Registry::part_tag(*stop), self.pin(*stop));
            let (come, rest) = (come >> 10, (all - come) >> 10);
            script += &format!(
                "if [ \"$long\" = 1 ]; then\n\
                 docker pull '{from}:{part}' && docker tag '{from}:{part}' '{pin}' && docker rmi '{from}:{part}' >/dev/null || exit\n\
                 [ $((($(date +%s) - began) * {rest} / {come})) -ge {SHORT} ] || long=0\n\
                 fi\n"
            );
        }
        script += &format!("exec docker pull '{from}:latest'\n");
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
