//! Images that newer ones have replaced: shown first, removed only on request, and never while any container uses them.

use serde_json::Value;
use syntho_installer::rehearsal::images::Release;
use syntho_installer::rehearsal::{Vm, VmSpec};
use toml::Table;

use crate::program::is;
use crate::site::{Site, release, section};

const OLD: &str = ":1.9.0";
const RAY: &str = "syntho.azurecr.io/syntho-ray:1.9.0";

/// Returns every image name that `docker` knows on a VM.
fn names(vm: &Vm) -> Vec<String> {
    let told = vm.exec_ok("docker images --format '{{.Repository}}:{{.Tag}}' | sort");
    told.unwrap().lines().map(str::to_owned).collect()
}

/// Returns the names on all VMs that belong to the old release, with the VM's.
fn old_ones(site: &Site) -> Vec<String> {
    let vms = site.fleet.vms().iter();
    vms.flat_map(|vm| {
        let old = names(vm).into_iter().filter(|name| name.ends_with(OLD));
        old.map(|name| format!("{} {name}", vm.name()))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Returns the removals that a plan shows, with their VM and what is expected to happen.
fn shown(events: &[Value]) -> Vec<String> {
    let plan = events.iter().find(|event| is(event, "plan-ready")).unwrap();
    let steps = plan["steps"].as_array().unwrap().iter();
    steps
        .filter_map(|step| {
            let id = step["id"].as_str().unwrap();
            let (host, name) = id.split_once("/images/without:")?;
            let needed = step["probe"]["probe"] == "needed";
            Some(format!(
                "{host} {name}{}",
                if needed { "" } else { " stays" }
            ))
        })
        .collect()
}

fn deploy(site: &Site, answers: &Table, prune: bool) -> Vec<Value> {
    let ended = site.deploy_with(answers, |command| {
        command.args(prune.then_some("--prune"));
    });
    ended.expect_code(0).events()
}

#[test]
fn replaced_images_go_only_when_asked_for_and_only_when_nobody_uses_them() {
    let both: Vec<String> = [Release::Old, Release::New].map(release).concat();
    let vms = ["ui", "ray-1", "ray-2"].map(|name| VmSpec::new(name).images(both.clone()));
    let site = Site::with(&vms);
    // Somebody else's container that never ran still needs its image.
    let stranger = format!("docker create --name theirs {RAY}");
    site.vm("ray-2").exec_ok(&stranger).unwrap();
    let mut answers = site.answers();
    deploy(&site, &answers, false);
    let before = old_ones(&site);
    assert!(before.len() >= 6, "{before:?}");

    section(&mut answers, "images").insert("tag".into(), "1.10.0".into());
    deploy(&site, &answers, false);
    assert_eq!(old_ones(&site), before, "nobody asked for anything to go");

    // Shown first; looking changes nothing.
    let path = site.write(&answers);
    let plan = site.run(&["plan", "--answers", path.as_str(), "--json", "--prune"]);
    let planned = shown(&plan.expect_code(0).events());
    let unused: Vec<&String> = planned
        .iter()
        .filter(|line| !line.ends_with(" stays"))
        .collect();
    let needed_by_plan = |host: &str| format!("{host} {RAY}");
    assert!(unused.contains(&&needed_by_plan("ray-1")), "{planned:?}");
    assert!(
        planned.contains(&format!("ray-2 {RAY} stays")),
        "{planned:?}"
    );
    assert_eq!(old_ones(&site), before, "a plan changes nothing");

    let pruned = deploy(&site, &answers, true);
    assert_eq!(shown(&pruned), planned);
    let left = old_ones(&site);
    let expected: Vec<&String> = before
        .iter()
        .filter(|line| !unused.contains(line))
        .collect();
    assert_eq!(left.iter().collect::<Vec<_>>(), expected);
    assert!(left.contains(&format!("ray-2 {RAY}")), "{left:?}");
    for vm in site.fleet.vms() {
        let there = names(vm);
        assert!(
            there.iter().any(|name| name.ends_with(":1.10.0")),
            "{}: {there:?}",
            vm.name()
        );
    }
    site.run(&["verify", "acme", "--json"]).expect_code(0);

    let again = deploy(&site, &answers, true);
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");
    assert_eq!(old_ones(&site), left);
}
