//! Root's rights over SSH: by sudo with and without a password, for commands, streams and Docker.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;

use rstest::rstest;
use syntho_installer::model::facts::RootAccess;
use syntho_installer::transport::ssh;
use syntho_installer::transport::{Command, ConnectSpec, Host, Input, Privilege, TransportError};

use super::server::{Person, Server};
use super::user::{PASSWORD, User};

fn spec(server: &Server, user: &User) -> ConnectSpec {
    let mut spec = server.spec();
    spec.login.user = Some(user.name.clone());
    spec
}

fn as_root(script: &str) -> Command {
    Command::sh(script).with_privilege(Privilege::Root)
}

#[rstest]
#[case::with_its_password("ALL", RootAccess::Password)]
#[case::without_one("NOPASSWD: ALL", RootAccess::Passwordless)]
fn commands_streams_and_docker_by_sudo(#[case] rule: &str, #[case] access: RootAccess) {
    assert!(
        Path::new("/usr/bin/sudo").exists() && Path::new("/var/run/docker.sock").exists(),
        "this test needs sudo and a Docker engine on this machine"
    );
    let server = Server::start("");
    let user = User::new(server.folder.path(), "/bin/sh");
    user.may_sudo(rule);
    let host = ssh::connect(&spec(&server, &user), &Person::knowing(PASSWORD)).unwrap();
    assert_eq!(host.root_access(), access);
    let input = Input::Bytes(b"line one\nline two\n".to_vec());
    let output = host.must(&as_root("id -u; cat").with_input(input)).unwrap();
    assert_eq!(output.text(), "0\nline one\nline two");
    assert_eq!(host.must(&Command::sh("id -un")).unwrap().text(), user.name);
    let mut stream = host.dial_command(&as_root("id -u; exec cat")).unwrap();
    stream.write_all(b"through\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    assert_eq!(back, "0\nthrough\n");
    // The login is not in Docker's group, so this goes by `docker system dial-stdio` as root.
    let docker = host.docker().unwrap();
    assert!(!docker.engine().unwrap().version.is_empty());
}

#[test]
fn without_the_password_root_is_out_of_reach_and_docker_says_why() {
    let server = Server::start("");
    let user = User::new(server.folder.path(), "/bin/sh");
    user.may_sudo("ALL");
    let host = ssh::connect(&spec(&server, &user), &Person::accepting()).unwrap();
    assert_eq!(host.root_access(), RootAccess::PasswordMissing);
    let error = host.run(&as_root("id -u")).unwrap_err();
    assert!(matches!(error, TransportError::Sudo { .. }), "{error}");
    let Err(TransportError::Docker { detail, .. }) = host.docker() else {
        panic!("Docker must be out of reach");
    };
    assert!(
        detail.contains("permission denied") && detail.contains("password"),
        "{detail}"
    );
}
