//! Logs of a deployment that really runs: everything from three hosts in one file, in order, complete, without a secret; and what happens when a host is down,
//! an engine stopped, or the disk here full.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use camino::Utf8Path;
use serde_json::Value;
use syntho_installer::rehearsal::Fault;

use crate::canary::{packed, printed};
use crate::program::{Ended, Running, is};
use crate::site::{ADMIN_PASSWORD, LICENSE, Site, tell};

/// Records that a loud container prints.
const RECORDS: u64 = 250_000;

/// The loud containers: host and project.
const LOUD: [(&str, &str); 3] = [
    ("ui", "acme-application"),
    ("ray-1", "acme-ray-head"),
    ("ray-2", "acme-ray-worker"),
];

/// The most memory that gathering may take, whatever there is to gather.
const MEMORY: u64 = 160 << 20;

#[test]
fn logs_of_three_hosts_are_gathered() {
    let site = Site::three();
    site.deploy(&site.answers()).expect_code(0);
    let before = site.footprint();
    make_noise(&site);
    let secrets = print_secrets(&site);

    everything_is_there_in_order(&site, &secrets);
    a_part_is_gathered(&site);
    what_comes_is_followed(&site);
    a_full_disk_here_is_told(&site);
    one_engine_is_stopped(&site);
    one_host_is_paused(&site);

    for (host, _) in LOUD {
        site.vm(host).exec_ok("docker rm -f loud").unwrap();
    }
    site.expect_footprint(&before);
}

/// Starts a container on each host that prints numbered records as a service of the deployment, and waits until they are printed.
fn make_noise(site: &Site) {
    for (host, project) in LOUD {
        let padding = "x".repeat(50);
        let script = format!(
            "image=$(docker ps --format '{{{{.Image}}}}' | head -n 1); \
             docker run -d --name loud --network none --label com.docker.compose.project={project} \
                --label com.docker.compose.service=loud --entrypoint sh \"$image\" \
                -c 'seq -f \"record %.0f of {host} {padding}\" 1 {RECORDS}'"
        );
        site.vm(host).exec_ok(&script).unwrap();
    }
    for (host, _) in LOUD {
        let ended = "test \"$(docker inspect -f '{{.State.Status}}' loud)\" = exited";
        let vm = site.vm(host);
        vm.wait_until("all is printed", Duration::from_mins(2), ended)
            .unwrap();
    }
}

/// Prints every secret in every spelling from a container of the application; returns what must not be found.
pub fn print_secrets(site: &Site) -> Vec<String> {
    let env = site
        .vm("ui")
        .exec_ok("cat /opt/syntho/acme/application/.env")
        .unwrap();
    let generated = env
        .lines()
        .find_map(|line| line.strip_prefix("DATABASE_PASSWORD="))
        .unwrap()
        .trim_matches(['\'', '"']);
    let secrets = [LICENSE, ADMIN_PASSWORD, generated];
    let mut spelled: Vec<String> = secrets.iter().flat_map(|secret| printed(secret)).collect();
    let mut lines = String::new();
    for spelling in &spelled {
        lines += &format!("canary {spelling} sang\n");
    }
    for secret in secrets {
        for before in ["", "u", "u:"] {
            for engine in [&STANDARD, &URL_SAFE] {
                let encoded = engine.encode(format!("{before}{secret}!"));
                lines += &format!("canary {encoded} sang\n");
            }
        }
        spelled.extend(packed(secret));
    }
    let script = "docker exec -i -u 0 \"$(docker ps -q -f label=com.docker.compose.service=frontend)\" sh -c 'cat > /proc/1/fd/2'";
    let others = "canary postgres://u:hunter2-hunter2@db/x sang\ncanary Authorization: Basic aHVudGVyMjpodW50ZXIy sang\n\
        -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCanary\n-----END PRIVATE KEY-----\ncanary last sang\n";
    site.vm("ui")
        .exec_with(script, format!("{lines}{others}").as_bytes())
        .unwrap();
    let looks = ["hunter2-hunter2", "aHVudGVyMjpodW50ZXIy", "MIIEvQIBADANB"];
    spelled
        .into_iter()
        .chain(looks.map(str::to_owned))
        .filter(|needle| needle.len() > 7)
        .collect()
}

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = site.program();
    command
        // Nothing is given now: secrets are read from the hosts.
        .env_remove("SYNTHO_SECRET_LICENSE_KEY")
        .env_remove("SYNTHO_SECRET_ADMIN_PASSWORD")
        .args(["logs", "acme", "--json"])
        .args(arguments);
    command
}

fn gather(site: &Site, arguments: &[&str]) -> Ended {
    crate::program::run(command(site, arguments))
}

fn read(path: &Utf8Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

/// Returns what was gathered of each source by its name.
fn counts(events: &[Value]) -> BTreeMap<String, Value> {
    let ended = events.iter().filter(|event| is(event, "logs-ended"));
    ended
        .map(|event| &event["count"])
        .map(|count| (count["source"].as_str().unwrap().to_owned(), count.clone()))
        .collect()
}

fn everything_is_there_in_order(site: &Site, secrets: &[String]) {
    let mut running = Running::start(command(site, &["--daemon"]));
    let mut memory = 0;
    while running
        .wait_for("progress", |event| {
            is(event, "logs-progressed") || is(event, "logs-written")
        })
        .is_some_and(|event| is(&event, "logs-progressed"))
    {
        memory = memory.max(running.memory());
    }
    let ended = running.finish().expect_code(0);
    let path = site.home.join("syntho_logs.log");
    let text = read(&path);
    tell(&format!(
        "{} MB in {:.1} s, {} MB of memory",
        text.len() / 1_000_000,
        ended.took.as_secs_f64(),
        memory / 1_000_000
    ));
    assert!(memory > 0 && memory < MEMORY, "{memory}");

    let mut next: BTreeMap<&str, u64> = LOUD.iter().map(|(host, _)| (*host, 1)).collect();
    let (mut last, mut late, mut records) = ("", 0_u64, 0_u64);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (head, text) = line.split_once(" | ").unwrap_or_else(|| panic!("{line}"));
        let (time, source) = head.split_once(' ').unwrap();
        records += 1;
        if source.contains("/loud") || !source.contains(':') {
            late += u64::from(time < last);
            last = time;
        }
        if let Some(number) = text.strip_prefix("record ") {
            let (host, service) = source.split_once('/').unwrap();
            assert!(service.ends_with("/loud"), "{line}");
            let next = next.get_mut(host).unwrap();
            let wanted = format!("{next} of {host} ");
            assert!(number.starts_with(&wanted), "{wanted} is not {line}");
            *next += 1;
        }
    }
    assert!(next.values().all(|next| *next == RECORDS + 1), "{next:?}");
    // A source that was silent for long while it had something to say is the one exception; on a slow machine it happens.
    assert!(
        late * 1000 <= records,
        "{late} of {records} records are late"
    );

    let counts = counts(&ended.events());
    let names: Vec<&str> = counts.keys().map(String::as_str).collect();
    for wanted in [
        "ui/application/frontend",
        "ui/application/loud",
        "ray-1/ray-head/head",
        "ray-2/docker/daemon",
    ] {
        assert!(names.contains(&wanted), "{names:?}");
    }
    // The product's own files in the container of the head.
    assert!(text.contains(" ray-1/ray-head/head:"), "no files");
    assert!(counts["ray-1/docker/daemon"]["records"].as_u64().unwrap() > 0);
    nothing_leaks(&text, secrets, &counts);
}

fn nothing_leaks(text: &str, secrets: &[String], counts: &BTreeMap<String, Value>) {
    for secret in secrets {
        let found = text.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(found, None, "{secret}");
    }
    let sang: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("canary "))
        .collect();
    assert!(sang.len() >= secrets.len() - 3, "{sang:#?}");
    for mask in [
        "‹license-key›",
        "‹admin-password›",
        "‹database-password›",
        "‹password›",
        "‹authorization›",
        "‹private-key›",
    ] {
        assert!(text.contains(mask), "{mask}: {sang:#?}");
    }
    let masked = &counts["ui/application/frontend"]["masked"];
    assert!(masked["license-key"].as_u64().unwrap() >= 10, "{masked}");
    let report = text
        .lines()
        .rfind(|line| line.starts_with("# masked ‹license-key›"));
    assert!(report.unwrap().contains("ui/application/frontend"));
}

fn a_part_is_gathered(site: &Site) {
    let path = site.home.join("part.log");
    let arguments = [
        "--output",
        path.as_str(),
        "--host",
        "ui",
        "--service",
        "loud",
        "--tail",
        "3",
    ];
    gather(site, &arguments).expect_code(0);
    // Appended to.
    gather(site, &arguments).expect_code(0);
    let text = read(&path);
    let records: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(records.len(), 6, "{text}");
    assert!(records[2].contains(&format!("record {RECORDS} of ui")));
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("# ----"))
            .count(),
        4
    );
    gather(site, &["--service", "nonsense"])
        .expect_code(2)
        .says(&["there is no service `nonsense`", "frontend"]);
    gather(site, &["--host", "nowhere"])
        .expect_code(2)
        .says(&["there is no host `nowhere`"]);
}

fn what_comes_is_followed(site: &Site) {
    let path = site.home.join("follow.log");
    let arguments = [
        "--output",
        path.as_str(),
        "--follow",
        "--tail",
        "1",
        "--service",
        "frontend",
    ];
    let mut running = Running::start(command(site, &arguments));
    running.must_see("that it goes on", |event| is(event, "logs-progressed"));
    let script = "docker exec -u 0 \"$(docker ps -q -f label=com.docker.compose.service=frontend)\" sh -c 'echo followed-line > /proc/1/fd/2'";
    site.vm("ui").exec_ok(script).unwrap();
    running.must_see("a line more", |_| true);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !read(&path).contains("followed-line") {
        assert!(std::time::Instant::now() < deadline, "{}", read(&path));
        std::thread::sleep(Duration::from_millis(50));
    }
    running.interrupt();
    running.finish().expect_code(0);
    assert!(read(&path).lines().last().unwrap().starts_with("# "));
}

fn a_full_disk_here_is_told(site: &Site) {
    let small = site.home.join("small");
    fs_err::create_dir(&small).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let ended = Command::new(program).args(arguments).status().unwrap();
        assert!(ended.success(), "{program} {arguments:?}");
    };
    mount(
        "mount",
        &["-t", "tmpfs", "-o", "size=1m", "none", small.as_str()],
    );
    let path = small.join("syntho_logs.log");
    let ended = gather(site, &["--output", path.as_str()]);
    let text = read(&path);
    mount("umount", &[small.as_str()]);
    ended.expect_code(1).says(&[
        "cannot go on writing",
        small.as_str(),
        "No space left",
        "make room",
    ]);
    assert!(
        text.len() > 500_000 && text.ends_with('\n'),
        "{}",
        text.len()
    );
}

fn one_engine_is_stopped(site: &Site) {
    let _stopped = site.inflict("ray-2", Fault::DockerStopped);
    let path = site.home.join("stopped.log");
    let ended = gather(site, &["--output", path.as_str(), "--tail", "5"]).expect_code(1);
    let ended = ended.says(&["the logs are incomplete: 1 source is missing", "ray-2"]);
    assert!(ended.took < Duration::from_mins(1), "{:?}", ended.took);
    let text = read(&path);
    assert!(text.contains("# MISSING ray-2"), "{text}");
    assert!(text.contains("ui/application/loud") && text.contains("ray-1/ray-head/loud"));
}

fn one_host_is_paused(site: &Site) {
    let _paused = site.inflict("ray-2", Fault::Paused);
    let path = site.home.join("paused.log");
    let ended = gather(site, &["--output", path.as_str(), "--tail", "5"]).expect_code(1);
    let ended = ended.says(&["ray-2"]);
    tell(&format!("a paused host: {:.1} s", ended.took.as_secs_f64()));
    assert!(ended.took < Duration::from_mins(1), "{:?}", ended.took);
    let text = read(&path);
    assert!(text.contains("# MISSING ray-2"), "{text}");
    assert!(text.contains("ui/application/loud") && text.contains("ray-1/ray-head/loud"));
}
