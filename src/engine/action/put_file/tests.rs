use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use super::*;
use crate::engine::machine::Machine;
use crate::transport::Input;

const SECRET: &str = "66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%#";

fn machine() -> Machine {
    let mut machine = Machine::new();
    fs_err::create_dir(machine.path("stack")).unwrap();
    let material = Material {
        content: Input::Secret(format!("PASSWORD='{SECRET}'\n").into()),
        masked: "PASSWORD=‹admin-password›\n".to_owned(),
    };
    machine.materials.files.insert(".env".to_owned(), material);
    machine
}

fn action(machine: &Machine) -> PutFile {
    PutFile {
        stack: "application".parse().unwrap(),
        folder: machine.path("stack"),
        path: ".env".to_owned(),
        mode: 0o600,
        secret: true,
        rights: Rights::Login,
        backup: ".env.before-20261120T120000Z-4f2a".to_owned(),
        before: Before::Unknown,
    }
}

fn done(machine: &Machine) -> PutFile {
    let mut action = action(machine);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    action
}

fn stands(machine: &Machine) -> String {
    fs_err::read_to_string(machine.path("stack/.env")).unwrap()
}

#[test]
fn on_a_fresh_host_the_file_stands_with_its_mode_and_content() {
    let machine = machine();
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    let action = done(&machine);
    assert_eq!(stands(&machine), format!("PASSWORD='{SECRET}'\n"));
    let mode = fs_err::metadata(machine.path("stack/.env"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(action.difference(&machine.cx()).unwrap(), None);
}

#[rstest]
#[case::content("PASSWORD='other'\n", 0o600)]
#[case::mode(&format!("PASSWORD='{SECRET}'\n"), 0o644)]
fn another_content_or_mode_is_replaced(#[case] content: &str, #[case] mode: u32) {
    let machine = machine();
    let path = machine.path("stack/.env");
    fs_err::write(&path, content).unwrap();
    fs_err::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    let action = done(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_folder_in_its_place_is_a_conflict_with_advice() {
    let machine = machine();
    fs_err::create_dir(machine.path("stack/.env")).unwrap();
    let Probe::Conflict(why) = action(&machine).probe(&machine.cx()).unwrap() else {
        panic!("a conflict");
    };
    assert!(why.contains("rmdir"), "{why}");
}

#[test]
fn a_link_in_its_place_is_a_conflict() {
    let machine = machine();
    std::os::unix::fs::symlink("/etc/passwd", machine.path("stack/.env")).unwrap();
    assert!(matches!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Conflict(_)
    ));
}

#[test]
fn reverting_a_new_file_removes_it_and_can_be_repeated() {
    let machine = machine();
    let mut action = done(&machine);
    action.revert(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert_eq!(fs_err::read_dir(machine.path("stack")).unwrap().count(), 0);
}

#[test]
fn reverting_a_replaced_file_puts_the_old_one_back_and_can_be_repeated() {
    let machine = machine();
    fs_err::write(machine.path("stack/.env"), "theirs").unwrap();
    let mut action = done(&machine);
    assert_ne!(stands(&machine), "theirs");
    action.revert(&machine.cx()).unwrap();
    action.revert(&machine.cx()).unwrap();
    assert_eq!(stands(&machine), "theirs");
    assert_eq!(fs_err::read_dir(machine.path("stack")).unwrap().count(), 1);
}

#[test]
fn what_was_never_begun_is_never_undone() {
    let machine = machine();
    fs_err::write(machine.path("stack/.env"), "theirs").unwrap();
    action(&machine).revert(&machine.cx()).unwrap();
    assert_eq!(stands(&machine), "theirs");
}

#[test]
fn stopped_between_copy_and_write_it_goes_on_and_keeps_the_first_copy() {
    let machine = machine();
    fs_err::write(machine.path("stack/.env"), "theirs").unwrap();
    let mut stopped = action(&machine);
    stopped.prepare(&machine.cx()).unwrap();
    stopped.keep_copy(&machine.cx()).unwrap();
    fs_err::write(machine.path("stack/.env"), "half").unwrap();
    stopped.execute(&machine.cx()).unwrap();
    stopped.revert(&machine.cx()).unwrap();
    assert_eq!(stands(&machine), "theirs");
}

#[test]
fn no_secret_is_in_a_command_the_description_or_the_receipt() {
    let machine = machine();
    let action = done(&machine);
    for command in machine.host.ran() {
        assert!(!command.script.contains(SECRET));
    }
    let receipt = serde_json::to_string(&action).unwrap();
    assert!(!receipt.contains(SECRET));
    assert!(!format!("{action:?}{:?}", action.describe()).contains(SECRET));
    assert_eq!(serde_json::from_str::<PutFile>(&receipt).unwrap(), action);
}
