//! JupyterHub with Ray on three VMs: people log in through the real form and work on Ray from their notebooks, and nobody else does.

mod browser;
mod identity;
pub mod person;
mod upgrade;

use std::process::Command;

use serde_json::json;
use syntho_installer::rehearsal::images::{self, Product, Release};
use syntho_installer::rehearsal::{Fault, VmSpec};
use toml::{Table, Value};

use self::person::Person;
use crate::program::{self, Ended};
use crate::site::{LICENSE, Site, engine, section, tell};
use crate::trouble::Refusal;

/// The image of notebooks; a person's browser runs in it, too.
pub const NOTEBOOK: &str = "syntho.azurecr.io/syntho-jupyterhub:1.9.0";

/// The first password of the administrators.
pub const ALICE: &str = "Al1ce CANARY $x 'y' #z";
/// The password that a person chose at sign-up.
const BOB: &str = "b0b likes long passwords";

/// The passwords that people share, where they do.
const ADMINISTRATORS: &str = "a long password of the administrators' own";
const EVERYBODY: &str = "everyb0dy's CANARY";

/// Says which Ray nodes ran a task of this notebook, and whether the licence is there.
const WORK: &str = r#"
import os, ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
for attempt in range(4):
    try:
        ray.init()
        break
    except ConnectionError:
        # The head of a machine that does much else may be too slow for one client.
        ray.shutdown()
@ray.remote(num_cpus=0)
def where():
    return ray.util.get_node_ip_address()
alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
print(*sorted(ray.get([where.options(scheduling_strategy=On(node, soft=False)).remote() for node in alive])))
print(os.environ["LICENSE_KEY_SIGNED"])
kept = 42
"#;

/// Says to which of the hub's own parts a notebook gets through.
const LOOK_AROUND: &str = r#"
import socket
def reaches(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return True
    except OSError:
        return False
print(reaches("hub-db", 5432), reaches("hub", 8001), reaches("hub", 8081), __import__("os").path.exists("/var/run/docker.sock"))
"#;

/// The names of all images of the old release, built when they are missing.
pub fn images_of_the_hub() -> Vec<String> {
    let images = images::ensure_of(engine(), Product::Notebooks, &[Release::Old], &tell)
        .expect("stand-in images");
    images.iter().map(ToString::to_string).collect()
}

/// A site with the hub's VM and two of Ray's.
fn site() -> Site {
    let vm = |name: &str| VmSpec::new(name).images(images_of_the_hub());
    Site::with(&[vm("hub"), vm("ray-1"), vm("ray-2")])
}

/// Answers for a hub on three VMs with plain http and these answers about who may log in.
fn answers(site: &Site, who: &[(&str, Value)]) -> Table {
    let hosts: [(&str, &[&str]); 3] = [
        ("hub", &["hub"]),
        ("ray-1", &["ray-head"]),
        ("ray-2", &["ray-worker"]),
    ];
    answers_for(site, &hosts, who)
}

/// Answers for a hub on these hosts, with plain http unless these answers say otherwise.
fn answers_for(site: &Site, hosts: &[(&str, &[&str])], who: &[(&str, Value)]) -> Table {
    let mut answers = site.answers_for(hosts);
    answers.insert("preset".into(), "jupyterhub-ray".into());
    let public = section(&mut answers, "answers")["public-host"].clone();
    let mut given: Table =
        "tls = 'none'\nprotocol = 'http'\nadmin-users = ['alice']\nnotebook-memory = '1gb'\nnotebook-cpus = 1"
            .parse()
            .unwrap();
    given.insert("public-host".into(), public);
    given.extend(who.iter().map(|(id, value)| ((*id).into(), value.clone())));
    answers.insert("answers".into(), Value::Table(given));
    answers
}

fn deploy(site: &Site, answers: &Table) -> Ended {
    site.deploy_with(answers, secrets)
}

/// Ends the test unless everything works.
#[track_caller]
fn verify(site: &Site) -> Ended {
    let mut command = site.program();
    secrets(command.args(["verify", "acme", "--json"]));
    program::run(command).expect_code(0)
}

/// What people and administrators log in with.
pub fn secrets(command: &mut Command) {
    command
        .env("SYNTHO_SECRET_NATIVE_ADMIN_PASSWORD", ALICE)
        .env("SYNTHO_SECRET_SHARED_ADMIN_PASSWORD", ADMINISTRATORS)
        .env("SYNTHO_SECRET_SHARED_USER_PASSWORD", EVERYBODY);
}

#[test]
fn people_work_on_ray_from_notebooks_that_outlive_the_hub() {
    let site = site();
    let answers = answers(&site, &[]);
    deploy(&site, &answers).expect_code(0);
    let again = deploy(&site, &answers).expect_code(0).events();
    assert_eq!(again.last().unwrap()["outcome"]["outcome"], "nothing-to-do");

    let url = format!("http://{}:8000", site.vm("hub").address());
    let person = |name, password| Person {
        url: &url,
        ca: None,
        name,
        password,
    };
    let (alice, bob) = (person("alice", ALICE), person("bob", BOB));
    whoever_signs_up_waits_for_an_administrator(&alice, &bob, &person("bob", "wrong password"));
    a_notebook_works_on_every_ray_node(&site, &bob);
    a_hub_that_starts_anew_leaves_it_running(&site, &bob);
    only_what_people_use_is_open(&site);
    everything_comes_back_after_a_reboot(&site, &bob);
    a_notebook_of_another_release_is_refused_before_anything_starts(&site, &answers);
    another_way_to_log_in_is_taken_up(&site, &url);
    nobody_else_is_the_installer(&site, &url);
}

fn whoever_signs_up_waits_for_an_administrator(
    alice: &Person<'_>,
    bob: &Person<'_>,
    stranger: &Person<'_>,
) {
    let said = bob.does(&[json!(["signup"]), json!(["login"])]);
    assert!(
        said[0]
            .as_str()
            .unwrap()
            .contains("information has been sent to the admin"),
        "{said:?}"
    );
    assert_eq!(said[1], false);
    alice.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["status", "/hub/admin"]), json!(200)),
        (json!(["status", "/hub/authorize/bob"]), json!(200)),
        (json!(["logout"]), json!(false)),
    ]);
    stranger.expect(&[(json!(["login"]), json!(false))]);
    bob.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["status", "/hub/admin"]), json!(403)),
        (json!(["logout"]), json!(false)),
    ]);
}

fn a_notebook_works_on_every_ray_node(site: &Site, bob: &Person<'_>) {
    let mut nodes = ["ray-1", "ray-2"].map(|vm| site.vm(vm).address().to_string());
    nodes.sort();
    bob.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", WORK]),
            json!(format!("{}\n{LICENSE}\n", nodes.join(" "))),
        ),
        (
            json!([
                "run",
                "open('kept.txt', 'w').write('by bob')\nimport os\nprint(os.getcwd())"
            ]),
            json!("/home/jovyan/work\n"),
        ),
        (
            json!(["run", LOOK_AROUND]),
            json!("False False True False\n"),
        ),
        (json!(["logout"]), json!(false)),
    ]);
}

fn a_hub_that_starts_anew_leaves_it_running(site: &Site, bob: &Person<'_>) {
    let hub = site.vm("hub");
    let running = "docker inspect -f '{{.State.StartedAt}}' acme-hub-jupyter-bob";
    let before = hub.exec_ok(running).unwrap();
    hub.exec_ok("cd /opt/syntho/acme/hub && docker compose up -d --force-recreate hub")
        .unwrap();
    verify(site);
    assert_eq!(hub.exec_ok(running).unwrap(), before);
    bob.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["run_again", "print(kept)"]), json!("42\n")),
    ]);
}

/// Neither database nor Docker nor the hub's own ports can be reached from another VM.
fn only_what_people_use_is_open(site: &Site) {
    let hub = site.vm("hub");
    let listens = hub.exec_ok("ss -Hltn | awk '{print $4}'").unwrap();
    let open: Vec<&str> = listens
        .lines()
        .filter(|place| !place.starts_with("127.") && !place.starts_with("[::1]"))
        .filter_map(|place| place.rsplit(':').next())
        .collect();
    assert!(open.contains(&"8000"), "{listens}");
    for port in ["5432", "8001", "8080", "8081", "2375"] {
        assert!(!open.contains(&port), "{port} is open: {listens}");
    }
    // Not by their addresses in Docker's networks either, which another VM might have a route to.
    let database = hub
        .exec_ok("docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' acme-hub-hub-db-1")
        .unwrap();
    let answers = format!("timeout 5 bash -c '</dev/tcp/{}/5432'", database.trim());
    assert_eq!(hub.exec(&answers).unwrap().status, 0, "it runs, here");
    let try_it = format!(
        "ip route replace {database} via {}; timeout 5 bash -c '</dev/tcp/{database}/5432'; code=$?; ip route del {database}; exit $code",
        hub.address(),
        database = database.trim(),
    );
    assert_ne!(site.vm("ray-2").exec(&try_it).unwrap().status, 0);
}

fn everything_comes_back_after_a_reboot(site: &Site, bob: &Person<'_>) {
    for vm in ["hub", "ray-1", "ray-2"] {
        site.fleet.inflict(vm, &Fault::Reboot).unwrap();
    }
    verify(site);
    bob.expect(&[
        (json!(["login"]), json!(true)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by bob\n"),
        ),
        (json!(["stop"]), json!(true)),
    ]);
    let left = site
        .vm("hub")
        .exec_ok("docker ps -aq --filter name=acme-hub-jupyter-")
        .unwrap();
    assert_eq!(left.trim(), "");
}

/// A notebook image whose JupyterHub is not the hub's is found by asking it, and the hub that runs is left alone.
fn a_notebook_of_another_release_is_refused_before_anything_starts(site: &Site, answers: &Table) {
    let other = NOTEBOOK.replace("1.9.0", "1.10.0");
    images::ensure_of(engine(), Product::Notebooks, &[Release::New], &tell).unwrap();
    let hub = site.vm("hub");
    hub.load_images(std::slice::from_ref(&other)).unwrap();
    let running = "docker inspect -f '{{.State.StartedAt}}' acme-hub-hub-1";
    let before = hub.exec_ok(running).unwrap();
    let mut mixed = answers.clone();
    section(section(&mut mixed, "images"), "refs").insert("notebook".into(), other.into());
    let refusal = Refusal {
        code: 1,
        host: Some("hub"),
        says: &["JupyterHub 5.5.4", "6.1.1", "they must be the same"],
        advises: &["from one release"],
    };
    refusal.expect(deploy(site, &mixed));
    assert_eq!(hub.exec_ok(running).unwrap(), before);
}

/// The same hub with shared passwords instead of accounts: who may is who is named, and what people kept is theirs.
fn another_way_to_log_in_is_taken_up(site: &Site, url: &str) {
    let shared = answers(
        site,
        &[
            ("authenticator", "shared-password".into()),
            ("allowed-users", vec!["bob"].into()),
        ],
    );
    deploy(site, &shared).expect_code(0);
    let person = |name, password| Person {
        url,
        ca: None,
        name,
        password,
    };
    for (name, password) in [
        ("bob", BOB),
        ("carol", EVERYBODY),
        ("alice", EVERYBODY),
        ("bob", ADMINISTRATORS),
    ] {
        person(name, password).expect(&[(json!(["login"]), json!(false))]);
    }
    person("bob", EVERYBODY).expect(&[
        (json!(["login"]), json!(true)),
        (json!(["status", "/hub/admin"]), json!(403)),
        (json!(["start"]), json!(200)),
        (
            json!(["run", "print(open('kept.txt').read())"]),
            json!("by bob\n"),
        ),
        (json!(["stop"]), json!(true)),
    ]);
    person("alice", ADMINISTRATORS).expect(&[
        (json!(["login"]), json!(true)),
        (json!(["status", "/hub/admin"]), json!(200)),
    ]);
}

/// The user of our own check is let in from the hub's container only, and leaves no notebook.
fn nobody_else_is_the_installer(site: &Site, url: &str) {
    let hub = site.vm("hub");
    let line = hub
        .exec_ok("grep ^HUB_CHECK_TOKEN= /opt/syntho/acme/hub/.env")
        .unwrap();
    let token = line.trim().split_once('=').unwrap().1.trim_matches('\'');
    for password in [token, EVERYBODY] {
        Person {
            url,
            ca: None,
            name: "installer-check",
            password,
        }
        .expect(&[(json!(["login"]), json!(false))]);
    }
    let look = "docker volume ls -q | grep -c acme-hub-user-installer; ! docker ps -a --format '{{.Names}}' | grep jupyter-installer";
    // Its folder shows that it was there.
    assert_eq!(hub.exec_ok(look).unwrap().trim(), "1");
}
