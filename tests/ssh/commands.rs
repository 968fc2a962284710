//! Commands: their output, their end, their limits, and a connection that breaks.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use syntho_installer::transport::{Command, Exit, Host, Input, Stream, TransportError};

use super::server::Server;

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Returns bytes that do not repeat soon.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn output_and_end_of_a_command() {
    let server = Server::start("");
    let host = server.host();
    let output = host
        .run(&Command::sh("echo out; echo err >&2; exit 3"))
        .unwrap();
    assert_eq!(
        (output.text(), output.complaint()),
        ("out".to_owned(), "err".to_owned())
    );
    assert_eq!(output.exit, Exit::Code(3));
    let killed = host.run(&Command::sh("kill -KILL $$")).unwrap();
    assert_eq!(killed.exit, Exit::Signal("KILL".to_owned()));
    let locale = host.must(&Command::sh("echo $LC_ALL")).unwrap();
    assert_eq!(locale.text(), "C");
}

#[test]
fn big_input_and_output_arrive_whole() {
    let server = Server::start("");
    let host = server.host();
    let data = noise(64 << 20);
    let input = Input::Bytes(data.clone());
    let sum = host
        .must(&Command::sh("sha256sum").with_input(input.clone()))
        .unwrap();
    assert_eq!(sum.text().split(' ').next(), Some(hex(&data).as_str()));
    let echo = host.must(&Command::sh("cat").with_input(input)).unwrap();
    assert!(echo.stdout == data);
}

#[test]
fn much_standard_error_does_not_stall_standard_output() {
    let server = Server::start("");
    let output = server
        .host()
        .must(&Command::sh("head -c 5000000 /dev/zero >&2; echo done"))
        .unwrap();
    assert_eq!(
        (output.stderr.len(), output.text()),
        (5_000_000, "done".to_owned())
    );
}

#[test]
fn a_command_that_does_not_read_its_input_ends() {
    let server = Server::start("");
    let input = Input::Bytes(vec![0; 16 << 20]);
    let output = server
        .host()
        .run(&Command::sh("exit 4").with_input(input))
        .unwrap();
    assert_eq!(output.exit, Exit::Code(4));
}

#[test]
fn a_hundred_commands_at_once() {
    let server = Server::start("");
    let host = server.host();
    std::thread::scope(|scope| {
        for number in 0..100 {
            let host = &host;
            scope.spawn(move || {
                let output = host
                    .must(&Command::sh(format!(
                        "head -c 100000 /dev/zero; echo {number} >&2"
                    )))
                    .unwrap();
                assert_eq!(
                    (output.stdout.len(), output.complaint()),
                    (100_000, number.to_string())
                );
            });
        }
    });
}

#[test]
fn a_command_has_a_time_limit_and_the_connection_goes_on() {
    let server = Server::start("");
    let host = server.host();
    let begin = Instant::now();
    let error = host
        .run(&Command::sh("echo begun; sleep 60").within(Duration::from_millis(300)))
        .unwrap_err();
    assert!(matches!(error, TransportError::TimedOut { .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn a_slow_reader_holds_the_command_up_and_not_our_memory() {
    let server = Server::start("");
    let host = server.host();
    let mut seen = 0_usize;
    let mut first = true;
    let exit = host
        .stream(
            &Command::sh("head -c 40000000 /dev/zero"),
            &mut |stream, bytes| {
                if std::mem::take(&mut first) {
                    // Meanwhile others work on the same connection.
                    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
                }
                assert_eq!(stream, Stream::Out);
                seen += bytes.len();
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    assert_eq!((seen, exit), (40_000_000, Exit::Code(0)));
}

#[test]
fn a_reader_may_leave_early() {
    let server = Server::start("");
    let host = server.host();
    for _ in 0..20 {
        let exit = host
            .stream(&Command::sh("yes"), &mut |_, _| ControlFlow::Break(()))
            .unwrap();
        assert_eq!(exit, Exit::Signal("PIPE".to_owned()));
    }
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn a_cut_link_is_lost_and_made_anew_for_the_next_command() {
    let server = Server::start("");
    let host = server.host();
    let mut cut = false;
    let error = host
        .stream(&Command::sh("echo begun; sleep 60"), &mut |_, _| {
            server.cut();
            cut = true;
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert!(
        cut && matches!(error, TransportError::Lost { .. }),
        "{error}"
    );
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}

#[test]
fn a_link_that_broke_while_nothing_ran_is_made_anew() {
    let server = Server::start("");
    let host = server.host();
    for _ in 0..3 {
        server.cut();
        assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
    }
}

#[test]
fn a_host_that_comes_back_with_another_key_is_refused() {
    let server = Server::start("");
    let host = server.host();
    fs_err::remove_file(server.path("host_ed25519")).unwrap();
    super::server::keygen(&server.path("host_ed25519"), "ed25519", &[]);
    fs_err::remove_file(server.path("ssh/known_hosts")).unwrap();
    server.restart();
    server.cut();
    let error = host.run(&Command::sh("echo on")).unwrap_err();
    assert!(
        matches!(error, TransportError::HostKeyChanged { .. }),
        "{error}"
    );
}
