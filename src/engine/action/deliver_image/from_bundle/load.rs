//! Archives with the missing layers only, sent to `docker load` of the engine's API: the way for hosts whose sshd lets no port come back here, and for
//! so little that a pull would take longer to begin than to end.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};

use super::{Job, TELL, said};
use crate::engine::action::ActionError;
use crate::images::partial::{self, Portion};
use crate::transport::TransportError;

/// Bytes that are sent in one go: to send them again after a break costs little.
const LITTLE: u64 = 4_000_000;

impl Job<'_> {
    /// Returns whether so little is missing that it is loaded at once; engines with the other image store want every layer.
    pub(super) fn lacks_little(&self) -> bool {
        let missing = self.missing(self.shared(), self.layers());
        missing <= LITTLE && !self.engine.containerd_store && !self.is_slow()
    }

    /// Loads all that is missing with one archive.
    pub(super) fn load_at_once(&self) -> Result<(), ActionError> {
        let (shared, all) = (self.shared(), self.layers());
        let total = self.missing(shared, all);
        self.send(&self.action.reference.to_string(), all, shared, 0, total)?;
        self.unpin_old()
    }

    /// Loads the missing layers one after the other, each pinned by an image, so that a break costs one of them.
    pub(super) fn load(&self) -> Result<(), ActionError> {
        let all = self.image.layers.len();
        let reference = self.action.reference.to_string();
        // With its other image store an engine wants every layer, every time.
        let whole = self.engine.containerd_store;
        let shared = if whole { 0 } else { self.shared() };
        let missing = self.image.layers.get(shared..).unwrap_or_default();
        let total = missing.iter().map(|layer| layer.packed).sum();
        let mut done = 0;
        for (have, layer) in missing
            .iter()
            .enumerate()
            .map(|(at, layer)| (shared + at, layer))
        {
            if whole || have + 1 == all {
                break;
            }
            self.send(&self.pin(have + 1), have + 1, have, done, total)?;
            done += layer.packed;
        }
        let have = if whole {
            0
        } else {
            all.saturating_sub(1).max(shared)
        };
        self.send(&reference, all, have, done, total)?;
        self.unpin()
    }

    fn send(
        &self,
        name: &str,
        layers: usize,
        skip: usize,
        done: u64,
        total: u64,
    ) -> Result<(), ActionError> {
        if self.cx.progress.cancelled() {
            return Err(ActionError::Cancelled);
        }
        let portion = Portion {
            image: self.image,
            name,
            layers,
            skip,
            encoding: self.encoding(),
        };
        let archive =
            partial::archive(self.delivery.store(), &portion).map_err(|error| said(&error))?;
        let sent = archive.sent();
        let docker = self.docker.as_ref();
        let (over, ended) = channel::<()>();
        std::thread::scope(|scope| {
            let loading = scope.spawn(move || {
                // Its end closes the channel, so nobody waits longer.
                let _over = over;
                docker.load(Box::new(archive))
            });
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TELL / 5) {
                self.cx.progress.at(
                    (done + sent.load(Ordering::Relaxed)).min(total),
                    Some(total),
                );
            }
            loading
                .join()
                .unwrap_or_else(|_| {
                    Err(TransportError::Lost {
                        detail: "loading broke off".to_owned(),
                    })
                })
                .map_err(ActionError::from)
        })
    }
}
