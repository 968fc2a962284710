//! Logging in: keys of all kinds, passwords, questions, agents, and what is said when nothing works.

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};

use rstest::rstest;
use secrecy::SecretString;
use syntho_installer::model::operator::{Nobody, SecretRequest};
use syntho_installer::transport::ssh::{self, SshHost};
use syntho_installer::transport::{Command as Remote, ConnectSpec, Host, TransportError};

use super::server::{Person, Server, keygen};
use super::user::{PASSWORD, User};

/// sshd's settings for passwords out of the system's user database.
const BY_PASSWORD: &str = "PasswordAuthentication yes\nPubkeyAuthentication no";

/// sshd's settings for questions that PAM asks.
const BY_QUESTION: &str = "UsePAM yes\nKbdInteractiveAuthentication yes\nPubkeyAuthentication no";

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

/// Returns the tries that a refused login lists.
fn tried(result: Result<SshHost, TransportError>) -> Vec<String> {
    match result {
        Err(TransportError::Login { tried, .. }) => tried,
        other => panic!("{other:?}"),
    }
}

/// Returns what is said of a key that cannot be used.
fn detail(result: Result<SshHost, TransportError>) -> String {
    match result {
        Err(TransportError::Key { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

/// Replaces the operator's key by one of this kind and lets it in; the spec names it.
fn with_key(server: &Server, kind: &str, more: &[&str]) -> ConnectSpec {
    let path = server.path("ssh/mine");
    keygen(&path, kind, more);
    fs_err::copy(path.with_extension("pub"), server.path("authorized_keys")).unwrap();
    let mut spec = server.spec();
    spec.login.key = Some(path.try_into().unwrap());
    spec
}

fn as_user(server: &Server, user: &User) -> ConnectSpec {
    let mut spec = server.spec();
    spec.login.user = Some(user.name.clone());
    spec
}

#[rstest]
#[case::ed25519("ed25519", &[])]
#[case::ecdsa("ecdsa", &["-b", "384"])]
#[case::rsa("rsa", &[])]
#[case::rsa_pem("rsa", &["-m", "PEM"])]
#[case::ecdsa_pkcs8("ecdsa", &["-m", "PKCS8"])]
fn keys_of_every_kind(#[case] kind: &str, #[case] more: &[&str]) {
    let server = Server::start("");
    let spec = with_key(&server, kind, more);
    ssh::connect(&spec, &Person::accepting()).unwrap();
}

#[rstest]
#[case::ed25519("ed25519", &["-N", "geheim"])]
#[case::ecdsa("ecdsa", &["-N", "geheim"])]
#[case::rsa("rsa", &["-N", "geheim"])]
#[case::rsa_pem("rsa", &["-N", "geheim", "-m", "PEM"])]
#[case::rsa_pkcs8("rsa", &["-N", "geheim", "-m", "PKCS8"])]
fn encrypted_keys_want_their_passphrase(#[case] kind: &str, #[case] more: &[&str]) {
    let server = Server::start("");
    let mut spec = with_key(&server, kind, more);
    let person = Person::accepting();
    let missing = detail(ssh::connect(&spec, &person));
    assert!(missing.contains("no passphrase was given"), "{missing}");
    assert!(matches!(
        person.asked.lock().unwrap().first(),
        Some(SecretRequest::KeyPassphrase { .. })
    ));
    spec.passphrase = Some(secret("falsch"));
    let wrong = detail(ssh::connect(&spec, &person));
    assert!(wrong.contains("passphrase is wrong"), "{wrong}");
    spec.passphrase = Some(secret("geheim"));
    ssh::connect(&spec, &person).unwrap();
}

#[test]
fn a_passphrase_that_was_asked_for_serves_again_after_a_lost_link() {
    let server = Server::start("");
    let spec = with_key(&server, "ed25519", &["-N", "geheim"]);
    let host = ssh::connect(&spec, &Person::knowing("geheim")).unwrap();
    server.cut();
    assert_eq!(host.must(&Remote::sh("echo on")).unwrap().text(), "on");
}

#[rstest]
#[case("PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY")]
#[case("ssh-ed25519 AAAA me\n", "public key")]
#[case(
    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    "damaged"
)]
#[case(
    "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    "damaged"
)]
fn a_file_that_is_no_usable_key_says_so(#[case] text: &str, #[case] word: &str) {
    let server = Server::start("");
    let mut spec = server.spec();
    fs_err::write(server.path("ssh/bad"), text).unwrap();
    spec.login.key = Some(server.path("ssh/bad").try_into().unwrap());
    let said = detail(ssh::connect(&spec, &Person::accepting()));
    assert!(said.contains(word), "{said}");
    spec.login.key = Some("~/.ssh/no-such-key".into());
    let said = detail(ssh::connect(&spec, &Person::accepting()));
    assert!(said.contains("no such file"), "{said}");
}

#[test]
fn a_key_that_the_server_does_not_know() {
    let server = Server::start("");
    fs_err::write(server.path("authorized_keys"), "").unwrap();
    let tried = tried(server.try_host());
    assert!(tried[0].contains("id_ed25519: refused"), "{tried:?}");
    assert!(
        tried
            .last()
            .unwrap()
            .contains("the server offers publickey"),
        "{tried:?}"
    );
}

#[test]
fn passwords_right_wrong_and_missing() {
    let server = Server::start(BY_PASSWORD);
    let user = User::new(server.folder.path(), "/bin/sh");
    let mut spec = as_user(&server, &user);
    let missing = tried(ssh::connect(&spec, &Person::accepting()));
    assert!(
        missing[0].contains("password: none was given"),
        "{missing:?}"
    );
    spec.password = Some(secret("wrong"));
    let wrong = tried(ssh::connect(&spec, &Nobody));
    assert_eq!(wrong, ["password: refused", "the server offers password"]);
    spec.password = Some(secret(PASSWORD));
    let host = ssh::connect(&spec, &Nobody).unwrap();
    assert_eq!(host.must(&Remote::sh("id -un")).unwrap().text(), user.name);
    spec.password = None;
    ssh::connect(&spec, &Person::knowing(PASSWORD)).unwrap();
}

#[test]
fn questions_are_answered_with_the_password_or_by_the_operator() {
    let server = Server::start(BY_QUESTION);
    let user = User::new(server.folder.path(), "/bin/sh");
    let mut spec = as_user(&server, &user);
    spec.password = Some(secret(PASSWORD));
    ssh::connect(&spec, &Person::accepting()).unwrap();
    spec.password = None;
    let person = Person::knowing(PASSWORD);
    ssh::connect(&spec, &person).unwrap();
    let asked = person.asked.lock().unwrap();
    assert!(
        matches!(&asked[0], SecretRequest::Interactive { prompt, .. } if prompt.contains("Password")),
        "{asked:?}"
    );
    let refused = tried(ssh::connect(&spec, &Nobody));
    assert_eq!(
        refused[0],
        "keyboard-interactive without an answer: refused"
    );
}

#[test]
fn a_key_and_then_a_password() {
    let server =
        Server::start("PasswordAuthentication yes\nAuthenticationMethods publickey,password");
    let user = User::new(server.folder.path(), "/bin/sh");
    let mut spec = as_user(&server, &user);
    spec.password = Some(secret(PASSWORD));
    ssh::connect(&spec, &Person::accepting()).unwrap();
}

#[rstest]
#[case("/usr/bin/fish")]
#[case("/bin/csh")]
#[case("/bin/bash")]
fn any_login_shell_will_do(#[case] shell: &str) {
    assert!(
        std::path::Path::new(shell).exists(),
        "this test needs {shell}: `apt-get install fish csh`"
    );
    let server = Server::start("");
    let user = User::new(server.folder.path(), shell);
    let host = ssh::connect(&as_user(&server, &user), &Person::accepting()).unwrap();
    for (script, expected) in [
        (
            "printf %s 'it'\\''s $HOME \\\\ `x` \"!\" {a,b} ~ *'",
            "it's $HOME \\\\ `x` \"!\" {a,b} ~ *",
        ),
        ("cat <<'END'\n'a' \\n é ! %s\nEND", "'a' \\n é ! %s"),
        ("for i in 1 2; do\n  printf %s $i!\ndone", "1!2!"),
    ] {
        let output = host.must(&Remote::sh(script)).unwrap();
        assert_eq!(output.text(), expected);
    }
    let killed = host.run(&Remote::sh("kill -KILL $$\n")).unwrap();
    assert!(!killed.ok(), "{killed:?}");
}

/// An agent of one's own; ended on drop.
struct Agent {
    process: Child,
    socket: String,
}

impl Agent {
    fn start(server: &Server) -> Self {
        let socket = server.path("agent").to_str().unwrap().to_owned();
        let process = Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !std::path::Path::new(&socket).exists() {
            std::thread::yield_now();
        }
        Self { process, socket }
    }

    fn add(&self, key: &std::path::Path) {
        let done = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket)
            .status()
            .unwrap();
        assert!(done.success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs one test of this file again in a process that has an agent.
fn with_agent(agent: &Agent, server: &Server, name: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("logins::{name}")])
        .env("SSH_AUTH_SOCK", &agent.socket)
        .env("TEST_SSH_PORT", server.port.to_string())
        .env("TEST_SSH_FOLDER", server.folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[test]
fn a_key_in_the_agent_lets_in_even_behind_more_keys_than_the_server_hears_at_once() {
    let server = Server::start("");
    let agent = Agent::start(&server);
    for number in 0..7 {
        let key = server.path(&format!("wrong{number}"));
        keygen(&key, "ed25519", &[]);
        agent.add(&key);
    }
    let key = server.path("ssh/id_ed25519");
    agent.add(&key);
    drop(server.host());
    fs_err::remove_file(key).unwrap();
    with_agent(&agent, &server, "connects_with_what_the_agent_holds");
}

/// The other half of the test above; it has nothing to do in a process without that agent.
#[test]
fn connects_with_what_the_agent_holds() {
    let (Ok(port), Ok(folder)) = (
        std::env::var("TEST_SSH_PORT"),
        std::env::var("TEST_SSH_FOLDER"),
    ) else {
        return;
    };
    let spec = super::server::spec(port.parse().unwrap(), std::path::Path::new(&folder));
    ssh::connect(&spec, &Nobody).unwrap();
}

#[rstest]
fn more_keys_than_the_server_hears_at_once(#[values(1, 2, 3)] heard: u8) {
    let server = Server::start(&format!("MaxAuthTries {heard}"));
    let mut config = String::new();
    for number in 0..4 {
        let key = server.path(&format!("ssh/wrong{number}"));
        keygen(&key, "ed25519", &[]);
        writeln!(config, "IdentityFile {}", key.display()).unwrap();
    }
    let right = server.path("ssh/id_ed25519");
    writeln!(config, "IdentityFile {}", right.display()).unwrap();
    fs_err::write(server.path("ssh/config"), config).unwrap();
    server.host();
}
