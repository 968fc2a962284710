//! Everything at once over one connection whose keys change all the time and whose buffers are small: nothing may hang or be damaged.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use sha2::{Digest, Sha256};
use syntho_installer::transport::ssh::{self, SshHost, Tuning};
use syntho_installer::transport::{Command, Exit, Host, Input};

use super::failures::listen;
use super::server::{Person, Server, spec};

/// Bytes of each upload and each download.
const SIZE: usize = 64 << 20;

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn upload(host: &SshHost, data: &[u8]) {
    let command = Command::sh("sha256sum").with_input(Input::Bytes(data.to_vec()));
    let sum = host.must(&command).unwrap();
    assert_eq!(sum.text().split(' ').next(), Some(hex(data).as_str()));
}

fn download(host: &SshHost) {
    let mut count = 0;
    let script = format!("head -c {SIZE} /dev/zero; head -c 3000000 /dev/zero >&2");
    let exit = host.stream(&Command::sh(script), &mut |_, bytes| {
        count += bytes.len();
        ControlFlow::Continue(())
    });
    assert_eq!((exit.unwrap(), count), (Exit::Code(0), SIZE + 3_000_000));
}

/// Reads a little of something endless and leaves.
fn leave_early(host: &SshHost, port: u16) {
    let mut left = 10;
    let exit = host.stream(&Command::sh("exec yes"), &mut |_, _| {
        left -= 1;
        if left == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(exit.unwrap(), Exit::Signal("PIPE".to_owned()));
    let mut stream = host.dial_port("127.0.0.1", port).unwrap();
    stream.write_all(&vec![1; 300_000]).unwrap();
    stream.read_exact(&mut [0; 5000]).unwrap();
}

fn echo(host: &SshHost, port: u16) {
    let mut stream = host.dial_port("127.0.0.1", port).unwrap();
    let mut back = stream.try_clone().unwrap();
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        back.read_to_end(&mut all).unwrap();
        all
    });
    let data = vec![9; 2 << 20];
    stream.write_all(&data).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(reader.join().unwrap() == data);
}

#[rstest]
#[case::small_buffer(65_536, "")]
#[case::middling_buffer(262_144, "")]
#[case::old_cipher(65_536, "Ciphers chacha20-poly1305@openssh.com")]
fn all_at_once_while_keys_change(#[case] send_buffer: usize, #[case] settings: &str) {
    let server = Server::start(&format!("RekeyLimit 16M\n{settings}"));
    let port = listen(|stream| {
        let mut back = stream.try_clone().unwrap();
        let mut stream = stream;
        let _ = std::io::copy(&mut stream, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let tuning = Tuning {
        send_buffer: Some(send_buffer),
        ..Tuning::default()
    };
    let spec = spec(server.port, server.folder.path());
    let host = &ssh::connect_tuned(&spec, &Person::accepting(), tuning).unwrap();
    let data: Vec<u8> = (0..SIZE).map(|i| (i ^ (i >> 9)).to_le_bytes()[0]).collect();
    let (busy, pings) = (&AtomicBool::new(true), &AtomicUsize::new(0));
    let begin = Instant::now();
    thread::scope(|scope| {
        let heavy = [
            scope.spawn(|| upload(host, &data)),
            scope.spawn(|| upload(host, &data)),
            scope.spawn(|| download(host)),
            scope.spawn(|| download(host)),
        ];
        scope.spawn(|| while_busy(busy, || leave_early(host, port)));
        scope.spawn(|| while_busy(busy, || echo(host, port)));
        scope.spawn(|| {
            while_busy(busy, || {
                assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
                pings.fetch_add(1, Ordering::Relaxed);
            });
        });
        let ended: Vec<_> = heavy
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        busy.store(false, Ordering::SeqCst);
        assert!(ended.iter().all(Result::is_ok));
    });
    assert!(pings.load(Ordering::Relaxed) > 0);
    assert!(
        begin.elapsed() < Duration::from_mins(1),
        "{:?}",
        begin.elapsed()
    );
}

fn while_busy(busy: &AtomicBool, work: impl Fn()) {
    while busy.load(Ordering::SeqCst) {
        work();
    }
}
