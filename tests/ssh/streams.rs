//! Byte streams: Unix sockets and ports of the host, commands, Docker's API, and what happens where sshd refuses them.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rstest::rstest;
use syntho_installer::transport::{Command, Host, TransportError};

use super::failures::listen;
use super::server::Server;

/// Listens on a Unix socket and treats every connection so.
fn socket(path: &Path, treat: impl Fn(UnixStream) + Send + Sync + Copy + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || treat(stream));
        }
    });
}

/// Sends everything back.
fn echo(stream: UnixStream) {
    let mut back = stream.try_clone().unwrap();
    let mut stream = stream;
    let _ = std::io::copy(&mut stream, &mut back);
    let _ = back.shutdown(Shutdown::Both);
}

/// Answers one request with its own length.
fn http(mut stream: UnixStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let body = format!("{} bytes", head.len());
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

/// Sends `data`, ends the input, and returns all that comes back.
fn round_trip(mut stream: UnixStream, data: Vec<u8>) -> Vec<u8> {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut writer = stream.try_clone().unwrap();
    let sending = thread::spawn(move || {
        writer.write_all(&data).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    sending.join().unwrap();
    back
}

#[test]
fn a_unix_socket_of_the_host_carries_data_both_ways_for_many_at_once() {
    let server = Server::start("");
    let path = server.path("echo.sock");
    socket(&path, echo);
    let host = server.host();
    thread::scope(|scope| {
        for number in 0..30_u8 {
            let (host, path) = (&host, path.to_str().unwrap());
            scope.spawn(move || {
                let data = vec![number; 1 << 20];
                let stream = host.dial_socket(path).unwrap();
                assert!(round_trip(stream, data.clone()) == data);
            });
        }
    });
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn http_over_a_unix_socket() {
    let server = Server::start("");
    let path = server.path("http.sock");
    socket(&path, http);
    let host = server.host();
    for _ in 0..50 {
        let mut stream = host.dial_socket(path.to_str().unwrap()).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.ends_with("27 bytes"), "{reply}");
    }
}

#[test]
fn callers_who_hang_up_leave_nothing_behind() {
    let server = Server::start("");
    let path = server.path("zero.sock");
    // Sends for ever, as a log that is followed does.
    socket(
        &path,
        |mut stream| {
            while stream.write_all(&vec![0; 65536]).is_ok() {}
        },
    );
    let host = server.host();
    for _ in 0..30 {
        let mut stream = host.dial_socket(path.to_str().unwrap()).unwrap();
        stream.read_exact(&mut vec![0; 100_000]).unwrap();
    }
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn a_port_as_seen_from_the_host() {
    let server = Server::start("");
    let port = listen(|stream| {
        let mut back = stream.try_clone().unwrap();
        let mut stream = stream;
        let _ = std::io::copy(&mut stream, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let host = server.host();
    let stream = host.dial_port("127.0.0.1", port).unwrap();
    assert_eq!(round_trip(stream, b"hello".to_vec()), b"hello");
}

#[test]
fn commands_as_streams_take_turns() {
    let server = Server::start("");
    let host = server.host();
    thread::scope(|scope| {
        for number in 0..12_u8 {
            let host = &host;
            scope.spawn(move || {
                let stream = host.dial_command(&Command::sh("exec cat")).unwrap();
                let data = vec![number; 300_000];
                assert!(round_trip(stream, data.clone()) == data);
            });
        }
    });
}

#[test]
fn what_is_not_there_or_not_allowed_is_refused() {
    let server = Server::start("AllowStreamLocalForwarding no\nAllowTcpForwarding no");
    let path = server.path("echo.sock");
    socket(&path, echo);
    let host = server.host();
    let error = host.dial_socket(path.to_str().unwrap()).unwrap_err();
    assert!(matches!(error, TransportError::Refused { .. }), "{error}");
    let error = host.dial_port("127.0.0.1", server.port).unwrap_err();
    assert!(
        matches!(&error, TransportError::Refused { what } if what.contains("prohibited")),
        "{error}"
    );
    let server = Server::start("");
    let error = server.host().dial_socket("/no/such.sock").unwrap_err();
    assert!(matches!(error, TransportError::Refused { .. }), "{error}");
}

#[rstest]
#[case::by_its_socket("")]
#[case::by_dial_stdio("AllowStreamLocalForwarding no")]
fn dockers_api(#[case] settings: &str) {
    assert!(
        Path::new("/var/run/docker.sock").exists(),
        "this test needs a Docker engine on this machine"
    );
    let server = Server::start(settings);
    let host = server.host();
    let docker = host.docker().unwrap();
    assert!(!docker.engine().unwrap().version.is_empty());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| docker.images().unwrap());
        }
    });
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
fn a_server_with_few_sessions(#[case] sessions: u32) {
    let server = Server::start(&format!("MaxSessions {sessions}"));
    let host = server.host();
    thread::scope(|scope| {
        for number in 0..20 {
            let host = &host;
            scope.spawn(move || {
                let script = format!("echo {number}");
                assert_eq!(
                    host.must(&Command::sh(script)).unwrap().text(),
                    number.to_string()
                );
            });
        }
    });
}

#[test]
fn a_server_without_sessions_says_so() {
    let server = Server::start("MaxSessions 0");
    let error = server.try_host().unwrap_err();
    assert!(matches!(error, TransportError::Refused { .. }), "{error}");
}

#[test]
fn sessions_that_given_up_commands_still_hold_do_not_keep_others_out() {
    let server = Server::start("MaxSessions 2");
    let host = server.host();
    for _ in 0..2 {
        let stuck = Command::sh("exec sleep 30").within(Duration::from_millis(200));
        assert!(matches!(
            host.run(&stuck),
            Err(TransportError::TimedOut { .. })
        ));
    }
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}
