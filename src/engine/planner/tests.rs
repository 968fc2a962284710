//! Plans of the sample deployment on its machines, and runs of them: killed after every step in turn, the end is the same.

use std::sync::Mutex;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::*;
use crate::engine::cancel::Cancel;
use crate::engine::helm::Helm;
use crate::engine::materials::FromResolved;
use crate::engine::redact::Redactor;
use crate::engine::runner::{self, Pace, Ran, Work};
use crate::engine::sample::{SECRET, Site, resolved};
use crate::engine::store::ReceiptStore;
use crate::model::event::{Event, StepResult};
use crate::model::facts::DockerFacts;
use crate::model::ids::StepId;
use crate::model::plan::Probe;
use crate::model::receipt::Receipt;
use crate::transport::Docker as _;

const RUN: &str = "20261120T120000Z-0001";

fn planned(site: &Site, resolved: &Resolved) -> Plan<AnyAction> {
    planned_with(site, resolved, Superseded::Keep)
}

fn planned_with(site: &Site, resolved: &Resolved, superseded: Superseded) -> Plan<AnyAction> {
    let mut facts = site.facts();
    for (name, facts) in &mut facts {
        let docker = &site.machines[name].engine;
        facts.docker = Some(DockerFacts {
            engine: docker.engine().unwrap(),
            as_user: true,
            images: docker.images().unwrap(),
            containers: Vec::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
        });
    }
    plan(&Planning {
        resolved,
        facts: &facts,
        rights: &site.rights(),
        links: site,
        materials: &FromResolved(resolved, None),
        base_folder: &site.base(),
        run: &RunId(RUN.to_owned()),
        concurrency: 3,
        superseded,
    })
    .unwrap()
}

fn executed(
    site: &Site,
    resolved: &Resolved,
    receipts: &ReceiptStore,
    cancel: &Cancel,
    hear: &(dyn Fn(&Event) + Send + Sync),
) -> Ran<AnyAction> {
    executed_by(3, site, resolved, receipts, cancel, hear)
}

/// Runs the plan with so many hosts at work at once.
fn executed_by(
    concurrency: usize,
    site: &Site,
    resolved: &Resolved,
    receipts: &ReceiptStore,
    cancel: &Cancel,
    hear: &(dyn Fn(&Event) + Send + Sync),
) -> Ran<AnyAction> {
    let receipt = Receipt {
        version: 1,
        run: RunId(RUN.to_owned()),
        deployment: resolved.deployment.clone(),
        preset: resolved.preset.clone(),
        installer: "0.1.0".to_owned(),
        began: "2026-11-20T12:00:00Z".parse().unwrap(),
        ended: None,
        outcome: None,
        steps: Vec::new(),
    };
    let work = Work {
        links: site,
        materials: &FromResolved(resolved, None),
        listener: &|event: Event| hear(&event),
        guard: site,
        redactor: &Redactor::new(&resolved.secrets),
        cancel,
        helm: &Helm::default(),
        receipts,
        concurrency,
        pace: Pace {
            pause: Duration::ZERO,
            ..Pace::default()
        },
    };
    runner::run(planned(site, resolved), receipt, &work).unwrap()
}

fn store(dir: &tempfile::TempDir) -> ReceiptStore {
    ReceiptStore::new(Utf8PathBuf::from_path_buf(dir.path().join("receipts")).unwrap())
}

#[test]
fn the_plan_reads_like_a_table_of_contents() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let plan = planned(&site, &resolved);
    let lines: Vec<String> = plan
        .summaries()
        .iter()
        .map(|step| {
            let after: Vec<&str> = step.after.iter().map(|id| id.0.as_str()).collect();
            format!("{} <- {}", step.id, after.join(", "))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(!plan.nothing_to_do());
}

#[test]
fn planning_writes_nothing() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    planned(&site, &resolved);
    assert!(site.state().is_empty());
}

#[test]
fn the_review_shows_files_with_secrets_masked() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let steps = planned(&site, &resolved).summaries();
    let text = serde_json::to_string(&steps).unwrap();
    assert!(!text.contains("canary"));
    assert!(text.contains("‹admin-password›"));
}

#[test]
fn after_a_run_there_is_nothing_to_do_and_a_change_is_shown_as_a_difference() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    let ran = executed(&site, &resolved, &store(&dir), &Cancel::new(), &|_| {});
    assert!(ran.failures.is_empty(), "{:?}", ran.failures);
    assert!(planned(&site, &resolved).nothing_to_do());

    resolved.stacks[2].files[0].content = "services: {web: {}}\n".into();
    resolved.stacks[2].files[0].masked = "services: {web: {}}\n".to_owned();
    let plan = planned(&site, &resolved);
    let needed: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.probe == Probe::Needed)
        .map(|step| step.id.0.as_str())
        .collect();
    assert_eq!(
        needed,
        [
            "ui/files/application/docker-compose.yaml",
            "ui/files/application:environment",
            "ui/stack/application",
            "ui/health/application"
        ]
    );
    let difference = plan
        .steps
        .iter()
        .find_map(|step| step.description.difference.clone());
    insta::assert_snapshot!(difference.unwrap(), @r"
    --- docker-compose.yaml (on the host)
    +++ docker-compose.yaml
    @@ -1 +1 @@
    -services: {}
    +services: {web: {}}
    ");
}

#[test]
fn images_that_newer_ones_replaced_go_only_when_asked_and_not_while_they_are_used() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    executed(&site, &resolved, &store(&dir), &cancel, &|_| {});
    for (name, machine) in &site.machines {
        let mut world = machine.engine.world();
        world.images.push(crate::engine::machine::image("x:0", "0"));
        if name.as_str() == "ui" {
            let mut user = crate::engine::machine::container("theirs", "y");
            user.image_id = "sha256:0".to_owned();
            world.containers.push(user);
        }
    }
    assert!(planned(&site, &resolved).nothing_to_do());
    let plan = planned_with(&site, &resolved, Superseded::Remove);
    let needed: Vec<String> = plan
        .steps
        .iter()
        .filter(|step| step.probe == Probe::Needed)
        .map(|step| format!("{}: {}", step.host, step.description.summary))
        .collect();
    assert_eq!(
        needed,
        ["ray-1: remove image `x:0`", "ray-2: remove image `x:0`"]
    );
}

#[test]
fn another_readme_starts_nothing_anew() {
    let site = Site::new();
    let mut resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    executed(&site, &resolved, &store(&dir), &Cancel::new(), &|_| {});
    resolved.stacks[0].files[2].content = "other".into();
    resolved.stacks[0].files[2].masked = "other".to_owned();
    let plan = planned(&site, &resolved);
    let needed = plan.steps.iter().filter(|step| step.probe == Probe::Needed);
    assert_eq!(needed.count(), 1);
}

#[test]
fn the_head_is_confirmed_before_a_worker_starts_and_both_before_the_application() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    let order: Mutex<Vec<StepId>> = Mutex::default();
    executed(&site, &resolved, &store(&dir), &Cancel::new(), &|event| {
        if let Event::StepEnded { step, .. } = event {
            order.lock().unwrap().push(step.clone());
        }
    });
    let order = order.into_inner().unwrap();
    let at = |id: &str| order.iter().position(|step| step.0 == id).unwrap();
    assert!(at("ray-1/health/ray-head/1") < at("ray-2/stack/ray-worker"));
    assert!(at("ray-2/health/ray-worker") < at("ui/stack/application"));
}

#[test]
fn another_announced_address_stops_what_was_told_the_wrong_one() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let head = &site.machines[&"ray-1".parse().unwrap()];
    "172.17.0.1:6379".clone_into(&mut head.engine.world().announces);
    let dir = tempfile::tempdir().unwrap();
    let mut plan = planned(&site, &resolved);
    for step in &mut plan.steps {
        if let AnyAction::ConfirmYield(confirm) = &mut step.action {
            confirm.within = 0;
        }
    }
    let ends: Mutex<Vec<(StepId, StepResult)>> = Mutex::default();
    let work = Work {
        links: &site,
        materials: &FromResolved(&resolved, None),
        listener: &|event: Event| {
            if let Event::StepEnded { step, result, .. } = event {
                ends.lock().unwrap().push((step, result));
            }
        },
        guard: &site,
        redactor: &Redactor::default(),
        cancel: &Cancel::new(),
        helm: &Helm::default(),
        receipts: &store(&dir),
        concurrency: 3,
        pace: Pace::default(),
    };
    let receipt = Receipt {
        version: 1,
        run: RunId(RUN.to_owned()),
        deployment: resolved.deployment.clone(),
        preset: resolved.preset.clone(),
        installer: "0.1.0".to_owned(),
        began: "2026-11-20T12:00:00Z".parse().unwrap(),
        ended: None,
        outcome: None,
        steps: Vec::new(),
    };
    let ran = runner::run(plan, receipt, &work).unwrap();
    assert!(
        ran.failures[0]
            .message
            .contains("announces `172.17.0.1:6379`")
    );
    let ends = ends.into_inner().unwrap();
    let blocked = |id: &str| {
        ends.iter()
            .any(|(step, end)| step.0 == id && matches!(end, StepResult::Blocked { .. }))
    };
    assert!(blocked("ray-2/stack/ray-worker") && blocked("ui/stack/application"));
}

#[test]
fn no_secret_reaches_a_command_line_an_event_or_the_receipt() {
    let site = Site::new();
    let resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    let story = Mutex::new(String::new());
    let ran = executed(&site, &resolved, &store(&dir), &Cancel::new(), &|event| {
        story
            .lock()
            .unwrap()
            .push_str(&serde_json::to_string(event).unwrap());
    });
    assert!(!story.into_inner().unwrap().contains("canary"));
    assert!(
        !serde_json::to_string(&ran.receipt)
            .unwrap()
            .contains("canary")
    );
    for machine in site.machines.values() {
        for command in machine.host.ran() {
            assert!(!command.script.contains("canary"));
        }
    }
    assert!(
        site.state()
            .values()
            .any(|content| content.contains(SECRET))
    );
}

#[test]
fn killed_after_every_step_in_turn_it_comes_to_the_same_end() {
    let whole = Site::new();
    let dir = tempfile::tempdir().unwrap();
    executed(
        &whole,
        &resolved(&whole.base()),
        &store(&dir),
        &Cancel::new(),
        &|_| {},
    );

    let site = Site::new();
    let resolved = resolved(&site.base());
    let dir = tempfile::tempdir().unwrap();
    let mut kills = 0;
    loop {
        let cancel = Cancel::new();
        let ran = executed_by(1, &site, &resolved, &store(&dir), &cancel, &|event| {
            if is_change(event) {
                cancel.raise();
            }
        });
        assert!(ran.failures.is_empty(), "{:?}", ran.failures);
        if !ran.cancelled {
            break;
        }
        kills += 1;
        assert!(kills < 60, "it does not come further");
    }
    assert!(kills > 15, "only {kills} kills");
    // What the last kill left behind goes with the next run.
    executed(&site, &resolved, &store(&dir), &Cancel::new(), &|_| {});
    assert_eq!(site.state(), whole.state());
    assert!(planned(&site, &resolved).nothing_to_do());
}

fn is_change(event: &Event) -> bool {
    let changed = StepResult::Changed;
    matches!(event, Event::StepEnded { result, .. } if *result == changed)
}
