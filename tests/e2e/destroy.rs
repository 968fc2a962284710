//! Leaving: what was made goes and nothing else, data only when it is asked for by name, and hosts are as they were found.

use serde_json::Value;
use syntho_installer::rehearsal::Fault;

use crate::program::{Running, is};
use crate::site::{Site, section};

/// Notes of other people's that must never be touched.
const STRANGERS: &str = "docker network create theirs; docker volume create theirs; docker create --name theirs postgres:14.5; mkdir -p /opt/theirs && echo x >/opt/theirs/file";

fn destroy(site: &Site, more: &[&str]) -> std::process::Command {
    let mut command = site.program();
    command.args(["destroy", "acme", "--yes", "--json"]);
    command.args(more);
    command
}

fn outcome(events: &[Value]) -> &str {
    let last = events.last().unwrap();
    assert!(is(last, "run-ended"), "{last}");
    last["outcome"]["outcome"].as_str().unwrap()
}

#[test]
fn a_deployment_leaves_its_hosts_as_it_found_them() {
    let site = Site::three();
    site.vm("ui").exec_ok(STRANGERS).unwrap();
    let before = site.footprint();
    let answers = site.answers();
    site.deploy(&answers).expect_code(0);
    // A second run replaces files and keeps copies of them.
    let mut changed = answers.clone();
    section(&mut changed, "answers").insert("frontend-port".into(), 3001.into());
    site.deploy(&changed).expect_code(0);

    // A host is down: it is named, and the rest goes.
    let cut = site.inflict("ray-2", Fault::LinkDown);
    let ended = crate::program::run(destroy(&site, &[]));
    drop(cut);
    let ended = ended.expect_code(1).says(&["ray-2", "stays there"]);
    let stays: Vec<String> = ended
        .events()
        .iter()
        .filter(|event| is(event, "noticed"))
        .filter_map(|event| event["text"].as_str().map(str::to_owned))
        .collect();
    for part in ["acme-application_database-data", "/application/.env"] {
        assert!(stays.iter().any(|text| text.contains(part)), "{stays:#?}");
    }
    // The databases, and where the gate's two ends meet.
    let left = site.vm("ui").exec_ok("docker ps -aq | wc -l; docker volume ls -q | grep acme; ls -A /opt/syntho/acme/application").unwrap();
    assert_eq!(
        left.split_whitespace().collect::<Vec<_>>(),
        [
            "1",
            "acme-application_database-data",
            "acme-application_redis-data",
            "acme-application_redis-gate",
            ".env"
        ]
    );

    // The host is back. What stays are the data and its keys; without data to keep they would go, too.
    let ended = crate::program::run(destroy(&site, &[])).expect_code(0);
    assert_eq!(outcome(&ended.events()), "done");
    let again = crate::program::run(destroy(&site, &[])).expect_code(0);
    assert_eq!(outcome(&again.events()), "nothing-to-do");

    // The same data, found again by a deployment of the same name; then it is killed on its way out, and goes on.
    site.deploy(&answers).expect_code(0);
    site.run(&["verify", "acme", "--json"]).expect_code(0);
    kill_after_every_third_step(&site);
    let again = crate::program::run(destroy(&site, &["--delete-data=acme"])).expect_code(0);
    assert_eq!(outcome(&again.events()), "nothing-to-do");
    site.expect_footprint(&before);

    let removed = site.home.join("state/removed");
    let kept = removed.read_dir_utf8().unwrap().count();
    assert_eq!(kept, 2, "records are kept");
    assert!(!site.home.join("state/deployments/acme").exists());
}

/// Kills the removal after every third step that changed something, until it comes to its end.
fn kill_after_every_third_step(site: &Site) {
    let mut kills = 0;
    loop {
        let mut run = Running::start(destroy(site, &["--delete-data=acme"]));
        let mut changed = 0;
        loop {
            // The folder of the deployment holds the lock of a run that is killed, so it goes with the last one only.
            let step = run.wait_for("a step", |event| {
                is(event, "step-ended")
                    && event["result"]["result"] == "changed"
                    && !event["step"].as_str().unwrap().ends_with("/deployment")
            });
            if step.is_none() {
                run.finish().expect_code(0);
                assert!(kills > 3, "only {kills} kills");
                return;
            }
            changed += 1;
            if changed == 3 {
                break;
            }
        }
        run.kill();
        kills += 1;
        assert!(kills < 40, "it does not come further");
    }
}
