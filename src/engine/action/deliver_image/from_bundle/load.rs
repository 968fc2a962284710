//! The way for hosts whose sshd lets no port come back here: archives with the missing layers only, sent to `docker load` of the engine's API.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Job, TELL, said};
use crate::engine::action::ActionError;
use crate::images::partial::{self, Portion};
use crate::transport::TransportError;

impl Job<'_> {
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
        let over = AtomicBool::new(false);
        let docker = self.docker.as_ref();
        std::thread::scope(|scope| {
            let loading = scope.spawn(|| {
                let loaded = docker.load(Box::new(archive));
                over.store(true, Ordering::SeqCst);
                loaded
            });
            while !over.load(Ordering::SeqCst) && !loading.is_finished() {
                self.cx.progress.at(
                    (done + sent.load(Ordering::Relaxed)).min(total),
                    Some(total),
                );
                std::thread::sleep(TELL / 5);
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
