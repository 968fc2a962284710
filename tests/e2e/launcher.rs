//! Ray's own cluster launcher on hosts of one's own: the real launcher, by SSH, with the cluster that it brings up, scales and stops.
//!
//! `ui` carries the application and the launcher, `ray-1` is the head, the others are workers.

use std::time::{Duration, Instant};

use syntho_installer::rehearsal::VmSpec;
use syntho_installer::rehearsal::images::{self, Release};
use toml::{Table, Value};

use crate::program::{Ended, is};
use crate::site::{Site, engine, release, section, stack_folder, tell};

/// The container that Ray's launcher starts on every host of the cluster.
const CONTAINER: &str = "acme-ray";

/// The image of Ray that has what the launcher needs.
fn ray(of: Release) -> String {
    let image = images::ensure_launcher(engine(), of, &tell).expect("Ray with its launcher");
    image.to_string()
}

fn site() -> Site {
    let mut held = release(Release::New);
    held.push(ray(Release::New));
    let vm = |name: &str| VmSpec::new(name).images(held.clone());
    Site::with(&[vm("ui"), vm("ray-1"), vm("ray-2"), vm("ray-3")])
}

/// Puts rsync, which the VMs lack, where a package would.
fn install_rsync(site: &Site) {
    let script = format!(
        "docker run --rm --entrypoint sh --volume /:/host {} -c 'cp /usr/bin/rsync /host/usr/bin/ && cp -n /usr/lib/*/libpopt.so.0 /usr/lib/*/libxxhash.so.0 /host/usr/lib/$(uname -m)-linux-gnu/'",
        ray(Release::New)
    );
    for vm in ["ray-1", "ray-2", "ray-3"] {
        site.vm(vm).exec_ok(&script).unwrap();
        site.vm(vm).exec_ok("rsync --version").unwrap();
    }
}

fn answers(site: &Site, workers: &[&str], given: &str) -> Table {
    let mut hosts: Vec<(&str, &[&str])> =
        vec![("ui", &["ui", "control"]), ("ray-1", &["ray-head"])];
    hosts.extend(
        workers
            .iter()
            .map(|&worker| (worker, ["ray-worker"].as_slice())),
    );
    let mut answers = site.answers_for(&hosts);
    answers.insert("preset".into(), "syntho-app-ray-autoscale".into());
    let images = section(&mut answers, "images");
    images.insert("tag".into(), Release::New.tag().into());
    let refs: Table = format!("ray = '{}'", ray(Release::New)).parse().unwrap();
    images.insert("refs".into(), Value::Table(refs));
    let own = section(&mut answers, "answers");
    own.insert("ray-user".into(), "deploy".into());
    own.extend(given.parse::<Table>().unwrap());
    answers
}

/// The addresses of the nodes that live, as the head says.
fn nodes(site: &Site) -> Vec<String> {
    let ask = format!(
        "docker exec {CONTAINER} python -c \"import ray; ray.init('auto', log_to_driver=False, logging_level='ERROR'); print(*sorted(n['NodeManagerAddress'] for n in ray.nodes() if n['Alive']))\""
    );
    let said = site.vm("ray-1").exec_ok(&ask).unwrap();
    said.lines()
        .last()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned)
        .collect()
}

fn addresses(site: &Site, vms: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = vms
        .iter()
        .map(|vm| site.vm(vm).address().to_string())
        .collect();
    all.sort();
    all
}

#[track_caller]
fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
    tell(&format!("{what}: after {:?}", began.elapsed()));
    began.elapsed()
}

fn outcome(ended: &Ended) -> String {
    ended.events().last().unwrap()["outcome"]["outcome"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// When the head's container was started.
fn since(site: &Site, vm: &str) -> String {
    let look = format!("docker inspect --format '{{{{.State.StartedAt}}}}' {CONTAINER}");
    site.vm(vm).exec_ok(&look).unwrap().trim().to_owned()
}

#[test]
fn a_cluster_is_brought_up_scaled_mended_and_stopped() {
    let site = site();
    a_host_without_rsync_is_named(&site);
    install_rsync(&site);
    let before = site.footprint();
    let three = ["ray-1", "ray-2", "ray-3"];

    let both = answers(&site, &["ray-2", "ray-3"], "");
    let first = site.deploy(&both).expect_code(0);
    tell(&format!("first deployment: {:?}", first.took));
    assert_eq!(outcome(&first), "done");
    the_launcher_is_followed(&first);
    assert_eq!(nodes(&site), addresses(&site, &three));
    nothing_of_the_cluster_is_readable_by_others(&site);
    let again = site.deploy(&both).expect_code(0);
    tell(&format!("second deployment: {:?}", again.took));
    assert_eq!(outcome(&again), "nothing-to-do");

    a_killed_worker_comes_back(&site, &three);
    the_head_goes_on_while_limits_change(&site);
    a_head_that_is_gone_is_brought_back(&site, &three);
    the_launcher_is_killed_in_the_middle(&site, &three);
    everything_goes(&site, &before);
}

fn a_host_without_rsync_is_named(site: &Site) {
    let ended = site
        .deploy(&answers(site, &["ray-2", "ray-3"], ""))
        .expect_code(3);
    assert!(
        ended.all().contains("there is no rsync on this host"),
        "{}",
        ended.all()
    );
}

/// What Ray's launcher prints is seen as it comes, with how far it is.
fn the_launcher_is_followed(ended: &Ended) {
    let events = ended.events();
    let lines: Vec<&str> = events
        .iter()
        .filter(|event| is(event, "step-output"))
        .filter_map(|event| event["line"].as_str())
        .collect();
    for said in [
        "Ray accepts cluster.yaml",
        "== Ray starts on the head",
        "3 of 3 nodes are alive",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(said)),
            "{said}: {lines:#?}"
        );
    }
}

fn nothing_of_the_cluster_is_readable_by_others(site: &Site) {
    let folder = stack_folder("launcher");
    let modes = format!("stat -c %a {folder} {folder}/cluster.yaml {folder}/../launcher-key/id");
    assert_eq!(
        site.vm("ui").exec_ok(&modes).unwrap().trim(),
        "700\n600\n600"
    );
    let secret = "grep -c CANARY /opt/syntho/acme/launcher/cluster.yaml || true";
    assert_eq!(site.vm("ui").exec_ok(secret).unwrap().trim(), "0");
    for vm in ["ray-1", "ray-2"] {
        let line = "grep -c 'from=.*syntho-installer:acme$' ~deploy/.ssh/authorized_keys; stat -c '%a %U' ~deploy/.ssh/authorized_keys ~deploy/.ray-acme/node.env";
        let seen = site.vm(vm).exec_ok(line).unwrap();
        assert_eq!(seen.trim(), "1\n600 deploy\n600 deploy");
    }
}

/// By the head's autoscaler, without anybody's doing.
fn a_killed_worker_comes_back(site: &Site, all: &[&str]) {
    let before = since(site, "ray-2");
    site.vm("ray-2")
        .exec_ok(&format!("docker rm -f {CONTAINER}"))
        .unwrap();
    within(
        Duration::from_mins(4),
        "a killed worker is replaced",
        || {
            let running = site
                .vm("ray-2")
                .exec(&format!("docker inspect {CONTAINER}"))
                .unwrap();
            running.ok() && since(site, "ray-2") != before && nodes(site) == addresses(site, all)
        },
    );
    site.run(&["verify", "acme", "--json"]).expect_code(0);
}

/// Fewer workers: those that are idle go, and what runs on the head is not disturbed.
fn the_head_goes_on_while_limits_change(site: &Site) {
    let before = since(site, "ray-1");
    let fewer = "min-workers = 1\nmax-workers = 2\nidle-timeout = 1";
    site.deploy(&answers(site, &["ray-2", "ray-3"], fewer))
        .expect_code(0);
    within(Duration::from_mins(4), "an idle worker goes", || {
        nodes(site).len() == 2
    });
    site.run(&["verify", "acme", "--json"]).expect_code(0);
    let more = "min-workers = 2\nmax-workers = 2\nidle-timeout = 1";
    site.deploy(&answers(site, &["ray-2", "ray-3"], more))
        .expect_code(0);
    assert_eq!(nodes(site).len(), 3);
    assert_eq!(since(site, "ray-1"), before);
}

fn a_head_that_is_gone_is_brought_back(site: &Site, all: &[&str]) {
    site.vm("ray-1")
        .exec_ok(&format!("docker rm -f {CONTAINER}"))
        .unwrap();
    site.run(&["verify", "acme", "--json"]).expect_code(1);
    site.deploy_known().expect_code(0);
    assert_eq!(nodes(site), addresses(site, all));
}

/// It goes on alone on its host, and the next run finds it.
fn the_launcher_is_killed_in_the_middle(site: &Site, all: &[&str]) {
    for vm in all {
        site.vm(vm)
            .exec_ok(&format!("docker rm -f {CONTAINER}"))
            .unwrap();
    }
    let mut running = site.start_deploy(&answers(site, &["ray-2", "ray-3"], ""));
    running.must_see("the launcher at work", |event| {
        is(event, "step-output")
            && event["line"]
                .as_str()
                .is_some_and(|line| line.contains("[1/7]"))
    });
    running.kill();
    let ended = site.deploy_known().expect_code(0);
    assert!(
        ended.all().contains("an earlier run began"),
        "{}",
        ended.all()
    );
    assert_eq!(nodes(site), addresses(site, all));
}

fn everything_goes(site: &Site, before: &[String]) {
    site.run(&["destroy", "acme", "--yes", "--json", "--delete-data=acme"])
        .expect_code(0);
    for vm in site.fleet.vms() {
        let keys = vm
            .exec_ok("grep -c syntho-installer ~deploy/.ssh/authorized_keys || true")
            .unwrap();
        assert_eq!(keys.trim(), "0", "{}", vm.name());
    }
    site.expect_footprint(before);
}
