//! Hosts that let us in and cannot carry what is to be deployed: found before anything is written.

use syntho_installer::rehearsal::Fault;
use toml::{Table, Value};

use super::{mended, refused};
use crate::site::{Site, change_host};
use crate::trouble::Refusal;

/// Inflicts a fault, expects it to be found on its VM, heals it, and expects the checks to pass.
fn fault(site: &Site, vm: &str, fault: Fault, says: &[&str], advises: &[&str]) {
    let answers = site.answers();
    let fault = site.inflict(vm, fault);
    let refusal = Refusal {
        code: 3,
        host: Some(vm),
        says,
        advises,
    };
    refused(site, &answers, |_| {}, refusal);
    drop(fault);
    mended(site, &answers, |_| {});
}

/// Answers in which another VM takes the place of the Ray worker.
fn with_worker(site: &Site, vm: &str) -> Table {
    let mut answers = site.answers();
    let hosts = answers["hosts"].as_array_mut().unwrap();
    hosts.pop();
    hosts.push(Value::Table(site.host(vm, &["ray-worker"])));
    answers
}

pub(super) fn no_right_to_become_root(site: &Site) {
    let mut answers = site.answers();
    change_host(&mut answers, "ray-2").insert("user".into(), "nobody2".into());
    let refusal = |says, advises| Refusal {
        code: 3,
        host: Some("ray-2"),
        says,
        advises,
    };
    // sudo asks everybody for a password, also whom it would not let in.
    let says = &["nobody2", "sudo wants a password", "/opt/syntho"];
    refused(site, &answers, |_| {}, refusal(says, &["sudo install -d"]));
    let says = &["nobody2", "may not reach docker"];
    refused(
        site,
        &answers,
        |_| {},
        refusal(says, &["usermod -aG docker nobody2"]),
    );
    // What the message tells an administrator to do, done.
    let vm = site.vm("ray-2");
    vm.exec_ok("usermod -aG docker nobody2 && install -d -m 0700 -o nobody2 /opt/syntho/acme")
        .unwrap();
    mended(site, &answers, |_| {});
    vm.exec_ok("gpasswd -d nobody2 docker && rm -r /opt/syntho")
        .unwrap();
}

pub(super) fn a_stopped_docker(site: &Site) {
    let says = &["docker", "does not run"];
    fault(
        site,
        "ray-2",
        Fault::DockerStopped,
        says,
        &["systemctl enable --now docker"],
    );
}

pub(super) fn compose_1_only(site: &Site) {
    let refusal = Refusal {
        code: 3,
        host: Some("old"),
        says: &["compose", "1.29", "version 1"],
        advises: &["version 2"],
    };
    refused(site, &with_worker(site, "old"), |_| {}, refusal);
}

pub(super) fn no_compose(site: &Site) {
    let says = &["compose", "not installed"];
    fault(
        site,
        "ray-2",
        Fault::NoCompose,
        says,
        &["install the compose plugin"],
    );
}

pub(super) fn a_disk_that_is_too_small(site: &Site) {
    let refusal = Refusal {
        code: 3,
        host: Some("small"),
        says: &["free of", "needed are"],
        advises: &["free at least"],
    };
    refused(site, &with_worker(site, "small"), |_| {}, refusal);
}

pub(super) fn a_port_that_is_taken(site: &Site) {
    let taken = Fault::PortTaken { port: 3000 };
    fault(site, "ui", taken, &["3000", "socat"], &["3000"]);
}

/// Two names for one machine: the answers look right, the machine does not.
pub(super) fn one_machine_written_down_twice(site: &Site) {
    let folder = site.home.join(".ssh");
    fs_err::create_dir_all(&folder).unwrap();
    let twin = format!("Host twin\n    HostName {}\n", site.vm("ray-1").address());
    fs_err::write(folder.join("config"), twin).unwrap();
    let mut answers = site.answers();
    let key = change_host(&mut answers, "ray-1")["host-key"].clone();
    let worker = change_host(&mut answers, "ray-2");
    worker.insert("address".into(), "twin".into());
    worker.insert("host-key".into(), key);
    let refusal = Refusal {
        code: 3,
        host: None,
        says: &["ray-1 and ray-2", "same private address"],
        advises: &["one host"],
    };
    refused(site, &answers, |_| {}, refusal);
    fs_err::remove_dir_all(&folder).unwrap();
}
