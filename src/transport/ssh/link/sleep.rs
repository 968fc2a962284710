//! Waiting until something can go on: the SSH socket, the bell, the streams, or the clock.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::bridge::Bridge;
use super::wire::{Fault, Wire};

/// After this long without a word from the host it is asked for one.
const QUIET: Duration = Duration::from_secs(30);

/// When the host was last heard, and when something last moved.
pub(super) struct Pulse {
    heard: Instant,
    moved: Instant,
    pub(super) quiet: Duration,
}

impl Pulse {
    pub(super) fn new(quiet: Option<Duration>) -> Self {
        Self {
            heard: Instant::now(),
            moved: Instant::now(),
            quiet: quiet.unwrap_or(QUIET),
        }
    }

    /// Notes that the host sent something, or is being asked to.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Notes that something went on.
    pub(super) fn moved(&mut self) {
        self.moved = Instant::now();
    }

    /// Returns whether the host has been silent for too long.
    pub(super) fn is_silent(&self) -> bool {
        self.heard.elapsed() >= self.quiet
    }

    /// Returns how long to sleep at most. Who waits for an answer is `blind`: it cannot see one that another channel took off the socket
    /// just now, so it looks again soon, and ever less often while nothing happens.
    pub(super) fn nap(&self, blind: bool) -> Duration {
        if blind {
            let since = self.moved.elapsed() / 4;
            return since.clamp(Duration::from_millis(2), Duration::from_millis(200));
        }
        let rest = self.quiet.saturating_sub(self.heard.elapsed());
        rest.clamp(Duration::from_millis(2), Duration::from_secs(5))
    }
}

/// What is waited for.
pub(super) struct Watch<'a> {
    pub(super) wire: &'a Wire,
    pub(super) bell: &'a UnixStream,
    pub(super) bridges: &'a [Bridge],
    /// Whether some channel can take packets off the socket; without one, only a hang-up is of interest.
    pub(super) readers: bool,
    pub(super) limit: Duration,
}

/// Sleeps until something happened; returns whether the host sent anything.
///
/// # Errors
/// When the connection is gone.
pub(super) fn until_news(watch: &Watch<'_>) -> Result<bool, Fault> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, watch.readers);
    flags.set(PollFlags::OUT, watch.wire.wants_to_send());
    let mut fds = vec![
        PollFd::new(watch.wire.socket(), flags),
        PollFd::new(watch.bell, PollFlags::IN),
    ];
    let local = watch.bridges.iter().filter_map(Bridge::interest);
    fds.extend(local.map(|(stream, flags)| PollFd::new(stream, flags)));
    let limit = Timespec::try_from(watch.limit).ok();
    match poll(&mut fds, limit.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Fault::Lost(format!("cannot wait for it: {error}"))),
    }
    let heard = fds[0].revents();
    if !watch.readers && heard.intersects(PollFlags::HUP | PollFlags::ERR) {
        return Err(Fault::Lost("the host closed the connection".to_owned()));
    }
    if !fds[1].revents().is_empty() {
        silence(watch.bell);
    }
    Ok(heard.contains(PollFlags::IN))
}

/// Takes all rings off the bell; what they meant is in the queue.
fn silence(mut bell: &UnixStream) {
    let mut rings = [0; 64];
    while matches!(bell.read(&mut rings), Ok(count) if count == rings.len()) {}
}
