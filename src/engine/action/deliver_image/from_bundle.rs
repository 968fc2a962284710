//! An image of an archive brought to a host: pulled by the host's own Docker from this program; loaded from files that grow there where the link is
//! slow; or loaded with only the missing layers where there is next to nothing of them, or its sshd lets no port come back here.
//!
//! The pull runs on the host by itself, so it outlives a broken connection: Docker tries again for some fifty seconds and goes on inside the layer, when
//! it finds the registry where it was. A program that was killed finds it by its log, which begins with where the registry was.

use std::ops::ControlFlow;
use std::time::Duration;

use super::{ActionError, Context, DeliverImage};
use crate::engine::delivery::{Counter, Delivery, Place};
use crate::images::ImagesError;
use crate::images::blobs::Encoding;
use crate::images::registry::Registry;
use crate::model::bundle::BundledImage;
use crate::model::docker::{EngineFacts, ImageFacts};
use crate::model::failure::Hinted;
use crate::model::image::ImageRef;
use crate::transport::detached::{self, End, Started, State, Step};
use crate::transport::{Docker, Host, TransportError};

mod load;
mod pieces;
mod pins;
mod watch;

use watch::Watch;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(250);

/// The first engine that unpacks zstd.
const KNOWS_ZSTD: u64 = 23;

/// How often a pull that broke off is begun anew.
const TRIES: u32 = 3;

/// Everything that one delivery works with.
struct Job<'a> {
    action: &'a DeliverImage,
    cx: &'a Context<'a>,
    delivery: &'a Delivery,
    image: &'a BundledImage,
    docker: std::sync::Arc<dyn Docker>,
    engine: EngineFacts,
    there: Vec<ImageFacts>,
    counter: std::sync::Arc<Counter>,
}

/// Brings the image to the host under its real name and proves that it is the archive's.
pub(super) fn deliver(
    action: &DeliverImage,
    cx: &Context<'_>,
    delivery: &Delivery,
    image: &BundledImage,
) -> Result<(), ActionError> {
    let counter = delivery.counter(cx.host.name());
    let turn = counter.turn();
    if cx.progress.cancelled() {
        return Err(ActionError::Cancelled);
    }
    let mut job = Job::new(action, cx, delivery, image)?;
    if job.await_load()? {
        job.there = job.docker.images()?;
    }
    let by_layers = job.engine.containerd_store;
    if let Some(same) = job.there.iter().find(|found| image.is(found, by_layers)) {
        job.docker.tag(&same.id, &action.reference)?;
    } else {
        let left = job.left_running()?;
        if left.is_none() && job.lacks_little() {
            job.load_at_once()?;
        } else if left.is_some() || !job.bring()? {
            drop(turn);
            job.pull_or_load(left)?;
        }
    }
    job.prove()
}

impl<'a> Job<'a> {
    fn new(
        action: &'a DeliverImage,
        cx: &'a Context<'a>,
        delivery: &'a Delivery,
        image: &'a BundledImage,
    ) -> Result<Self, ActionError> {
        let docker = cx.host.docker()?;
        let counter = delivery.counter(cx.host.name());
        Ok(Self {
            action,
            cx,
            delivery,
            image,
            engine: counter.engine(docker.as_ref())?,
            there: docker.images()?,
            docker,
            counter,
        })
    }
}

impl Job<'_> {
    /// Returns where a pull that an earlier run has left looks for its registry; everything else of earlier runs is cleared away.
    fn left_running(&self) -> Result<Option<Place>, ActionError> {
        let (id, host) = (self.pull_id(), self.cx.host);
        let step = self.pull_step(&id);
        if !self.counter.may_keep(host, &step)? {
            return Ok(None);
        }
        match detached::status(host, &step)? {
            State::Running => {
                let left = began_from(host, &step)?;
                if left.is_none() {
                    // Where it looks for its registry is not known, so it cannot be helped.
                    detached::cancel(host, &step)?;
                    detached::clean(host, &step)?;
                }
                Ok(left)
            }
            State::Ended(_) => {
                detached::clean(host, &step)?;
                Ok(None)
            }
            State::Absent => Ok(None),
        }
    }

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

    fn pull_id(&self) -> String {
        format!("images/{}", self.action.image)
    }

    fn pull_step<'a>(&'a self, id: &'a str) -> Step<'a> {
        Step {
            folder: &self.action.folder,
            id,
            privilege: self.action.rights.privilege(),
        }
    }

    fn pull_or_load(&mut self, left: Option<Place>) -> Result<(), ActionError> {
        match self.pull(left) {
            Err(ActionError::Transport(TransportError::Refused { what })) => {
                self.load_instead(&format!("sshd refuses {what}"))
            }
            pulled => pulled,
        }
    }

    fn load_instead(&mut self, why: &str) -> Result<(), ActionError> {
        self.cx.progress.line(&format!(
            "{why}: sending an archive with the missing layers instead"
        ));
        let counter = std::sync::Arc::clone(&self.counter);
        let _turn = counter.turn();
        self.there = self.docker.images()?;
        self.load()
    }

    /// Offers what the host lacks of the image, and returns under which name.
    fn offer(&self, registry: &Registry) -> Result<String, ActionError> {
        let image = self.action.image.as_str();
        let offered = registry.offer(image, self.image, self.encoding());
        let repository = offered.map_err(|error| said(&error))?;
        if !self.engine.containerd_store {
            registry.withhold(&repository, self.shared());
        }
        Ok(repository)
    }

    fn pull(&mut self, mut left: Option<Place>) -> Result<(), ActionError> {
        let id = self.pull_id();
        let host = self.cx.host;
        for again in 0..TRIES {
            let step = self.pull_step(&id);
            let (registry, port) = self.counter.open(host, left.as_ref())?;
            let repository = self.offer(&registry)?;
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
            self.counter.note_begun(&step);
            let started = detached::start(host, &step, &script, &crate::transport::Input::Empty)?;
            if let Started::Already(State::Running) = started {
                self.cx
                    .progress
                    .line("going on with the pull that runs on the host");
            }
            let watch = Watch {
                job: self,
                step: &step,
                counter: &self.counter,
                registry: &registry,
                repository: &repository,
            };
            let (end, log) = watch.follow()?;
            detached::clean(host, &step)?;
            if registry.is_missed(&repository) {
                return self.load_instead("Docker asks for layers that it has");
            }
            if end == End::Code(0) {
                self.docker.tag(&name.to_string(), &self.action.reference)?;
                self.docker.untag(&name)?;
                return self.unpin();
            }
            if again + 1 == TRIES || !is_worth_another(&log) {
                return Err(self.broke_off(end, &log));
            }
            self.cx
                .progress
                .line("the pull broke off; beginning it anew");
            self.counter.distrust();
            let _turn = self.counter.turn();
            self.there = self.docker.images()?;
            if self.bring()? {
                return Ok(());
            }
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
            command: None,
        }
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
                command: None,
            }),
        }
    }
}

/// Returns where the registry was that a running pull was begun from, by the first line of its log.
fn began_from(host: &dyn Host, step: &Step<'_>) -> Result<Option<Place>, TransportError> {
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
        command: None,
    }
}

#[cfg(test)]
mod tests;
