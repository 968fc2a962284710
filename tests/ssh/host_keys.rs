//! Host keys against a real server: unknown, known in every way of writing, changed, revoked, given by fingerprint.

use std::path::Path;
use std::process::Command;

use rstest::rstest;
use syntho_installer::model::operator::Nobody;
use syntho_installer::transport::ssh;
use syntho_installer::transport::{Host, TransportError};

use super::server::{Person, Server, keygen, must};

const KINDS: [&str; 3] = ["ed25519", "ecdsa", "rsa"];

/// Returns a public key file's algorithm and key.
fn public(path: &Path) -> String {
    let text = fs_err::read_to_string(path.with_extension("pub")).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn fingerprint(path: &Path) -> String {
    let output = Command::new("ssh-keygen")
        .args(["-lf", path.to_str().unwrap()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').nth(1).unwrap().to_owned()
}

/// Writes the operator's `known_hosts`.
fn record(server: &Server, lines: &str) {
    fs_err::write(server.path("ssh/known_hosts"), lines).unwrap();
}

fn connect_alone(server: &Server) -> Result<(), TransportError> {
    ssh::connect(&server.spec(), &Nobody).map(drop)
}

#[test]
fn an_unknown_key_is_refused_when_nobody_is_there() {
    let server = Server::start("");
    let error = connect_alone(&server).unwrap_err();
    let TransportError::HostKeyUnknown {
        address,
        algorithm,
        fingerprint: shown,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(address, format!("127.0.0.1:{}", server.port));
    assert_eq!(algorithm, "ssh-ed25519");
    assert_eq!(shown, fingerprint(&server.path("host_ed25519")));
    assert!(!server.path("ssh/known_hosts").exists());
}

#[test]
fn an_accepted_key_is_asked_for_once() {
    let server = Server::start("");
    let person = Person::accepting();
    for _ in 0..2 {
        ssh::connect(&server.spec(), &person).unwrap();
    }
    let asked = person.keys.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].fingerprint,
        fingerprint(&server.path("host_ed25519"))
    );
    // OpenSSH reads what we wrote.
    let known = server.path("ssh/known_hosts");
    let name = format!("[127.0.0.1]:{}", server.port);
    must("ssh-keygen", &["-F", &name, "-f", known.to_str().unwrap()]);
}

#[test]
fn a_hashed_record_counts() {
    let server = Server::start("");
    drop(server.host());
    let known = server.path("ssh/known_hosts");
    must("ssh-keygen", &["-H", "-f", known.to_str().unwrap()]);
    assert!(fs_err::read_to_string(known).unwrap().starts_with("|1|"));
    connect_alone(&server).unwrap();
}

#[rstest]
fn the_key_on_record_is_asked_for_whichever_kind_it_is(
    #[values("ed25519", "ecdsa", "rsa")] kind: &str,
) {
    let server = Server::start_with("", &KINDS);
    let key = public(&server.path(&format!("host_{kind}")));
    record(
        &server,
        &format!("# ours\nbroken line\n[127.0.0.*]:* {key} root@host\n"),
    );
    connect_alone(&server).unwrap();
}

#[test]
fn a_changed_key_stops_and_names_the_record() {
    let server = Server::start("");
    keygen(&server.path("other"), "ed25519", &[]);
    let other = public(&server.path("other"));
    record(
        &server,
        &format!("\n\n[127.0.0.1]:{} {other}\n", server.port),
    );
    let person = Person::accepting();
    let error = ssh::connect(&server.spec(), &person).unwrap_err();
    let TransportError::HostKeyChanged {
        found,
        expected,
        record,
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(found, fingerprint(&server.path("host_ed25519")));
    assert_eq!(expected, fingerprint(&server.path("other")));
    assert_eq!(
        record,
        format!("{}:3", server.path("ssh/known_hosts").display())
    );
    assert!(
        person.keys.lock().unwrap().is_empty(),
        "nobody may be asked"
    );
}

#[test]
fn a_revoked_key_stops() {
    let server = Server::start("");
    let key = public(&server.path("host_ed25519"));
    record(&server, &format!("* {key}\n@revoked * {key}\n"));
    let error = ssh::connect(&server.spec(), &Person::accepting()).unwrap_err();
    assert!(
        matches!(&error, TransportError::HostKeyChanged { expected, record, .. } if expected == "revoked" && record.ends_with(":2")),
        "{error}"
    );
}

#[rstest]
fn a_fingerprint_stands_for_any_of_the_hosts_keys(#[values("ed25519", "ecdsa", "rsa")] kind: &str) {
    let server = Server::start_with("", &KINDS);
    // Even when the record says otherwise.
    keygen(&server.path("other"), "ed25519", &[]);
    record(&server, &format!("* {}\n", public(&server.path("other"))));
    let mut spec = server.spec();
    spec.host_key = Some(fingerprint(&server.path(&format!("host_{kind}"))));
    ssh::connect(&spec, &Nobody).unwrap();
}

#[test]
fn a_wrong_fingerprint_stops() {
    let server = Server::start_with("", &KINDS);
    let mut spec = server.spec();
    keygen(&server.path("other"), "ed25519", &[]);
    spec.host_key = Some(fingerprint(&server.path("other")));
    let error = ssh::connect(&spec, &Person::accepting()).unwrap_err();
    assert!(
        matches!(&error, TransportError::HostKeyChanged { record, .. } if record.contains("answers file")),
        "{error}"
    );
}

#[rstest]
#[case("aes256-gcm@openssh.com", true)]
#[case("aes256-ctr", false)]
#[case("chacha20-poly1305@openssh.com", false)]
fn a_server_without_gcm_works_and_is_told(#[case] cipher: &str, #[case] good: bool) {
    let server = Server::start(&format!("Ciphers {cipher}"));
    let host = server.host();
    assert_eq!(
        !host.describe().contains("older cipher"),
        good,
        "{}",
        host.describe()
    );
    host.must(&syntho_installer::transport::Command::sh("true"))
        .unwrap();
}
