//! The store served to one host's Docker by the registry protocol, read-only.
//!
//! Somebody else brings the streams: connections that the host's Docker made to a port of its own loopback, and that came here through SSH. Nothing
//! listens on this machine. What is served lies under a random name that is made for the run, so other users of the host who find the port find nothing
//! else; and only images that were offered are readable, each with its own layers.

mod answer;
mod body;
mod shelf;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::blobs::{BlobStore, Encoding};
use super::{Digest, ImagesError};
use crate::model::bundle::BundledImage;
pub(super) use shelf::Shelf;

/// How long a connection may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections served at once; Docker opens about nine.
const AT_ONCE: usize = 64;

/// The registry for one host.
#[derive(Debug)]
pub struct Registry {
    store: Arc<BlobStore>,
    token: String,
    shelves: Mutex<BTreeMap<String, Arc<Shelf>>>,
    sent: Arc<Mutex<BTreeMap<Digest, u64>>>,
    connections: AtomicUsize,
}

impl Registry {
    /// Returns a registry under a fresh random name.
    #[must_use]
    pub fn new(store: Arc<BlobStore>) -> Self {
        Self::under(store, &format!("{:032x}", rand::random::<u128>()))
    }

    /// Returns a registry under a name that an earlier run made, so that what it began goes on.
    #[must_use]
    pub fn under(store: Arc<BlobStore>, token: &str) -> Self {
        Self {
            store,
            token: token.to_owned(),
            shelves: Mutex::default(),
            sent: Arc::default(),
            connections: AtomicUsize::new(0),
        }
    }

    /// Returns the random name that everything lies under.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Offers an image under a short name and returns the repository by which it can be pulled; the tag is `latest`.
    ///
    /// # Errors
    /// When something of the image is not in the store, or the store is full.
    pub fn offer(
        &self,
        name: &str,
        image: &BundledImage,
        encoding: Encoding,
    ) -> Result<String, ImagesError> {
        let goods = Shelf::fill(&self.store, image, encoding)?;
        let repository = format!("{}/{name}", self.token);
        lock(&self.shelves).insert(repository.clone(), Arc::new(goods));
        Ok(repository)
    }

    /// Gives the lowest layers of an offered image no more: the host has them, and a Docker that asks for them does not know that.
    ///
    /// Docker knows a layer by the digest under which it was pulled; one that was loaded, or pulled from elsewhere, it would fetch again.
    pub fn withhold(&self, repository: &str, layers: usize) {
        if let Some(goods) = self.shelf(repository) {
            goods.withhold(layers);
        }
    }

    /// Returns whether a layer that is withheld was asked for.
    #[must_use]
    pub fn is_missed(&self, repository: &str) -> bool {
        self.shelf(repository)
            .is_some_and(|goods| goods.is_missed())
    }

    /// Returns, for each layer of an offered image, its compressed digest, how many bytes of it the host has been sent, and how many it has.
    #[must_use]
    pub fn progress(&self, repository: &str) -> Vec<(Digest, u64, u64)> {
        let Some(goods) = lock(&self.shelves).get(repository).cloned() else {
            return Vec::new();
        };
        let sent = lock(&self.sent);
        let layers = goods.layers().iter();
        layers
            .map(|layer| {
                let out = sent.get(&layer.digest).copied().unwrap_or(0);
                (layer.digest, out.min(layer.size), layer.size)
            })
            .collect()
    }

    /// Serves one connection until it ends; whoever brings it gives it a thread of its own.
    pub fn serve(&self, stream: UnixStream) {
        if self.connections.fetch_add(1, Ordering::SeqCst) < AT_ONCE
            && let Err(error) = self.converse(stream)
        {
            // Docker hangs up when it has enough, and begins with TLS, which is refused: neither is worth more.
            tracing::debug!(%error, "a connection to the registry ended");
        }
        self.connections.fetch_sub(1, Ordering::SeqCst);
    }

    fn converse(&self, stream: UnixStream) -> Result<(), Box<dyn std::error::Error>> {
        stream.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let stream = TokioIo::new(tokio::net::UnixStream::from_std(stream)?);
            let service =
                service_fn(|request| async move { Ok::<_, Infallible>(self.answer(&request)) });
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(stream, service)
                .await?;
            Ok(())
        })
    }

    fn shelf(&self, repository: &str) -> Option<Arc<Shelf>> {
        lock(&self.shelves).get(repository).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
