//! Everything that goes wrong with registries, each told apart: the cause, where, and what to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rstest::rstest;

use crate::create::with;
use crate::fake::{Fake, answer};
use crate::images::{Layer, from};
use crate::program::Site;
use crate::relay::Relay;
use crate::server::{Door, PASSWORD, Server, USER, certificates, free_port};

/// Tries to make an archive and returns what was told.
fn tried(registry: &str, more: &[&str], environment: &[(&str, &str)]) -> String {
    let site = Site::new();
    let arguments = with(
        &from(registry, "1.9.0"),
        &[&["--output", "images.tar"], more].concat(),
    );
    let told = site.told(site.command(&arguments).envs(environment.iter().copied()));
    assert_ne!(told.code, 0, "{}", told.plain());
    let names = fs_err::read_dir(site.at(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name != "home").collect();
    assert!(left.is_empty(), "{left:?} was left behind");
    told.plain()
}

fn guarded() -> (tempfile::TempDir, Server) {
    let storage = tempfile::tempdir().unwrap();
    Server::start(storage.path(), Door::Open).stock("1.9.0", 1000);
    let server = Server::start(storage.path(), Door::Guarded);
    (storage, server)
}

#[rstest]
#[case::wrong_password("wrong_password", &["--username", USER], &[("SYNTHO_SECRET_REGISTRY_PASSWORD", "wrong")])]
#[case::no_login("no_login", &[], &[])]
#[case::no_password("no_password", &["--username", USER], &[])]
fn logins(#[case] name: &str, #[case] more: &[&str], #[case] environment: &[(&str, &str)]) {
    let (_storage, server) = guarded();
    let ca = server.ca().display().to_string();
    let told = tried(
        &server.name(),
        &[more, &["--ca", &ca]].concat(),
        environment,
    );
    assert!(!told.contains("wrong\""));
    insta::assert_snapshot!(name, told);
}

#[test]
fn authorities() {
    let (_storage, server) = guarded();
    insta::assert_snapshot!("unknown_authority", tried(&server.name(), &[], &[]));
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    let wrong = other.path().join("ca.crt").display().to_string();
    insta::assert_snapshot!(
        "another_authority",
        tried(&server.name(), &["--ca", &wrong], &[])
    );
    let key = other.path().join("ca.key").display().to_string();
    insta::assert_snapshot!("no_authority", tried(&server.name(), &["--ca", &key], &[]));
    let by_name = server.name().replace("127.0.0.1", "localhost");
    let ca = server.ca().display().to_string();
    let told = tried(&by_name, &["--ca", &ca], &[]);
    insta::assert_snapshot!(
        "another_name",
        told.replace(&server.port().to_string(), "[port]")
    );
}

#[test]
fn tags_and_repositories_that_are_not_there() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.1", 1000);
    server.put(
        "syntho-core-api",
        "1.9.0-rc1",
        &[Layer::new(5, 10)],
        "amd64",
    );
    insta::assert_snapshot!("no_tag", tried(&server.name(), &[], &[]));
    let nothing = tempfile::tempdir().unwrap();
    let empty = Server::start(nothing.path(), Door::Open);
    insta::assert_snapshot!("no_repository", tried(&empty.name(), &[], &[]));
}

#[test]
fn another_architecture_only() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 1000);
    let arm = server.put("syntho-ray", "arm", &[Layer::new(5, 10)], "arm64");
    server.put_index("syntho-ray", "1.9.0", &[("arm64", &arm)]);
    insta::assert_snapshot!("other_architecture", tried(&server.name(), &[], &[]));
    // The same without an index: the configuration tells.
    server.put("syntho-ray", "1.9.0", &[Layer::new(5, 10)], "arm64");
    insta::assert_snapshot!("other_architecture_alone", tried(&server.name(), &[], &[]));
}

#[test]
fn ways_that_do_not_lead_there() {
    let closed = format!("127.0.0.1:{}", free_port());
    insta::assert_snapshot!("unreachable", tried(&closed, &[], &[]));
    insta::assert_snapshot!("unresolved", tried("registry.invalid", &[], &[]));
}

#[test]
fn proxies() {
    let (_storage, server) = guarded();
    let ca = server.ca().display().to_string();
    let refusing = Fake::answering(|_| answer("403 Forbidden", "", "not by this way"));
    let refusing = format!("http://{}", refusing.name());
    insta::assert_snapshot!(
        "proxy_refuses",
        tried("registry.acme.example", &[], &[("HTTPS_PROXY", &refusing)])
    );
    let closed = format!("http://127.0.0.1:{}", free_port());
    insta::assert_snapshot!(
        "proxy_closed",
        tried("registry.acme.example", &[], &[("https_proxy", &closed)])
    );

    let open = tempfile::tempdir().unwrap();
    let plain = Server::start(open.path(), Door::Open);
    let leading = format!("http://{}", Fake::proxy_to(plain.port()).name());
    insta::assert_snapshot!(
        "plain_http",
        tried("registry.acme.example", &[], &[("HTTPS_PROXY", &leading)])
    );

    // A proxy that leads there is used, and one is not where `NO_PROXY` says so.
    let leading = format!("http://{}", Fake::proxy_to(server.port()).name());
    let site = Site::new();
    let by_name = with(
        &from("registry.acme.example", "1.9.0"),
        &["--output", "a.tar", "--username", USER, "--ca", &ca],
    );
    let password = ("SYNTHO_SECRET_REGISTRY_PASSWORD", PASSWORD);
    site.told(
        site.command(&by_name)
            .envs([("HTTPS_PROXY", leading.as_str()), password]),
    )
    .expect(0);
    let direct = with(
        &from(&server.name(), "1.9.0"),
        &["--output", "b.tar", "--username", USER, "--ca", &ca],
    );
    let told = site.told(
        site.command(&direct)
            .envs([("HTTPS_PROXY", closed.as_str()), password]),
    );
    assert_eq!(told.code, 1);
    site.told(site.command(&direct).envs([
        ("HTTPS_PROXY", closed.as_str()),
        ("NO_PROXY", "127.0.0.1"),
        password,
    ]))
    .expect(0);
}

/// Answers as a registry does that takes the login and then says `status` to everything.
fn always(status: &'static str, headers: &'static str, code: &'static str) -> Fake {
    Fake::answering(move |request| {
        if request.contains(" /v2/ ") {
            return answer("200 OK", "", "{}");
        }
        answer(
            status,
            headers,
            &format!(r#"{{"errors":[{{"code":"{code}","message":"the registry's own words"}}]}}"#),
        )
    })
}

#[test]
fn a_login_without_the_right() {
    let denied = always("403 Forbidden", "", "DENIED");
    insta::assert_snapshot!("denied", tried(&denied.name(), &[], &[]));
}

/// A registry that gives tokens for a login, as the vendor's does, before one that is open.
fn with_tokens(server: &Server) -> Fake {
    use base64::Engine as _;
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let (port, own) = (server.port(), free_port());
    Fake::on(own, move |request| {
        let path = request.split(' ').nth(1).unwrap();
        let says = |line: &str| {
            request
                .to_ascii_lowercase()
                .contains(&line.to_ascii_lowercase())
        };
        if path.starts_with("/token?") {
            assert!(
                path.contains("scope=repository") && path.contains("pull"),
                "{path}"
            );
            return if says(&format!("authorization: Basic {login}")) {
                answer("200 OK", "", r#"{"token":"the-token","expires_in":300}"#)
            } else {
                answer(
                    "401 Unauthorized",
                    "",
                    r#"{"errors":[{"code":"UNAUTHORIZED","message":"no such user"}]}"#,
                )
            };
        }
        if says("authorization: Bearer the-token") {
            return answer(
                "307 Temporary Redirect",
                &format!("Location: http://127.0.0.1:{port}{path}\r\n"),
                "",
            );
        }
        let challenge = format!(
            "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:{own}/token\",service=\"test\"\r\n"
        );
        answer("401 Unauthorized", &challenge, "{}")
    })
}

#[test]
fn tokens_for_a_login() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 1000);
    let tokens = with_tokens(&server);
    let wrong = [("SYNTHO_SECRET_REGISTRY_PASSWORD", "wrong")];
    insta::assert_snapshot!(
        "no_token",
        tried(&tokens.name(), &["--username", USER], &wrong)
    );
    insta::assert_snapshot!("no_token_without_login", tried(&tokens.name(), &[], &[]));
    let site = Site::new();
    let arguments = with(
        &from(&tokens.name(), "1.9.0"),
        &["--output", "a.tar", "--username", USER],
    );
    site.told(
        site.command(&arguments)
            .env("SYNTHO_SECRET_REGISTRY_PASSWORD", PASSWORD),
    )
    .expect(0);
    site.run(&["bundle", "verify", "a.tar"]).expect(0);
}

#[test]
fn too_many_requests() {
    let limited = always(
        "429 Too Many Requests",
        "Retry-After: 600\r\n",
        "TOOMANYREQUESTS",
    );
    insta::assert_snapshot!("too_many", tried(&limited.name(), &[], &[]));

    // A short wait is waited, and then it goes on.
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 1000);
    let before = AtomicUsize::new(0);
    let (port, name) = (server.port(), server.name());
    let limited = Fake::answering(move |request| {
        let path = request.split(' ').nth(1).unwrap();
        // The refusal, and the question how long to wait.
        if path.contains("/manifests/") && before.fetch_add(1, Ordering::SeqCst) < 2 {
            return answer("429 Too Many Requests", "Retry-After: 1\r\n", "{}");
        }
        answer(
            "307 Temporary Redirect",
            &format!("Location: http://127.0.0.1:{port}{path}\r\n"),
            "",
        )
    });
    let site = Site::new();
    let arguments = with(&from(&limited.name(), "1.9.0"), &["--output", "images.tar"]);
    let told = site.run(&arguments).expect(0);
    insta::assert_snapshot!(
        "too_many_for_a_second",
        told.plain().replace(&name, "[registry]")
    );
}

#[test]
fn servers_that_fail_and_are_none() {
    let nonsense = Fake::answering(|_| answer("200 OK", "", "<html>a portal</html>"));
    insta::assert_snapshot!("portal", tried(&nonsense.name(), &[], &[]));
    let gone = always("404 Not Found", "", "NAME_UNKNOWN");
    insta::assert_snapshot!("no_tags_listed", tried(&gone.name(), &[], &[]));
}

#[test]
fn a_disk_that_is_full() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 400_000);
    let site = Site::new();
    fs_err::create_dir(site.at("small")).unwrap();
    let full = |home: &str, output: &str| {
        let program = env!("CARGO_BIN_EXE_syntho-installer");
        let script = format!(
            "mount -t tmpfs -o size=1500k none small && export SYNTHO_INSTALLER_HOME={home} && exec {program} \"$@\""
        );
        let mut arguments = vec![
            "--mount".to_owned(),
            "sh".to_owned(),
            "-c".to_owned(),
            script,
            "sh".to_owned(),
        ];
        arguments.extend(with(&from(&server.name(), "1.9.0"), &["--output", output]));
        let mut command = std::process::Command::new("unshare");
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(site.at(""))
            .args(arguments);
        site.told(&mut command).expect(1).plain()
    };
    insta::assert_snapshot!("no_room_for_the_archive", full("home", "small/images.tar"));
    // Which of several writes fails first, and in whose words, is a matter of luck.
    let told = full("small/home", "images.tar");
    let words = regex::Regex::new("is full: .*").unwrap();
    let told = words.replace(&told, "is full: [the system's words]");
    insta::assert_snapshot!("no_room_in_the_store", told);
    insta::assert_snapshot!("no_such_place", full("home", "nowhere/images.tar"));
}

#[test]
fn stopped_by_the_operator() {
    let storage = tempfile::tempdir().unwrap();
    let server = Server::start(storage.path(), Door::Open);
    server.stock("1.9.0", 400_000);
    let relay = Relay::open(server.port());
    relay.slow(400_000);
    let site = Site::new();
    let child = site.start(&with(
        &from(&relay.name(), "1.9.0"),
        &["--output", "images.tar", "--quiet"],
    ));
    relay.wait_for(300_000);
    let began = std::time::Instant::now();
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let told = site.ended(child).expect(130);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    insta::assert_snapshot!("stopped", told.plain());
    assert!(!site.at("images.tar").exists());
}

#[rstest]
#[case::scheme("to_scheme", &["--to", "https://registry.acme.example"])]
#[case::no_host("to_no_host", &["--to", "acme"])]
fn destinations(#[case] name: &str, #[case] more: &[&str]) {
    let told = Site::new().run(&[&["bundle", "push", "images.tar"], more].concat());
    insta::assert_snapshot!(name, told.expect(2).plain());
}

#[rstest]
#[case::no_tag("create_no_tag", &["--preset", "syntho-app-ray"])]
#[case::unknown_image("create_unknown_image", &["--preset", "syntho-app-ray", "--tag", "1", "--image", "postgras=a.example/b:1"])]
#[case::scheme("create_scheme", &["--preset", "syntho-app-ray", "--tag", "1", "--registry", "https://a.example"])]
#[case::size("create_size", &["--preset", "syntho-app-ray", "--tag", "1", "--split", "4"])]
#[case::platform("create_platform", &["--preset", "syntho-app-ray", "--tag", "1", "--platform", "amd64"])]
fn orders(#[case] name: &str, #[case] more: &[&str]) {
    let told = Site::new().run(&[&["bundle", "create", "--output", "a.tar"], more].concat());
    insta::assert_snapshot!(name, told.expect(2).plain());
}
