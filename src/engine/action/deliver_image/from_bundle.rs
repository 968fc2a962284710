//! An image of an archive brought to a host: pulled by the host's own Docker from this program, or loaded with only the missing layers where its
//! sshd lets no port come back here.
//!
//! The pull runs on the host by itself, so it outlives a broken connection: Docker tries again for some fifty seconds and goes on inside the layer, when
//! it finds the registry where it was. A program that was killed finds it by its log, which begins with where the registry was.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{ActionError, Context, DeliverImage};
use crate::engine::delivery::{Counter, Delivery, Place};
use crate::images::ImagesError;
use crate::images::blobs::Encoding;
use crate::images::partial::{self, Portion};
use crate::images::registry::Registry;
use crate::model::bundle::BundledImage;
use crate::model::docker::{EngineFacts, ImageFacts, LayerProgress};
use crate::model::failure::Hinted;
use crate::model::image::ImageRef;
use crate::transport::detached::{self, End, Started, State, Step};
use crate::transport::{Docker, TransportError};

/// How often progress is told.
const TELL: Duration = Duration::from_millis(250);

/// The first engine that unpacks zstd.
const KNOWS_ZSTD: u64 = 23;

/// How often a pull that broke off is begun anew.
const TRIES: u32 = 3;

/// What images are called that only pin layers until the whole is there.
const PART: &str = "syntho-installer-part";

/// Everything that one delivery works with.
struct Job<'a> {
    action: &'a DeliverImage,
    cx: &'a Context<'a>,
    delivery: &'a Delivery,
    image: &'a BundledImage,
    docker: std::sync::Arc<dyn Docker>,
    engine: EngineFacts,
    there: Vec<ImageFacts>,
}

/// Brings the image to the host under its real name and proves that it is the archive's.
pub(super) fn deliver(
    action: &DeliverImage,
    cx: &Context<'_>,
    delivery: &Delivery,
    image: &BundledImage,
) -> Result<(), ActionError> {
    let docker = cx.host.docker()?;
    let job = Job {
        action,
        cx,
        delivery,
        image,
        engine: docker.engine()?,
        there: docker.images()?,
        docker,
    };
    let by_layers = job.engine.containerd_store;
    if let Some(same) = job.there.iter().find(|found| image.is(found, by_layers)) {
        job.docker.tag(&same.id, &action.reference)?;
    } else {
        match job.pull() {
            Err(ActionError::Transport(TransportError::Refused { what })) => {
                cx.progress.line(&format!(
                    "sshd refuses {what}: sending an archive with the missing layers instead"
                ));
                job.load()?;
            }
            pulled => pulled?,
        }
    }
    job.prove()
}

impl Job<'_> {
    fn encoding(&self) -> Encoding {
        let major = self.engine.version.split('.').next().unwrap_or_default();
        match major.parse::<u64>() {
            Ok(major) if major < KNOWS_ZSTD => Encoding::Gzip,
            _ => Encoding::Zstd,
        }
    }

    /// Returns how many of its layers the host has.
    fn shared(&self) -> usize {
        self.image.shared_with(&self.there)
    }

    fn pull(&self) -> Result<(), ActionError> {
        let id = format!("images/{}", self.action.image);
        let step = Step {
            folder: &self.action.folder,
            id: &id,
            privilege: self.action.rights.privilege(),
        };
        let host = self.cx.host;
        let counter = self.delivery.counter(host.name());
        let mut left = None;
        match detached::status(host, &step)? {
            State::Running => left = began_from(host, &step)?,
            State::Ended(_) => detached::clean(host, &step)?,
            State::Absent => {}
        }
        for again in 0..TRIES {
            let (registry, port) = counter.open(host, left.as_ref())?;
            let offered = registry.offer(self.action.image.as_str(), self.image, self.encoding());
            let repository = offered.map_err(|error| said(&error))?;
            let name = ImageRef::parse(&format!("127.0.0.1:{port}/{repository}:latest"));
            let name = name.map_err(|error| ActionError::Bug(error.to_string()))?;
            let here = Place {
                port,
                token: registry.token().to_owned(),
            };
            if left.take().is_some_and(|left| left != here) {
                // Begun by a run whose place cannot be had again.
                detached::cancel(host, &step)?;
                detached::clean(host, &step)?;
            }
            let script = format!(
                "echo 'from {port}/{}'\nexec docker pull '{name}'\n",
                here.token
            );
            let started = detached::start(host, &step, &script, &crate::transport::Input::Empty)?;
            if let Started::Already(State::Running) = started {
                self.cx
                    .progress
                    .line("going on with the pull that runs on the host");
            }
            let watch = Watch {
                job: self,
                step: &step,
                counter: &counter,
                registry: &registry,
                repository: &repository,
            };
            let (end, log) = watch.follow()?;
            detached::clean(host, &step)?;
            if end == End::Code(0) {
                self.docker.tag(&name.to_string(), &self.action.reference)?;
                self.docker.untag(&name)?;
                return Ok(());
            }
            if again + 1 == TRIES || !is_worth_another(&log) {
                return Err(self.broke_off(end, &log));
            }
            self.cx
                .progress
                .line("the pull broke off; beginning it anew");
        }
        Err(ActionError::Bug("the last try has no end".to_owned()))
    }

    fn broke_off(&self, end: End, log: &[String]) -> ActionError {
        let words = log.last().cloned().unwrap_or_default();
        let full = words.contains("no space left on device");
        let how = match end {
            End::Code(code) => format!("with status {code}"),
            End::Cancelled => "because it was cancelled".to_owned(),
            End::Interrupted => "with the host".to_owned(),
        };
        ActionError::Situation {
            message: if full {
                format!("no space left for image `{}`", self.action.reference)
            } else {
                format!("the pull of image `{}` ended {how}", self.action.reference)
            },
            evidence: log.iter().rev().take(4).rev().cloned().collect(),
            remedy: Some(if full {
                format!(
                    "free space under {} and run the same command again",
                    self.engine.root
                )
            } else {
                "see `journalctl -u docker` on the host and run the same command again".to_owned()
            }),
        }
    }

    /// Loads the missing layers one after the other, each pinned by an image, so that a break costs one of them.
    fn load(&self) -> Result<(), ActionError> {
        let all = self.image.layers.len();
        let reference = self.action.reference.to_string();
        // With its other image store an engine wants every layer, every time.
        let whole = self.engine.containerd_store;
        let shared = if whole { 0 } else { self.shared() };
        let missing = self.image.layers.get(shared..).unwrap_or_default();
        let total = missing.iter().map(|layer| layer.packed).sum();
        let mut done = 0;
        let mut parts = Vec::new();
        let hex: String = self
            .image
            .id
            .chars()
            .skip("sha256:".len())
            .take(12)
            .collect();
        for (have, layer) in missing
            .iter()
            .enumerate()
            .map(|(at, layer)| (shared + at, layer))
        {
            if whole || have + 1 == all {
                break;
            }
            let name = format!("{PART}:{hex}-{}", have + 1);
            parts.extend(ImageRef::parse(&name));
            self.send(&name, have + 1, have, done, total)?;
            done += layer.packed;
        }
        let have = if whole {
            0
        } else {
            all.saturating_sub(1).max(shared)
        };
        self.send(&reference, all, have, done, total)?;
        // Also those of a run that broke off.
        let tags = self.there.iter().flat_map(|image| &image.tags);
        let old = tags.filter(|tag| tag.starts_with(&format!("{PART}:{hex}-")));
        parts.extend(old.filter_map(|tag| ImageRef::parse(tag).ok()));
        for part in parts {
            self.docker.untag(&part)?;
        }
        Ok(())
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

    /// Compares what the host has under the real name with the archive's image: an exit code is no proof.
    fn prove(&self) -> Result<(), ActionError> {
        let found = self.docker.image(&self.action.reference)?;
        match found {
            Some(found) if self.image.is(&found, self.engine.containerd_store) => Ok(()),
            found => Err(ActionError::Situation {
                message: format!(
                    "image `{}` on the host is not the one of the archive",
                    self.action.reference
                ),
                evidence: vec![
                    format!("in the archive: {}", self.image.id),
                    format!(
                        "on the host: {}",
                        found.map_or("none".to_owned(), |found| found.id)
                    ),
                ],
                remedy: Some("run the same command again".to_owned()),
            }),
        }
    }
}

/// A pull that runs on the host, seen from here.
struct Watch<'a> {
    job: &'a Job<'a>,
    step: &'a Step<'a>,
    counter: &'a Counter,
    registry: &'a Registry,
    repository: &'a str,
}

impl Watch<'_> {
    /// Follows it to its end, keeping the way to the registry open; returns how it ended and what it printed last.
    fn follow(&self) -> Result<(End, Vec<String>), ActionError> {
        let cx = self.job.cx;
        let (lines, heard) = channel();
        let leave = AtomicBool::new(false);
        let mut log = Vec::new();
        let end = std::thread::scope(|scope| {
            let follower = scope.spawn(|| {
                let mut offset = 0;
                let mut text = Vec::new();
                detached::follow(cx.host, self.step, &mut offset, &mut |bytes| {
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
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
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

    /// Tells how many bytes of the missing layers went out.
    fn tell(&self, most: &mut u64) {
        let layers = self.registry.progress(self.repository);
        let missing = layers.get(self.job.shared()..).unwrap_or_default();
        let total = missing.iter().map(|(.., size)| size).sum();
        let sent = missing.iter().map(|(_, sent, _)| sent).sum();
        *most = (*most).max(sent);
        self.job.cx.progress.at(*most, Some(total));
        for (digest, sent, size) in missing {
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

/// Returns where the registry was that a running pull was begun from, by the first line of its log.
fn began_from(
    host: &dyn crate::transport::Host,
    step: &Step<'_>,
) -> Result<Option<Place>, TransportError> {
    let mut text = Vec::new();
    detached::follow(host, step, &mut 0, &mut |bytes| {
        text.extend_from_slice(bytes);
        ControlFlow::Break(())
    })?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let first = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("from "));
    let place = first.and_then(|place| place.split_once('/'));
    Ok(place.and_then(|(port, token)| {
        let hex = token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Place {
            port: port.parse().ok()?,
            token: hex.then(|| token.to_owned())?,
        })
    }))
}

/// Returns whether a pull ended because its registry was away.
fn is_worth_another(log: &[String]) -> bool {
    let signs = [
        "connection refused",
        "connection reset",
        "EOF",
        "i/o timeout",
        "broken pipe",
    ];
    log.iter()
        .any(|line| signs.iter().any(|sign| line.contains(sign)))
}

/// Returns the error of an archive or the store.
fn said(error: &ImagesError) -> ActionError {
    ActionError::Situation {
        message: error.to_string(),
        evidence: error.evidence(),
        remedy: error.hint(),
    }
}

#[cfg(test)]
mod tests;
