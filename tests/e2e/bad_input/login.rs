//! Ways in which a host cannot be reached or entered.

use std::net::Ipv4Addr;
use std::process::Command;

use syntho_installer::rehearsal::{Fault, Vm};
use toml::{Table, Value};

use super::{mended, refused};
use crate::site::{Site, change_host, fingerprint, section};
use crate::trouble::Refusal;

/// Answers in which `ray-2` is entered with a password only.
fn by_password(site: &Site) -> Table {
    let mut answers = site.answers();
    let key = section(&mut answers, "ssh").remove("key").unwrap();
    for host in ["ui", "ray-1"] {
        change_host(&mut answers, host).insert("key".into(), key.clone());
    }
    change_host(&mut answers, "ray-2").insert("user".into(), "operator".into());
    answers
}

/// Gives the passwords of the user `operator`.
fn give_password(command: &mut Command, password: &str) {
    command
        .env("SYNTHO_SECRET_SSH_PASSWORD", password)
        .env("SYNTHO_SECRET_SUDO_PASSWORD", "operator-pw");
}

pub(super) fn a_wrong_password(site: &Site) {
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["operator may not log in", "password: refused"],
        advises: &["ssh-password"],
    };
    let answers = by_password(site);
    let ended = refused(
        site,
        &answers,
        |command| give_password(command, "not-it-9f3"),
        refusal,
    );
    assert!(!ended.all().contains("not-it-9f3"));
    mended(site, &answers, |command| {
        give_password(command, "operator-pw");
    });
}

pub(super) fn no_password(site: &Site) {
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["operator may not log in", "password: none was given"],
        advises: &["ssh-password"],
    };
    refused(site, &by_password(site), |_| {}, refusal);
}

pub(super) fn a_key_without_its_passphrase(site: &Site) {
    let key = site.home.join("locked_key");
    fs_err::copy(site.fleet.private_key(), &key).unwrap();
    let locked = Command::new("ssh-keygen")
        .args([
            "-q",
            "-p",
            "-P",
            "",
            "-N",
            "open sesame",
            "-f",
            key.as_str(),
        ])
        .output()
        .unwrap();
    assert!(locked.status.success(), "{locked:?}");
    let mut answers = site.answers();
    change_host(&mut answers, "ray-2").insert("key".into(), key.as_str().into());
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["locked_key", "encrypted", "no passphrase"],
        advises: &["ssh-passphrase"],
    };
    refused(site, &answers, |_| {}, refusal);
    mended(site, &answers, |command| {
        command.env("SYNTHO_SECRET_SSH_PASSPHRASE", "open sesame");
    });
}

pub(super) fn an_unknown_host_key(site: &Site) {
    let mut answers = site.answers();
    change_host(&mut answers, "ray-2").remove("host-key");
    let shown = fingerprint(site.vm("ray-2").host_key());
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["host key", "unknown", &shown],
        advises: &["host-key", &shown, "ssh-keygen -lf"],
    };
    refused(site, &answers, |_| {}, refusal);
}

pub(super) fn another_host_key_than_in_the_answers(site: &Site) {
    let mut answers = site.answers();
    let expected = fingerprint(site.vm("ray-1").host_key());
    change_host(&mut answers, "ray-2").insert("host-key".into(), expected.as_str().into());
    let shown = fingerprint(site.vm("ray-2").host_key());
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["changed", &shown, &expected, "answers"],
        advises: &["ssh-keygen -lf", "`host-key`", "stop"],
    };
    refused(site, &answers, |_| {}, refusal);
}

pub(super) fn another_host_key_than_on_record(site: &Site) {
    let mut answers = site.answers();
    change_host(&mut answers, "ray-2").remove("host-key");
    let address = site.vm("ray-2").address().to_string();
    let record = |key: &str| {
        let folder = site.home.join(".ssh");
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::write(
            folder.join("known_hosts"),
            format!("# ours\n{address} {key}\n"),
        )
        .unwrap();
    };
    record(site.vm("ray-1").host_key());
    let shown = fingerprint(site.vm("ray-2").host_key());
    let remove = format!("ssh-keygen -R {address}");
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["changed", &shown, "known_hosts:2"],
        advises: &[&remove, "stop"],
    };
    refused(site, &answers, |_| {}, refusal);
    record(site.vm("ray-2").host_key());
    mended(site, &answers, |_| {});
    fs_err::remove_dir_all(site.home.join(".ssh")).unwrap();
}

pub(super) fn a_host_that_is_down(site: &Site) {
    let nobody = unused_address(site).to_string();
    let mut answers = site.answers();
    change_host(&mut answers, "ray-2").insert("address".into(), nobody.as_str().into());
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["cannot connect", &nobody],
        advises: &[&nobody, "nc -vz"],
    };
    refused(site, &answers, |_| {}, refusal);
    // The same in the words for people.
    let path = site.write(&answers);
    site.run(&["deploy", "--answers", path.as_str(), "--yes", "--plain"])
        .expect_code(1)
        .says(&["ray-2", "cannot connect", &nobody, "nc -vz"]);
}

/// Returns an address of the fleet's own subnet that nobody has.
fn unused_address(site: &Site) -> Ipv4Addr {
    let taken: Vec<Ipv4Addr> = site.fleet.vms().iter().map(Vm::address).collect();
    let mut free = site
        .fleet
        .subnet()
        .hosts()
        .filter(|address| !taken.contains(address));
    // Gateway and registry have the first addresses.
    free.nth(40).unwrap()
}

pub(super) fn a_host_that_hangs_after_its_banner(site: &Site) {
    let answers = site.answers();
    let fault = site.inflict("ray-2", Fault::SshSilent);
    let address = site.vm("ray-2").address().to_string();
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["said nothing", "no key exchange", &address],
        advises: &["journalctl -u ssh"],
    };
    let ended = refused(site, &answers, |_| {}, refusal);
    drop(fault);
    assert!(
        ended.took.as_secs() < 60,
        "it took {:?} to give up",
        ended.took
    );
    mended(site, &answers, |_| {});
}

pub(super) fn a_name_that_does_not_resolve(site: &Site) {
    let mut answers = site.answers();
    let name = "no-such-host.invalid";
    change_host(&mut answers, "ray-2").insert("address".into(), Value::from(name));
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["cannot resolve", name],
        advises: &["spelling", "IP address"],
    };
    refused(site, &answers, |_| {}, refusal);
}
