//! One command on its channel: started, fed, read to its end on both streams, and its end found out.

use std::time::Instant;

use ssh2::Channel;

use super::feed::Feed;
use super::flight::Flight;
use super::job::{ExecJob, Handed, Outlet, Reply};
use super::wire::{Fault, StartTurn, Wire};
use crate::transport::{Exit, Stream};

/// How much is read or written in one go, so that channels take turns.
const TURN: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing of it has been sent.
    Fresh,
    Starting,
    Running,
    Ending,
    Over,
}

/// A command that has a channel.
pub(super) struct Exec {
    channel: Channel,
    line: String,
    feed: Feed,
    flight: Flight,
    outlet: Outlet,
    pending: Option<Reply>,
    phase: Phase,
    input_over: bool,
}

impl Exec {
    pub(super) fn new(channel: Channel, job: ExecJob) -> Self {
        Self {
            channel,
            line: job.line,
            feed: Feed::new(job.input),
            flight: Flight::new(Instant::now()),
            outlet: job.outlet,
            pending: None,
            phase: Phase::Fresh,
            input_over: false,
        }
    }

    /// Returns whether nothing is left to do but to close the channel.
    pub(super) fn over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Returns whether its next step depends on a packet that only a libssh2 call can see.
    pub(super) fn waits_blindly(&self) -> bool {
        matches!(self.phase, Phase::Fresh | Phase::Starting | Phase::Ending)
    }

    /// Returns whether libssh2 already holds something for it; makes no call on the socket.
    pub(super) fn has_news(&self) -> bool {
        if self.phase != Phase::Running || self.pending.is_some() {
            return false;
        }
        self.channel.read_window().available > 0
            || self.channel.eof()
            || (!self.feed.is_empty() && self.flight.has_room(&self.channel))
    }

    /// Returns whether its request is out and unanswered.
    pub(super) fn is_starting(&self) -> bool {
        self.phase == Phase::Starting
    }

    /// Returns whether it could send more once the far side has confirmed some.
    pub(super) fn is_held(&self) -> bool {
        self.flight.is_held()
    }

    /// Gives up the channel for closing.
    pub(super) fn into_channel(self) -> Channel {
        self.channel
    }

    /// Tells the caller that the connection is gone.
    pub(super) fn fail(self, fault: &Fault) {
        let reply = match self.phase {
            Phase::Fresh => Reply::NotRun(fault.clone()),
            _ => Reply::Failed(fault.clone()),
        };
        // A caller who left does not need to know.
        let _ = self.outlet.hand(reply);
    }

    /// Does what can be done now; returns whether anything was. It begins only with `turn`, which it takes then.
    pub(super) fn step(
        &mut self,
        wire: &Wire,
        turn: &mut StartTurn,
        buffer: &mut [u8],
    ) -> Result<bool, Fault> {
        // A request that is out must be answered first, or its answer would be taken for another's.
        if self.outlet.abandoned() && self.phase != Phase::Starting {
            self.phase = Phase::Over;
        }
        let progress = self.deliver();
        if self.pending.is_some() {
            // Somebody has to take packets off the socket, or it would stay readable for ever; nothing is taken from this channel.
            wire.read(&mut self.channel, &mut [])?;
            return Ok(progress);
        }
        match self.phase {
            Phase::Fresh if !turn.take() => Ok(progress),
            Phase::Fresh | Phase::Starting => self.start(wire),
            Phase::Running => Ok(self.exchange(wire, buffer)? | progress),
            Phase::Ending => Ok(self.end(wire)? | progress),
            Phase::Over => Ok(progress),
        }
    }

    fn start(&mut self, wire: &Wire) -> Result<bool, Fault> {
        if !wire.may_send() {
            return Ok(false);
        }
        if self.phase == Phase::Fresh {
            // Now it is still certain that nothing has begun, so that it may be sent again elsewhere.
            wire.must_be_open()?;
            self.phase = Phase::Starting;
        }
        let (channel, line) = (&mut self.channel, &self.line);
        match wire.call(|_| channel.exec(line)) {
            Ok(None) => Ok(false),
            Ok(Some(())) => {
                self.phase = Phase::Running;
                self.hand(Reply::Started);
                Ok(true)
            }
            Err(Fault::Refused(why)) => {
                self.finish(Reply::NotRun(Fault::Refused(format!(
                    "to run commands: {why}"
                ))));
                Ok(true)
            }
            Err(fault) => Err(fault),
        }
    }

    fn exchange(&mut self, wire: &Wire, buffer: &mut [u8]) -> Result<bool, Fault> {
        let mut progress = self.read(wire, Stream::Out, buffer)?;
        progress |= self.read(wire, Stream::Err, buffer)?;
        if self.pending.is_none() && self.channel.eof() {
            self.phase = Phase::Ending;
            return Ok(true);
        }
        progress |= self.write(wire)?;
        Ok(progress)
    }

    fn read(&mut self, wire: &Wire, stream: Stream, buffer: &mut [u8]) -> Result<bool, Fault> {
        let mut source = self.channel.stream(match stream {
            Stream::Out => 0,
            Stream::Err => ssh2::EXTENDED_DATA_STDERR,
        });
        let mut progress = false;
        for _ in 0..TURN {
            if self.pending.is_some() || self.phase == Phase::Over {
                break;
            }
            match wire.read(&mut source, buffer)? {
                None | Some(0) => break,
                Some(count) => {
                    progress = true;
                    self.hand(Reply::Printed(stream, buffer[..count].to_vec()));
                }
            }
        }
        Ok(progress)
    }

    fn write(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let mut progress = false;
        for _ in 0..TURN {
            if self.feed.is_empty() {
                return Ok(self.finish_input(wire)? | progress);
            }
            match self
                .flight
                .write(wire, &mut self.channel, self.feed.front())
            {
                Ok(None) => break,
                Ok(Some(count)) => {
                    self.feed.advance(count);
                    progress = true;
                }
                // It ended without reading all of its input; how it ended is still to be read.
                Err(Fault::Closed) => {
                    self.feed = Feed::empty();
                    self.input_over = true;
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(progress)
    }

    fn finish_input(&mut self, wire: &Wire) -> Result<bool, Fault> {
        if self.input_over || !wire.may_send() {
            return Ok(false);
        }
        let channel = &mut self.channel;
        match wire.call(|_| channel.send_eof()) {
            Ok(None) => return Ok(false),
            Ok(Some(())) | Err(Fault::Closed) => {}
            Err(fault) => return Err(fault),
        }
        self.input_over = true;
        Ok(true)
    }

    /// Waits for the channel's close, which comes after the status, and tells how the command ended.
    fn end(&mut self, wire: &Wire) -> Result<bool, Fault> {
        let channel = &mut self.channel;
        if wire.call(|_| channel.wait_close())?.is_none() {
            return Ok(false);
        }
        // The status reads 0 when a signal ended it, so the signal is asked first.
        let signal = wire.call(|_| channel.exit_signal())?;
        let exit = match signal.and_then(|signal| signal.exit_signal) {
            Some(name) => Exit::Signal(name),
            None => Exit::Code(wire.call(|_| channel.exit_status())?.unwrap_or(-1)),
        };
        self.finish(Reply::Ended(exit));
        Ok(true)
    }

    fn finish(&mut self, reply: Reply) {
        self.hand(reply);
        if self.pending.is_none() {
            self.phase = Phase::Over;
        }
    }

    fn hand(&mut self, reply: Reply) {
        match self.outlet.hand(reply) {
            Handed::Taken => {}
            Handed::Full(reply) => self.pending = Some(reply),
            Handed::Gone => self.phase = Phase::Over,
        }
    }

    /// Hands over what the caller had no room for.
    fn deliver(&mut self) -> bool {
        let Some(reply) = self.pending.take() else {
            return false;
        };
        let last = matches!(reply, Reply::Ended(_) | Reply::NotRun(_) | Reply::Failed(_));
        self.hand(reply);
        let taken = self.pending.is_none();
        if taken && last {
            self.phase = Phase::Over;
        }
        taken
    }
}
