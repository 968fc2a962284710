//! A channel joined to one end of a socket pair, whose other end the caller reads and writes like any stream.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::Channel;

use super::feed::Feed;
use super::flight::Flight;
use super::wire::{Fault, PACKET, StartTurn, Wire};
use crate::transport::Input;

/// How much is moved in one go, so that channels take turns.
const TURN: usize = 8;

/// Bytes on their way in one direction.
#[derive(Default)]
struct Load {
    bytes: Vec<u8>,
    sent: usize,
}

impl Load {
    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.sent = 0;
    }
}

/// A channel and the local end of its stream.
pub(super) struct Bridge {
    channel: Channel,
    local: UnixStream,
    start: Option<String>,
    asked: bool,
    feed: Feed,
    flight: Flight,
    up: Load,
    down: Load,
    ends: Ends,
    kind: Kind,
    over: bool,
}

/// Which directions have ended.
#[derive(Debug, Default)]
struct Ends {
    /// The caller sends no more.
    local: bool,
    /// The far side knows that.
    told: bool,
    /// The far side sends no more.
    far: bool,
}

/// What kind of channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Forwarding,
    Session,
}

impl Bridge {
    /// Joins a channel that is a stream already.
    pub(super) fn new(channel: Channel, local: UnixStream) -> Self {
        Self {
            channel,
            local,
            start: None,
            asked: false,
            feed: Feed::empty(),
            flight: Flight::new(Instant::now()),
            up: Load::default(),
            down: Load::default(),
            ends: Ends::default(),
            kind: Kind::Forwarding,
            over: false,
        }
    }

    /// Joins a session channel on which a command is to be started; its standard error goes to the log.
    pub(super) fn command(
        channel: Channel,
        local: UnixStream,
        line: String,
        input: Arc<[Input]>,
    ) -> Self {
        Self {
            start: Some(line),
            feed: Feed::new(input),
            kind: Kind::Session,
            ..Self::new(channel, local)
        }
    }

    /// Returns whether it occupies one of the host's sessions.
    pub(super) fn is_session(&self) -> bool {
        self.kind == Kind::Session
    }

    /// Returns whether its request is out and unanswered.
    pub(super) fn is_starting(&self) -> bool {
        self.asked && self.start.is_some()
    }

    /// Returns whether nothing is left to do but to close the channel.
    pub(super) fn over(&self) -> bool {
        self.over
    }

    /// Returns whether its next step depends on a packet that only a libssh2 call can see.
    pub(super) fn waits_blindly(&self) -> bool {
        self.start.is_some()
    }

    /// Returns whether it could send more once the far side has confirmed some.
    pub(super) fn is_held(&self) -> bool {
        self.flight.is_held()
    }

    /// Gives up the channel for closing; the local end is shut.
    pub(super) fn into_channel(self) -> Channel {
        self.channel
    }

    /// Returns the local end and what it is to be watched for; nothing when only the far side can move things.
    pub(super) fn interest(&self) -> Option<(&UnixStream, PollFlags)> {
        let mut flags = PollFlags::empty();
        if self.start.is_none() && !self.ends.local && self.up.is_empty() && self.feed.is_empty() {
            flags |= PollFlags::IN;
        }
        if !self.down.is_empty() {
            flags |= PollFlags::OUT;
        }
        // After its end of input the caller may still hang up altogether, which poll tells without being asked.
        let hang_up = self.ends.local && self.ends.told;
        (!flags.is_empty() || hang_up).then_some((&self.local, flags))
    }

    /// Returns whether libssh2 already holds something for it; makes no call on the socket.
    pub(super) fn has_news(&self) -> bool {
        if self.start.is_some() {
            return false;
        }
        let readable = self.down.is_empty()
            && !self.ends.far
            && (self.channel.read_window().available > 0 || self.channel.eof());
        let writable =
            !(self.up.is_empty() && self.feed.is_empty()) && self.flight.has_room(&self.channel);
        readable || writable
    }

    /// Does what can be done now; returns whether anything was. A command begins only with `turn`, which it takes then.
    pub(super) fn step(
        &mut self,
        wire: &Wire,
        turn: &mut StartTurn,
        buffer: &mut [u8],
    ) -> Result<bool, Fault> {
        if self.start.is_some() {
            if !self.asked && !turn.take() {
                return Ok(false);
            }
            self.asked = true;
            return self.begin(wire);
        }
        let mut progress = false;
        for _ in 0..TURN {
            let mut moved = self.pull_far(wire, buffer)?;
            moved |= self.push_local();
            moved |= self.pull_local(buffer);
            moved |= self.push_far(wire)?;
            if !moved || self.over {
                break;
            }
            progress = true;
        }
        if self.ends.local && self.ends.told && (self.ends.far || self.hung_up()) {
            self.over = true;
        }
        if !self.over && self.ends.far && self.is_closed(wire)? {
            // It takes nothing more, and libssh2 would wait for its window for ever.
            self.over = true;
            progress = true;
        }
        Ok(progress)
    }

    fn begin(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let Some(line) = self.start.take() else {
            return Ok(false);
        };
        let channel = &mut self.channel;
        let started = if wire.may_send() {
            wire.call(|_| channel.exec(&line))
        } else {
            Ok(None)
        };
        match started {
            Ok(Some(())) => Ok(true),
            Ok(None) => {
                self.start = Some(line);
                Ok(false)
            }
            Err(Fault::Refused(why)) => {
                tracing::warn!(why, "the host refused to start the command behind a stream");
                self.over = true;
                Ok(true)
            }
            Err(fault) => Err(fault),
        }
    }

    fn pull_far(&mut self, wire: &Wire, buffer: &mut [u8]) -> Result<bool, Fault> {
        if self.is_session() {
            self.log_complaints(wire, buffer)?;
        }
        if !self.down.is_empty() {
            // As for a stalled command: packets must leave the socket even when this stream is full.
            wire.read(&mut self.channel, &mut [])?;
            return Ok(false);
        }
        if self.ends.far {
            return Ok(false);
        }
        if let Some(count) = wire.read(&mut self.channel, buffer)?
            && count > 0
        {
            self.down.fill(&buffer[..count]);
            return Ok(true);
        }
        if self.channel.eof() {
            self.ends.far = true;
            // The caller may have gone; then there is nobody to tell.
            let _ = self.local.shutdown(Shutdown::Write);
            return Ok(true);
        }
        Ok(false)
    }

    fn log_complaints(&mut self, wire: &Wire, buffer: &mut [u8]) -> Result<(), Fault> {
        let mut stderr = self.channel.stderr();
        while let Some(count) = wire.read(&mut stderr, buffer)?
            && count > 0
        {
            let text = String::from_utf8_lossy(&buffer[..count]);
            tracing::warn!(
                stderr = text.trim_end(),
                "the command behind a stream complains"
            );
        }
        Ok(())
    }

    fn push_local(&mut self) -> bool {
        let mut moved = false;
        while !self.down.is_empty() {
            match self.local.write(self.down.rest()) {
                Ok(count) => {
                    self.down.sent += count;
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.over = true;
                    break;
                }
            }
        }
        moved
    }

    fn pull_local(&mut self, buffer: &mut [u8]) -> bool {
        if self.ends.local || !self.up.is_empty() || !self.feed.is_empty() {
            return false;
        }
        let room = buffer.len().min(8 * PACKET);
        match self.local.read(&mut buffer[..room]) {
            Ok(0) => {
                self.ends.local = true;
                true
            }
            Ok(count) => {
                self.up.fill(&buffer[..count]);
                true
            }
            Err(error) => {
                let wait = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                self.over |= !wait;
                false
            }
        }
    }

    fn push_far(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let mut moved = false;
        while !self.feed.is_empty() || !self.up.is_empty() {
            let first = !self.feed.is_empty();
            let bytes = if first {
                self.feed.front()
            } else {
                self.up.rest()
            };
            match self.flight.write(wire, &mut self.channel, bytes) {
                Ok(None) => return Ok(moved),
                Ok(Some(count)) if first => self.feed.advance(count),
                Ok(Some(count)) => self.up.sent += count,
                Err(Fault::Closed) => {
                    self.over = true;
                    return Ok(true);
                }
                Err(fault) => return Err(fault),
            }
            moved = true;
        }
        if self.ends.local && !self.ends.told && wire.may_send() {
            let channel = &mut self.channel;
            match wire.call(|_| channel.send_eof()) {
                Ok(None) => return Ok(moved),
                Ok(Some(())) | Err(Fault::Closed) => self.ends.told = true,
                Err(fault) => return Err(fault),
            }
            moved = true;
        }
        Ok(moved)
    }

    /// Returns whether the far side, which has ended its output, has closed the channel altogether.
    fn is_closed(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let channel = &mut self.channel;
        Ok(wire.call(|_| channel.wait_close())?.is_some())
    }

    /// Returns whether the caller has dropped its end, rather than only ended its input.
    fn hung_up(&self) -> bool {
        let mut fds = [PollFd::new(&self.local, PollFlags::empty())];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        matches!(poll(&mut fds, Some(&now)), Ok(1)) && fds[0].revents().contains(PollFlags::HUP)
    }
}
