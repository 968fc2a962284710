//! Failures that hold a run, and what keys make of them; a pause; the lines of a run that was interrupted.

use super::*;

const FIX: &str = "sudo docker restart $(sudo docker ps -aq --filter label=com.docker.compose.project=acme-prod-application)";

/// A judgement that failed, with a command that mends it, and nothing after it.
fn held() -> Vec<Message> {
    let mut plan = steps();
    let mut health = step(
        "node-3/health/one",
        Phase::Health,
        "wait until `worker` is healthy",
    );
    health.may_skip = true;
    plan.push(health);
    let mut messages = working();
    messages.push(told(60, Event::PlanReady { steps: plan }));
    for name in ["node-2", "node-3"] {
        messages.push(ended(
            120,
            &format!("{name}/images/one"),
            StepResult::Changed,
        ));
    }
    for name in ["ui", "node-1", "node-2", "node-3"] {
        messages.push(ended(
            150,
            &format!("{name}/stack/one"),
            StepResult::Changed,
        ));
    }
    let failure = Failure {
        message: "`worker` keeps restarting: 7 times so far".to_owned(),
        causes: vec!["worker: cannot reach the head".to_owned()],
        hint: Some("see the whole log on the host, mend the cause and try again".to_owned()),
        command: Some(FIX.to_owned()),
        ..no_room()
    };
    messages.push(ended(200, "node-3/health/one", StepResult::Failed(failure)));
    messages.push(told(201, Event::Held));
    messages
}

/// Checks that failed, one with a command that may be run.
fn held_by_checks() -> Vec<Message> {
    let mut messages = begun();
    let stopped = CheckResult {
        id: "docker".to_owned(),
        found: "installed, but it does not run".to_owned(),
        cause: Some("no engine answers".to_owned()),
        remedy: Some("start Docker, now and at every boot".to_owned()),
        command: Some("sudo systemctl enable --now docker".to_owned()),
        mends: true,
        ..check("Docker Engine", Verdict::Fail)
    };
    let full = check("Disk", Verdict::Fail);
    for check in [stopped, full] {
        messages.push(told(7, Event::CheckEnded { check }));
    }
    messages.push(told(8, Event::Held));
    messages
}

#[rstest]
fn a_failure_that_holds_the_run(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    snapshot!(shown_with(size, held()));
}

#[rstest]
fn the_fix_is_shown_whole_and_asked_about(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, held());
    stage.keys("f");
    snapshot!(stage);
    assert!(stage.wishes.borrow().is_empty(), "not before a yes");
    stage.keys("y");
    let wanted = Wish::Fix {
        host: host("node-3"),
        command: FIX.to_owned(),
    };
    assert_eq!(*stage.wishes.borrow(), [wanted]);
}

#[rstest]
fn skipping_is_asked_about(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, held());
    stage.keys("x");
    snapshot!(stage);
    stage.keys("n");
    assert!(stage.wishes.borrow().is_empty());
    stage.keys("xy");
    let step = id("node-3/health/one");
    assert_eq!(*stage.wishes.borrow(), [Wish::Skip(step)]);
}

#[test]
fn what_something_needs_offers_no_skip_and_what_has_no_command_no_fix() {
    let mut messages = failed();
    messages.push(told(200, Event::Held));
    let mut stage = shown_with((80, 24), messages);
    assert!(stage.text().contains("nothing goes on without you"));
    stage.keys("xf");
    assert!(!stage.text().contains("Skip it") && !stage.text().contains("Run it"));
}

#[rstest]
fn the_fix_runs_in_the_hosts_pane(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut messages = held();
    let (host, command) = (host("node-3"), FIX.to_owned());
    let line = "c0ffee".to_owned();
    messages.push(told(
        210,
        Event::FixStarted {
            host: host.clone(),
            command,
        },
    ));
    messages.push(told(212, Event::FixOutput { host, line }));
    let stage = shown_with(size, messages);
    snapshot!(stage);
}

#[rstest]
fn a_skipped_judgement_is_named_in_the_result(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut messages = held();
    messages.push(ended(220, "node-3/health/one", StepResult::Skipped));
    let stage = shown_with(size, over(messages, Outcome::Done));
    assert!(stage.app.screen().view().failures.is_empty());
    snapshot!(stage);
}

#[test]
fn what_is_tried_again_has_not_failed_any_more() {
    let mut messages = held();
    let step = id("node-3/health/one");
    messages.push(told(210, Event::StepReopened { step: step.clone() }));
    messages.push(told(211, Event::StepStarted { step }));
    let stage = shown_with((80, 24), messages);
    assert!(!stage.text().contains("Needs you"), "{}", stage.text());
    assert!(stage.text().contains("once more"), "{}", stage.text());
}

#[rstest]
fn checks_that_hold_the_run(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    snapshot!(shown_with(size, held_by_checks()));
}

#[test]
fn only_a_check_whose_command_may_be_run_offers_it() {
    let mut stage = shown_with((80, 24), held_by_checks());
    stage.keys("fy");
    let wanted = Wish::Fix {
        host: host("node-3"),
        command: "sudo systemctl enable --now docker".to_owned(),
    };
    assert_eq!(*stage.wishes.borrow(), [wanted]);
    let mut stage = shown_with((80, 24), held_by_checks());
    stage.press(KeyCode::Left);
    stage.press(KeyCode::Down);
    stage.keys("fy");
    assert!(stage.wishes.borrow().is_empty(), "{}", stage.text());
    stage.keys("r");
    assert!(matches!(
        *stage.wishes.borrow().as_slice(),
        [Wish::Retry(_)]
    ));
}

#[test]
fn checks_made_anew_take_the_place_of_those_before() {
    let mut messages = held_by_checks();
    let stage = Stage::Preflight;
    messages.push(told(
        20,
        Event::StageStarted {
            stage: Stage::Facts,
        },
    ));
    messages.push(told(21, Event::StageStarted { stage }));
    let check = check("Docker Engine", Verdict::Pass);
    messages.push(told(22, Event::CheckEnded { check }));
    let stage = shown_with((80, 24), messages);
    assert_eq!(stage.app.screen().view().checks.len(), 1);
    assert!(!stage.app.screen().view().held);
}

#[rstest]
fn a_pause_says_what_it_waits_for(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, working());
    stage.keys("p");
    assert!(stage.text().contains("pausing: what runs is finished"));
    snapshot!(stage);
    stage.keys("p");
    assert!(stage.text().contains("step 5/6 Deploy"), "{}", stage.text());
}

#[test]
fn leaving_a_run_that_waits_needs_no_question() {
    let mut stage = shown_with((80, 24), held());
    stage.keys("q");
    assert_eq!(stage.stopped.get(), 1);
    assert!(!stage.text().contains("Stop safely"));
}

/// The run that was interrupted while node-2 started its stack.
fn interrupted() -> Vec<Message> {
    let mut messages = working();
    let stack = id("node-2/stack/one");
    messages.push(ended(100, "node-2/images/one", StepResult::Changed));
    messages.push(told(
        101,
        Event::StepStarted {
            step: stack.clone(),
        },
    ));
    for (second, line) in [
        (102, "Container one Creating"),
        (103, "Container one Created"),
    ] {
        let (step, line) = (stack.clone(), line.to_owned());
        messages.push(told(second, Event::StepOutput { step, line }));
    }
    messages
}

#[rstest]
fn the_lines_of_an_interrupted_run_come_first(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut messages = planned();
    messages.push(told(20, Event::StageStarted { stage: Stage::Run }));
    let stack = id("node-2/stack/one");
    messages.push(told(
        240,
        Event::StepStarted {
            step: stack.clone(),
        },
    ));
    for line in [
        "Container one Creating",
        "Container one Created",
        "Container one Started",
    ] {
        let (step, line) = (stack.clone(), line.to_owned());
        messages.push(told(241, Event::StepOutput { step, line }));
    }
    let mut stage = shown_after(size, interrupted(), messages);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Enter);
    let text = stage.text();
    assert_eq!(text.matches("Container one Created").count(), 1, "{text}");
    assert_eq!(text.matches("Container one Started").count(), 1, "{text}");
    snapshot!(stage);
}

#[test]
fn the_host_that_was_looked_at_is_chosen_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().join("chosen-host")).unwrap();
    let mut stage = shown_with((80, 24), begun());
    stage.app.screen_mut().setup.place = Some(path.clone());
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    assert_eq!(fs_err::read_to_string(&path).unwrap(), "node-2");
    let mut stage = shown_with((80, 24), Vec::new());
    stage.app.screen_mut().setup.place = Some(path);
    for message in begun() {
        if let Message::Told(record) = message {
            stage.app.screen_mut().told(&record);
        }
    }
    assert_eq!(stage.app.screen().chosen_host(), Some(host("node-2")));
}

#[test]
fn the_plan_says_how_long_it_took_before_where_that_is_known() {
    let plan = |known: &[&str]| {
        let mut view = RunView::default();
        let known = known
            .iter()
            .map(|kind| ((*kind).to_owned(), Duration::from_secs(90)));
        view.expect(known.collect());
        for message in planned() {
            if let Message::Told(record) = message {
                view.apply(&record);
            }
        }
        crate::ui::tui::run::plan::sum(&view)
    };
    assert_eq!(plan(&[]), "Plan: 11 steps on 4 hosts");
    let some = plan(&["images/one"]);
    assert!(some.contains("at least 1:30"), "{some}");
    let all = plan(&["files/env", "images/one", "stack/one"]);
    assert!(all.contains("about 4:30"), "{all}");
}
