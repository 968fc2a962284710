//! The thread of one host: reach it, read it again and again, and after a fault try once more, later each time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::pace::{Pace, needs_operator};
use super::read::{Eye, Found};
use super::{LogScope, Shared, Way};
use crate::engine::redact::kept;
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::log::LogSource;
use crate::model::resolve::ExpectedStack;
use crate::model::watch::Watched;
use crate::transport::{Docker, TransportError};

/// What is known of a host by now, for those who read its containers' output.
pub(super) struct Post {
    pub(super) host: HostName,
    pub(super) stacks: Vec<ExpectedStack>,
    docker: Mutex<Option<Arc<dyn Docker>>>,
    containers: Mutex<Vec<Found>>,
    version: AtomicU64,
}

impl Post {
    pub(super) fn new(host: HostName, stacks: Vec<ExpectedStack>) -> Self {
        Self {
            host,
            stacks,
            docker: Mutex::default(),
            containers: Mutex::default(),
            version: AtomicU64::new(0),
        }
    }

    /// Returns the Docker of the host while it is reached.
    pub(super) fn docker(&self) -> Option<Arc<dyn Docker>> {
        let docker = self.docker.lock().unwrap_or_else(PoisonError::into_inner);
        docker.clone()
    }

    /// Returns the containers of a scope.
    pub(super) fn sources(&self, scope: &LogScope) -> Vec<Arc<LogSource>> {
        let fits = |source: &LogSource| {
            scope
                .service
                .as_ref()
                .is_none_or(|(stack, service)| *stack == source.stack && *service == source.service)
        };
        let containers = self
            .containers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sources = containers.iter().map(|found| &found.source);
        sources.filter(|source| fits(source)).cloned().collect()
    }

    /// Returns a number that is another one when containers came, went, or were started anew.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn set_docker(&self, docker: Option<Arc<dyn Docker>>) {
        *self.docker.lock().unwrap_or_else(PoisonError::into_inner) = docker;
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    fn set_containers(&self, found: Vec<Found>) {
        let mut containers = self
            .containers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *containers != found {
            *containers = found;
            self.version.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Watches a host until nobody wants to know any more.
pub(super) fn watch(shared: &Shared, post: &Post, way: &Way) {
    let mut pace = Pace::default();
    while !shared.is_over() {
        let heard = shared.bell.rung();
        if shared.rests() {
            shared.bell.wait(heard, Some(shared.every));
            continue;
        }
        let Err(error) = serve(shared, post, way, &mut pace) else {
            return;
        };
        post.set_docker(None);
        shared.known.tried(&post.host);
        if shared.is_over() {
            return;
        }
        let wait = (!needs_operator(&error)).then(|| pace.after_fault());
        shared.tell(Watched::Lost {
            host: post.host.clone(),
            failure: failure(shared, post, &error),
            again: wait.and_then(|wait| Timestamp::now().checked_add(wait).ok()),
        });
        shared.bell.wait(heard, wait);
    }
}

/// Reaches the host and reads it until the watch is over or the connection breaks.
fn serve(shared: &Shared, post: &Post, way: &Way, pace: &mut Pace) -> Result<(), TransportError> {
    shared.tell(Watched::Connecting {
        host: post.host.clone(),
    });
    let host = way.connector.connect(&way.spec, way.operator.as_ref())?;
    shared.known.learn(kept::read(host.as_ref(), &post.stacks));
    shared.known.tried(&post.host);
    let mut eye = Eye::new(host);
    while !shared.is_over() {
        let heard = shared.bell.rung();
        if !shared.rests() {
            let (mut reading, found) = eye.look(&post.stacks)?;
            pace.well();
            if let Err(failure) = &mut reading.services {
                shared.known.redactor().failure(failure);
            }
            if eye.docker().is_some() != post.docker().is_some() {
                post.set_docker(eye.docker());
            }
            if let Some(found) = found {
                post.set_containers(found);
            }
            shared.tell(Watched::Read {
                host: post.host.clone(),
                reading: Box::new(reading),
            });
        }
        shared.bell.wait(heard, Some(spread(shared.every)));
    }
    Ok(())
}

/// Returns about `every`, so that many hosts are not all read in the same moment for ever.
fn spread(every: Duration) -> Duration {
    every.mul_f64(0.9 + 0.2 * rand::random::<f64>())
}

fn failure(shared: &Shared, post: &Post, error: &TransportError) -> Failure {
    let mut failure = Failure::from_error(error).on(&post.host);
    // Nothing goes on by itself here: the host is tried again, and says when.
    if error.is_link_fault()
        && failure
            .hint
            .as_deref()
            .is_some_and(|h| h.starts_with("run the same"))
    {
        failure.hint = None;
    }
    shared.known.redactor().failure(&mut failure);
    failure
}
