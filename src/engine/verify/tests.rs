//! Judging the sample deployment.

use super::*;
use crate::engine::machine::{container, image};
use crate::engine::sample::{SECRET, Site, resolved};

struct Judged {
    checks: Vec<CheckResult>,
    heard: Vec<Event>,
}

fn judged(site: &Site, resolved: &Resolved, depth: Depth) -> Judged {
    let heard: Mutex<Vec<Event>> = Mutex::default();
    let checks = verify(&Verification {
        resolved,
        rights: &site.rights(),
        facts: &site.facts(),
        links: site,
        listener: &|event: Event| heard.lock().unwrap().push(event),
        redactor: &Redactor::new(&resolved.secrets),
        cancel: &Cancel::new(),
        depth,
        silence: Duration::from_millis(20),
    });
    Judged {
        checks,
        heard: heard.into_inner().unwrap(),
    }
}

/// Returns a site on which every stack runs.
fn running(resolved: &Resolved, site: &Site) {
    for stack in &resolved.stacks {
        let machine = &site.machines[&stack.host];
        let one = container(&stack.project, "x");
        machine.engine.world().containers.push(one);
    }
}

fn health(equals: &str) -> PlacedHealth {
    PlacedHealth {
        id: "ray-nodes".to_owned(),
        title: "Ray sees every node".to_owned(),
        probe: PlacedProbe::Exec {
            host: "ray-1".parse().unwrap(),
            project: "acme-ray-head".to_owned(),
            service: "x".to_owned(),
            run: vec!["python".to_owned()],
            input: SECRET.into(),
            equals: Some(equals.to_owned()),
        },
        within: 0,
        warns: false,
        remedy: Some("see the dashboard".to_owned()),
        command: None,
    }
}

fn verdicts(judged: &Judged) -> Vec<(&str, Verdict)> {
    let pairs = judged
        .checks
        .iter()
        .map(|check| (check.id.as_str(), check.verdict));
    pairs.collect()
}

#[test]
fn everything_in_order_passes_and_is_told_once() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    running(&resolved, &site);
    resolved.health.push(health("3"));
    site.machines[&"ray-1".parse().unwrap()].engine.world().exec = Some((0, "3\n".to_owned()));
    let judged = judged(&site, &resolved, Depth::Full);
    assert_eq!(
        verdicts(&judged),
        [
            ("containers-ray-head", Verdict::Pass),
            ("containers-ray-worker", Verdict::Pass),
            ("containers-application", Verdict::Pass),
            ("images-agree", Verdict::Pass),
            ("ray-nodes", Verdict::Pass),
        ]
    );
    let told = judged
        .heard
        .iter()
        .filter(|event| matches!(event, Event::CheckEnded { .. }));
    assert_eq!(told.count(), 5);
}

#[test]
fn what_fails_says_what_was_found_and_what_to_do_and_no_secret() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    running(&resolved, &site);
    resolved.health.push(health("3"));
    site.machines[&"ray-1".parse().unwrap()].engine.world().exec =
        Some((1, format!("login with {SECRET} refused\n")));
    let judged = judged(&site, &resolved, Depth::Full);
    let check = judged.checks.last().unwrap();
    assert_eq!(check.found, "ended with status 1");
    assert_eq!(
        check.cause.as_deref(),
        Some("login with ‹admin-password› refused")
    );
    assert_eq!(check.remedy.as_deref(), Some("see the dashboard"));
    assert!(!format!("{:?}", judged.heard).contains("canary"));
}

#[test]
fn a_quick_look_starts_no_program_and_does_not_wait() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    resolved.health.push(health("3"));
    let judged = judged(&site, &resolved, Depth::Quick);
    assert_eq!(judged.checks.len(), 4);
    assert_eq!(judged.checks[0].verdict, Verdict::Fail);
    assert_eq!(judged.checks[0].found, "`x` has no container");
}

#[test]
fn another_image_under_the_same_name_is_found() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    running(&resolved, &site);
    let mut other = image("x:1", "2");
    other.layers = vec!["sha256:other".to_owned()];
    site.machines[&"ray-2".parse().unwrap()]
        .engine
        .world()
        .images = vec![other];
    let judged = judged(&site, &resolved, Depth::Full);
    let images = judged
        .checks
        .iter()
        .find(|check| check.id == "images-agree")
        .unwrap();
    assert_eq!(images.verdict, Verdict::Fail);
    assert!(
        images
            .found
            .contains("on `ray-2` is not the one on `ray-1`"),
        "{}",
        images.found
    );
}

#[test]
fn what_lasts_is_named_now_and_then() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    running(&resolved, &site);
    resolved.health.push(health("3"));
    resolved.health[0].within = 20;
    let ray: HostName = "ray-1".parse().unwrap();
    let engine = site.machines[&ray].engine.clone();
    let heard: Mutex<Vec<String>> = Mutex::default();
    let checks = verify(&Verification {
        resolved: &resolved,
        rights: &site.rights(),
        facts: &site.facts(),
        links: &site,
        listener: &|event: Event| {
            if let Event::Noticed { text, .. } = event {
                heard.lock().unwrap().push(text);
                engine.world().exec = Some((0, "3\n".to_owned()));
            }
        },
        redactor: &Redactor::default(),
        cancel: &Cancel::new(),
        depth: Depth::Full,
        silence: Duration::from_millis(20),
    });
    assert_eq!(checks.last().unwrap().verdict, Verdict::Pass);
    assert!(heard.into_inner().unwrap()[0].contains("Ray sees every node"));
}
