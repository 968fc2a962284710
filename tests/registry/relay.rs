//! A relay before a registry: it counts, and can be slow. It stands in for the way to a registry far away.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The relay; it ends with the test.
pub(crate) struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Bytes that came from the registry.
    received: AtomicU64,
    /// Bytes a second; 0 for as fast as it goes.
    speed: AtomicU64,
    /// Bytes after which each connection is cut; 0 for never.
    cut: AtomicU64,
    /// Cut no more once so many were.
    cuts: AtomicU64,
    closed: AtomicBool,
}

impl Relay {
    /// Opens one to a port of the loopback.
    pub(crate) fn open(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.closed.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(near), Ok(far)) = (stream, TcpStream::connect((Ipv4Addr::LOCALHOST, to)))
                else {
                    continue;
                };
                join(near, far, &own);
            }
        });
        Self { port, shared }
    }

    /// Returns the registry's name by this way.
    pub(crate) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lets through so many bytes a second.
    pub(crate) fn slow(&self, speed: u64) {
        self.shared.speed.store(speed, Ordering::SeqCst);
    }

    /// Cuts the next `times` connections that have brought so many bytes.
    pub(crate) fn cut(&self, after: u64, times: u64) {
        self.shared.cut.store(after, Ordering::SeqCst);
        self.shared.cuts.store(times, Ordering::SeqCst);
    }

    /// Returns how many cuts are still to come.
    pub(crate) fn cuts_left(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Returns how many bytes have come from the registry.
    pub(crate) fn received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// Waits until so many bytes have come.
    pub(crate) fn wait_for(&self, bytes: u64) {
        let began = Instant::now();
        while self.received() < bytes {
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "only {} bytes came",
                self.received()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
    }
}

fn join(near: TcpStream, far: TcpStream, shared: &Arc<Shared>) {
    let (mut near_in, mut far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    std::thread::spawn(move || {
        std::io::copy(&mut near_in, &mut far_out).ok();
        far_out.shutdown(Shutdown::Write).ok();
    });
    let shared = Arc::clone(shared);
    std::thread::spawn(move || back(near, far, &shared));
}

/// Carries what the registry says.
fn back(mut near: TcpStream, mut far: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 16 << 10];
    let mut carried = 0;
    while let Ok(count @ 1..) = far.read(&mut buffer) {
        let speed = shared.speed.load(Ordering::SeqCst);
        let pause = (count as u64 * 1_000_000).checked_div(speed).unwrap_or(0);
        std::thread::sleep(Duration::from_micros(pause));
        if near.write_all(&buffer[..count]).is_err() {
            break;
        }
        carried += count as u64;
        shared.received.fetch_add(count as u64, Ordering::SeqCst);
        let cut = shared.cut.load(Ordering::SeqCst);
        let cuts = |left: u64| left.checked_sub(1);
        if cut > 0
            && carried > cut
            && shared
                .cuts
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, cuts)
                .is_ok()
        {
            break;
        }
    }
    near.shutdown(Shutdown::Both).ok();
    far.shutdown(Shutdown::Both).ok();
}
