//! The byte stream under an SSH session: a TCP connection, or a stream through a jump host.

use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::net::sockopt;

use super::link::left;
use crate::transport::TransportError;

/// A silent TCP connection is asked for a sign of life after this long.
const PROBE_AFTER: Duration = Duration::from_secs(30);

/// Data that nobody confirms for this long ends the connection.
const UNCONFIRMED: Duration = Duration::from_mins(1);

/// A connected stream.
#[derive(Debug)]
pub(super) enum Socket {
    /// To the host itself.
    Tcp(TcpStream),
    /// Through a jump host's connection.
    Pair(UnixStream),
}

impl Socket {
    /// Returns a second handle of the same stream.
    pub(super) fn duplicate(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Pair(stream) => Self::Pair(stream.try_clone()?),
        })
    }

    /// Ends the stream in both directions, whoever else holds it.
    pub(super) fn shut(&self) {
        // It may be gone already, which is just as well.
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Pair(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Pair(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// How a connection is to be treated in special surroundings; the defaults do for all others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tuning {
    /// Size of the kernel's send buffer in bytes.
    pub send_buffer: Option<usize>,
    /// After this long without a word from the host it is asked for one, and as long again it may take to answer.
    pub quiet: Option<Duration>,
}

/// Connects to a host by name or address; look-up and connection may each take `limit`.
///
/// # Errors
/// When the name does not resolve, nothing listens, or the time is over.
pub(super) fn connect(
    host: &str,
    port: u16,
    limit: Duration,
    tuning: Tuning,
) -> Result<Socket, TransportError> {
    let addresses = resolve(host, port, limit)?;
    let deadline = Instant::now() + limit;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for (index, address) in addresses.iter().enumerate() {
        // A dead address must leave time for the next one.
        let share = left(deadline) / u32::try_from(addresses.len() - index).unwrap_or(1);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                tune(&stream, tuning);
                return Ok(Socket::Tcp(stream));
            }
            Err(error) => last = error,
        }
    }
    Err(TransportError::Connect {
        address: name(host, port),
        source: last,
    })
}

/// Returns host and port as one word.
pub(super) fn name(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Looks a name up in a thread of its own, for the system's resolver cannot be told when to give up.
fn resolve(host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, TransportError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |source| TransportError::Resolve {
        address: host.to_owned(),
        source,
    };
    let (answer, answered) = sync_channel(1);
    let asked = host.to_owned();
    thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            let found = (asked.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect::<Vec<_>>);
            // Nobody may be waiting any more.
            let _ = answer.send(found);
        })
        .map_err(failed)?;
    let found = answered
        .recv_timeout(limit)
        .map_err(|_| TransportError::TimedOut {
            what: format!("looking up `{host}`"),
            limit,
        })?
        .map_err(failed)?;
    if found.is_empty() {
        return Err(failed(io::Error::from(io::ErrorKind::NotFound)));
    }
    Ok(found)
}

/// Sets what makes a dead peer noticed and small packets fast. A kernel that refuses one of these still connects.
fn tune(stream: &TcpStream, tuning: Tuning) {
    let set = [
        sockopt::set_tcp_nodelay(stream, true),
        sockopt::set_socket_keepalive(stream, true),
        sockopt::set_tcp_keepidle(stream, PROBE_AFTER),
        sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10)),
        sockopt::set_tcp_keepcnt(stream, 3),
        #[cfg(target_os = "linux")]
        sockopt::set_tcp_user_timeout(
            stream,
            u32::try_from(UNCONFIRMED.as_millis()).unwrap_or(u32::MAX),
        ),
        tuning.send_buffer.map_or(Ok(()), |size| {
            sockopt::set_socket_send_buffer_size(stream, size)
        }),
    ];
    for error in set.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "a socket option was refused");
    }
}
