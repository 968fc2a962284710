//! Through a second sshd: its key, its login and its refusals, each told with its address.

use rstest::rstest;
use syntho_installer::model::operator::Nobody;
use syntho_installer::transport::ssh;
use syntho_installer::transport::{Command, ConnectSpec, Host, Input, TransportError};

use super::server::{Person, Server, free_port};

/// Returns how to reach `server` through `jump`; both know the server's own key.
fn through(jump: &Server, server: &Server) -> ConnectSpec {
    fs_err::copy(
        server.path("ssh/id_ed25519.pub"),
        jump.path("authorized_keys"),
    )
    .unwrap();
    let mut spec = server.spec();
    spec.login.jump = Some(format!("root@127.0.0.1:{}", jump.port));
    spec
}

fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port)
}

#[test]
fn commands_and_data_pass_through_and_both_keys_are_checked() {
    let (jump, server) = (Server::start(""), Server::start(""));
    let spec = through(&jump, &server);
    let person = Person::accepting();
    let host = ssh::connect(&spec, &person).unwrap();
    let asked: Vec<_> = person
        .keys
        .lock()
        .unwrap()
        .iter()
        .map(|key| key.address.clone())
        .collect();
    assert_eq!(asked, [address(&jump), address(&server)]);
    assert!(
        host.describe()
            .contains(&format!("through {}", address(&jump)))
    );
    let input = Input::Bytes(vec![7; 20 << 20]);
    let output = host
        .must(&Command::sh("cat").with_input(input.clone()))
        .unwrap();
    assert!(output.stdout == input.bytes());
    ssh::connect(&spec, &Nobody).unwrap();
}

#[test]
fn two_jump_hosts_in_a_row() {
    let servers = [Server::start(""), Server::start(""), Server::start("")];
    let mut spec = through(&servers[0], &servers[2]);
    let key = servers[2].path("ssh/id_ed25519.pub");
    fs_err::copy(key, servers[1].path("authorized_keys")).unwrap();
    let chain = [&servers[0], &servers[1]].map(|server| format!("root@{}", address(server)));
    spec.login.jump = Some(chain.join(","));
    let host = ssh::connect(&spec, &Person::accepting()).unwrap();
    assert_eq!(host.must(&Command::sh("echo in")).unwrap().text(), "in");
}

#[test]
fn a_jump_host_by_alias() {
    let (jump, server) = (Server::start(""), Server::start(""));
    let mut spec = through(&jump, &server);
    spec.login.jump = None;
    spec.address = "ray".to_owned();
    spec.login.port = None;
    let config = format!(
        "Host ray\n  HostName 127.0.0.1\n  Port {}\n  ProxyJump gate\nHost gate\n  HostName 127.0.0.1\n  Port {}\n  User root\n",
        server.port, jump.port
    );
    fs_err::write(server.path("ssh/config"), config).unwrap();
    let host = ssh::connect(&spec, &Person::accepting()).unwrap();
    assert_eq!(host.must(&Command::sh("echo in")).unwrap().text(), "in");
}

#[test]
fn errors_name_the_machine_that_they_are_about() {
    let (jump, server) = (Server::start(""), Server::start(""));
    let mut spec = through(&jump, &server);
    let unknown = ssh::connect(&spec, &Nobody).unwrap_err();
    assert!(
        matches!(&unknown, TransportError::HostKeyUnknown { address: of, .. } if *of == address(&jump)),
        "{unknown}"
    );
    spec.login.jump = Some(format!("no-such-user@{}", address(&jump)));
    let login = ssh::connect(&spec, &Person::accepting()).unwrap_err();
    assert!(
        matches!(&login, TransportError::Login { address: of, user, .. } if *of == address(&jump) && user == "no-such-user"),
        "{login}"
    );
    let mut spec = through(&jump, &server);
    spec.login.port = Some(free_port());
    let connect = ssh::connect(&spec, &Person::accepting()).unwrap_err();
    assert!(
        matches!(&connect, TransportError::Connect { address: of, .. } if of.contains(&address(&jump))),
        "{connect}"
    );
}

#[test]
fn a_jump_host_that_forwards_nothing_says_so() {
    let (jump, server) = (Server::start("AllowTcpForwarding no"), Server::start(""));
    let error = ssh::connect(&through(&jump, &server), &Person::accepting()).unwrap_err();
    assert!(
        matches!(&error, TransportError::Refused { what } if what.contains(&address(&jump))),
        "{error}"
    );
}

#[rstest]
#[case::of_the_jump_host(true)]
#[case::of_the_host(false)]
fn a_cut_link_is_made_anew(#[case] of_jump: bool) {
    let (jump, server) = (Server::start(""), Server::start(""));
    let host = ssh::connect(&through(&jump, &server), &Person::accepting()).unwrap();
    let cut = if of_jump { &jump } else { &server };
    let error = host
        .stream(&Command::sh("echo begun; sleep 60"), &mut |_, _| {
            cut.cut();
            std::ops::ControlFlow::Continue(())
        })
        .unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert_eq!(host.must(&Command::sh("echo on")).unwrap().text(), "on");
}
