//! Answers and presets that are wrong: refused with file, line, rule and example before anything connects. No VM is needed for that,
//! only somebody who would notice a connection.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use rstest::rstest;

use crate::program::{self, Ended};
use crate::trouble::{self, Trouble};

/// An operator without a site: every host is a port of this machine that nobody may knock at.
struct Desk {
    home: Utf8PathBuf,
    doors: Vec<TcpListener>,
    _folder: tempfile::TempDir,
}

/// Returns one listener for each host, all at the same port.
fn doors() -> std::io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = first.local_addr()?.port();
    let others = [2, 3].map(|last| TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), port)));
    let doors = std::iter::once(Ok(first))
        .chain(others)
        .collect::<Result<Vec<_>, _>>()?;
    doors
        .iter()
        .try_for_each(|door| door.set_nonblocking(true))?;
    Ok(doors)
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        // A port that is free at one address may be taken at another.
        let doors = (0..20).find_map(|_| doors().ok()).unwrap();
        Self {
            home,
            doors,
            _folder: folder,
        }
    }

    /// Returns good answers; each test breaks one thing in them.
    fn answers(&self) -> String {
        format!(
            r#"version = 1
name = "acme"
preset = "syntho-app-ray"

[images]
source = "present"
tag = "1.9.0"

[ssh]
user = "deploy"
port = {port}

[[hosts]]
name = "ui"
address = "127.0.0.1"
roles = ["ui"]

[[hosts]]
name = "ray-1"
address = "127.0.0.2"
roles = ["ray-head"]

[[hosts]]
name = "ray-2"
address = "127.0.0.3"
roles = ["ray-worker"]

[answers]
public-host = "syntho.acme.example"
protocol = "http"
tls = "none"
admin-email = "admin@acme.example"
"#,
            port = self.doors[0].local_addr().unwrap().port()
        )
    }

    fn write(&self, name: &str, text: &str) -> Utf8PathBuf {
        let path = self.home.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    fn deploy(&self, answers: &str, adjust: impl FnOnce(&mut Command)) -> Ended {
        self.write("acme.toml", answers);
        let mut command = Command::new(env!("CARGO_BIN_EXE_syntho-installer"));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("SYNTHO_INSTALLER_HOME", self.home.join("state"))
            .env("SYNTHO_SECRET_LICENSE_KEY", "a licence")
            .env("SYNTHO_SECRET_ADMIN_PASSWORD", "a password")
            .args(["deploy", "--answers", "acme.toml", "--yes", "--json"])
            .current_dir(&self.home);
        adjust(&mut command);
        program::run(command)
    }

    /// Ends the test unless one complaint has all of the words and some advice, nobody was connected to, and nothing was kept.
    #[track_caller]
    fn expect_refusal(&self, ended: Ended, words: &[&str]) {
        let ended = ended.expect_code(2).says(words);
        let said = trouble::of(&ended.events());
        let fits = |trouble: &Trouble| {
            !trouble.remedy.is_empty() && words.iter().all(|word| trouble.what.contains(word))
        };
        assert!(said.iter().any(fits), "{words:?} not in {said:#?}");
        for door in &self.doors {
            let knock = door.accept().map(drop).map_err(|error| error.kind());
            assert_eq!(knock, Err(ErrorKind::WouldBlock), "somebody connected");
        }
        assert!(!self.home.join("state/deployments").exists());
    }
}

#[rstest]
#[case::an_unknown_key(
    ("admin-email", "admin-emial"),
    &["acme.toml:32:1", "admin-emial", "admin-email"]
)]
#[case::a_wrong_type(("port = ", "port = \"ssh\" # "), &["acme.toml:11:1", "port"])]
#[case::a_wrong_type_of_an_answer(
    ("tls = \"none\"", "tls = \"none\"\nfrontend-port = \"many\""),
    &["acme.toml:32:1", "frontend-port"]
)]
#[case::two_hosts_with_one_address(
    ("127.0.0.3", "127.0.0.2"),
    &["acme.toml:25:1", "address", "ray-1"]
)]
#[case::a_role_that_does_not_exist(
    ("[\"ray-worker\"]", "[\"ray-wroker\"]"),
    &["acme.toml:26:1", "ray-wroker", "ray-worker"]
)]
#[case::not_toml(("name = \"acme\"", "name = acme"), &["acme.toml:2:"])]
fn answers_that_break_a_rule_are_refused_with_file_and_line(
    #[case] (old, new): (&str, &str),
    #[case] words: &[&str],
) {
    let desk = Desk::new();
    let answers = desk.answers();
    assert!(answers.contains(old));
    let ended = desk.deploy(&answers.replacen(old, new, 1), |_| {});
    desk.expect_refusal(ended, words);
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let desk = Desk::new();
    let answers = desk.answers();
    let broken = answers
        .replace("protocol = \"http\"", "protocol = \"gopher\"")
        .replace("admin@acme.example", "nobody")
        .replace("127.0.0.3", "127.0.0.2");
    let ended = desk.deploy(&broken, |_| {});
    let words = ["acme.toml:25:1", "acme.toml:30:1", "acme.toml:32:1"];
    let ended = ended.says(&words);
    desk.expect_refusal(ended, &[]);
}

#[test]
fn a_missing_secret_is_named_with_the_ways_to_give_it() {
    let desk = Desk::new();
    let ended = desk.deploy(&desk.answers(), |command| {
        command.env_remove("SYNTHO_SECRET_LICENSE_KEY");
    });
    let ended = ended.says(&["[secrets]", "SYNTHO_SECRET_LICENSE_KEY"]);
    desk.expect_refusal(ended, &["license-key"]);
}

#[test]
fn a_secret_file_that_others_can_read_is_refused_without_showing_it() {
    let desk = Desk::new();
    desk.write("license.secret", "lic-should-not-be-shown");
    let answers = desk.answers() + "\n[secrets]\nlicense-key = { file = \"license.secret\" }\n";
    let ended = desk.deploy(&answers, |_| {});
    assert!(!ended.all().contains("lic-should-not-be-shown"));
    desk.expect_refusal(ended, &["acme.toml:35:1", "license.secret", "chmod 600"]);
}

#[rstest]
#[case::that_is_not_there(None, &["syntho.crt", "no such file"])]
#[case::that_is_a_folder(Some(""), &["syntho.crt"])]
#[case::that_holds_something_else(Some("not a certificate"), &["syntho.crt", "PEM"])]
fn a_certificate(#[case] content: Option<&str>, #[case] words: &[&str]) {
    let desk = Desk::new();
    match content {
        None => {}
        Some("") => fs_err::create_dir_all(desk.home.join("certs/syntho.crt")).unwrap(),
        Some(text) => drop(desk.write("certs/syntho.crt", text)),
    }
    let answers = desk
        .answers()
        .replace("protocol = \"http\"", "protocol = \"https\"")
        .replace(
            "tls = \"none\"",
            "tls = \"provided\"\ntls-cert = \"certs/syntho.crt\"\ntls-key = \"certs/syntho.key\"",
        );
    let ended = desk.deploy(&answers, |_| {}).says(&["acme.toml:32:1"]);
    desk.expect_refusal(ended, words);
}

#[test]
fn a_preset_with_a_broken_template_is_refused_with_file_and_line() {
    let desk = Desk::new();
    let tree = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let presets = tree.join("presets");
    let mut files = vec![presets.join("syntho-app-ray.toml")];
    let shared = presets.join("shared").read_dir_utf8().unwrap();
    files.extend(shared.map(|entry| entry.unwrap().into_path()));
    for file in files {
        let text = fs_err::read_to_string(&file).unwrap();
        desk.write(
            &format!("ours/{}", file.strip_prefix(&presets).unwrap()),
            &text,
        );
    }
    let template = "syntho-app/application.env";
    let text = fs_err::read_to_string(tree.join("assets").join(template)).unwrap();
    let broken = text.replacen("{{ public_host }}", "{{ pubic_host }}", 1);
    let line = broken
        .lines()
        .position(|line| line.contains("pubic_host"))
        .unwrap()
        + 1;
    desk.write(&format!("ours/assets/{template}"), &broken);
    let ended = desk.deploy(&desk.answers(), |command| {
        command.args(["--presets", "ours"]);
    });
    let place = format!("line {line}");
    desk.expect_refusal(ended, &["application.env", &place, "pubic_host"]);

    // Mended, it goes as far as the first host: two presets were read, one from the folder.
    desk.write(&format!("ours/assets/{template}"), &text);
    let ended = desk.deploy(&desk.answers(), |command| {
        command.args(["--presets", "ours"]);
    });
    ended.expect_code(1);
    assert!(desk.doors[0].accept().is_ok(), "nobody connected");
}

#[test]
fn an_answers_file_that_is_not_there_is_named() {
    let desk = Desk::new();
    let ended = desk.deploy("", |command| {
        command.args(["--home", "state"]);
        fs_err::remove_file(desk.home.join("acme.toml")).unwrap();
    });
    desk.expect_refusal(ended, &["acme.toml"]);
}
