//! This machine as a host. `SYNTHO_TEST_SUDO_PASSWORD` lets a login that is not root reach Docker by sudo.
#![cfg(feature = "e2e")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rstest::rstest;
use secrecy::SecretString;
use syntho_installer::model::answers::SshSection;
use syntho_installer::model::facts::RootAccess;
use syntho_installer::model::operator::Nobody;
use syntho_installer::transport::{
    Command, ConnectSpec, Exit, Host, Input, Privilege, Stream, TransportError, connect,
};

fn local() -> Arc<dyn Host> {
    let spec = ConnectSpec {
        host: "here".parse().unwrap(),
        address: "local".to_owned(),
        login: SshSection::default(),
        host_key: None,
        password: None,
        passphrase: None,
        sudo_password: std::env::var("SYNTHO_TEST_SUDO_PASSWORD")
            .ok()
            .map(SecretString::from),
        ssh_folder: None,
        limit: Duration::from_secs(10),
    };
    connect(&spec, &Nobody).unwrap()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

mod commands {
    use super::*;

    #[rstest]
    #[case("exit 7", Exit::Code(7))]
    #[case("kill -9 $$", Exit::Signal("KILL".to_owned()))]
    #[case("kill -TERM $$", Exit::Signal("TERM".to_owned()))]
    fn ends(#[case] script: &str, #[case] exit: Exit) {
        assert_eq!(local().run(&Command::sh(script)).unwrap().exit, exit);
    }

    #[test]
    fn much_input_and_much_on_both_outputs() {
        let sent = vec![b'x'; 5 << 20];
        let command = Command::sh("tee /dev/stderr").with_input(Input::Bytes(sent.clone()));
        let output = local().must(&command).unwrap();
        assert!(output.stdout == sent && output.stderr == sent);
    }

    #[test]
    fn input_that_nobody_reads_is_no_error() {
        let command = Command::sh("exit 3").with_input(Input::Bytes(vec![b'x'; 5 << 20]));
        assert_eq!(local().run(&command).unwrap().exit, Exit::Code(3));
    }

    /// Returns whether no `sleep` of this length is left, a moment granted.
    fn gone(mark: &str) -> bool {
        let left = Command::sh(format!(
            "for n in 1 2 3 4 5 6 7 8 9; do pgrep -f '^sleep {mark}' >/dev/null || exit 0; done; exit 1"
        ));
        local().run(&left).unwrap().ok()
    }

    #[test]
    fn the_limit_ends_the_whole_group() {
        let mark = format!("30.{}", std::process::id());
        let script = format!("sleep {mark} & sleep {mark}; wait");
        let began = Instant::now();
        let error = local()
            .run(&Command::sh(script).within(Duration::from_millis(700)))
            .unwrap_err();
        assert!(matches!(error, TransportError::TimedOut { .. }), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(gone(&mark));
    }

    #[test]
    fn the_limit_ends_root_s_processes_too() {
        let mark = format!("31.{}", std::process::id());
        let host = local();
        let command = Command::sh(format!("sleep {mark}; true"))
            .with_privilege(Privilege::Root)
            .within(Duration::from_secs(2));
        let error = host.run(&command).unwrap_err();
        match host.root_access() {
            RootAccess::PasswordMissing | RootAccess::None => {
                assert!(matches!(error, TransportError::Sudo { .. }), "{error}");
            }
            _ => assert!(matches!(error, TransportError::TimedOut { .. }), "{error}"),
        }
        assert!(gone(&mark));
    }

    #[test]
    fn the_sink_can_have_enough() {
        let mut seen = 0;
        let exit = local()
            .stream(&Command::sh("yes"), &mut |_, bytes| {
                seen += bytes.len();
                if seen > 100_000 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap();
        assert_eq!(exit, Exit::Signal("KILL".to_owned()));
    }

    #[test]
    fn output_comes_as_it_is_written() {
        let mut parts = Vec::new();
        local()
            .stream(
                &Command::sh("echo out; echo err >&2"),
                &mut |stream, bytes| {
                    parts.push((stream == Stream::Err, lossy(bytes)));
                    ControlFlow::Continue(())
                },
            )
            .unwrap();
        parts.sort();
        assert_eq!(
            parts,
            [(false, "out\n".to_owned()), (true, "err\n".to_owned())]
        );
    }

    #[test]
    fn our_own_variables_stay_here_and_the_language_is_known() {
        let shown = local().must(&Command::sh("env")).unwrap().text();
        assert!(shown.contains("LC_ALL=C"));
        assert!(!shown.contains("CARGO"), "{shown}");
    }
}

#[test]
fn it_hands_out_its_docker() {
    let docker = local().docker().unwrap();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| docker.images())).collect();
        for call in calls {
            call.join().unwrap().unwrap();
        }
    });
}
