//! Registries, asked from this machine: images fetched into the store, and images of archives pushed.
//!
//! The protocol is that of the `oci-client` crate; here is what it leaves open: which login goes to which registry, the authority of a private one,
//! plain HTTP on the loopback only, blobs continued where they were cut, and errors told apart. It is asynchronous and nobody outside sees that: every
//! public function blocks, on one small runtime of its own. Proxies are those of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).

mod connect;
mod error;
mod fetch;
mod judge;
mod manifest;
mod push;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use secrecy::SecretString;
use tokio::runtime::Runtime;

use super::ImagesError;
use crate::model::image::ImageRef;
pub use error::RemoteError;
pub use fetch::Wanted;
pub use manifest::{Platform, RemoteImage, RemoteLayer};
pub use push::{Blob, Cargo, Sent, Source};

/// How often something is tried again after a fault of the way there.
const TRIES: u32 = 5;

/// Between two tries.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The longest that a registry's wish to wait is followed.
const LONGEST_WAIT: u64 = 120;

/// How long a registry may say nothing in the middle of something.
const SILENCE: Duration = Duration::from_mins(1);

/// Who asks, and whom to believe.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The registry that the login is for, as image names begin; others are asked without one.
    pub registry: String,
    /// The login.
    pub login: Option<(String, SecretString)>,
    /// Certificates of authorities, in PEM, beside those that this machine trusts.
    pub authorities: Option<Vec<u8>>,
    /// The proxy to everything, with its login; that of the environment when there is none.
    pub proxy: Option<SecretString>,
}

/// What is told while registries are at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It will be asked again, so many seconds later.
    Again {
        /// Which registry.
        registry: String,
        /// What went wrong.
        why: String,
        /// Seconds.
        seconds: u64,
    },
    /// How many bytes there are to move, without those that are there already.
    Total(u64),
    /// So many bytes more have moved.
    Moved(u64),
    /// So many bytes of those that had moved were for nothing.
    Lost(u64),
}

/// Hears what is going on, and says when it is enough.
pub trait Watch: Sync {
    /// Hears.
    fn hear(&self, told: Told);
    /// Returns whether the operator has had enough.
    fn stopped(&self) -> bool;
}

/// The registries.
#[derive(Debug)]
pub struct Remote {
    access: Access,
    runtime: Runtime,
    clients: Mutex<BTreeMap<String, Link>>,
}

/// The way to one registry.
#[derive(Clone)]
struct Link {
    client: Client,
    auth: RegistryAuth,
    registry: String,
    trusts_more: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.registry)
    }
}

impl Remote {
    /// Makes ready to ask registries; nothing is asked yet.
    ///
    /// # Errors
    /// When this machine gives no means to, or an authority is not one.
    pub fn new(access: Access) -> Result<Self, ImagesError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let remote = Self {
            access,
            runtime,
            clients: Mutex::default(),
        };
        remote.certificates()?;
        Ok(remote)
    }

    /// Returns the way to the registry of an image, made and tried the first time.
    fn link(&self, reference: &Reference) -> Result<Link, ImagesError> {
        let registry = reference.registry().to_owned();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = clients.get(&registry) {
            return Ok(link.clone());
        }
        let link = self.connect(reference)?;
        clients.insert(registry, link.clone());
        Ok(link)
    }

    /// Asks until there is an answer, a fault that asking again does not mend, or too many tries. When the operator stops it, nothing is waited for.
    fn ask<T, F>(
        &self,
        link: &Link,
        watch: &dyn Watch,
        ask: impl Fn() -> F,
    ) -> Result<T, ImagesError>
    where
        F: Future<Output = Result<T, ImagesError>>,
    {
        self.runtime.block_on(async {
            tokio::select! {
                asked = patiently(link, watch, || 0, ask) => asked,
                () = until_stopped(watch) => Err(ImagesError::Cancelled),
            }
        })
    }
}

/// Ends when the operator stops it.
async fn until_stopped(watch: &dyn Watch) {
    while !watch.stopped() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Tries again after faults of the way there, and after as long as the registry wants. Whatever `gained` says to have come begins the count anew: a bad way
/// leads there, too.
async fn patiently<T, F>(
    link: &Link,
    watch: &dyn Watch,
    gained: impl Fn() -> u64,
    ask: impl Fn() -> F,
) -> Result<T, ImagesError>
where
    F: Future<Output = Result<T, ImagesError>>,
{
    let mut tried = 1;
    let mut before = gained();
    loop {
        let error = match ask().await {
            Err(ImagesError::Remote(error)) => error,
            other => return other,
        };
        let now = gained();
        if now > before {
            tried = 1;
        }
        before = now;
        let pause = error.pause(
            PAUSES[(tried as usize - 1).min(PAUSES.len() - 1)],
            LONGEST_WAIT,
        );
        let Some(pause) = pause.filter(|_| tried < TRIES) else {
            return Err(error.into());
        };
        watch.hear(Told::Again {
            registry: link.registry.clone(),
            why: error.why(),
            seconds: pause.as_secs(),
        });
        tokio::time::sleep(pause).await;
        tried += 1;
    }
}

/// Returns an image's name as the protocol has it.
fn protocol_name(reference: &ImageRef) -> Result<Reference, ImagesError> {
    Reference::try_from(reference.to_string()).map_err(|error| {
        RemoteError::Unusable {
            what: reference.to_string(),
            detail: error.to_string(),
        }
        .into()
    })
}

impl Link {
    /// Logs in for one repository, where the registry wants that.
    async fn log_in(
        &self,
        reference: &Reference,
        operation: RegistryOperation,
    ) -> Result<(), ImagesError> {
        let asked = self.client.auth(reference, &self.auth, operation).await;
        match asked {
            Ok(_) => Ok(()),
            Err(error) => Err(self.judge(error, reference.repository()).await.into()),
        }
    }
}
