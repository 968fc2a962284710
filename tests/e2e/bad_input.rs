//! Bad input, each kind once: the exit code, one clear message with host, cause, evidence and remedy, nothing written, and a second run
//! that goes through once the cause is gone.
//!
//! What only needs hosts to look at shares one site; the same site is deployed at the end, with a disk that fills up on the way.

mod answers;
mod login;
mod machine;
mod values;

use std::process::Command;

use syntho_installer::rehearsal::{Fault, InnerEngine, VmSpec};
use toml::Table;

use crate::cases::{self, Case};
use crate::program::{Ended, is};
use crate::site::{Site, release, vm};
use crate::trouble::Refusal;

#[test]
fn what_is_wrong_with_a_host_is_said_and_mended_and_then_everything_is_deployed() {
    let ray: Vec<String> = release(syntho_installer::rehearsal::images::Release::Old)
        .into_iter()
        .filter(|image| image.contains("syntho-ray"))
        .collect();
    let site = Site::with(&[
        vm("ui"),
        vm("ray-1"),
        VmSpec::new("ray-2").images(ray).disk_mb(30_000),
        VmSpec::new("small").disk_mb(900),
        VmSpec::new("old").engine(InnerEngine::Distro),
    ]);
    cases::run(&site, CASES);
}

const CASES: &[Case] = &[
    ("a wrong password", login::a_wrong_password),
    ("no password", login::no_password),
    (
        "a key whose passphrase is not given",
        login::a_key_without_its_passphrase,
    ),
    ("a host key nobody vouches for", login::an_unknown_host_key),
    (
        "a host key that is not the one in the answers",
        login::another_host_key_than_in_the_answers,
    ),
    (
        "a host key that is not the one on record",
        login::another_host_key_than_on_record,
    ),
    ("a host that is down", login::a_host_that_is_down),
    (
        "a host that hangs after its banner",
        login::a_host_that_hangs_after_its_banner,
    ),
    (
        "a name that does not resolve",
        login::a_name_that_does_not_resolve,
    ),
    ("no right to become root", machine::no_right_to_become_root),
    ("a stopped Docker", machine::a_stopped_docker),
    ("Compose 1 only", machine::compose_1_only),
    ("no Compose", machine::no_compose),
    (
        "a disk that is too small",
        machine::a_disk_that_is_too_small,
    ),
    ("a port that is taken", machine::a_port_that_is_taken),
    (
        "one machine written down twice",
        machine::one_machine_written_down_twice,
    ),
    (
        "a disk that fills up on the way",
        a_disk_that_fills_up_on_the_way,
    ),
    (
        "values with braces and shell characters",
        values::arrive_as_they_were_given,
    ),
];

/// Deploys and expects a refusal that leaves every VM as it was.
#[track_caller]
fn refused(
    site: &Site,
    answers: &Table,
    adjust: impl FnOnce(&mut Command),
    refusal: Refusal<'_>,
) -> Ended {
    let before = site.footprint();
    let ended = refusal.expect(site.deploy_with(answers, adjust));
    site.expect_footprint(&before);
    ended
}

/// Expects the checks to pass, now that the cause is gone.
#[track_caller]
fn mended(site: &Site, answers: &Table, adjust: impl FnOnce(&mut Command)) {
    site.check_with(answers, adjust).expect_code(0);
}

fn a_disk_that_fills_up_on_the_way(site: &Site) {
    let answers = site.answers();
    let mut run = site.start_deploy_with(&answers, values::set);
    run.must_see("the plan", |event| is(event, "plan-ready"));
    let full = site.inflict("ray-2", Fault::DiskFull { leave_kb: 100 });
    let ended = run.finish();
    drop(full);
    Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["no space left on device"],
        advises: &["disk"],
    }
    .expect(ended);
    // What does not depend on that host was finished, and it is not done again.
    let again = site.deploy_with(&answers, values::set).expect_code(0);
    let changed_again = again.events().iter().any(|event| {
        is(event, "step-ended")
            && event["result"]["result"] == "changed"
            && event["step"].as_str().unwrap().starts_with("ray-1/stack")
    });
    assert!(!changed_again, "the Ray head was started a second time");
}
