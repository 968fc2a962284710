//! Archives brought to hosts that are not alike: one on a slow link, one whose disk fills up. Neither holds up the others, and nothing is sent twice.

use serde_json::Value;
use syntho_installer::rehearsal::{Fault, VmSpec};

use crate::bundle::{assert_ids, from_archive, missing, received};
use crate::program::is;
use crate::site::Site;

fn of(event: &Value, name: &str, step: &str) -> bool {
    is(event, name) && event["step"] == step
}

#[test]
fn a_slow_link_and_a_full_disk_are_nobody_elses_trouble() {
    let site = Site::with(&[
        VmSpec::new("ui"),
        VmSpec::new("ray-1"),
        VmSpec::new("ray-2").disk_mb(30_000),
    ]);
    let answers = from_archive(&site, "release", &[]);
    let archive = answers["images"]["bundle"].as_str().unwrap().to_owned();
    let inspected = site
        .run(&["bundle", "inspect", &archive, "--json"])
        .expect_code(0);
    let inspected: Value = serde_json::from_str(inspected.stdout.trim()).unwrap();
    let total = missing(&inspected);
    let slow = site.inflict("ray-1", Fault::RateLimit { kbit: 24_000 });
    let _less_slow = site.inflict("ray-2", Fault::RateLimit { kbit: 100_000 });
    let before = received(site.vm("ray-2"));

    let mut run = site.start_deploy(&answers);
    run.must_see("a part of the image on ray-2", |event| {
        of(event, "step-progress", "ray-2/images/ray") && event["done"].as_u64() > Some(30_000_000)
    });
    let full = site.inflict("ray-2", Fault::DiskFull { leave_kb: 100 });
    let ended = run.finish().expect_code(1);
    let ended = ended.says(&["no space left for image", "free space under"]);

    // Everybody else has everything, and those on fast links had it first.
    let events = ended.events();
    let end_of = |step: &str| {
        let at = events
            .iter()
            .position(|event| of(event, "step-ended", step));
        at.unwrap_or_else(|| panic!("{step} has no end"))
    };
    let last = end_of("ray-1/images/ray");
    assert_eq!(events[last]["result"]["result"], "changed");
    for image in ["core", "backend", "frontend", "postgres", "redis"] {
        assert!(end_of(&format!("ui/images/{image}")) < last, "{image}");
    }
    let at_end_of_ui = end_of("ui/images/redis").max(end_of("ui/images/core"));
    let slowly = events[..at_end_of_ui]
        .iter()
        .filter(|event| of(event, "step-progress", "ray-1/images/ray"))
        .filter_map(|event| event["done"].as_u64())
        .max();
    eprintln!("when the last image was on ui, ray-1 had {slowly:?} of {total} bytes");
    drop(slow);

    // As long as it is full, it is said before the first byte what is needed and what is free.
    let refused = site.deploy(&answers).expect_code(3);
    let refused = refused.says(&["needed are", "ray-2"]);
    assert!(!refused.stdout.contains("\"step-started\""));
    drop(full);
    site.deploy(&answers).expect_code(0);
    assert_ids(&site, &archive);
    let sent = received(site.vm("ray-2")) - before;
    eprintln!("ray-2 received {sent} bytes for {total} bytes of layers");
    assert!(sent < total + total / 10, "{sent} for {total}");
}

/// It answers no more, in the middle of an image and for good: the wait is bounded, the verdict names it, and the others have everything.
#[test]
fn a_host_that_dies_under_an_image_is_named_and_holds_up_nobody() {
    let site = Site::with(&["ui", "ray-1", "ray-2"].map(VmSpec::new));
    let answers = from_archive(&site, "release", &[]);
    let _slow = site.inflict("ray-2", Fault::RateLimit { kbit: 60_000 });
    let mut run = site.start_deploy(&answers);
    run.must_see("a part of the image on ray-2", |event| {
        of(event, "step-progress", "ray-2/images/ray") && event["done"].as_u64() > Some(5_000_000)
    });
    let dead = site.inflict("ray-2", Fault::Paused);
    let ended = run.finish().expect_code(1);
    drop(dead);
    let events = ended.events();
    let lost = events
        .iter()
        .find(|event| is(event, "host-lost") && event["host"] == "ray-2");
    assert!(lost.is_some(), "ray-2 is not named");
    for step in ["ray-1/images/ray", "ui/images/core", "ui/images/redis"] {
        let end = events.iter().find(|event| of(event, "step-ended", step));
        assert_eq!(end.unwrap()["result"]["result"], "changed", "{step}");
    }
    eprintln!("the whole run took {:?}", ended.took);
    assert!(ended.took < std::time::Duration::from_mins(4));
    site.deploy(&answers).expect_code(0);
}
