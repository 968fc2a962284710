//! The runner on toy actions that change a shared world: order, failure, retry, cancel, receipt, panic, resume.

mod hands;
mod helm;
mod stage;

use camino::Utf8PathBuf;

use super::*;
use crate::engine::action::ActionError;
use crate::model::event::{Event, StepResult};
use crate::model::failure::FailureKind;
use crate::model::ids::StepId;
use crate::model::receipt::StepState;

use stage::{STEPS, Stage};

fn situation() -> ActionError {
    ActionError::Situation {
        message: "no space left".to_owned(),
        evidence: vec!["\u{1b}[31mdisk full".to_owned()],
        remedy: Some("make room".to_owned()),
        command: None,
    }
}

fn lost() -> ActionError {
    TransportError::Lost {
        detail: "cut".to_owned(),
    }
    .into()
}

#[test]
fn steps_come_after_what_they_need() {
    let stage = Stage::new();
    let ran = stage.run().unwrap();
    assert!(stage.all_done() && ran.changed && !ran.cancelled && ran.failures.is_empty());
    let order: Vec<String> = stage.ends().into_iter().map(|(id, _)| id).collect();
    for (step, after) in STEPS {
        let at = |id: &str| order.iter().position(|other| other == id).unwrap();
        assert!(after.iter().all(|need| at(need) < at(step)), "{order:?}");
    }
    assert!(
        ran.receipt
            .steps
            .iter()
            .all(|step| step.state == StepState::Done)
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let stage = Stage::new();
    stage.run().unwrap();
    let ran = stage.run().unwrap();
    assert!(!ran.changed);
    assert!(
        ran.receipt
            .steps
            .iter()
            .all(|step| step.state == StepState::Skipped)
    );
}

#[test]
fn the_receipt_is_saved_before_and_after_each_step() {
    let states: Arc<Mutex<Vec<StepState>>> = Arc::default();
    let (seen, dir) = (states.clone(), Arc::new(Mutex::new(Utf8PathBuf::new())));
    let folder = dir.clone();
    let stage = Stage::new().on("head/stack", move |_, _| {
        let store = ReceiptStore::new(folder.lock().unwrap().clone());
        let receipt: Receipt<serde_json::Value> = store.last().unwrap().unwrap();
        seen.lock()
            .unwrap()
            .extend(receipt.steps[..2].iter().map(|step| step.state));
        Ok(())
    });
    *dir.lock().unwrap() = Utf8PathBuf::from_path_buf(stage.dir.path().join("receipts")).unwrap();
    stage.run().unwrap();
    assert_eq!(
        *states.lock().unwrap(),
        [StepState::Done, StepState::Running]
    );
}

#[test]
fn a_failure_blocks_what_needs_it_and_lets_the_rest_finish() {
    let stage = Stage::new().on("head/stack", |_, _| Err(situation()));
    let ran = stage.run().unwrap();
    let StepResult::Failed(failure) = stage.end_of("head/stack") else {
        panic!("it must fail");
    };
    assert_eq!(failure.message, "no space left");
    assert_eq!(failure.causes, ["disk full"]);
    assert_eq!(failure.hint.as_deref(), Some("make room"));
    assert_eq!(failure.host, Some("head".parse().unwrap()));
    for step in ["head/health", "worker/stack", "ui/stack"] {
        let by = StepId("head/stack".to_owned());
        assert_eq!(stage.end_of(step), StepResult::Blocked { by });
    }
    for step in ["worker/files", "ui/files"] {
        assert_eq!(stage.end_of(step), StepResult::Changed);
    }
    assert_eq!(ran.failures.len(), 1);
    assert_eq!(ran.receipt.steps[1].state, StepState::Failed);
    assert_eq!(ran.receipt.steps[2].state, StepState::Pending);
}

#[test]
fn a_panic_is_a_bug_and_ends_nothing_else() {
    let stage = Stage::new().on("worker/files", |_, _| panic!("oops"));
    let ran = stage.run().unwrap();
    let StepResult::Failed(failure) = stage.end_of("worker/files") else {
        panic!("it must fail");
    };
    assert_eq!(failure.kind, FailureKind::Bug);
    assert!(failure.message.contains("oops"));
    assert_eq!(stage.end_of("head/health"), StepResult::Changed);
    assert_eq!(ran.failures.len(), 1);
}

#[test]
fn a_cut_link_is_retried_on_a_new_connection() {
    let tries = Arc::new(Mutex::new(0));
    let count = tries.clone();
    let stage = Stage::new().on("head/stack", move |_, _| {
        let mut tries = count.lock().unwrap();
        *tries += 1;
        if *tries < 3 { Err(lost()) } else { Ok(()) }
    });
    stage.run().unwrap();
    assert!(stage.all_done());
    assert_eq!(
        (*tries.lock().unwrap(), *stage.links.renewed.lock().unwrap()),
        (3, 2)
    );
}

#[test]
fn a_link_that_breaks_often_is_borne_as_long_as_the_step_moves_on() {
    let tries = Arc::new(Mutex::new(0));
    let count = tries.clone();
    let stage = Stage::new().on("head/stack", move |_, cx| {
        let mut tries = count.lock().unwrap();
        *tries += 1;
        cx.progress.at(*tries, Some(12));
        if *tries < 12 { Err(lost()) } else { Ok(()) }
    });
    stage.run().unwrap();
    assert!(stage.all_done());
    assert_eq!(*tries.lock().unwrap(), 12);
}

#[test]
fn work_that_was_done_before_the_link_broke_counts_as_changed() {
    let stage = Stage::new().on("head/stack", |toy, _| {
        toy.world.lock().unwrap().insert(toy.name.clone());
        Err(lost())
    });
    stage.run().unwrap();
    assert_eq!(stage.end_of("head/stack"), StepResult::Changed);
}

#[test]
fn a_link_that_stays_cut_is_given_up() {
    let stage = Stage::new().on("head/stack", |_, _| Err(lost()));
    let ran = stage.run().unwrap();
    assert!(matches!(stage.end_of("head/stack"), StepResult::Failed(_)));
    assert_eq!(*stage.links.renewed.lock().unwrap(), 2);
    assert_eq!(ran.failures[0].kind, FailureKind::Situation);
    assert!(
        stage
            .heard
            .lock()
            .unwrap()
            .iter()
            .any(|event| matches!(event, Event::HostLost { .. }))
    );
}

#[test]
fn a_no_is_not_retried() {
    let stage = Stage::new().on("head/stack", |_, _| {
        Err(TransportError::Refused {
            what: "x".to_owned(),
        }
        .into())
    });
    stage.run().unwrap();
    assert_eq!(*stage.links.renewed.lock().unwrap(), 0);
}

#[test]
fn a_silent_step_gives_signs_of_life_that_never_go_back() {
    let signs = Arc::new((Mutex::new(0), Condvar::new()));
    let heard = signs.clone();
    let stage = Stage::new().on("head/stack", move |_, cx| {
        cx.progress.at(5, Some(9));
        cx.progress.at(3, Some(9));
        let (count, more) = &*heard;
        let (count, late) = more
            .wait_timeout_while(count.lock().unwrap(), Duration::from_secs(20), |n| *n < 3)
            .unwrap();
        assert!(!late.timed_out() && *count >= 3);
        Ok(())
    });
    stage
        .run_hearing(&move |event| {
            if let Event::StepProgress { step, done, total } = event
                && step.0 == "head/stack"
            {
                // The very first sign may come before anything was said.
                if (*done, *total) == (0, None) {
                    return;
                }
                assert_eq!((*done, *total), (5, Some(9)));
                *signs.0.lock().unwrap() += 1;
                signs.1.notify_all();
            }
        })
        .unwrap();
    assert_eq!(stage.end_of("head/stack"), StepResult::Changed);
}

#[test]
fn nothing_further_begins_when_the_receipt_cannot_be_saved() {
    let folder = Arc::new(Mutex::new(std::path::PathBuf::new()));
    let receipts = folder.clone();
    let stage = Stage::new().on("head/files", move |_, _| {
        let receipts = receipts.lock().unwrap().clone();
        let away = receipts.with_extension("away");
        // Another host's step may save, and so bring the folder back, between the two.
        while fs_err::write(&receipts, "in the way").is_err() {
            let _ = fs_err::rename(&receipts, &away).or_else(|_| fs_err::remove_dir_all(&away));
        }
        Ok(())
    });
    *folder.lock().unwrap() = stage.dir.path().join("receipts");
    assert!(stage.run().is_err());
    assert!(!stage.world.lock().unwrap().contains("head/stack"));
}

#[test]
fn killed_after_every_step_in_turn_it_comes_to_the_same_end() {
    for last in 0..STEPS.len() {
        let mut stage = Stage::new();
        let ended = Mutex::new(0);
        let cancel = stage.cancel.clone();
        let stopped = stage
            .run_hearing(&|event| {
                if matches!(
                    event,
                    Event::StepEnded {
                        result: StepResult::Changed,
                        ..
                    }
                ) {
                    let mut ended = ended.lock().unwrap();
                    *ended += 1;
                    if *ended > last {
                        cancel.raise();
                    }
                }
            })
            .unwrap();
        assert_eq!(stopped.cancelled, !stage.all_done());
        stage.cancel = Cancel::new();
        stage.heard.lock().unwrap().clear();
        let ran = stage.run().unwrap();
        // No toy was done twice: it would have panicked.
        assert!(stage.all_done() && ran.failures.is_empty(), "after {last}");
    }
}
