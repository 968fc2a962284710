use rstest::rstest;

use super::*;
use crate::engine::machine::{Machine, container};
use crate::model::preset::ServiceState;

const PROJECT: &str = "acme-ray";

fn action(within: u64) -> AwaitHealth {
    AwaitHealth {
        stack: "ray".parse().unwrap(),
        project: PROJECT.to_owned(),
        services: vec![Service {
            name: "x".to_owned(),
            when: None,
            state: ServiceState::Running,
            within,
            reload: Vec::new(),
        }],
        settle_ms: 0,
    }
}

fn with(change: impl Fn(&mut ContainerFacts)) -> Machine {
    let machine = Machine::new();
    let mut one = container(PROJECT, "x");
    change(&mut one);
    let mut world = machine.engine.world();
    world.logs.insert(
        one.id.clone(),
        "first\n\u{1b}[31mno such table\u{1b}[0m\n".to_owned(),
    );
    world.containers.push(one);
    drop(world);
    machine
}

fn failure(machine: &Machine) -> (String, Vec<String>) {
    match action(0).execute(&machine.cx()).unwrap_err() {
        ActionError::Situation {
            message, evidence, ..
        } => (message, evidence),
        other => panic!("{other}"),
    }
}

#[test]
fn a_stack_that_has_run_for_a_while_is_already_so() {
    let machine = with(|_| {});
    assert_eq!(action(1).probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_fresh_start_must_settle_first() {
    let machine = with(|c| c.started_at = Some(jiff::Timestamp::now().to_string()));
    let mut action = action(5);
    action.settle_ms = 60_000;
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.settle_ms = 1;
    action.execute(&machine.cx()).unwrap();
    assert_eq!(*machine.voice.last.lock().unwrap(), Some((1, Some(1))));
}

#[test]
fn want_of_memory_is_the_cause_and_the_log_is_the_evidence() {
    let machine = with(|c| {
        c.state = "exited".to_owned();
        c.exit_code = Some(137);
        c.oom_killed = true;
    });
    let (message, evidence) = failure(&machine);
    assert_eq!(
        message,
        "`x` was killed by the kernel for want of memory (exit code 137)"
    );
    assert_eq!(evidence, ["first", "no such table"]);
}

#[test]
fn an_unhealthy_service_is_given_its_time() {
    let machine = with(|c| c.health = Some("unhealthy".to_owned()));
    let (message, _) = failure(&machine);
    assert_eq!(message, "the health check of `x` says unhealthy, after 0 s");
}

#[test]
fn a_service_that_runs_at_every_look_and_keeps_restarting_is_found_out() {
    let machine = with(|c| c.restarts = 7);
    let mut action = action(0);
    action.settle_ms = u64::MAX / 4;
    action.services[0].within = 0;
    // It never settles: each look sees another start.
    let engine = machine.engine.clone();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let restarter = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            engine.world().containers[0].restarts += 1;
            std::thread::yield_now();
        }
    });
    action.settle_ms = 30;
    let error = action.execute(&machine.cx());
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    restarter.join().unwrap();
    assert!(error.unwrap_err().to_string().contains("keeps restarting"));
}

#[test]
fn a_missing_container_is_said() {
    let (message, evidence) = failure(&Machine::new());
    assert_eq!(message, "`x` has no container, after 0 s");
    assert!(evidence.is_empty());
}

#[test]
fn it_stops_when_the_operator_asks() {
    let machine = with(|c| c.health = Some("starting".to_owned()));
    machine
        .voice
        .stop
        .store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(
        action(60).execute(&machine.cx()).unwrap_err(),
        ActionError::Cancelled
    ));
}

#[test]
fn reverting_does_nothing_twice() {
    let machine = with(|_| {});
    action(1).revert(&machine.cx()).unwrap();
    action(1).revert(&machine.cx()).unwrap();
    assert_eq!(machine.engine.world().containers.len(), 1);
}

/// Whether a service that has just started counts as healthy is asked of its own check; Docker asks only later.
#[rstest]
#[case(0, true, true)]
#[case(1, true, false)]
#[case(0, false, false)]
fn a_check_that_docker_has_not_asked_yet_is_asked(
    #[case] code: i32,
    #[case] has_check: bool,
    #[case] healthy: bool,
) {
    let machine = with(|c| {
        c.health = Some("starting".to_owned());
        if has_check {
            c.health_check = vec!["true".to_owned()];
        }
    });
    machine.engine.world().exec = Some((code, String::new()));
    assert_eq!(action(0).execute(&machine.cx()).is_ok(), healthy);
}
