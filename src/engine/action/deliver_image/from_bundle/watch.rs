//! A pull that runs on the host, followed to its end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};

use super::{Job, TELL};
use crate::engine::action::ActionError;
use crate::engine::delivery::Counter;
use crate::images::registry::Registry;
use crate::model::docker::LayerProgress;
use crate::transport::detached::{self, End, Step};

/// A pull that runs on the host, seen from here.
pub(super) struct Watch<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) step: &'a Step<'a>,
    pub(super) counter: &'a Counter,
    pub(super) registry: &'a Registry,
    pub(super) repository: &'a str,
}

impl Watch<'_> {
    /// Follows it to its end, keeping the way to the registry open; returns how it ended and what it printed last.
    pub(super) fn follow(&self) -> Result<(End, Vec<String>), ActionError> {
        let cx = self.job.cx;
        let (lines, heard) = channel();
        let leave = AtomicBool::new(false);
        let mut log = Vec::new();
        let end = std::thread::scope(|scope| {
            let (host, step, leave) = (cx.host, self.step, &leave);
            // Its end closes the channel, so nobody waits for more.
            let follower = scope.spawn(move || {
                let mut offset = 0;
                let mut text = Vec::new();
                detached::follow(host, step, &mut offset, &mut |bytes| {
                    text.extend_from_slice(bytes);
                    while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = text.drain(..=end).collect();
                        // Nobody listens any more only when this is about to end.
                        let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
                    }
                    if leave.load(Ordering::SeqCst) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
            });
            let mut most = 0;
            while !follower.is_finished() {
                match heard.recv_timeout(TELL) {
                    Ok(line) => self.hear(line, &mut log),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                self.tell(&mut most);
                if cx.progress.cancelled() {
                    leave.store(true, Ordering::SeqCst);
                    break;
                }
                if !self.counter.is_open() {
                    // The next look at the host tells when this fails for good.
                    if let Err(error) = self.counter.open(cx.host, None) {
                        cx.progress.line(&format!(
                            "the way to the images is not open again yet: {error}"
                        ));
                        std::thread::sleep(TELL * 4);
                    }
                }
            }
            follower
                .join()
                .unwrap_or(Ok(None))
                .map_err(ActionError::from)
        })?;
        for line in heard.try_iter() {
            self.hear(line, &mut log);
        }
        let Some(end) = end else {
            detached::cancel(cx.host, self.step)?;
            detached::clean(cx.host, self.step)?;
            return Err(ActionError::Cancelled);
        };
        Ok((end, log))
    }

    /// Takes a line of `docker pull`: what happens to a layer, or words.
    fn hear(&self, line: String, log: &mut Vec<String>) {
        let layer = line
            .split_once(": ")
            .filter(|(id, _)| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match layer {
            Some((id, status)) => self.job.cx.progress.layer(LayerProgress {
                layer: id.to_owned(),
                status: status.to_owned(),
                done: None,
                total: None,
            }),
            None => log.push(line),
        }
    }

    /// Tells how many bytes of the missing layers went out. Those that this run has sent already, and the host pinned, were missing, too.
    fn tell(&self, most: &mut u64) {
        let shared = self.job.shared();
        let layers = self.registry.progress(self.repository).into_iter();
        let missing: Vec<_> = layers
            .enumerate()
            .filter(|(at, (_, sent, _))| *at >= shared || *sent > 0)
            .map(|(_, layer)| layer)
            .collect();
        let total = missing.iter().map(|(.., size)| size).sum();
        let sent = missing.iter().map(|(_, sent, _)| sent).sum();
        *most = (*most).max(sent);
        self.job.cx.progress.at(*most, Some(total));
        for (digest, sent, size) in &missing {
            if *sent > 0 && sent < size {
                self.job.cx.progress.layer(LayerProgress {
                    layer: digest.hex().chars().take(12).collect(),
                    status: "Downloading".to_owned(),
                    done: Some(*sent),
                    total: Some(*size),
                });
            }
        }
    }
}
