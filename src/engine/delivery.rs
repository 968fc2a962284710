//! Images of archives on their way to hosts: for each host a registry of its own, and the port of the host through which its Docker reaches it.
//!
//! Made once a run. A counter opens when the first image for its host is wanted, opens again on the same port when the connection broke, so that a
//! pull that goes on there finds it again, and closes with the run. Which image goes where is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::images::blobs::BlobStore;
use crate::images::registry::Registry;
use crate::model::docker::EngineFacts;
use crate::model::ids::HostName;
use crate::transport::detached::{self, Step};
use crate::transport::{Command, Docker, Forward, Host, TransportError};

/// How often a thread that waits for connections looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(250);

/// How long a port may stay taken by what is left of a broken connection.
const TAKEN: Duration = Duration::from_secs(6);

/// Bytes a second that are believed of a way that breaks often.
const DISTRUSTED: u64 = 4_000_000;

/// The counters of one run.
#[derive(Debug)]
pub struct Delivery {
    store: Arc<BlobStore>,
    counters: Mutex<BTreeMap<HostName, Arc<Counter>>>,
}

impl Delivery {
    /// Returns the counters of a run, none of them open.
    #[must_use]
    pub fn new(store: Arc<BlobStore>) -> Self {
        Self {
            store,
            counters: Mutex::default(),
        }
    }

    /// Returns where the images are.
    #[must_use]
    pub fn store(&self) -> &Arc<BlobStore> {
        &self.store
    }

    /// Returns the counter of a host.
    #[must_use]
    pub fn counter(&self, host: &HostName) -> Arc<Counter> {
        let mut counters = lock(&self.counters);
        let counter = counters.entry(host.clone()).or_insert_with(|| {
            Arc::new(Counter {
                store: Arc::clone(&self.store),
                open: Mutex::default(),
                rate: AtomicU64::new(0),
                told: AtomicBool::new(false),
                turn: Mutex::default(),
                engine: OnceLock::new(),
                kept: Mutex::default(),
            })
        });
        Arc::clone(counter)
    }
}

/// Where a host's Docker finds a registry: the port of its own loopback, and the random name that everything lies under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The port.
    pub port: u16,
    /// The name.
    pub token: String,
}

/// The registry of one host.
#[derive(Debug)]
pub struct Counter {
    store: Arc<BlobStore>,
    open: Mutex<Option<Open>>,
    /// Bytes a second on the way to the host; 0 while nobody knows.
    rate: AtomicU64,
    /// Whether the operator knows that the way is slow.
    told: AtomicBool,
    /// Held by the one who sends what only his image needs.
    turn: Mutex<()>,
    /// What the host's Docker is.
    engine: OnceLock<EngineFacts>,
    /// Steps that may be kept on the host: those of earlier runs, once somebody has looked, and those begun since.
    kept: Mutex<Option<BTreeSet<String>>>,
}

#[derive(Debug)]
struct Open {
    registry: Arc<Registry>,
    port: u16,
    /// The process on the host that holds the port, when it told.
    holder: Option<u32>,
    wanted: Arc<AtomicBool>,
    lives: Arc<AtomicBool>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::SeqCst);
    }
}

impl Counter {
    /// Makes sure that the counter is open and returns its registry with the port. One that an earlier run began is opened in the same `place`, when
    /// that can be had.
    ///
    /// # Errors
    /// With [`TransportError::Refused`] when the host lets no port come back here.
    pub fn open(
        &self,
        host: &dyn Host,
        place: Option<&Place>,
    ) -> Result<(Arc<Registry>, u16), TransportError> {
        let mut open = lock(&self.open);
        if let Some(open) = &*open
            && open.lives.load(Ordering::SeqCst)
        {
            return Ok((Arc::clone(&open.registry), open.port));
        }
        let before = open.take();
        let registry = match (&before, place) {
            (Some(before), _) => Arc::clone(&before.registry),
            (None, Some(place)) => Arc::new(Registry::under(Arc::clone(&self.store), &place.token)),
            (None, None) => Arc::new(Registry::new(Arc::clone(&self.store))),
        };
        let port = before.as_ref().map(|before| before.port);
        let port = port.or(place.map(|place| place.port));
        let holder = before.as_ref().and_then(|before| before.holder);
        drop(before);
        let door = listen(host, port, holder)?;
        let new = Open {
            registry: Arc::clone(&registry),
            port: door.port(),
            holder: holder_of(host),
            wanted: Arc::new(AtomicBool::new(true)),
            lives: Arc::new(AtomicBool::new(true)),
        };
        let port = new.port;
        attend(door, &new);
        *open = Some(new);
        Ok((registry, port))
    }

    /// Waits until nobody else sends layers to the host by himself. Several pulls may go on at once, since the host's Docker fetches what they have in
    /// common once; whoever sends without being asked must know what is there, and others must not begin to send the same.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Returns what the host's Docker is, asked once a run.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn engine(&self, docker: &dyn Docker) -> Result<EngineFacts, TransportError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine.clone());
        }
        let engine = docker.engine()?;
        Ok(self.engine.get_or_init(|| engine).clone())
    }

    /// Returns whether a step may be kept on the host, by an earlier run or by this one; looks there once.
    ///
    /// # Errors
    /// When the host cannot be asked.
    pub fn may_keep(&self, host: &dyn Host, step: &Step<'_>) -> Result<bool, TransportError> {
        let mut kept = lock(&self.kept);
        if kept.is_none() {
            let names = detached::kept(host, step.folder, step.privilege)?;
            *kept = Some(names.into_iter().collect());
        }
        let name = detached::file_name(step.id);
        Ok(kept.as_ref().is_some_and(|kept| kept.contains(&name)))
    }

    /// Takes note of a step that is about to begin.
    pub fn note_begun(&self, step: &Step<'_>) {
        if let Some(kept) = lock(&self.kept).as_mut() {
            kept.insert(detached::file_name(step.id));
        }
    }

    /// Returns how many bytes a second the way to the host carried the last time somebody looked.
    #[must_use]
    pub fn rate(&self) -> Option<u64> {
        Some(self.rate.load(Ordering::Relaxed)).filter(|rate| *rate > 0)
    }

    /// Takes note of so many bytes in this time.
    pub fn note_rate(&self, bytes: u64, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        let rate = bytes.saturating_mul(1_000_000) / micros;
        self.rate.store(rate.max(1), Ordering::Relaxed);
    }

    /// Returns whether the operator is still to be told that the way is slow; true once.
    pub fn is_news(&self) -> bool {
        !self.told.swap(true, Ordering::Relaxed)
    }

    /// Takes the way for a slow one, since it breaks too often for what it carries.
    pub fn distrust(&self) {
        self.rate.store(DISTRUSTED, Ordering::Relaxed);
    }

    /// Returns whether the host's Docker can reach it, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        lock(&self.open)
            .as_ref()
            .is_some_and(|open| open.lives.load(Ordering::SeqCst))
    }
}

/// Serves every connection that comes, until nobody wants it any more or the connection to the host ends.
fn attend(door: Box<dyn Forward>, open: &Open) {
    let (registry, wanted, lives) = (
        Arc::clone(&open.registry),
        Arc::clone(&open.wanted),
        Arc::clone(&open.lives),
    );
    let begun = thread::Builder::new()
        .name("registry".to_owned())
        .spawn(move || {
            while wanted.load(Ordering::SeqCst) {
                match door.accept(LOOK) {
                    Ok(None) => {}
                    Ok(Some(stream)) => {
                        let registry = Arc::clone(&registry);
                        let served = thread::Builder::new()
                            .name("registry".to_owned())
                            .spawn(move || registry.serve(stream));
                        if let Err(error) = served {
                            tracing::warn!(%error, "no thread for a connection to the registry");
                        }
                    }
                    Err(error) => {
                        tracing::info!(%error, "the way to the registry is gone");
                        break;
                    }
                }
            }
            lives.store(false, Ordering::SeqCst);
        });
    if begun.is_err() {
        open.lives.store(false, Ordering::SeqCst);
    }
}

/// Has the host listen, on the same port as before when there was one. What is left there of a broken connection may hold that port still.
fn listen(
    host: &dyn Host,
    port: Option<u16>,
    holder: Option<u32>,
) -> Result<Box<dyn Forward>, TransportError> {
    let Some(port) = port else {
        return host.forward(0);
    };
    let deadline = Instant::now() + TAKEN;
    loop {
        match host.forward(port) {
            Err(TransportError::Refused { .. }) if Instant::now() < deadline => {
                if let Some(holder) = holder {
                    free(host, holder);
                }
                thread::sleep(LOOK);
            }
            // Somebody else has it: whatever was begun there begins anew.
            Err(TransportError::Refused { .. }) => return host.forward(0),
            answered => return answered,
        }
    }
}

/// Ends what is left of a broken connection on the host; only its own user's, and only an sshd.
fn free(host: &dyn Host, holder: u32) {
    let script =
        format!("case $(cat /proc/{holder}/comm 2>/dev/null) in sshd*) kill {holder} ;; esac");
    if let Err(error) = host.run(&Command::sh(script)) {
        tracing::debug!(%error, "the port's holder could not be asked to leave");
    }
}

/// Returns the process on the host that stands for this connection: the nearest sshd above a command.
fn holder_of(host: &dyn Host) -> Option<u32> {
    const SCRIPT: &str = r#"pid=$$
while [ "$pid" -gt 1 ]; do
    case $(cat "/proc/$pid/comm") in sshd*) echo "$pid"; exit ;; esac
    stat=$(cat "/proc/$pid/stat") || exit 1
    set -- ${stat##*) }
    pid=$2
done"#;
    let output = host.run(&Command::sh(SCRIPT)).ok()?;
    output.text().trim().parse().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
