//! A deployment that was set up by hand is found, taken over with its data and its secrets, repaired, and brought to another release.

use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;
use serde_json::Value;
use syntho_installer::rehearsal::images::Release;

use crate::backup::sql;
use crate::program::{Ended, Running, is, run};
use crate::site::{Site, fingerprint, release, vm};

/// What the hand-made variables give as secrets; nobody may see them.
const SECRETS: [&str; 4] = [
    "lic-by-hand.7f#x",
    "!2ImY6&A!*i3",
    "ZmVybmV0LWtleS1vZi1hLWhhbmQtbWFkZS1zeXN0ZW0=",
    "by-hand-pw 1",
];

/// A file of the fixtures, with this site's addresses in it.
fn fixture(site: &Site, path: &str, host: &str, head: &str) -> String {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/adopt")
        .join(path);
    let text = fs_err::read_to_string(path).unwrap();
    let text = text.replace("@ADDRESS@", &site.vm(host).address().to_string());
    text.replace("@RAY@", &site.vm(head).address().to_string())
}

/// Sets up a project as people do: a folder with a Compose file and `.env`, and `docker compose up`.
fn set_up(site: &Site, host: &str, head: &str, kind: &str, compose: &str, folder: &str) {
    let vm = site.vm(host);
    let put = |from: &str, to: &str| {
        let text = fixture(site, from, host, head);
        vm.exec_with(
            &format!("mkdir -p $(dirname {folder}/{to}) && cat > {folder}/{to}"),
            text.as_bytes(),
        )
        .unwrap();
    };
    put(&format!("{kind}/{compose}"), compose);
    put(&format!("{kind}/variables.env"), ".env");
    put("databases.sh", "postgres/databases.sh");
    vm.exec_ok(&format!(
        "cd {folder} && docker compose -f {compose} up -d --quiet-pull 2>&1"
    ))
    .unwrap();
}

/// Waits until the administrator can log in with the password of then.
fn works(site: &Site, host: &str) {
    let url = format!("http://{}:3000/api/v1/auth/login/", site.vm(host).address());
    let body = r#"{"email": "admin@acme.example", "password": "by-hand-pw 1"}"#;
    for _ in 0..150 {
        let mut curl = Command::new("curl");
        curl.args([
            "-sf",
            "-m",
            "10",
            "-o",
            "/dev/null",
            "-H",
            "Content-Type: application/json",
            "-d",
            body,
            &url,
        ]);
        if curl.status().unwrap().success() {
            return;
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    let logs = site
        .vm(host)
        .exec_ok("cd /srv/by-hand && docker compose ps -a; docker compose logs --tail 15 2>&1");
    panic!(
        "the hand-made application does not come up: {}",
        logs.unwrap()
    );
}

fn write_rows(site: &Site) {
    for database in ["syntho-core", "syntho-backend"] {
        sql(
            site,
            database,
            "CREATE TABLE rows (name text PRIMARY KEY); INSERT INTO rows SELECT 'n' || n FROM generate_series(1, 500) n;",
        );
    }
}

#[track_caller]
fn expect_rows(site: &Site) {
    for database in ["syntho-core", "syntho-backend"] {
        assert_eq!(sql(site, database, "SELECT count(*) FROM rows"), "500");
    }
}

/// The program with nothing but hosts: what was set up by hand knows its own secrets.
fn program(site: &Site, arguments: &[&str]) -> Command {
    let mut command = site.program();
    command
        .env_remove("SYNTHO_SECRET_LICENSE_KEY")
        .env_remove("SYNTHO_SECRET_ADMIN_PASSWORD")
        .args(arguments);
    command
}

/// Runs `adopt`, which changes nothing and tells no secret.
fn adopt(site: &Site, arguments: &[&str]) -> Ended {
    let before = site.footprint();
    let mut all = vec!["adopt", "--output", "taken.toml", "--json"];
    all.extend(arguments);
    let ended = run(program(site, &all)).expect_code(0);
    site.expect_footprint(&before);
    let written = fs_err::read_to_string(site.home.join("taken.toml")).unwrap();
    for secret in SECRETS {
        assert!(
            !written.contains(secret) && !ended.all().contains(secret),
            "{written}"
        );
    }
    ended
}

fn deploy(site: &Site) -> Command {
    program(
        site,
        &["deploy", "--answers", "taken.toml", "--yes", "--json"],
    )
}

/// Returns a variable of the application's `.env`.
fn variable(site: &Site, name: &str) -> String {
    let file = "/opt/syntho/acme/application/.env";
    let line = site
        .vm("ui")
        .exec_ok(&format!("grep '^{name}=' {file}"))
        .unwrap();
    line.trim()
        .trim_start_matches(&format!("{name}="))
        .trim_matches('\'')
        .to_owned()
}

#[track_caller]
fn expect_kept(site: &Site, volume: &str) {
    expect_rows(site);
    assert_eq!(variable(site, "LICENSE_KEY"), SECRETS[0]);
    assert_eq!(variable(site, "DATABASE_PASSWORD"), SECRETS[1]);
    assert_eq!(variable(site, "CORE_SECRET_KEY"), SECRETS[2]);
    assert_eq!(variable(site, "ADMIN_PASSWORD"), SECRETS[3]);
    // The published one is gone.
    assert_eq!(variable(site, "BACKEND_SECRET_KEY").len(), 64);
    let vm = site.vm("ui");
    let volumes = vm.exec_ok("docker volume ls -q").unwrap();
    assert!(volumes.lines().any(|name| name == volume), "{volumes}");
    assert!(
        !volumes.contains("acme-application_database-data"),
        "{volumes}"
    );
    let old = vm.exec_ok("docker ps -a --filter label=com.docker.compose.project=by-hand --format '{{.State}}' | sort -u").unwrap();
    assert_eq!(old.trim(), "exited");
    // What was open to the network is not.
    let open = vm.exec_ok("ss -Hltn 'sport = :5432'").unwrap();
    assert!(open.trim().is_empty(), "{open}");
}

fn titles(ended: &Ended) -> Vec<String> {
    let events = ended.events().into_iter();
    let checks = events.filter(|event| is(event, "check-ended"));
    checks
        .map(|event| event["check"]["found"].as_str().unwrap().to_owned())
        .collect()
}

fn is_step(event: &Value, step: &str) -> bool {
    is(event, "step-ended") && event["step"] == step
}

/// Sets up the application on one host, and a Ray head and worker on two others.
fn set_up_on_three(site: &Site) {
    for (host, kind, compose, folder) in [
        ("ray-1", "ray-head", "docker-compose-head.yaml", "/srv/ray"),
        (
            "ray-2",
            "ray-worker",
            "docker-compose-worker.yaml",
            "/srv/ray",
        ),
        ("ui", "split-app", "docker-compose.yaml", "/srv/by-hand"),
    ] {
        set_up(site, host, "ray-1", kind, compose, folder);
    }
}

/// Looks at the three hosts, of which only the way to them is known.
fn is_found_with_what_is_wrong(site: &Site) {
    let mut hosts = format!(
        "# Our hosts.\nversion = 1\nname = \"acme\"\n[ssh]\nuser = \"deploy\"\nkey = \"{}\"\n",
        site.fleet.private_key()
    );
    for name in ["ui", "ray-1", "ray-2"] {
        let vm = site.vm(name);
        hosts.push_str(&format!(
            "[[hosts]]\nname = \"{name}\"\naddress = \"{}\"\nhost-key = \"{}\"\n",
            vm.address(),
            fingerprint(vm.host_key())
        ));
    }
    fs_err::write(site.home.join("hosts.toml"), hosts).unwrap();
    let found = adopt(site, &["--answers", "hosts.toml"]);
    let traps = titles(&found);
    for trap in [
        "secret key that is the same everywhere",
        "password of PostgreSQL is one that is published",
        "PostgreSQL is open",
        "Redis is open",
    ] {
        assert!(
            traps.iter().any(|found| found.contains(trap)),
            "{trap}: {traps:#?}"
        );
    }
    let written = fs_err::read_to_string(site.home.join("taken.toml")).unwrap();
    for part in [
        "# Our hosts.",
        "preset = \"syntho-app-ray\"",
        "roles = [\"ray-worker\"]",
        "tag = \"1.9.0\"",
        "by-hand_database-data",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
}

#[test]
fn a_deployment_on_several_hosts_is_taken_over_killed_in_between_and_upgraded() {
    let images = [Release::Old, Release::New].map(release).concat();
    let site = Site::with(&["ui", "ray-1", "ray-2"].map(|name| vm(name).images(images.clone())));
    set_up_on_three(&site);
    works(&site, "ui");
    write_rows(&site);
    is_found_with_what_is_wrong(&site);

    let mut takeover = Running::start(deploy(&site));
    takeover.must_see("the end of what was there", |event| {
        is_step(event, "ui/retire/application")
    });
    takeover.kill();
    run(deploy(&site)).expect_code(0);
    expect_kept(&site, "by-hand_database-data");
    let again = run(deploy(&site)).expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");

    run(program(
        &site,
        &["upgrade", "acme", "--tag", "1.10.0", "--yes", "--json"],
    ))
    .expect_code(0);
    expect_kept(&site, "by-hand_database-data");
    let runs = site
        .vm("ui")
        .exec_ok("docker ps --format '{{.Image}}' | grep syntho")
        .unwrap();
    assert!(
        runs.lines().all(|image| image.ends_with(":1.10.0")),
        "{runs}"
    );
}

/// After a restart of its host everything starts by itself; Ray takes its time for that.
fn comes_back(site: &Site) {
    let verify = || run(program(site, &["verify", "acme", "--json"]));
    let holds = (0..4).any(|_| verify().code == Some(0));
    assert!(holds, "{:?}", verify());
}

/// An answers file that is there already is not written over.
fn what_is_written_stays(site: &Site, host: &str) {
    let arguments = [
        "adopt",
        "--host",
        host,
        "--name",
        "acme",
        "--output",
        "taken.toml",
    ];
    run(program(site, &arguments))
        .expect_code(2)
        .says(&["taken.toml is there already"]);
}

#[test]
fn a_deployment_on_one_host_is_taken_over_and_can_be_brought_back() {
    let site = Site::with(&[vm("ui")]);
    set_up(
        &site,
        "ui",
        "ui",
        "one-node",
        "docker-compose.yaml",
        "/srv/by-hand",
    );
    works(&site, "ui");
    write_rows(&site);
    let ui = site.vm("ui");
    let folder = site.home.join(".ssh");
    fs_err::create_dir(&folder).unwrap();
    fs_err::write(
        folder.join("known_hosts"),
        format!("{} {}\n", ui.address(), ui.host_key()),
    )
    .unwrap();
    let host = format!("ui={}", ui.address());
    let key = site.fleet.private_key();
    adopt(
        &site,
        &[
            "--host",
            &host,
            "--name",
            "acme",
            "--user",
            "deploy",
            "--key",
            key.as_str(),
        ],
    );
    let written = fs_err::read_to_string(site.home.join("taken.toml")).unwrap();
    assert!(
        written.contains("preset = \"syntho-one-node\""),
        "{written}"
    );
    what_is_written_stays(&site, &host);

    run(deploy(&site)).expect_code(0);
    expect_kept(&site, "by-hand_database-data");
    ui.reboot().unwrap();
    comes_back(&site);
    expect_kept(&site, "by-hand_database-data");

    // Ours goes, and leaves what was there even where data goes; the command that was told brings that back.
    let destroy = ["destroy", "acme", "--yes", "--delete-data=acme", "--json"];
    run(program(&site, &destroy)).expect_code(0).says(&[
        "`by-hand`, which was taken over",
        "by-hand_database-data, which `--delete-data` leaves alone",
    ]);
    ui.exec_ok("cd /srv/by-hand && docker compose --project-name by-hand up --detach --force-recreate 2>&1").unwrap();
    works(&site, "ui");
    expect_rows(&site);
}
