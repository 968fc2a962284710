//! Servers that are not there, do not answer, or are something else; each is told apart, and within the limit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use syntho_installer::transport::ssh::{self, Tuning};
use syntho_installer::transport::{Command, Host, TransportError};

use super::server::{Person, Server, free_port, must, spec};

/// Listens on a port of its own and treats every connection so, each in a thread.
pub(crate) fn listen(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let treat = Arc::clone(&treat);
            thread::spawn(move || treat(stream));
        }
    });
    port
}

/// Copies both ways between a connection and a port until either ends.
pub(crate) fn relay(stream: TcpStream, port: u16) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let (mut from, mut to) = (stream.try_clone().unwrap(), far.try_clone().unwrap());
    let up = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (far, stream);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = up.join();
}

fn failure(port: u16, limit: Duration) -> TransportError {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(port, folder.path());
    spec.limit = limit;
    let begin = Instant::now();
    let error = ssh::connect(&spec, &Person::accepting()).unwrap_err();
    assert!(
        begin.elapsed() < limit * 3 + Duration::from_secs(2),
        "{error}"
    );
    error
}

#[test]
fn a_closed_port() {
    let error = failure(free_port(), Duration::from_secs(2));
    assert!(matches!(error, TransportError::Connect { .. }), "{error}");
}

#[test]
fn a_name_that_does_not_resolve() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(22, folder.path());
    spec.address = "no-such-host.invalid".to_owned();
    spec.limit = Duration::from_secs(5);
    let error = ssh::connect(&spec, &Person::accepting()).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Resolve { .. } | TransportError::TimedOut { .. }
        ),
        "{error}"
    );
}

#[rstest]
#[case::silent("", "no greeting")]
#[case::after_the_banner("SSH-2.0-Silence\r\n", "no key exchange")]
fn a_server_that_hangs(#[case] words: &'static str, #[case] expected: &str) {
    let port = listen(move |mut stream| {
        stream.write_all(words.as_bytes()).unwrap();
        // Reads on until the other side gives up.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let error = failure(port, Duration::from_secs(1));
    assert!(
        matches!(&error, TransportError::Silent { stage, .. } if *stage == expected),
        "{error}"
    );
}

#[test]
fn a_server_that_speaks_something_else() {
    let port = listen(|mut stream| {
        let mut first = [0; 1];
        let _ = stream.read(&mut first);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let error = failure(port, Duration::from_secs(1));
    assert!(
        matches!(
            error,
            TransportError::Handshake { .. } | TransportError::Silent { .. }
        ),
        "{error}"
    );
}

#[test]
fn a_busy_server_is_tried_again() {
    let server = Server::start("");
    let (refused, target) = (AtomicUsize::new(0), server.port);
    let port = listen(move |stream| {
        if refused.fetch_add(1, Ordering::SeqCst) >= 3 {
            relay(stream, target);
        }
    });
    let spec = spec(port, server.folder.path());
    let host = ssh::connect(&spec, &Person::accepting()).unwrap();
    assert_eq!(host.must(&Command::sh("echo in")).unwrap().text(), "in");
}

#[test]
fn forty_logins_at_once_pass_sshds_default_limits() {
    let server = Server::start("MaxStartups 10:30:100");
    drop(server.host());
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| server.host());
        }
    });
    let log = server.log();
    assert!(!log.contains("MaxStartups"), "{log}");
}

#[test]
fn a_host_that_falls_silent_is_given_up() {
    let server = Server::start("");
    let tuning = Tuning {
        quiet: Some(Duration::from_secs(1)),
        ..Tuning::default()
    };
    let spec = spec(server.port, server.folder.path());
    let host = ssh::connect_tuned(&spec, &Person::accepting(), tuning).unwrap();
    // Quiet is not silent.
    host.must(&Command::sh("sleep 4")).unwrap();
    let begin = Instant::now();
    let error = host
        .stream(&Command::sh("echo begun; sleep 50"), &mut |_, _| {
            for pid in server.sessions() {
                must("kill", &["-STOP", &pid]);
            }
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

/// Copies at most `most` bytes of what the server sends, then ends or holds the connection.
fn relay_some(mut stream: TcpStream, port: u16, most: u64, hold: bool) {
    let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut from, mut to) = (stream.try_clone().unwrap(), far.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut far.take(most), &mut stream);
    if hold {
        // Until the other side gives up.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    }
    let _ = stream.shutdown(Shutdown::Both);
}

#[rstest]
fn a_connection_that_ends_or_hangs_anywhere_is_an_error_in_time(#[values(false, true)] hold: bool) {
    let server = Server::start("");
    drop(server.host());
    let target = server.port;
    thread::scope(|scope| {
        for most in [
            1, 10, 50, 500, 1000, 1300, 1500, 1600, 1700, 1800, 2000, 2100,
        ] {
            let folder = server.folder.path();
            scope.spawn(move || {
                let port = listen(move |stream| relay_some(stream, target, most, hold));
                let mut spec = spec(port, folder);
                spec.limit = Duration::from_secs(2);
                let begin = Instant::now();
                // It may get as far as to be connected; then the first command fails.
                let tuning = Tuning {
                    quiet: Some(Duration::from_secs(1)),
                    ..Tuning::default()
                };
                let host = ssh::connect_tuned(&spec, &Person::accepting(), tuning);
                let outcome = host.and_then(|host| {
                    host.run(&Command::sh("head -c 4000 /dev/zero").within(spec.limit))
                });
                let error = outcome.unwrap_err();
                assert!(begin.elapsed() < Duration::from_secs(20), "{most}: {error}");
            });
        }
    });
}
