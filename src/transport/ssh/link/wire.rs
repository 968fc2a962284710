//! libssh2 calls made safe for a non-blocking loop: the session, its socket, and the rules for using them together.
//!
//! A packet that is half sent can be finished only by the very same call, and until then the session takes no other. So a call that stops
//! in the middle of a packet is repeated on the spot, and calls that send start only when the socket takes a whole packet.

use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Channel, ErrorCode, Session};

use super::super::socket::Socket;

/// What fits into one SSH packet of libssh2; larger writes are cut there.
pub(super) const PACKET: usize = 32_700;

/// How long the socket may refuse the rest of a packet before the connection counts as lost.
const STALL: Duration = Duration::from_mins(1);

const EAGAIN: i32 = -37;
const CHANNEL_FAILURE: i32 = -21;
const REQUEST_DENIED: i32 = -22;
const CHANNEL_CLOSED: i32 = -26;
const EOF_SENT: i32 = -27;
const NOT_GRANTED: i32 = -32;
const SOCKET_SEND: i32 = -7;
const SOCKET_DISCONNECT: i32 = -13;
const SOCKET_RECV: i32 = -43;

/// Why a call on the connection failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport::ssh) enum Fault {
    /// The connection is gone, for the reason told.
    Lost(String),
    /// The host said no to this one thing.
    Refused(String),
    /// The host has no session left on this connection, although none of ours is in the way.
    Full,
    /// This one channel was closed by the other side.
    Closed,
    /// The caller's time is over.
    TimedOut,
}

/// The turn to send a request that starts a command.
///
/// Only one may be unanswered at a time: libssh2 takes the answer to another channel's request for a failure of its own.
pub(super) struct StartTurn {
    free: bool,
}

impl StartTurn {
    pub(super) fn new(free: bool) -> Self {
        Self { free }
    }

    /// Takes the turn; `false` when somebody else has it.
    pub(super) fn take(&mut self) -> bool {
        std::mem::take(&mut self.free)
    }
}

/// A session and its socket.
pub(super) struct Wire {
    pub(super) session: Session,
    socket: Socket,
    refused: Cell<bool>,
}

impl Wire {
    pub(super) fn new(session: Session, socket: Socket) -> Self {
        Self {
            session,
            socket,
            refused: Cell::new(false),
        }
    }

    /// Returns the socket to wait on.
    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Forgets that something waits for the socket to take data.
    pub(super) fn reset(&self) {
        self.refused.set(false);
    }

    /// Returns whether something waits for the socket to take data.
    pub(super) fn wants_to_send(&self) -> bool {
        self.refused.get()
    }

    /// Returns whether the socket takes a whole packet now; remembers it when not.
    pub(super) fn may_send(&self) -> bool {
        let ready = self.poll(PollFlags::OUT, Duration::ZERO);
        if !ready {
            self.refused.set(true);
        }
        ready
    }

    /// Makes sure that the other side has not hung up, as far as can be known without sending.
    pub(super) fn must_be_open(&self) -> Result<(), Fault> {
        if self.poll(PollFlags::RDHUP, Duration::ZERO) {
            return Err(Fault::Lost("the host closed the connection".to_owned()));
        }
        Ok(())
    }

    fn poll(&self, flags: PollFlags, limit: Duration) -> bool {
        let mut fds = [PollFd::new(&self.socket, flags)];
        let limit = Timespec::try_from(limit).ok();
        matches!(poll(&mut fds, limit.as_ref()), Ok(1))
    }

    /// Makes one libssh2 call; `None` means that it waits for the other side and is to be made again later.
    pub(super) fn call<T>(
        &self,
        mut op: impl FnMut(&Session) -> Result<T, ssh2::Error>,
    ) -> Result<Option<T>, Fault> {
        let mut since = None;
        loop {
            let error = match op(&self.session) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error,
            };
            if error.code() != ErrorCode::Session(EAGAIN) {
                return Err(fault(&error));
            }
            if !matches!(
                self.session.block_directions(),
                BlockDirections::Outbound | BlockDirections::Both
            ) {
                return Ok(None);
            }
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() > STALL {
                return Err(Fault::Lost(format!(
                    "the host has taken no data for {} s",
                    STALL.as_secs()
                )));
            }
            self.poll(PollFlags::OUT, Duration::from_secs(1));
        }
    }

    /// Reads from one of a channel's streams; `None` means that nothing is there yet.
    pub(super) fn read(
        &self,
        stream: &mut impl Read,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, Fault> {
        self.call(|session| stream.read(buffer).map_err(|e| of_io(session, &e)))
    }

    /// Writes up to one packet to a channel; `None` means that the window is shut or the socket is full.
    pub(super) fn write(
        &self,
        channel: &mut Channel,
        bytes: &[u8],
    ) -> Result<Option<usize>, Fault> {
        use std::io::Write as _;
        if !self.may_send() {
            return Ok(None);
        }
        let packet = &bytes[..bytes.len().min(PACKET)];
        let written = self.call(|session| channel.write(packet).map_err(|e| of_io(session, &e)))?;
        // Zero is libssh2's word for a shut window, not for an end.
        Ok(written.filter(|count| *count > 0))
    }

    /// Sends a sign of life when nothing was sent for a while, and only when the socket takes it whole.
    pub(super) fn keep_alive(&self) -> Result<(), Fault> {
        if self.may_send() {
            self.session.keepalive_send().map_err(|e| fault(&e))?;
        }
        Ok(())
    }

    /// Ends the connection, with a farewell when the socket still takes one.
    pub(super) fn end(&self) {
        if self.may_send() {
            // It ends here whether the host hears the farewell or not.
            let _ = self.session.disconnect(None, "done", None);
        }
        // Once the socket is shut, freeing a channel cannot wait for an answer that never comes.
        self.socket.shut();
    }
}

/// Returns the libssh2 error behind an I/O error.
fn of_io(session: &Session, error: &io::Error) -> ssh2::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        return ssh2::Error::from_errno(ErrorCode::Session(EAGAIN));
    }
    ssh2::Error::last_session_error(session).unwrap_or_else(ssh2::Error::unknown)
}

/// Sorts libssh2's errors into those of one channel and those that end the connection.
fn fault(error: &ssh2::Error) -> Fault {
    match error.code() {
        ErrorCode::Session(CHANNEL_FAILURE | REQUEST_DENIED | NOT_GRANTED) => {
            Fault::Refused(error.message().to_owned())
        }
        ErrorCode::Session(CHANNEL_CLOSED | EOF_SENT) => Fault::Closed,
        ErrorCode::Session(SOCKET_RECV | SOCKET_DISCONNECT) => {
            Fault::Lost("the host closed the connection".to_owned())
        }
        ErrorCode::Session(SOCKET_SEND) => {
            Fault::Lost("the connection broke while sending".to_owned())
        }
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => {
            Fault::Lost(format!("{} (libssh2 error {code})", error.message()))
        }
    }
}
