//! What the operator decides while a run goes on: pausing, trying again, going on without a step, a command that mends.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::stage::Stage;
use super::*;
use crate::engine::helm::{Helm, Wish};

/// A stage with somebody watching, on which `step` fails until it was tried so often.
fn failing(step: &'static str, times: usize) -> (Stage, Arc<AtomicUsize>) {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let mut stage = Stage::new().on(step, move |_, _| {
        if counted.fetch_add(1, Ordering::SeqCst) < times {
            Err(situation())
        } else {
            Ok(())
        }
    });
    stage.helm = Helm::attended();
    (stage, tries)
}

fn count(stage: &Stage, wanted: impl Fn(&Event) -> bool) -> usize {
    stage
        .heard
        .lock()
        .unwrap()
        .iter()
        .filter(|e| wanted(e))
        .count()
}

fn started(stage: &Stage, id: &str) -> usize {
    count(
        stage,
        |event| matches!(event, Event::StepStarted { step } if step.0 == id),
    )
}

#[test]
fn another_try_is_of_one_host_only_and_what_waits_for_it_goes_on() {
    let (stage, tries) = failing("head/stack", 1);
    let ran = stage
        .run_hearing(&|event| {
            if *event == Event::Held {
                stage.helm.wish(Wish::Retry("head".parse().unwrap()));
            }
        })
        .unwrap();
    assert!(stage.all_done() && ran.failures.is_empty() && !ran.cancelled);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(started(&stage, "head/stack"), 2);
    for step in [
        "head/files",
        "head/health",
        "worker/files",
        "worker/stack",
        "ui/files",
        "ui/stack",
    ] {
        assert_eq!(started(&stage, step), 1, "{step}");
    }
    assert!(ran.receipt.steps.iter().all(|step| step.failure.is_none()));
}

#[test]
fn another_try_of_one_host_leaves_what_another_failure_blocks() {
    let (stage, _) = failing("head/stack", 1);
    let stage = stage.on("worker/files", |_, _| Err(situation()));
    let held = AtomicUsize::new(0);
    let ran = stage
        .run_hearing(&|event| {
            if *event == Event::Held {
                match held.fetch_add(1, Ordering::SeqCst) {
                    0 => stage.helm.wish(Wish::Retry("head".parse().unwrap())),
                    // The operator leaves.
                    _ => stage.cancel.raise(),
                }
            }
        })
        .unwrap();
    assert_eq!(ran.failures.len(), 1);
    assert_eq!(started(&stage, "head/health"), 1);
    assert_eq!(started(&stage, "ui/stack"), 0);
    let ends = stage.ends();
    let (_, last) = ends.iter().rev().find(|(id, _)| id == "ui/stack").unwrap();
    let by = StepId("worker/files".to_owned());
    assert_eq!(*last, StepResult::Blocked { by });
}

#[test]
fn a_judgement_that_nothing_needs_may_be_skipped_and_the_receipt_says_so() {
    // In this plan nothing comes after the worker's judgement.
    let stage = Stage::new()
        .with("worker/health", &["worker/stack"])
        .on("worker/health", |_, _| Err(situation()));
    let stage = Stage {
        helm: Helm::attended(),
        ..stage
    };
    let ran = stage
        .run_hearing(&|event| {
            if *event == Event::Held {
                stage
                    .helm
                    .wish(Wish::Skip(StepId("worker/health".to_owned())));
            }
        })
        .unwrap();
    assert!(ran.failures.is_empty() && !ran.cancelled);
    let step = ran.receipt.steps.last().unwrap();
    assert_eq!(step.state, StepState::SkippedByOperator);
    assert!(step.failure.is_some(), "why it failed stays on record");
    assert_eq!(count(&stage, |event| *event == Event::Held), 1);
}

#[test]
fn what_something_needs_is_never_skipped() {
    let (stage, _) = failing("head/health", usize::MAX);
    let ran = stage
        .run_hearing(&|event| {
            if *event == Event::Held {
                stage
                    .helm
                    .wish(Wish::Skip(StepId("head/health".to_owned())));
                stage.cancel.raise();
            }
        })
        .unwrap();
    assert_eq!(ran.failures.len(), 1);
    assert_eq!(started(&stage, "worker/stack"), 0);
}

#[test]
fn a_command_that_mends_is_run_and_then_the_host_is_tried_again() {
    let (stage, tries) = failing("head/stack", 1);
    let ran = stage
        .run_hearing(&|event| {
            if *event == Event::Held {
                stage.helm.wish(Wish::Fix {
                    host: "head".parse().unwrap(),
                    command: "true".to_owned(),
                });
            }
        })
        .unwrap();
    assert!(stage.all_done() && ran.failures.is_empty());
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    let ended = |event: &Event| matches!(event, Event::FixEnded { failure: None, .. });
    assert_eq!(count(&stage, ended), 1);
}

#[test]
fn while_it_is_paused_nothing_begins_and_what_runs_is_finished() {
    let helm = Helm::default();
    let (pausing, going_on) = (helm.clone(), helm.clone());
    let stage = Stage::new().on("head/files", move |_, _| {
        pausing.pause(true);
        Ok(())
    });
    let stage = Stage { helm, ..stage };
    let begun = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            stage.run_hearing(&|event| {
                if let Event::StepStarted { step } = event {
                    begun.lock().unwrap().push(step.0.clone());
                }
            })
        });
        while count(&stage, |event| *event == Event::Paused { paused: true }) == 0 {
            std::thread::yield_now();
        }
        // What had begun comes to its end, and then nothing is heard for longer than a worker waits between two looks.
        std::thread::sleep(PAUSE * 4);
        let before = begun.lock().unwrap().len();
        assert!(stage.world.lock().unwrap().contains("head/files"));
        std::thread::sleep(PAUSE * 4);
        assert_eq!(begun.lock().unwrap().len(), before);
        assert!(before <= 3, "{:?}", begun.lock().unwrap());
        going_on.pause(false);
        let ran = run.join().unwrap().unwrap();
        assert!(ran.failures.is_empty() && !ran.cancelled);
    });
    assert!(stage.all_done());
}

#[test]
fn leaving_while_it_is_paused_is_safe() {
    let mut stage = Stage::new();
    stage.helm.pause(true);
    let ran = stage
        .run_hearing(&|event| {
            if *event == (Event::Paused { paused: true }) {
                stage.cancel.raise();
            }
        })
        .unwrap();
    assert!(ran.cancelled && stage.world.lock().unwrap().is_empty());
    stage.cancel = Cancel::new();
    stage.helm = Helm::default();
    stage.heard.lock().unwrap().clear();
    let again = stage.run().unwrap();
    assert!(stage.all_done() && again.failures.is_empty());
}

#[test]
fn a_run_that_nobody_attends_ends_with_its_failures() {
    let stage = Stage::new().on("head/stack", |_, _| Err(situation()));
    let ran = stage.run().unwrap();
    assert_eq!(ran.failures.len(), 1);
    assert_eq!(count(&stage, |event| *event == Event::Held), 0);
}
