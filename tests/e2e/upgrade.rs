//! Another release: every row stays, a release that does not work goes by itself with every row back, and a kill loses nothing.

use camino::Utf8Path;
use serde_json::Value;
use syntho_installer::model::image::ImageRef;
use syntho_installer::rehearsal::images::{self, Release};

use crate::backup::sql;
use crate::bundle::received;
use crate::program::{Running, is, run};
use crate::site::{Site, engine, release, section, tell, vm};

/// A frontend that ends at once, in a release whose backend has changed the tables by then.
const BROKEN: &str = "frontend=syntho.azurecr.io/syntho-core-frontend:1.11.0";

/// A backend that ends at once: Compose itself would wait for it without end, because others need it.
const NO_BACKEND: &str = "backend=syntho.azurecr.io/syntho-core-backend:1.11.0";

/// Three VMs with both releases, and the old one deployed with rows of people's in it.
fn deployed() -> Site {
    let broken = release(Release::Broken).into_iter();
    let broken = broken.filter(|name| name.contains("frontend") || name.contains("backend"));
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
    for vm in site.fleet.vms() {
        let images = vm.exec_ok("docker ps --format '{{.Image}}' | grep syntho");
        let images = images.unwrap();
        assert!(
            images.lines().all(|image| image.ends_with(tag)),
            "{}: {images}",
            vm.name()
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

/// Returns the seconds from the first stack that stopped to the end of the run.
fn down(events: &[Value]) -> i64 {
    let at = |event: &Value| {
        event["time"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    let stopped = |event: &&Value| {
        is(event, "step-started") && event["step"].as_str().unwrap().contains("/stop/")
    };
    let first = events.iter().find(stopped).unwrap();
    at(events.last().unwrap())
        .duration_since(at(first))
        .as_secs()
}

/// Returns the seconds after which the application was given up.
fn verdict(events: &[Value]) -> u64 {
    let failed = |event: &&Value| is(event, "step-ended") && event["result"]["result"] == "failed";
    let failed = events.iter().find(failed).unwrap();
    assert!(
        failed["step"].as_str().unwrap().ends_with("/application"),
        "{failed}"
    );
    failed["took-ms"].as_u64().unwrap() / 1000
}

fn is_change(event: &Value) -> bool {
    is(event, "step-ended") && event["result"]["result"] == "changed"
}

#[test]
fn a_release_comes_and_goes_and_one_that_does_not_work_goes_by_itself() {
    let site = deployed();
    let full = ["5000", "5000"].map(str::to_owned);
    what_would_form_no_cluster_is_refused_before_anything_stops(&site);

    // It does not work: everything is back, although the tables had changed.
    for (image, why) in [(BROKEN, "ends again and again"), (NO_BACKEND, "backend")] {
        let bad = ["upgrade", "acme", "--tag", "1.10.0", "--image", image];
        let ended = run(command(&site, &bad));
        let ended = ended
            .expect_code(1)
            .says(&["everything is back as it was before, data too", why]);
        // A crash loop is found out long before the 300 seconds that the service may take.
        let (verdict, down) = (verdict(&ended.events()), down(&ended.events()));
        eprintln!("{image}: judged after {verdict} s, {down} s from the first stop to the end");
        assert!(verdict < 200, "{verdict} s");
        assert_eq!(rows(&site), full);
        expect_release(&site, "1.9.0");
    }
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

    // By its name nothing is older, but by when it was made.
    let edge = "for name in core-api core-backend core-frontend ray; do docker tag syntho.azurecr.io/syntho-$name:1.9.0 syntho.azurecr.io/syntho-$name:edge; done";
    for vm in site.fleet.vms() {
        vm.exec_ok(edge).unwrap();
    }
    run(command(&site, &["upgrade", "acme", "--tag", "edge"]))
        .expect_code(1)
        .says(&["was made on", "--allow-older"]);
    expect_release(&site, "1.10.0");

    // Back to the state before, rows written since not counted.
    sql(&site, "syntho-backend", "INSERT INTO rows VALUES ('since')");
    run(command(&site, &["rollback", "acme"])).expect_code(0);
    assert_eq!(rows(&site), full);
    expect_release(&site, "1.9.0");
    let left = site.vm("ui").exec_ok("ls -A /opt/syntho/acme").unwrap();
    assert!(!left.contains(".saved"), "{left}");
}

fn what_would_form_no_cluster_is_refused_before_anything_stops(site: &Site) {
    let old_ray = "ray=syntho.azurecr.io/syntho-ray:1.9.0";
    let mixed = ["upgrade", "acme", "--tag", "1.10.0", "--image", old_ray];
    let ended = run(command(site, &mixed)).expect_code(1).says(&[
        "do not go together",
        "Ray 2.47.1 on Python",
        "syntho-core-api:1.10.0 on ui: Ray 2.60.0",
    ]);
    let events = ended.events();
    let began = events.iter().filter(|event| is(event, "step-started"));
    let steps: Vec<&str> = began.filter_map(|event| event["step"].as_str()).collect();
    let touches = |step: &&&str| {
        ["/stop/", "/files/", "/stack/"]
            .iter()
            .any(|part| step.contains(part))
    };
    assert_eq!(steps.iter().find(touches), None, "{steps:?}");
}

/// A release that is carried in costs what is new in it on the way to each host, also where the release before came by other ways, and keeps every row.
#[test]
fn from_an_archive_only_changed_layers_come() {
    let site = Site::with(&["ui", "ray-1"].map(vm));
    let answers = site.answers_for(&[("ui", &["ui"]), ("ray-1", &["ray-head"])]);
    site.deploy(&answers).expect_code(0);
    sql(
        &site,
        "syntho-backend",
        "CREATE TABLE rows (name text); INSERT INTO rows SELECT 'n' FROM generate_series(1, 700);",
    );
    let names = release(Release::New).into_iter();
    let names: Vec<ImageRef> = names.map(|name| ImageRef::parse(&name).unwrap()).collect();
    let archive = images::archive(engine(), "next-release", &names, &tell).unwrap();
    let (missing, whole) = lacks(&site, "ray-1", &archive);
    assert!(missing > 0 && missing < whole, "{missing} of {whole}");

    let upgrade = [
        "upgrade",
        "acme",
        "--tag",
        "1.10.0",
        "--bundle",
        archive.as_str(),
    ];
    let before = received(site.vm("ray-1"));
    run(command(&site, &upgrade)).expect_code(0);
    // All that came, the frames of SSH and what the cluster says to itself among it.
    let sent = received(site.vm("ray-1")) - before;
    eprintln!("ray-1 received {sent} bytes; it lacked {missing} of {whole} bytes of layers");
    let most = (missing + 16_000_000).min(whole);
    assert!(
        (missing..most).contains(&sent),
        "{sent} for {missing} of {whole}"
    );
    assert_eq!(
        sql(&site, "syntho-backend", "SELECT count(*) FROM rows"),
        "700"
    );
    expect_release(&site, "1.10.0");
}

/// Returns how many bytes of the layers of an archive's Ray a host lacks, and of how many.
fn lacks(site: &Site, host: &str, archive: &Utf8Path) -> (u64, u64) {
    let there = site.vm(host).exec_ok(
        "docker inspect --format '{{join .RootFS.Layers \" \"}}' syntho.azurecr.io/syntho-ray:1.9.0",
    );
    let there = there.unwrap();
    let inspected = site
        .run(&["bundle", "inspect", archive.as_str(), "--json"])
        .expect_code(0);
    let inspected: Value = serde_json::from_str(inspected.stdout.trim()).unwrap();
    let images = inspected["images"].as_array().unwrap().iter();
    let ray = images.filter(|image| image["names"].to_string().contains("syntho-ray"));
    let layers = ray.flat_map(|image| image["layers"].as_array().unwrap());
    let (mut missing, mut whole) = (0, 0);
    for layer in layers {
        let packed = layer["packed"].as_u64().unwrap();
        whole += packed;
        if !there.contains(layer["diff-id"].as_str().unwrap()) {
            missing += packed;
        }
    }
    (missing, whole)
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

/// Lets the tag `stable` of the vendor's images stand for a release on every host.
fn let_stable_be(site: &Site, release: &str) {
    let script = format!(
        "for image in $(docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep '^syntho.azurecr.io/.*:{release}$'); do \
            docker tag $image ${{image%:*}}:stable && docker rmi $image; done"
    );
    for vm in site.fleet.vms() {
        vm.exec_ok(&script).unwrap();
    }
}

/// Returns the ids of the images that run.
fn running(site: &Site) -> Vec<String> {
    let look = "docker inspect --format '{{.Config.Image}} {{.Image}}' $(docker ps -q) | sort";
    let all = site.fleet.vms().iter();
    all.map(|vm| vm.exec_ok(look).unwrap()).collect()
}

/// A name that stands for another image by now leads back to the one that ran, though nothing else names that any more.
#[test]
fn a_moving_tag_leads_back_to_what_it_stood_for() {
    let images = [Release::Old, Release::New].map(release).concat();
    let site = Site::with(&["ui", "ray-1", "ray-2"].map(|name| vm(name).images(images.clone())));
    let_stable_be(&site, "1.9.0");
    let mut answers = site.answers();
    section(&mut answers, "images").insert("tag".into(), "stable".into());
    site.deploy(&answers).expect_code(0);
    sql(
        &site,
        "syntho-backend",
        "CREATE TABLE rows (name text); INSERT INTO rows VALUES ('one');",
    );
    let before = running(&site);

    let_stable_be(&site, "1.10.0");
    run(command(&site, &["upgrade", "acme", "--tag", "stable"])).expect_code(0);
    assert!(has_new_tables(&site));
    assert_ne!(running(&site), before);

    run(command(&site, &["rollback", "acme"])).expect_code(0);
    assert!(!has_new_tables(&site));
    assert_eq!(running(&site), before);
    assert_eq!(sql(&site, "syntho-backend", "SELECT name FROM rows"), "one");
    site.run(&["verify", "acme", "--json"]).expect_code(0);
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
