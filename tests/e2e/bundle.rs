//! Without any internet: everything comes from an archive that was carried in, over a link that breaks, past an sshd that forwards nothing.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::images::{self, Release};
use syntho_installer::rehearsal::{Fault, Vm, VmSpec};
use toml::Table;

use crate::program::{Ended, is};
use crate::site::{Site, engine, release, section, tell};

/// Brings up the usual three with no image on any of them.
pub fn bare() -> Site {
    Site::with(&["ui", "ray-1", "ray-2"].map(VmSpec::new))
}

/// Packs images of the old release whose names hold none of `without`, and makes the archive the source.
pub fn from_archive(site: &Site, name: &str, without: &[&str]) -> Table {
    let names: Vec<ImageRef> = release(Release::Old)
        .iter()
        .filter(|name| !without.iter().any(|part| name.contains(part)))
        .map(|name| ImageRef::parse(name).unwrap())
        .collect();
    let archive = images::archive(engine(), name, &names, &tell).unwrap();
    let mut answers = site.answers();
    let images = section(&mut answers, "images");
    images.insert("source".into(), "bundle".into());
    images.insert("bundle".into(), archive.as_str().into());
    answers
}

/// Returns what `docker` itself says: the id of every named image.
fn ids(docker: &str) -> BTreeMap<String, String> {
    docker
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, id)| (name.to_owned(), id.to_owned()))
        .collect()
}

pub fn on_vm(vm: &Vm) -> BTreeMap<String, String> {
    ids(&vm
        .exec_ok("docker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'")
        .unwrap())
}

pub fn received(vm: &Vm) -> u64 {
    let text = vm
        .exec_ok("cat /sys/class/net/eth0/statistics/rx_bytes")
        .unwrap();
    text.trim().parse().unwrap()
}

#[test]
fn three_vms_deploy_from_an_archive_alone() {
    let site = bare();
    let answers = from_archive(&site, "release", &[]);
    let archive = answers["images"]["bundle"].as_str().unwrap().to_owned();
    let inspected = site
        .run(&["bundle", "inspect", &archive, "--json"])
        .expect_code(0);
    let inspected: Value = serde_json::from_str(inspected.stdout.trim()).unwrap();

    // One host forwards nothing, and the link of another breaks in the middle of the biggest image.
    site.vm("ray-2")
        .exec_ok("echo 'DisableForwarding yes' > /etc/ssh/sshd_config.d/00-closed.conf && systemctl reload ssh")
        .unwrap();
    let _slow = site.inflict("ray-1", Fault::RateLimit { kbit: 300_000 });
    let before = received(site.vm("ray-1"));
    let mut run = site.start_deploy(&answers);
    run.must_see("a layer on its way to ray-1", |event| {
        is(event, "layer-progressed")
            && event["step"] == "ray-1/images/ray"
            && event["layer"]["done"].as_u64() > Some(20_000_000)
    });
    let _dropped = site.inflict("ray-1", Fault::SshDropped);
    let ended = run.finish().expect_code(0);
    let sent = received(site.vm("ray-1")) - before;
    assert_ids(&site, &archive);
    assert_sent(&inspected, sent);
    assert_fallback(&ended);
    for vm in site.fleet.vms() {
        let ports = vm
            .exec_ok("ss -ltnpH | grep sshd | grep 127.0.0.1 || true")
            .unwrap();
        assert_eq!(ports.trim(), "", "{}: the port is still open", vm.name());
    }

    let again = site.deploy(&answers).expect_code(0);
    let events = again.events();
    assert_eq!(
        events.last().unwrap()["outcome"]["outcome"],
        "nothing-to-do"
    );
}

/// Returns the id of every named image of an archive, as `tar` and `sha256sum` know it: the digest of its configuration.
pub fn packed_ids(archive: &str) -> BTreeMap<String, String> {
    let shell = |script: String| {
        let output = Command::new("sh").args(["-ec", &script]).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = shell(format!("tar -xOf '{archive}' manifest.json"));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let mut ids = BTreeMap::new();
    for image in listed.as_array().unwrap() {
        let config = image["Config"].as_str().unwrap();
        let sum = shell(format!("tar -xOf '{archive}' '{config}' | sha256sum"));
        let id = format!("sha256:{}", sum.split_whitespace().next().unwrap());
        for name in image["RepoTags"].as_array().unwrap() {
            ids.insert(name.as_str().unwrap().to_owned(), id.clone());
        }
    }
    ids
}

/// Every image has the archive's id, judged by programs that are not ours, and no other name is left.
pub fn assert_ids(site: &Site, archive: &str) {
    let packed = packed_ids(archive);
    let mut seen = 0;
    for vm in site.fleet.vms() {
        for (name, id) in on_vm(vm) {
            assert_eq!(Some(&id), packed.get(&name), "{}: {name}", vm.name());
            seen += 1;
        }
    }
    assert!(seen >= 7, "only {seen} images are on the VMs");
}

/// Returns how many bytes of layers a host lacks for the image of Ray.
pub fn missing(inspected: &Value) -> u64 {
    let images = inspected["images"].as_array().unwrap();
    let ray = images
        .iter()
        .find(|image| image["names"][0].as_str().unwrap().contains("syntho-ray"))
        .unwrap();
    let layers = ray["layers"].as_array().unwrap().iter();
    layers.map(|layer| layer["packed"].as_u64().unwrap()).sum()
}

/// A link that breaks costs next to nothing: what had come stayed.
fn assert_sent(inspected: &Value, sent: u64) {
    let missing = missing(inspected);
    eprintln!("ray-1 received {sent} bytes for {missing} bytes of layers");
    assert!(
        sent < missing + missing / 10 + 4_000_000,
        "{sent} for {missing}"
    );
}

/// The host that forwards nothing got its image another way, and that was said; the others did not. On a machine so busy that its links seem slow it comes
/// in files, which is said too.
fn assert_fallback(ended: &Ended) {
    let events = ended.events();
    let said = |step: &str, words: &str| {
        let mut lines = events
            .iter()
            .filter(|event| is(event, "step-output") && event["step"] == step);
        lines.any(|event| event["line"].as_str().unwrap().contains(words))
    };
    let closed = "ray-2/images/ray";
    assert!(said(closed, "instead") || said(closed, "the link carries"));
    assert!(!said("ray-1/images/ray", "instead"));
}

#[test]
fn an_archive_that_lacks_the_database_is_refused_before_the_first_byte() {
    let site = bare();
    let before = site.footprint();
    let answers = from_archive(&site, "no-database", &["postgres"]);
    let ended = site.deploy(&answers).expect_code(3);
    let ended = ended.says(&["postgres:14.5 is in none of the archives"]);
    assert!(!ended.stdout.contains("\"step-started\""));
    site.expect_footprint(&before);
}

#[test]
fn killed_and_then_cut_off_it_sends_hardly_more_than_what_is_missing() {
    let site = bare();
    let answers = from_archive(&site, "release", &[]);
    let archive = answers["images"]["bundle"].as_str().unwrap().to_owned();
    let inspected = site
        .run(&["bundle", "inspect", &archive, "--json"])
        .expect_code(0);
    let inspected: Value = serde_json::from_str(inspected.stdout.trim()).unwrap();
    let slow = site.inflict("ray-1", Fault::RateLimit { kbit: 120_000 });
    let before = received(site.vm("ray-1"));
    let more_than = |bytes: u64| {
        move |event: &Value| {
            is(event, "step-progress")
                && event["step"] == "ray-1/images/ray"
                && event["done"].as_u64() > Some(bytes)
        }
    };
    let mut run = site.start_deploy(&answers);
    run.must_see("a part of the image on ray-1", more_than(25_000_000));
    run.kill();
    let mut run = site.start_deploy(&answers);
    run.must_see("more of the image on ray-1", more_than(60_000_000));
    let _dropped = site.inflict("ray-1", Fault::SshDropped);
    run.finish().expect_code(0);
    drop(slow);
    let sent = received(site.vm("ray-1")) - before;
    assert_ids(&site, &archive);
    assert_sent(&inspected, sent);
}

/// A file on the host goes on where it ends, so each cut costs only what is on its way at that moment, of which a full link has little.
#[test]
fn cut_ten_times_one_run_goes_on_to_the_end() {
    const CUTS: u64 = 10;
    let site = bare();
    let answers = from_archive(&site, "release", &[]);
    let archive = answers["images"]["bundle"].as_str().unwrap().to_owned();
    let inspected = site
        .run(&["bundle", "inspect", &archive, "--json"])
        .expect_code(0);
    let inspected: Value = serde_json::from_str(inspected.stdout.trim()).unwrap();
    let total = missing(&inspected);
    let _slow = site.inflict("ray-1", Fault::RateLimit { kbit: 100_000 });
    let before = received(site.vm("ray-1"));
    let mut run = site.start_deploy(&answers);
    for cut in 1..=CUTS {
        // Somewhere in the tenth part of the bytes that is its own.
        let at = total * cut / (CUTS + 1) - rand::random_range(0..total / (CUTS + 1) / 2);
        run.must_see(&format!("cut {cut} at {at} bytes"), move |event| {
            is(event, "step-progress")
                && event["step"] == "ray-1/images/ray"
                && event["done"].as_u64() > Some(at)
        });
        drop(site.inflict("ray-1", Fault::SshDropped));
    }
    run.finish().expect_code(0);
    let sent = received(site.vm("ray-1")) - before;
    assert_ids(&site, &archive);
    eprintln!("ray-1 received {sent} bytes for {total} bytes of layers, cut {CUTS} times");
    assert!(sent < total + total / 10, "{sent} for {total}");
    let names = site
        .vm("ray-1")
        .exec_ok("docker images --format '{{.Repository}}'")
        .unwrap();
    assert!(
        !names.contains("part") && !names.contains("127.0.0.1"),
        "{names}"
    );
}
