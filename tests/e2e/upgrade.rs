//! Another release: every row stays, a release that does not work goes by itself with every row back, and a kill loses nothing.

use serde_json::Value;
use syntho_installer::rehearsal::images::Release;

use crate::backup::sql;
use crate::program::{Running, is, run};
use crate::site::{Site, release, vm};

/// A frontend that ends at once, in a release whose backend has changed the tables by then.
const BROKEN: &str = "frontend=syntho.azurecr.io/syntho-core-frontend:1.11.0";

/// Three VMs with both releases, and the old one deployed with rows of people's in it.
fn deployed() -> Site {
    let broken = release(Release::Broken).into_iter();
    let broken = broken.filter(|name| name.contains("frontend"));
    let good = [Release::Old, Release::New].map(release).concat();
    let images: Vec<String> = good.into_iter().chain(broken).collect();
    let site = Site::with(&["ui", "ray-1", "ray-2"].map(|name| vm(name).images(images.clone())));
    site.deploy(&site.answers()).expect_code(0);
    for database in ["syntho-core", "syntho-backend"] {
        sql(
            &site,
            database,
            "CREATE TABLE rows (name text PRIMARY KEY); INSERT INTO rows SELECT 'n' || n FROM generate_series(1, 5000) n;",
        );
    }
    site
}

fn rows(site: &Site) -> [String; 2] {
    let count = "SELECT count(*) FROM rows";
    ["syntho-core", "syntho-backend"].map(|database| sql(site, database, count))
}

/// Returns whether the tables are those of the new release.
fn has_new_tables(site: &Site) -> bool {
    let columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'workspaces' AND column_name = 'note'";
    sql(site, "syntho-backend", columns) == "1"
}

#[track_caller]
fn expect_release(site: &Site, tag: &str) {
    for host in ["ui", "ray-1", "ray-2"] {
        let images = site
            .vm(host)
            .exec_ok("docker ps --format '{{.Image}}' | grep syntho")
            .unwrap();
        assert!(
            images.lines().all(|image| image.ends_with(tag)),
            "{host}: {images}"
        );
    }
    assert_eq!(has_new_tables(site), tag == "1.10.0");
    site.run(&["verify", "acme", "--json"]).expect_code(0);
}

fn command(site: &Site, arguments: &[&str]) -> std::process::Command {
    let mut command = site.program();
    command.args(arguments).args(["--yes", "--json"]);
    command
}

/// Returns the steps that changed something, in the order of their ends.
fn changed(events: &[Value]) -> Vec<String> {
    let steps = events.iter().filter(|event| is_change(event));
    steps
        .map(|event| event["step"].as_str().unwrap().to_owned())
        .collect()
}

fn is_change(event: &Value) -> bool {
    is(event, "step-ended") && event["result"]["result"] == "changed"
}

#[test]
fn a_release_comes_and_goes_and_one_that_does_not_work_goes_by_itself() {
    let site = deployed();
    let full = ["5000", "5000"].map(str::to_owned);

    // It does not work: everything is back, although the tables had changed.
    let ended = run(command(
        &site,
        &["upgrade", "acme", "--tag", "1.10.0", "--image", BROKEN],
    ));
    let ended = ended
        .expect_code(1)
        .says(&["everything is back as it was before, data too"]);
    assert!(
        ended.all().contains("applied migration")
            || changed(&ended.events())
                .iter()
                .any(|step| step.contains("/load/"))
    );
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.9.0");
    run(command(&site, &["rollback", "acme"])).expect_code(2);

    // It works.
    let ended = run(command(&site, &["upgrade", "acme", "--tag", "1.10.0"])).expect_code(0);
    let steps = changed(&ended.events());
    let place = |name: &str| {
        let found = steps.iter().position(|step| step == name);
        found.unwrap_or_else(|| panic!("no {name} in {steps:#?}"))
    };
    let order = [
        "ui/stop/application",
        "ray-2/stop/ray-worker",
        "ray-1/stop/ray-head",
        "ui/save/application.postgres",
        "ray-1/stack/ray-head",
        "ray-2/stack/ray-worker",
        "ui/stack/application",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{steps:#?}");
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.10.0");
    let again = run(command(&site, &["upgrade", "acme", "--tag", "1.10.0"])).expect_code(0);
    assert_eq!(
        again.events().last().unwrap()["outcome"]["outcome"],
        "nothing-to-do"
    );
    run(command(&site, &["upgrade", "acme", "--tag", "1.9.0"]))
        .expect_code(2)
        .says(&["1.9.0 is older than 1.10.0"]);

    // Back to the state before, rows written since not counted.
    sql(&site, "syntho-backend", "INSERT INTO rows VALUES ('since')");
    run(command(&site, &["rollback", "acme"])).expect_code(0);
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.9.0");
    let left = site.vm("ui").exec_ok("ls -A /opt/syntho/acme").unwrap();
    assert!(!left.contains(".saved"), "{left}");
}

#[test]
fn killed_after_every_third_step_an_upgrade_and_a_rollback_come_to_their_end() {
    let site = deployed();
    let full = ["5000", "5000"].map(str::to_owned);
    let forward = ["upgrade", "acme", "--tag", "1.10.0"];
    killed(&site, &forward, |site| {
        // What was interrupted is no ground for anything else.
        let refused = site.deploy(&site.answers());
        refused
            .expect_code(1)
            .says(&["was interrupted", "rollback acme"]);
    });
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.10.0");

    killed(&site, &["rollback", "acme"], |_| {});
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.9.0");

    // Killed on the way there, and back from it.
    let mut run = Running::start(command(&site, &forward));
    run.must_see("the start of the application", |event| {
        is(event, "step-started") && event["step"] == "ui/stack/application"
    });
    run.kill();
    crate::program::run(command(&site, &["rollback", "acme"])).expect_code(0);
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.9.0");
}

/// Kills the program after every third step that changed something, until it comes to its end.
fn killed(site: &Site, arguments: &[&str], meanwhile: impl Fn(&Site)) {
    let mut kills = 0;
    loop {
        let mut run = Running::start(command(site, arguments));
        for number in 1..=3 {
            if run.wait_for("a step", is_change).is_none() {
                run.finish().expect_code(0);
                assert!(kills > 2, "only {kills} kills");
                return;
            }
            if number == 3 {
                break;
            }
        }
        run.kill();
        kills += 1;
        assert!(kills < 40, "it does not come further");
        if kills == 2 {
            meanwhile(site);
        }
    }
}
