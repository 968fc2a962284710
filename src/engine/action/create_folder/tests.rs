use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::engine::machine::Machine;

fn action(machine: &Machine) -> CreateFolder {
    CreateFolder {
        path: machine.path("opt/acme/it's"),
        mode: 0o700,
        rights: Rights::Login,
        created: false,
    }
}

fn done(machine: &Machine) -> CreateFolder {
    let mut action = action(machine);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    action
}

#[test]
fn on_a_fresh_host_it_creates_the_folder_and_then_finds_it() {
    let machine = Machine::new();
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    let action = done(&machine);
    assert!(action.created);
    let mode = fs_err::metadata(&action.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_wrong_mode_is_put_right_and_the_folder_is_not_ours() {
    let machine = Machine::new();
    fs_err::create_dir_all(machine.path("opt/acme/it's/data")).unwrap();
    let mut action = done(&machine);
    assert!(!action.created);
    action.revert(&machine.cx()).unwrap();
    assert!(std::path::Path::new(&action.path).is_dir());
}

#[test]
fn a_file_in_its_place_is_a_conflict_with_advice() {
    let machine = Machine::new();
    fs_err::create_dir_all(machine.path("opt/acme")).unwrap();
    fs_err::write(machine.path("opt/acme/it's"), "x").unwrap();
    let Probe::Conflict(why) = action(&machine).probe(&machine.cx()).unwrap() else {
        panic!("a conflict");
    };
    assert!(why.contains("move it away"), "{why}");
}

#[test]
fn reverting_removes_what_it_created_and_can_be_repeated() {
    let machine = Machine::new();
    let mut action = done(&machine);
    action.revert(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert!(!std::path::Path::new(&action.path).exists());
}

#[test]
fn a_folder_that_somebody_filled_stays() {
    let machine = Machine::new();
    let mut action = done(&machine);
    fs_err::write(format!("{}/theirs", action.path), "x").unwrap();
    assert!(action.revert(&machine.cx()).is_err());
    assert!(std::path::Path::new(&action.path).is_dir());
}

#[test]
fn a_second_try_after_stopping_half_way_still_counts_as_ours() {
    let machine = Machine::new();
    fs_err::create_dir_all(machine.path("opt/acme/it's")).unwrap();
    let action = done(&machine);
    assert!(action.created);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}
