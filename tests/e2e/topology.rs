//! Sites that are not the usual one: fewer VMs, other logins, a jump host, a registry.

use syntho_installer::rehearsal::{Fault, Sudo, VmSpec};
use toml::Table;

use crate::program::is;
use crate::shop::Shop;
use crate::site::{OPERATOR, Site, change_host, section, vm};
use crate::trouble::Refusal;

#[test]
fn the_application_shares_a_vm_with_the_ray_head_and_root_is_had_by_sudo_with_a_password() {
    let old = VmSpec::new("old").sudo(Sudo::Rs);
    let site = Site::with(&[vm("both"), vm("ray-2"), old]);
    let mut answers =
        site.answers_for(&[("both", &["ui", "ray-head"]), ("ray-2", &["ray-worker"])]);
    section(&mut answers, "ssh").insert("user".into(), "operator".into());

    let before = site.footprint();
    let wrong = Refusal {
        code: 3,
        host: Some("both"),
        says: &["password for sudo", "operator"],
        advises: &["sudo-password"],
    };
    wrong.expect(site.deploy_with(&answers, |command| {
        command.env("SYNTHO_SECRET_SUDO_PASSWORD", "wrong-one");
    }));
    site.expect_footprint(&before);
    a_sudo_that_cannot_be_given_a_password(&site);

    let deploy = || {
        site.deploy_with(&answers, |command| {
            command.env("SYNTHO_SECRET_SUDO_PASSWORD", OPERATOR);
        })
    };
    deploy().expect_code(0);
    // Redis and the Ray head both want port 6379 of this VM: Redis stands aside.
    let listens = site
        .vm("both")
        .exec_ok("ss -Hltn | awk '{print $4}'")
        .unwrap();
    assert!(
        listens.contains(":6379") && listens.contains(":6380"),
        "{listens}"
    );
    let state = site.state();
    let again = deploy().expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");
    assert_eq!(site.state(), state);
}

/// The early sudo-rs of this VM reads on beyond the password: it is told apart, and nothing is sent after it.
fn a_sudo_that_cannot_be_given_a_password(site: &Site) {
    let hosts: [(&str, &[&str]); 2] = [("both", &["ui", "ray-head"]), ("old", &["ray-worker"])];
    let mut answers = site.answers_for(&hosts);
    section(&mut answers, "ssh").insert("user".into(), "operator".into());
    let refusal = Refusal {
        code: 3,
        host: Some("old"),
        says: &["sudo-rs", "/opt/syntho/acme"],
        advises: &["sudo install -d"],
    };
    refusal.expect(site.deploy_with(&answers, |command| {
        command.env("SYNTHO_SECRET_SUDO_PASSWORD", OPERATOR);
    }));
}

#[test]
fn behind_a_jump_host_images_come_from_a_registry_and_no_login_is_left() {
    let disk = VmSpec::new("ray-2").jump_only().disk_mb(40_000);
    let site = Site::with(&[VmSpec::new("ui"), VmSpec::new("ray-1").jump_only(), disk]);
    let shop = Shop::open(&site);
    let mut answers = site.answers();
    shop.put_into(&mut answers);
    // The application's VM is also the way to the others; its key is on record, as on any operator's machine.
    let gate = site.vm("ui").address().to_string();
    let folder = site.home.join(".ssh");
    fs_err::create_dir_all(&folder).unwrap();
    let record = format!("{gate} {}\n", site.vm("ui").host_key());
    fs_err::write(folder.join("known_hosts"), record).unwrap();
    for host in ["ray-1", "ray-2"] {
        change_host(&mut answers, host).insert("jump".into(), format!("deploy@{gate}").into());
    }

    a_wrong_password_of_the_registry(&site, &answers);
    a_pull_that_fills_the_disk(&site, &answers);
    let done = deploy(&site, &answers, Shop::PASSWORD).expect_code(0);
    let layers = done
        .events()
        .iter()
        .filter(|event| is(event, "layer-progressed"))
        .count();
    assert!(layers > 10, "{layers} signs of progress of a pull");
    let again = deploy(&site, &answers, Shop::PASSWORD)
        .expect_code(0)
        .events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");
    for vm in site.fleet.vms() {
        let logins = "find / -xdev -name config.json -path '*docker*' -exec grep -l auth {} +";
        assert_eq!(
            vm.exec(logins).unwrap().stdout,
            "",
            "a login is left on {}",
            vm.name()
        );
    }
}

fn deploy(site: &Site, answers: &Table, password: &str) -> crate::program::Ended {
    site.deploy_with(answers, |command| {
        command.env("SYNTHO_SECRET_REGISTRY_PASSWORD", password);
    })
}

fn a_wrong_password_of_the_registry(site: &Site, answers: &Table) {
    let ended = deploy(site, answers, "not-it");
    let code = ended.code.unwrap();
    // Found by a check or at the first pull: both say so.
    assert!([1, 3].contains(&code), "{code}");
    let refusal = Refusal {
        code,
        host: Some("ui"),
        says: &["registry.rehearsal:5000"],
        advises: &["registry-password"],
    };
    refusal.expect(ended);
}

fn a_pull_that_fills_the_disk(site: &Site, answers: &Table) {
    let mut run = site.start_deploy_with(answers, |command| {
        command.env("SYNTHO_SECRET_REGISTRY_PASSWORD", Shop::PASSWORD);
    });
    run.must_see("the plan", |event| is(event, "plan-ready"));
    let full = site.inflict("ray-2", Fault::DiskFull { leave_kb: 100_000 });
    let ended = run.finish();
    drop(full);
    let refusal = Refusal {
        code: 1,
        host: Some("ray-2"),
        says: &["no space left on device"],
        advises: &["free space"],
    };
    refusal.expect(ended);
}
