//! A way out through a host: what is asked of a proxy here is connected from there.
//!
//! For registries that only one host reaches. The proxy listens on this machine's loopback for as long as its value lives, knows nothing but `CONNECT`,
//! and serves whoever knows its password, which is made for it and given to nobody else. It sees bytes that are encrypted from end to end.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::transport::Host;

/// How long somebody may take to say where he wants to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody needs more to say that.
const MOST: u64 = 8 << 10;

/// Who the password is for.
const USER: &str = "installer";

/// The way out, open as long as this value lives.
pub struct WayOut {
    address: SocketAddr,
    password: String,
    wanted: Arc<AtomicBool>,
}

impl fmt::Debug for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WayOut({})", self.address)
    }
}

impl WayOut {
    /// Opens it.
    ///
    /// # Errors
    /// When this machine lets nobody listen on its loopback.
    pub fn through(host: Arc<dyn Host>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let way = Self {
            address: listener.local_addr()?,
            password: format!("{:032x}", rand::random::<u128>()),
            wanted: Arc::new(AtomicBool::new(true)),
        };
        let pass = STANDARD.encode(format!("{USER}:{}", way.password));
        let wanted = Arc::clone(&way.wanted);
        thread::Builder::new()
            .name("way out".to_owned())
            .spawn(move || attend(&listener, &host, &pass, &wanted))?;
        Ok(way)
    }

    /// Returns the proxy's address with its password.
    #[must_use]
    pub fn proxy(&self) -> SecretString {
        format!("http://{USER}:{}@{}", self.password, self.address).into()
    }
}

impl Drop for WayOut {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::SeqCst);
        // Wakes the one who waits for somebody to come.
        let _ = TcpStream::connect(self.address);
    }
}

fn attend(listener: &TcpListener, host: &Arc<dyn Host>, pass: &str, wanted: &AtomicBool) {
    for caller in listener.incoming() {
        if !wanted.load(Ordering::SeqCst) {
            return;
        }
        let Ok(caller) = caller else { continue };
        let (host, pass) = (Arc::clone(host), pass.to_owned());
        let served = thread::Builder::new()
            .name("way out".to_owned())
            .spawn(move || {
                if let Err(error) = serve(caller, host.as_ref(), &pass) {
                    tracing::debug!(%error, "a connection through a host ended");
                }
            });
        if let Err(error) = served {
            tracing::warn!(%error, "no thread for a connection through a host");
        }
    }
}

/// What a caller wants.
struct Wish {
    address: String,
    port: u16,
    knows_password: bool,
}

fn serve(mut caller: TcpStream, host: &dyn Host, pass: &str) -> io::Result<()> {
    caller.set_read_timeout(Some(PATIENCE))?;
    let Some(wish) = heard(&caller, pass)? else {
        return refuse(&mut caller, "405 Method Not Allowed");
    };
    if !wish.knows_password {
        return refuse(&mut caller, "407 Proxy Authentication Required");
    }
    match host.dial(&wish.address, wish.port) {
        Ok(far) => {
            caller.set_read_timeout(None)?;
            caller.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n")?;
            join(&caller, &far)
        }
        Err(error) => {
            tracing::info!(%error, "the host does not lead there");
            refuse(&mut caller, "502 Bad Gateway")
        }
    }
}

/// Reads what a caller wants; `None` when it is not `CONNECT`.
fn heard(caller: &TcpStream, pass: &str) -> io::Result<Option<Wish>> {
    // The caller says nothing more before he is answered, so nothing is read too far.
    let mut lines = BufReader::new(caller.take(MOST)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut words = first.split(' ');
    let target = match (words.next(), words.next()) {
        (Some("CONNECT"), Some(target)) => target.rsplit_once(':'),
        _ => None,
    };
    let wish = target.and_then(|(address, port)| {
        let address = address.trim_start_matches('[').trim_end_matches(']');
        Some((address.to_owned(), port.parse().ok()?))
    });
    let mut knows_password = false;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("proxy-authorization")
        {
            knows_password = value.trim().strip_prefix("Basic ") == Some(pass);
        }
    }
    Ok(wish.map(|(address, port)| Wish {
        address,
        port,
        knows_password,
    }))
}

fn refuse(caller: &mut TcpStream, status: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    caller.write_all(answer.as_bytes())
}

/// Carries bytes both ways until both sides have ended.
fn join(caller: &TcpStream, far: &UnixStream) -> io::Result<()> {
    thread::scope(|scope| {
        let back = scope.spawn(|| {
            let carried = io::copy(&mut &*far, &mut &*caller);
            // Whatever ended it, nothing comes from there any more.
            let _ = caller.shutdown(Shutdown::Write);
            carried
        });
        let sent = io::copy(&mut &*caller, &mut &*far);
        let _ = far.shutdown(Shutdown::Write);
        let received = back.join().unwrap_or(Ok(0));
        sent.and(received).map(drop)
    })
}

#[cfg(test)]
mod tests;
