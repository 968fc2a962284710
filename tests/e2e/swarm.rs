//! JupyterHub on a Docker Swarm over three VMs: people's notebooks run on other hosts than the hub, and hosts come and go while they do.
//!
//! No kernel here has NFS: a folder that all VMs mount from the machine below stands in for it. Nor has any `IP_VS`.

use serde_json::json;
use syntho_installer::rehearsal::VmSpec;
use toml::{Table, Value};

use crate::hub::person::Person;
use crate::hub::{ALICE, images_of_the_hub, secrets};
use crate::program::{self, Ended};
use crate::site::{Site, section};

/// Where all VMs have the same folder.
const SHARED: &str = "/var/nfs";
/// The service of Alice's notebook.
const NOTEBOOK: &str = "acme-hub-jupyter-alice";

fn site() -> Site {
    let vm = |name: &str| VmSpec::new(name).images(images_of_the_hub());
    Site::sharing(SHARED, &[vm("hub"), vm("node-1"), vm("node-2")])
}

/// Answers for a hub that leads a swarm of these other hosts.
fn answers(site: &Site, nodes: &[&str], given: &str) -> Table {
    let mut hosts: Vec<(&str, &[&str])> = vec![("hub", &["hub"])];
    hosts.extend(
        nodes
            .iter()
            .map(|&node| (node, ["swarm-worker"].as_slice())),
    );
    let mut answers = site.answers_for(&hosts);
    answers.insert("preset".into(), "jupyterhub-swarm".into());
    let public = section(&mut answers, "answers")["public-host"].clone();
    let mut own: Table = "admin-users = ['alice']\nnotebook-memory = '1gb'\nnotebook-cpus = 1"
        .parse()
        .unwrap();
    own.insert("public-host".into(), public);
    own.extend(given.parse::<Table>().unwrap());
    answers.insert("answers".into(), Value::Table(own));
    answers
}

fn deploy(site: &Site, answers: &Table) -> Ended {
    let ended = site.deploy_with(answers, secrets).expect_code(0);
    assert!(
        !ended.all().contains("SWMTKN-"),
        "a secret of the swarm is told"
    );
    ended
}

#[track_caller]
fn verify(site: &Site) {
    let mut command = site.program();
    secrets(command.args(["verify", "acme", "--json"]));
    program::run(command).expect_code(0);
}

/// What the host that leads says.
fn leader(site: &Site, script: &str) -> String {
    site.vm("hub").exec_ok(script).unwrap().trim().to_owned()
}

/// The nodes of the swarm, as name, state and availability.
fn nodes(site: &Site) -> Vec<String> {
    let list = "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}}' | sort";
    leader(site, list).lines().map(str::to_owned).collect()
}

/// Where Alice's notebook runs now.
fn place(site: &Site) -> String {
    let list = format!(
        "docker service ps --filter desired-state=running --format '{{{{.Node}}}} {{{{.CurrentState}}}}' {NOTEBOOK}"
    );
    leader(site, &list)
}

#[test]
fn notebooks_run_on_a_swarm_whose_hosts_come_and_go() {
    let site = site();
    let before = site.footprint();
    deploy(&site, &answers(&site, &["node-1"], ""));
    let again = deploy(&site, &answers(&site, &["node-1"], "")).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");

    let url = format!("https://{}", site.vm("hub").address());
    let ca = fs_err::read_to_string(site.home.join("state/deployments/acme/ca.crt")).unwrap();
    let alice = Person {
        url: &url,
        ca: Some(&ca),
        name: "alice",
        password: ALICE,
    };
    a_notebook_runs_on_another_host(&site, &alice);
    a_hub_that_starts_anew_leaves_it_running(&site, &alice);
    a_host_is_added(&site);
    a_drained_host_is_left_and_the_files_are_there(&site, &alice);
    a_changed_configuration_is_taken_up(&site, &alice);
    logs_come_from_every_host(&site);
    a_host_is_removed(&site);
    everything_goes(&site, &before);
}

fn a_notebook_runs_on_another_host(site: &Site, alice: &Person<'_>) {
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!([
                "run",
                "kept = 42\nopen('kept.txt', 'w').write('by alice')\nimport os\nprint(os.getcwd())"
            ]),
            json!("/home/jovyan/work\n"),
        ),
    ]);
    assert!(place(site).starts_with("node-1 Running"), "{}", place(site));
    // Neither the database nor what leads the swarm can be reached from a notebook.
    let look = r#"
import socket, os
def reaches(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return True
    except OSError:
        return False
print(reaches("hub-db", 5432), reaches("hub", 8001), reaches("hub", 8081), os.path.exists("/var/run/docker.sock"))
"#;
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["run", look]), json!("False False True False\n")),
    ]);
}

fn a_hub_that_starts_anew_leaves_it_running(site: &Site, alice: &Person<'_>) {
    let since = format!(
        "docker inspect -f '{{{{.State.StartedAt}}}}' $(docker ps -q --filter name={NOTEBOOK})"
    );
    let before = site.vm("node-1").exec_ok(&since).unwrap();
    leader(
        site,
        "docker service update --quiet --force --detach=false acme-hub_hub",
    );
    verify(site);
    assert_eq!(site.vm("node-1").exec_ok(&since).unwrap(), before);
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["run_again", "print(kept)"]), json!("42\n")),
    ]);
}

/// It joins with a secret that is worth nothing afterwards.
fn a_host_is_added(site: &Site) {
    let secret = "docker swarm join-token -q worker";
    let before = leader(site, secret);
    deploy(site, &answers(site, &["node-1", "node-2"], ""));
    assert_eq!(
        nodes(site),
        [
            "hub Ready Active",
            "node-1 Ready Active",
            "node-2 Ready Active"
        ]
    );
    assert_ne!(leader(site, secret), before);
}

fn a_drained_host_is_left_and_the_files_are_there(site: &Site, alice: &Person<'_>) {
    deploy(
        site,
        &answers(site, &["node-1", "node-2"], "drained = ['node-1']"),
    );
    assert_eq!(nodes(site)[1], "node-1 Ready Drain");
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by alice\n"),
        ),
    ]);
    assert!(place(site).starts_with("node-2 Running"), "{}", place(site));
    deploy(site, &answers(site, &["node-1", "node-2"], ""));
    assert_eq!(nodes(site)[1], "node-1 Ready Active");
}

fn a_changed_configuration_is_taken_up(site: &Site, alice: &Person<'_>) {
    let culler = "docker exec $(docker ps -q --filter name=acme-hub_hub.1) sh -c 'cat /proc/[0-9]*/cmdline' | tr '\\0' '\\n' | grep -- --timeout=";
    assert_eq!(leader(site, culler), "--timeout=14400");
    deploy(
        site,
        &answers(site, &["node-1", "node-2"], "idle-minutes = 60"),
    );
    assert_eq!(leader(site, culler), "--timeout=3600");
    // Of each config and secret there is the one that is used.
    let kept = "docker config ls -q | wc -l; docker secret ls -q | wc -l";
    assert_eq!(leader(site, kept), "4\n2");
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by alice\n"),
        ),
    ]);
}

fn logs_come_from_every_host(site: &Site) {
    site.run(&["logs", "acme", "--output", "all.log"]);
    let text = fs_err::read_to_string(site.home.join("all.log")).unwrap();
    for source in [
        "hub/hub/hub",
        "hub/hub/hub-db",
        "hub/hub/proxy",
        "node-2/swarm-worker/notebook",
    ] {
        assert!(text.contains(source), "nothing of {source}");
    }
}

/// It is drained and removed, does not know it, and comes back once it has left.
fn a_host_is_removed(site: &Site) {
    deploy(site, &answers(site, &["node-2"], "idle-minutes = 60"));
    assert_eq!(nodes(site), ["hub Ready Active", "node-2 Ready Active"]);
    site.vm("node-1").exec_ok("docker swarm leave").unwrap();
    deploy(
        site,
        &answers(site, &["node-1", "node-2"], "idle-minutes = 60"),
    );
    assert_eq!(nodes(site)[1], "node-1 Ready Active");
}

fn everything_goes(site: &Site, before: &[String]) {
    site.run(&["destroy", "acme", "--yes", "--json", "--delete-data=acme"])
        .expect_code(0);
    for vm in site.fleet.vms() {
        let state = vm
            .exec_ok("docker info --format '{{.Swarm.LocalNodeState}}'")
            .unwrap();
        assert_eq!(state.trim(), "inactive", "{}", vm.name());
    }
    let kept = site
        .vm("hub")
        .exec_ok("cat /var/nfs/alice/kept.txt")
        .unwrap();
    assert_eq!(kept.trim(), "by alice");
    site.expect_footprint(before);
}

/// A swarm of the customer's own: its nodes and labels are as before when the deployment has gone.
#[test]
fn a_swarm_that_was_there_before_stays() {
    let vm = |name: &str| VmSpec::new(name).images(images_of_the_hub());
    let site = Site::sharing(SHARED, &[vm("hub"), vm("node-1")]);
    let address = site.vm("hub").address();
    leader(
        &site,
        &format!(
            "docker swarm init --advertise-addr {address}; until docker network inspect docker_gwbridge; do sleep 0.1; done"
        ),
    );
    let look = "docker node inspect --format '{{.Spec}}' $(docker node ls -q); docker network ls --format '{{.Name}}' | sort";
    let before = leader(&site, look);
    // Others may mean to join by these.
    let tokens = "docker swarm join-token -q worker; docker swarm join-token -q manager";
    let good = leader(&site, tokens);
    let folders = site.footprint();
    deploy(
        &site,
        &answers(
            &site,
            &["node-1"],
            "tls = 'none'\nprotocol = 'http'\nstorage = 'local'",
        ),
    );
    assert_eq!(nodes(&site), ["hub Ready Active", "node-1 Ready Active"]);
    site.run(&["destroy", "acme", "--yes", "--json", "--delete-data=acme"])
        .expect_code(0);
    assert_eq!(leader(&site, look), before);
    assert_eq!(leader(&site, tokens), good);
    assert_eq!(nodes(&site), ["hub Ready Active"]);
    // What people keep in volumes stays, and with it the installer's own.
    site.vm("node-1")
        .exec_ok("docker volume rm acme-hub-user-installer-2dcheck")
        .unwrap();
    site.expect_footprint(&folders);
}
