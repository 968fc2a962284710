//! Ports of the host whose connections come back here: alone, many at once, while keys change, and where sshd refuses them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use sha2::{Digest, Sha256};
use syntho_installer::transport::ssh::{self, Tuning};
use syntho_installer::transport::{Command, Forward, Host, TransportError};

use super::server::{Person, Server, free_port, spec};

const SOON: Duration = Duration::from_secs(10);

/// Answers every connection to a port on a thread of its own until told to stop.
fn serve(
    door: &dyn Forward,
    stop: &AtomicBool,
    answer: impl Fn(std::os::unix::net::UnixStream) + Sync,
) {
    thread::scope(|scope| {
        while !stop.load(Ordering::SeqCst) {
            if let Some(stream) = door.accept(Duration::from_millis(100)).unwrap() {
                let answer = &answer;
                scope.spawn(move || answer(stream));
            }
        }
    });
}

fn client(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream
}

#[test]
fn connections_to_the_port_come_here() {
    let server = Server::start("");
    let host = server.host();
    let door = host.forward(0).unwrap();
    assert!(door.accept(Duration::from_millis(20)).unwrap().is_none());
    let mut far = client(door.port());
    far.write_all(b"over there").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    let mut near = door.accept(SOON).unwrap().unwrap();
    let mut text = String::new();
    near.read_to_string(&mut text).unwrap();
    assert_eq!(text, "over there");
    near.write_all(b"and back").unwrap();
    drop(near);
    let mut text = String::new();
    far.read_to_string(&mut text).unwrap();
    assert_eq!(text, "and back");
    // Commands go on beside it.
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn the_port_closes_with_the_value_and_can_be_had_again() {
    let server = Server::start("");
    let host = server.host();
    let door = host.forward(0).unwrap();
    let port = door.port();
    drop(door);
    let deadline = Instant::now() + SOON;
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "the port stays open");
        thread::yield_now();
    }
    let door = host.forward(port).unwrap();
    assert_eq!(door.port(), port);
    let _far = client(port);
    assert!(door.accept(SOON).unwrap().is_some());
}

#[test]
fn a_lost_connection_is_told_and_the_same_port_serves_the_next() {
    let server = Server::start("");
    let host = server.host();
    let door = host.forward(0).unwrap();
    let port = door.port();
    server.cut();
    let lost = door.accept(SOON).unwrap_err();
    assert!(lost.is_link_fault(), "{lost}");
    assert_eq!(host.forward(port).unwrap().port(), port);
}

#[rstest]
#[case("AllowTcpForwarding no")]
#[case("AllowTcpForwarding local")]
#[case("DisableForwarding yes")]
#[case("PermitListen none")]
fn where_sshd_refuses_the_rest_goes_on(#[case] setting: &str) {
    let server = Server::start(setting);
    let host = server.host();
    let refused = host.forward(0).err().unwrap();
    assert!(
        matches!(refused, TransportError::Refused { .. }),
        "{refused}"
    );
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn a_taken_port_is_refused() {
    let server = Server::start("");
    let host = server.host();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = host.forward(port).err().unwrap();
    assert!(
        matches!(refused, TransportError::Refused { .. }),
        "{refused}"
    );
    assert_ne!(free_port(), port);
    assert!(host.forward(0).is_ok());
}

/// Bytes that each caller gets.
const SIZE: usize = 24 << 20;

#[rstest]
#[case::usual(None, "")]
#[case::small_buffer(Some(65_536), "RekeyLimit 4M")]
#[case::old_cipher(Some(65_536), "RekeyLimit 4M\nCiphers chacha20-poly1305@openssh.com")]
fn many_at_once_some_of_whom_leave(#[case] send_buffer: Option<usize>, #[case] settings: &str) {
    let server = Server::start(settings);
    let tuning = Tuning {
        send_buffer,
        ..Tuning::default()
    };
    let spec = spec(server.port, server.folder.path());
    let host = &ssh::connect_tuned(&spec, &Person::accepting(), tuning).unwrap();
    let door = &*host.forward(0).unwrap();
    let data: &Vec<u8> = &(0..SIZE).map(|i| (i ^ (i >> 9)).to_le_bytes()[0]).collect();
    let wanted = Sha256::digest(data);
    let stop = &AtomicBool::new(false);
    let answer = |mut stream: std::os::unix::net::UnixStream| {
        let mut asked = [0];
        if stream.read_exact(&mut asked).is_ok() {
            // Those who leave do not take it all.
            let _ = stream.write_all(data);
        }
    };
    let begin = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| serve(door, stop, answer));
        let takers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    let mut stream = client(door.port());
                    stream.write_all(b"x").unwrap();
                    let mut all = Vec::new();
                    stream.read_to_end(&mut all).unwrap();
                    assert!(Sha256::digest(&all) == wanted, "{} bytes", all.len());
                })
            })
            .collect();
        for _ in 0..40 {
            let mut stream = client(door.port());
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0; 1000]).unwrap();
            drop(stream);
            assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
        }
        for taker in takers {
            taker.join().unwrap();
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(
        begin.elapsed() < Duration::from_mins(1),
        "{:?}",
        begin.elapsed()
    );
}
