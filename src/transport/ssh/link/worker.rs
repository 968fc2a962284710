//! The thread that owns a session: takes jobs, moves every channel on in turn, and sleeps when nothing can move.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ssh2::{Channel, Session};

use super::bridge::Bridge;
use super::closing::Closing;
use super::doors::Doors;
use super::exec::Exec;
use super::flight::bounded;
use super::job::Request;
use super::opening::{Answer, For, Opening};
use super::quota::{COMMAND_STREAMS, COMMANDS, Quota, Refusal};
use super::sleep::{Pulse, Watch, until_news};
use super::waiting::Waiting;
use super::wire::{Fault, StartTurn, Wire};
use super::{Link, Socket, Tuning};

/// One read takes up to this much.
const BUFFER: usize = 8 * super::wire::PACKET;

/// Everything that belongs to one connection.
pub(super) struct Worker {
    wire: Wire,
    inbox: Receiver<Request>,
    bell: UnixStream,
    end: Arc<OnceLock<String>>,
    via: Option<Arc<Link>>,
    left: bool,
    waiting: Waiting,
    opening: Option<Opening>,
    stock: Option<Channel>,
    quota: Quota,
    execs: Vec<Exec>,
    bridges: Vec<Bridge>,
    doors: Doors,
    closing: Closing,
    buffer: Vec<u8>,
    pulse: Pulse,
    crowded: usize,
}

impl Worker {
    pub(super) fn new(
        session: Session,
        socket: Socket,
        inbox: Receiver<Request>,
        bell: UnixStream,
        end: Arc<OnceLock<String>>,
        via: Option<Arc<Link>>,
        tuning: Tuning,
    ) -> Self {
        session.set_blocking(false);
        // No answer is wanted: libssh2 would keep each one for ever. Silence is found out by opening a channel instead.
        session.set_keepalive(false, 15);
        Self {
            wire: Wire::new(session, socket),
            inbox,
            bell,
            end,
            via,
            left: false,
            waiting: Waiting::default(),
            opening: None,
            stock: None,
            quota: Quota::new(),
            execs: Vec::new(),
            bridges: Vec::new(),
            doors: Doors::default(),
            closing: Closing::default(),
            buffer: vec![0; BUFFER],
            pulse: Pulse::new(tuning.quiet),
            crowded: 0,
        }
    }

    /// Serves the connection until it ends or nobody holds it any more.
    pub(super) fn run(mut self) {
        let why = loop {
            match self.serve() {
                Ok(()) if self.left => break "closed by us".to_owned(),
                Ok(()) => {}
                Err(Fault::Lost(why)) => break why,
                Err(fault) => break format!("unexpected answer of libssh2: {fault:?}"),
            }
        };
        tracing::debug!(why, "an SSH connection ends");
        self.finish(why);
    }

    /// Moves everything as far as it goes, then sleeps.
    fn serve(&mut self) -> Result<(), Fault> {
        loop {
            self.left = !self.waiting.collect(&self.inbox, &mut self.doors);
            if self.left {
                return Ok(());
            }
            self.wire.reset();
            let progress = self.turn()?;
            if progress {
                self.pulse.moved();
            } else if !self.has_news() {
                break;
            }
        }
        self.sleep()
    }

    /// Gives every channel one turn. What waits for an answer comes last, so that it sees whatever the others took off the socket; but while
    /// the socket is the bottleneck, everybody is first at times, or who comes first would fill it and leave the others nothing.
    fn turn(&mut self) -> Result<bool, Fault> {
        let mut progress = self.drain_stock()?;
        let starting = self.execs.iter().any(Exec::is_starting)
            || self.bridges.iter().any(Bridge::is_starting);
        let mut first = StartTurn::new(!starting);
        for group in 0..3 {
            progress |= match (self.crowded + group) % 3 {
                0 => self.step_execs(&mut first)?,
                1 => self.step_bridges(&mut first)?,
                _ => self.step_rest()?,
            };
        }
        Ok(progress)
    }

    fn step_execs(&mut self, first: &mut StartTurn) -> Result<bool, Fault> {
        self.execs.iter_mut().try_fold(false, |progress, exec| {
            Ok(exec.step(&self.wire, first, &mut self.buffer)? | progress)
        })
    }

    fn step_bridges(&mut self, first: &mut StartTurn) -> Result<bool, Fault> {
        self.bridges.iter_mut().try_fold(false, |progress, bridge| {
            Ok(bridge.step(&self.wire, first, &mut self.buffer)? | progress)
        })
    }

    /// Ends what is over and begins what waits.
    fn step_rest(&mut self) -> Result<bool, Fault> {
        let mut progress = self.retire();
        progress |= self.closing.step(&self.wire)?;
        progress |= self.step_doors()?;
        progress |= self.use_stock();
        progress |= self.turn_away();
        progress |= self.open()?;
        Ok(progress)
    }

    /// Takes the connections that came in on ports of the host.
    fn step_doors(&mut self) -> Result<bool, Fault> {
        let Self {
            doors,
            wire,
            bridges,
            closing,
            pulse,
            ..
        } = self;
        doors.step(wire, pulse.quiet, &mut |channel, streams| {
            // Whoever left in the meantime takes nothing: the connection is closed.
            match pair()
                .ok()
                .and_then(|(near, far)| streams.send(far).is_ok().then_some(near))
            {
                Some(near) => bridges.push(Bridge::new(channel, near)),
                None => closing.push(channel, false),
            }
        })
    }

    /// Lets others be first the next time, when the socket could not take what everybody had.
    fn rotate(&mut self) {
        if !self.wire.wants_to_send() {
            self.crowded = 0;
            return;
        }
        self.crowded = (self.crowded + 1) % 3;
        let (execs, bridges) = (self.execs.len().min(1), self.bridges.len().min(1));
        self.execs.rotate_left(execs);
        self.bridges.rotate_left(bridges);
    }

    /// Reads on the channel in stock: nothing comes on it, but the read serves the whole connection.
    fn drain_stock(&mut self) -> Result<bool, Fault> {
        let Some(channel) = &mut self.stock else {
            return Ok(false);
        };
        self.wire.read(channel, &mut self.buffer)?;
        if channel.eof() {
            // The host took it back, so it does not want idle sessions.
            self.quota.shrink();
            self.shelve();
            return Ok(true);
        }
        Ok(false)
    }

    /// Moves the channel in stock to those being closed.
    fn shelve(&mut self) {
        if let Some(channel) = self.stock.take() {
            self.closing.push(channel, true);
        }
    }

    /// Moves finished commands and streams to those being closed.
    fn retire(&mut self) -> bool {
        let before = self.execs.len() + self.bridges.len();
        for exec in self.execs.extract_if(.., |exec| exec.over()) {
            self.closing.push(exec.into_channel(), true);
        }
        for bridge in self.bridges.extract_if(.., |bridge| bridge.over()) {
            let session = bridge.is_session();
            self.closing.push(bridge.into_channel(), session);
        }
        self.execs.len() + self.bridges.len() < before
    }

    /// Gives the channel in stock to the command that waits longest.
    fn use_stock(&mut self) -> bool {
        if self.stock.is_none() || self.running() >= COMMANDS {
            return false;
        }
        let Some(job) = self.waiting.command() else {
            return false;
        };
        let exec = self.stock.take().map(|channel| Exec::new(channel, job));
        self.execs.extend(exec);
        true
    }

    /// Sends commands to another connection when only those that were given up stand in their way here.
    fn turn_away(&mut self) -> bool {
        let running = self.running();
        let stuck = self.closing.stuck();
        if stuck == 0 || self.quota.admits(running) || !self.quota.admits(running - stuck) {
            return false;
        }
        let away = self.waiting.drain_sessions();
        let any = !away.is_empty();
        for whose in away {
            whose.fail(Fault::Full);
        }
        any
    }

    /// Returns how many sessions commands and their streams occupy.
    fn running(&self) -> usize {
        self.execs.len()
            + self
                .bridges
                .iter()
                .filter(|bridge| bridge.is_session())
                .count()
            + self.closing.sessions()
    }

    fn open(&mut self) -> Result<bool, Fault> {
        if self.opening.is_none() {
            self.opening = self.next_to_open().map(Opening::new);
        }
        let Some(opening) = &self.opening else {
            return Ok(false);
        };
        let answer = match opening.step(&self.wire, self.pulse.quiet) {
            Ok(None) => return Ok(false),
            Ok(Some(channel)) => Ok(channel),
            Err(Fault::Refused(why)) => Err(why),
            Err(fault) => return Err(fault),
        };
        if let Some(opening) = self.opening.take() {
            match answer {
                Ok(channel) => self.assign(opening.whose, channel),
                Err(why) => self.refused(opening.whose, why),
            }
        }
        Ok(true)
    }

    /// Returns for whom the next channel is opened.
    fn next_to_open(&mut self) -> Option<For> {
        let running = self.running();
        let free = self.quota.admits(running);
        let streaming = self.bridges.iter().filter(|b| b.is_session()).count();
        if let Some(job) = self.waiting.stream(free && streaming < COMMAND_STREAMS) {
            return Some(job.into());
        }
        if self.stock.is_some() {
            return None;
        }
        if free && let Some(job) = self.waiting.command() {
            return Some(For::Exec(job));
        }
        self.quota.admits_stock(running).then_some(For::Stock)
    }

    fn assign(&mut self, whose: For, channel: Channel) {
        if whose.is_session() {
            self.quota.grant();
        }
        match whose {
            For::Stock => self.stock = Some(channel),
            For::Exec(job) => self.execs.push(Exec::new(channel, job)),
            For::Command(line, input, answer) => {
                self.join(channel, &answer, true, |channel, local| {
                    Bridge::command(channel, local, line, input)
                });
            }
            For::Unix(_, answer) | For::Tcp(_, _, answer) => {
                self.join(channel, &answer, false, Bridge::new);
            }
        }
    }

    /// Makes the socket pair of a stream and hands one end to the caller.
    fn join(
        &mut self,
        channel: Channel,
        answer: &Answer,
        session: bool,
        bridge: impl FnOnce(Channel, UnixStream) -> Bridge,
    ) {
        let taken = match pair() {
            Ok((near, far)) => answer.try_send(Ok(far)).is_ok().then_some(near),
            Err(error) => {
                // Whoever has stopped waiting does not need to know.
                let _ = answer.try_send(Err(Fault::Refused(format!("a stream: {error}"))));
                None
            }
        };
        match taken {
            Some(near) => self.bridges.push(bridge(channel, near)),
            None => self.closing.push(channel, session),
        }
    }

    /// Deals with a refused channel: a session that others stand in the way of waits its turn, anything else fails.
    fn refused(&mut self, whose: For, why: String) {
        if !whose.is_session() {
            return whose.fail(Fault::Refused(why));
        }
        let held = self.running() + usize::from(self.stock.is_some());
        match (self.quota.refuse(held), whose) {
            (Refusal::Never, whose) => whose.fail(Fault::Refused(format!("a session: {why}"))),
            (Refusal::Full, whose) => whose.fail(Fault::Full),
            (Refusal::Wait, whose) => {
                if matches!(whose, For::Command(..)) {
                    // Streams do not use the channel in stock, so it must not stand in their way.
                    self.shelve();
                }
                self.waiting.put_back(whose);
            }
        }
    }

    /// Returns whether libssh2 holds something that a channel waits for; without this look a packet that one channel took off the socket
    /// for another would lie there until the next one comes.
    fn has_news(&self) -> bool {
        self.execs.iter().any(Exec::has_news) || self.bridges.iter().any(Bridge::has_news)
    }

    fn sleep(&mut self) -> Result<(), Fault> {
        self.rotate();
        self.wire.keep_alive()?;
        if self.pulse.is_silent() && self.opening.is_none() {
            // The next turn opens a new one, and the host has to answer that.
            self.shelve();
            self.pulse.heard();
        }
        let readers = self.stock.is_some()
            || self.doors.any()
            || self.opening.is_some()
            || !(self.execs.is_empty() && self.bridges.is_empty() && self.closing.is_empty());
        let watch = Watch {
            wire: &self.wire,
            bell: &self.bell,
            bridges: &self.bridges,
            readers,
            limit: self.nap(),
        };
        if until_news(&watch)? {
            self.pulse.heard();
        }
        Ok(())
    }

    /// Returns how long to sleep at most.
    fn nap(&self) -> Duration {
        let blind = self.opening.is_some()
            || !self.closing.is_empty()
            || self.doors.waits_blindly()
            || self.execs.iter().any(Exec::waits_blindly)
            || self.bridges.iter().any(Bridge::waits_blindly);
        let held = self.execs.iter().any(Exec::is_held) || self.bridges.iter().any(Bridge::is_held);
        let nap = bounded(held, self.pulse.nap(blind));
        self.quota.pause().map_or(nap, |pause| pause.min(nap))
    }

    /// Tells everybody, and lets go of everything in the order that libssh2 needs.
    fn finish(mut self, why: String) {
        // Told first: callers who find their queue gone look here for the reason.
        let _ = self.end.set(why.clone());
        self.wire.end();
        let fault = Fault::Lost(why);
        self.waiting.collect(&self.inbox, &mut self.doors);
        for exec in self.execs.drain(..) {
            exec.fail(&fault);
        }
        for whose in self.waiting.drain() {
            whose.fail(fault.clone());
        }
        if let Some(opening) = self.opening.take() {
            opening.whose.fail(fault.clone());
        }
        self.doors.end(&fault);
        self.bridges.clear();
        self.closing.clear();
        self.stock = None;
        drop(self.via.take());
    }
}

/// Returns the two ends of a stream; the first never blocks.
fn pair() -> std::io::Result<(UnixStream, UnixStream)> {
    let (near, far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    Ok((near, far))
}
