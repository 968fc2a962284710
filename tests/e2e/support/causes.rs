//! Ten deployments broken for real, one after the other on one fleet: the first diagnosis of each names the right cause, with a line that shows it.
//!
//! They come in an order in which what one leaves in logs cannot be taken for a later one: what is most often a consequence first.

use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;
use syntho_installer::rehearsal::images::Release;
use syntho_installer::rehearsal::{Fault, VmSpec};

use super::Archive;
use crate::canary::printed;
use crate::cases::{self, Case};
use crate::program::is;
use crate::site::{ADMIN_PASSWORD, LICENSE, Site, release, section, tell, vm};

const CASES: &[Case] = &[
    ("a restart loop", a_restart_loop),
    ("a wrong Ray address", a_wrong_ray_address),
    ("another database password", another_database_password),
    ("another release of Ray", another_release_of_ray),
    ("a licence that is refused", a_licence_that_is_refused),
    ("a port that is taken", a_port_that_is_taken),
    ("an expired certificate", an_expired_certificate),
    ("a clock that is wrong", a_clock_that_is_wrong),
    ("too little memory", too_little_memory),
    ("a full disk", a_full_disk),
];

#[test]
fn the_first_diagnosis_names_what_was_broken() {
    let of = |which: Release, part: &str| -> Vec<String> {
        let all = release(which).into_iter();
        all.filter(|image| image.contains(part)).collect()
    };
    let with = |name: &str, more: Vec<String>| {
        VmSpec::new(name).images([release(Release::Old), more].concat())
    };
    let site = Site::with(&[
        with("ui", of(Release::Broken, "syntho-core-frontend")),
        vm("ray-1"),
        VmSpec::new("ray-2")
            .images(
                [
                    of(Release::Old, "syntho-ray"),
                    of(Release::New, "syntho-ray"),
                ]
                .concat(),
            )
            .disk_mb(30_000),
    ]);
    let mut answers = site.answers();
    let own = section(&mut answers, "answers");
    own.insert("tls".into(), "self-signed".into());
    own.insert("protocol".into(), "https".into());
    site.deploy(&answers).expect_code(0);
    // VMs that are containers have one kernel: what it did to those of other tests is not theirs.
    site.vm("ui").exec_ok("dmesg --clear").unwrap();
    cases::run(&site, CASES);
}

const UI: &str = "/opt/syntho/acme/application";
const WORKER: &str = "/opt/syntho/acme/ray-worker";

/// Runs a script in a stack's folder.
fn on(site: &Site, host: &str, folder: &str, script: &str) {
    let vm = site.vm(host);
    vm.exec_ok(&format!(
        "cd {folder} && {{ {script}; }} >/tmp/case 2>&1 || {{ cat /tmp/case; exit 1; }}"
    ))
    .unwrap();
}

/// Waits until a script in a stack's folder succeeds.
fn wait(site: &Site, host: &str, folder: &str, what: &str, script: &str) {
    let vm = site.vm(host);
    let script = format!("cd {folder} && {script}");
    vm.wait_until(what, Duration::from_mins(2), &script)
        .unwrap();
}

/// A file of a stack that was changed; it is put back when this value goes, also when the case ends early.
struct Broken<'a> {
    site: &'a Site,
    host: &'a str,
    folder: &'a str,
    file: &'a str,
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        let (folder, file) = (self.folder, self.file);
        let script =
            format!("cd {folder} && mv {file}.good {file} && docker compose up -d --wait 2>&1");
        let mended = self.site.vm(self.host).exec_ok(&script);
        assert!(mended.is_ok() || std::thread::panicking(), "{mended:?}");
    }
}

/// Changes a stack's file and starts that service by it.
#[must_use]
fn change<'a>(
    site: &'a Site,
    host: &'a str,
    (folder, file): (&'a str, &'a str),
    service: &str,
    expression: &str,
) -> Broken<'a> {
    let script = format!(
        "cp -p {file} {file}.good; sed -i \"{expression}\" {file}; ! cmp -s {file} {file}.good; timeout 30 docker compose up -d --no-deps {service} || :"
    );
    on(site, host, folder, &script);
    Broken {
        site,
        host,
        folder,
        file,
    }
}

/// Makes an archive, and expects the cause to be the first of what it names, shown by a line that holds these words.
#[track_caller]
fn expect(site: &Site, cause: &str, host: Option<&str>, shown_by: &[&str]) {
    let archive = Archive::make(site, cause);
    let told = archive.ended.events();
    let told: Vec<&Value> = told.iter().filter(|event| is(event, "diagnosed")).collect();
    assert_eq!(told.len(), 1);
    let causes: Value = serde_json::from_str(archive.file("diagnosis.json")).unwrap();
    assert_eq!(told[0]["causes"], causes);
    let listed: Vec<String> = causes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} now={} {}",
                one["id"], one["now"], one["evidence"][0]["text"]
            )
        })
        .collect();
    tell(&format!("{cause}: {listed:#?}"));
    let first = &causes[0];
    let found = || {
        format!(
            "{listed:#?}\n{}\n{}",
            archive.file("checks.txt"),
            archive.file("missing.txt")
        )
    };
    assert_eq!(
        (&first["id"], &first["now"]),
        (&Value::from(cause), &Value::from(true)),
        "{}",
        found()
    );
    if let Some(host) = host {
        assert_eq!(first["host"], host, "{first}");
    }
    for text in ["title", "means", "remedy", "command"] {
        assert!(
            first[text].as_str().is_some_and(|text| !text.contains('{')),
            "{first}"
        );
    }
    shown(&archive, first, shown_by);
    let read = archive.file("diagnosis.md");
    assert!(
        read.contains(&format!("## 1. {}", first["title"].as_str().unwrap())),
        "{read}"
    );
    archive.holds_none_of(&secrets(site));
}

/// Expects every line of evidence where it is said to stand, and one with these words.
#[track_caller]
fn shown(archive: &Archive, cause: &Value, by: &[&str]) {
    let evidence = cause["evidence"].as_array().unwrap();
    for one in evidence {
        // It stands where it is said to stand.
        let number = usize::try_from(one["line"].as_u64().unwrap()).unwrap();
        let line = archive
            .file(one["file"].as_str().unwrap())
            .lines()
            .nth(number - 1)
            .unwrap();
        let text = one["text"].as_str().unwrap();
        assert!(
            line.starts_with(text.trim_end_matches('…')),
            "{line}\n{text}"
        );
    }
    let shows = |one: &Value| {
        by.iter()
            .all(|word| one["text"].as_str().unwrap().contains(word))
    };
    assert!(evidence.iter().any(shows), "{by:?} in {evidence:#?}");
}

/// Every secret as programs print it, and packed.
fn secrets(site: &Site) -> Vec<String> {
    let env = site.vm("ui").exec_ok(&format!("cat {UI}/.env")).unwrap();
    let names = ["DATABASE_PASSWORD", "CORE_SECRET_KEY", "BACKEND_SECRET_KEY"];
    let values = env.lines().filter_map(|line| line.split_once('='));
    let values = values.filter(|(name, _)| names.contains(name));
    let values = values.map(|(_, value)| value.trim_matches(['\'', '"']).to_owned());
    let all = [LICENSE.to_owned(), ADMIN_PASSWORD.to_owned()]
        .into_iter()
        .chain(values);
    all.flat_map(|secret| {
        let mut spelled = printed(&secret);
        spelled.push(base64::engine::general_purpose::STANDARD.encode(&secret));
        spelled
    })
    .filter(|spelled| spelled.len() > 7)
    .collect()
}

fn a_restart_loop(site: &Site) {
    let _broken = change(
        site,
        "ui",
        (UI, ".env"),
        "frontend",
        "s/^\\(FRONTEND_IMAGE=.*\\):1.9.0/\\1:1.11.0/",
    );
    let looping =
        "test \"$(docker inspect -f '{{.RestartCount}}' acme-application-frontend-1)\" -ge 3";
    wait(site, "ui", UI, "restarts", looping);
    expect(
        site,
        "restart-loop",
        Some("ui"),
        // It is caught while it runs or while it waits for the next start.
        &["service=frontend", "restarts="],
    );
}

fn a_wrong_ray_address(site: &Site) {
    // An address of the fleet's own network at which nobody is.
    let address = site.vm("ray-1").address().to_string();
    let (network, _) = address.rsplit_once('.').unwrap();
    let _broken = change(
        site,
        "ray-2",
        (WORKER, ".env"),
        "worker",
        &format!("s/^RAY_HEAD_IP=.*/RAY_HEAD_IP='{network}.253'/"),
    );
    wait(
        site,
        "ray-2",
        WORKER,
        "that it tries",
        "docker compose logs 2>&1 | grep -q GCS",
    );
    expect(site, "ray-address", Some("ray-2"), &["253"]);
}

fn another_database_password(site: &Site) {
    let _broken = change(
        site,
        "ui",
        (UI, ".env"),
        "backend",
        "s/^DATABASE_PASSWORD=.*/DATABASE_PASSWORD='another-Word-0815'/",
    );
    wait(
        site,
        "ui",
        UI,
        "a refusal",
        "docker compose logs postgres 2>&1 | grep -q 'password authentication failed'",
    );
    expect(
        site,
        "database-password",
        Some("ui"),
        &["password authentication failed for user"],
    );
}

fn another_release_of_ray(site: &Site) {
    let _broken = change(
        site,
        "ray-2",
        (WORKER, ".env"),
        "worker",
        "s/^\\(SYNTHO_RAY_IMAGE=.*\\):1.9.0/\\1:1.10.0/",
    );
    wait(
        site,
        "ray-2",
        WORKER,
        "a refusal",
        "docker compose logs 2>&1 | grep -q -E 'Version mismatch|GCS'",
    );
    // Not every release gets as far as to compare: then it says what a wrong address says, too.
    expect(site, "ray-version", Some("ray-2"), &["SYNTHO_RAY_IMAGE"]);
}

fn a_licence_that_is_refused(site: &Site) {
    let _broken = change(
        site,
        "ray-2",
        (WORKER, "docker-compose.yaml"),
        "worker",
        "s/LICENSE_KEY_SIGNED: .*/LICENSE_KEY_SIGNED: ''/",
    );
    wait(
        site,
        "ray-2",
        WORKER,
        "a refusal",
        "docker compose logs 2>&1 | grep -q 'licence key is needed'",
    );
    expect(
        site,
        "licence",
        Some("ray-2"),
        &["LICENSE_KEY_SIGNED is empty"],
    );
}

fn a_port_that_is_taken(site: &Site) {
    on(site, "ui", UI, "docker compose rm -s -f proxy");
    let taken = site.inflict("ui", Fault::PortTaken { port: 443 });
    on(site, "ui", UI, "! docker compose up -d proxy");
    expect(site, "port-conflict", Some("ui"), &["443"]);
    drop(taken);
    on(site, "ui", UI, "docker compose up -d --wait");
}

fn an_expired_certificate(site: &Site) {
    let address = site.vm("ui").address();
    let make = format!(
        "set -e; cd proxy/tls; cp -p server.crt server.good; printf 'subjectAltName=IP:{address}\\nextendedKeyUsage=serverAuth\\n' >ext; \
         openssl req -new -key server.key -subj /CN=ui -out new.csr; \
         openssl x509 -req -in new.csr -CA ../authority/ca.crt -CAkey ../authority/ca.key -set_serial 7 -days -1 -extfile ext -out leaf.crt; \
         cat leaf.crt ../authority/ca.crt >server.crt; cd ../..; docker compose restart proxy"
    );
    on(site, "ui", UI, &make);
    expect(site, "certificate-expired", None, &["expired"]);
    let mend = "cd proxy/tls; mv server.good server.crt; rm -f ext new.csr leaf.crt; cd ../..; docker compose restart proxy";
    on(site, "ui", UI, mend);
}

fn a_clock_that_is_wrong(site: &Site) {
    let _wrong = site.inflict("ray-2", Fault::ClockSkew { seconds: 7200 });
    expect(site, "clock-skew", None, &["ray-2", "ahead of"]);
}

fn too_little_memory(site: &Site) {
    let limit = "core=$(docker compose ps -q core); docker update --memory 48m --memory-swap 48m $core; docker restart $core";
    on(site, "ui", UI, limit);
    let killed = "docker events --since 10m --until 0s --filter event=oom | grep -q oom";
    wait(site, "ui", UI, "that it is killed", killed);
    expect(site, "out-of-memory", Some("ui"), &["core"]);
    on(
        site,
        "ui",
        UI,
        "docker compose up -d --force-recreate --wait core",
    );
}

fn a_full_disk(site: &Site) {
    let _full = site.inflict("ray-2", Fault::DiskFull { leave_kb: 100 });
    expect(site, "disk-full", Some("ray-2"), &["100%"]);
}
