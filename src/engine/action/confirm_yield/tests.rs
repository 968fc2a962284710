use rstest::rstest;

use super::*;
use crate::engine::machine::{Machine, container};

fn action() -> ConfirmYield {
    ConfirmYield {
        stack: "ray-head".parse().unwrap(),
        project: "acme-ray-head".to_owned(),
        service: "head".to_owned(),
        log: "ray start --address='([^']+)'".to_owned(),
        equals: "10.0.0.12:6379".to_owned(),
        remedy: "set private-address to {found}".to_owned(),
        within: 0,
    }
}

fn machine(log: &str) -> Machine {
    let machine = Machine::new();
    let head = container("acme-ray-head", "head");
    let mut world = machine.engine.world();
    world.logs.insert(head.id.clone(), log.to_owned());
    world.containers.push(head);
    drop(world);
    machine
}

#[rstest]
#[case::plain("Next steps\n  ray start --address='10.0.0.12:6379'\n")]
#[case::coloured("\u{1b}[1m  ray start --address=\u{1b}[32m'10.0.0.12:6379'\u{1b}[0m\u{1b}[22m\n")]
#[case::after_another_start(
    "ray start --address='10.9.9.9:6379'\nray start --address='10.0.0.12:6379'\n"
)]
fn the_last_announcement_counts(#[case] log: &str) {
    let machine = machine(log);
    assert_eq!(action().probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    action().execute(&machine.cx()).unwrap();
}

#[test]
fn another_address_fails_with_what_was_found() {
    let machine = machine("ray start --address='172.17.0.1:6379'\n");
    assert_eq!(action().probe(&machine.cx()).unwrap(), Probe::Needed);
    let ActionError::Situation {
        message, remedy, ..
    } = action().execute(&machine.cx()).unwrap_err()
    else {
        panic!("a situation");
    };
    assert_eq!(
        message,
        "`head` announces `172.17.0.1:6379`, and the others were told `10.0.0.12:6379`"
    );
    assert_eq!(
        remedy.as_deref(),
        Some("set private-address to 172.17.0.1:6379")
    );
}

#[test]
fn silence_fails_when_its_time_is_over() {
    let machine = machine("Local node IP: 10.0.0.12\n");
    let error = action().execute(&machine.cx()).unwrap_err();
    assert!(error.to_string().contains("did not announce"));
}

#[test]
fn it_stops_when_the_operator_asks() {
    let machine = Machine::new();
    machine
        .voice
        .stop
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let mut action = action();
    action.within = 60;
    assert!(matches!(
        action.execute(&machine.cx()).unwrap_err(),
        ActionError::Cancelled
    ));
}

#[test]
fn reverting_does_nothing_twice() {
    let machine = machine("");
    action().revert(&machine.cx()).unwrap();
    action().revert(&machine.cx()).unwrap();
}
