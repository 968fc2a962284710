//! What was changed by hand is told by host, by name and without a value, and `status` stays fast.

use std::time::Duration;

use serde_json::Value;

use crate::program::is;
use crate::site::Site;

/// The goal is two seconds; a machine that other tests load takes longer.
const FAST: Duration = Duration::from_secs(6);

/// Returns what is said of each host, and the verdict.
fn compared(site: &Site, command: &str) -> Vec<(String, String, String)> {
    let ended = site.run(&[command, "acme", "--json"]).expect_code(0);
    assert!(command != "status" || ended.took < FAST, "{:?}", ended.took);
    crate::site::tell(&format!("{command} took {:?}", ended.took));
    let events = ended.events();
    let checks = events.iter().filter(|event| is(event, "check-ended"));
    let checks = checks.map(|event| &event["check"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .filter(|check| check["id"] == "as-accepted")
        .map(|check| {
            (
                text(&check["host"]),
                text(&check["verdict"]),
                text(&check["found"]),
            )
        })
        .collect()
}

#[test]
fn what_was_changed_by_hand_is_told_by_name_and_without_a_value() {
    let site = Site::three();
    site.deploy(&site.answers()).expect_code(0);
    let compared_now = |command: &str| {
        let mut all = compared(&site, command);
        all.sort();
        all
    };
    let untouched = ["ray-1", "ray-2", "ui"]
        .map(|host| (host.to_owned(), "pass".to_owned(), "as accepted".to_owned()));
    assert_eq!(compared_now("status"), untouched);
    assert_eq!(compared_now("verify"), untouched);

    let change = "cd /opt/syntho/acme/application && sed -i \"s/^CORE_WORKERS=.*/CORE_WORKERS='77'/\" .env && echo \"EXTRA='hush'\" >>.env && echo '# mine' >>docker-compose.yaml";
    site.vm("ui").exec_ok(change).unwrap();
    let image = "docker ps --format '{{.Image}}' | grep frontend";
    let image = site.vm("ui").exec_ok(image).unwrap();
    let image = image.trim();
    site.vm("ui")
        .exec_ok(&format!(
            "docker tag {image} mine:1 && docker rmi -f {image}"
        ))
        .unwrap();
    let found = compared_now("status");
    assert_eq!(found[..2], untouched[..2]);
    assert_eq!(found[2].1, "warn");
    let folder = "/opt/syntho/acme/application";
    for part in [
        format!("{folder}/.env gives otherwise: CORE_WORKERS, EXTRA"),
        format!("{folder}/docker-compose.yaml is another"),
        format!("image {image} is gone"),
    ] {
        assert!(found[2].2.contains(&part), "{found:#?}");
    }
    assert!(!found[2].2.contains("hush") && !found[2].2.contains("77"));

    site.vm("ui")
        .exec_ok(&format!("docker tag mine:1 {image} && docker rmi mine:1"))
        .unwrap();
    site.deploy(&site.answers()).expect_code(0);
    assert_eq!(compared_now("status"), untouched);
}
