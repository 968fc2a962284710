use super::*;
use crate::engine::action::Rights;
use crate::engine::machine::{Machine, container};
use crate::model::failure::Hinted as _;

const PROJECT: &str = "acme-web";

/// A machine whose proxy was started long before its certificate was written.
fn machine() -> Machine {
    let machine = Machine::new();
    fs_err::create_dir_all(machine.path("stack/tls")).unwrap();
    fs_err::write(machine.path("stack/tls/server.crt"), "new").unwrap();
    let mut world = machine.engine.world();
    world.containers.push(container(PROJECT, "proxy"));
    world.containers.push(container(PROJECT, "other"));
    drop(world);
    machine
}

fn action(machine: &Machine) -> ReloadService {
    ReloadService {
        stack: "web".parse().unwrap(),
        compose: Compose {
            project: PROJECT.to_owned(),
            folder: machine.path("stack"),
            command: vec!["docker".to_owned(), "compose".to_owned()],
            rights: Rights::Login,
        },
        service: "proxy".to_owned(),
        run: vec!["nginx".to_owned(), "-s".to_owned(), "reload".to_owned()],
        files: vec!["tls/server.crt".to_owned(), "tls/gone".to_owned()],
    }
}

#[test]
fn a_changed_file_is_taken_up_once() {
    let machine = machine();
    let mut action = action(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    // And again when it changes again.
    let later = std::time::SystemTime::now() + Duration::from_secs(5);
    let file = fs_err::File::open(machine.path("stack/tls/server.crt")).unwrap();
    file.file().set_modified(later).unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    assert!(
        machine.engine.world().called.is_empty(),
        "nothing started anew"
    );
}

#[test]
fn what_does_not_run_or_started_afterwards_needs_nothing() {
    let machine = machine();
    let action = action(&machine);
    machine.engine.world().containers[0].state = "exited".to_owned();
    assert!(!action.stands(&machine.cx()).unwrap());
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    let mut world = machine.engine.world();
    world.containers[0].state = "running".to_owned();
    world.containers[0].started_at = Some("2099-01-01T00:00:00Z".to_owned());
    drop(world);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_refusal_is_told_with_its_words_and_stays_to_be_done() {
    let machine = machine();
    let mut action = action(&machine);
    machine.engine.world().exec = Some((1, "[emerg] key values mismatch\n".to_owned()));
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "`proxy` did not take up its files");
    assert!(
        error
            .evidence()
            .contains(&"[emerg] key values mismatch".to_owned())
    );
    assert!(error.hint().unwrap().contains("exec proxy nginx -s reload"));
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
}

#[test]
fn it_is_done_again_after_a_stop_half_way_undone_once_and_survives_json() {
    let machine = machine();
    let mut action = action(&machine);
    fs_err::write(machine.path("stack/.reloaded-proxy.part"), "").unwrap();
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    action.execute(&machine.cx()).unwrap();
    assert_eq!(action.probe_revert(&machine.cx()).unwrap(), Probe::Needed);
    action.revert(&machine.cx()).unwrap();
    assert!(!std::path::Path::new(&machine.path("stack/.reloaded-proxy")).exists());
    assert_eq!(
        action.probe_revert(&machine.cx()).unwrap(),
        Probe::AlreadySo
    );
    action.revert(&machine.cx()).unwrap();
    let text = serde_json::to_string(&action).unwrap();
    assert_eq!(
        serde_json::from_str::<ReloadService>(&text).unwrap(),
        action
    );
    let revert = action.describe_revert().summary;
    assert!(revert.contains(".reloaded-proxy"), "{revert}");
}
