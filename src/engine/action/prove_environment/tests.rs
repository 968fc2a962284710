use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::engine::action::Rights;
use crate::engine::machine::Machine;

fn machine(values: &[(&str, &str)]) -> Machine {
    let mut machine = Machine::new();
    fs_err::create_dir(machine.path("stack")).unwrap();
    machine.materials.environment = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
        .collect();
    machine
}

fn write(machine: &Machine, text: &str) {
    fs_err::write(machine.path("stack/.env"), text).unwrap();
}

fn action(machine: &Machine) -> ProveEnvironment {
    ProveEnvironment {
        stack: "application".parse().unwrap(),
        compose: Compose {
            project: "acme-application".to_owned(),
            folder: machine.path("stack"),
            command: vec!["docker".to_owned(), "compose".to_owned()],
            rights: Rights::Login,
        },
    }
}

#[rstest]
#[case("66n6ldql(b2g0jmop(gr)@x0tz!*^7(d1_$2#y&$t&3r$=cr%#")]
#[case("$$")]
#[case("a$")]
#[case("")]
#[case("{{ LICENSE_KEY }}")]
fn values_that_come_out_as_meant_hold(#[case] value: &str) {
    let machine = machine(&[("KEY", value)]);
    write(&machine, &format!("KEY='{value}'\n"));
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::AlreadySo
    );
    action(&machine).execute(&machine.cx()).unwrap();
}

#[test]
fn a_value_that_comes_out_otherwise_is_named_and_never_shown() {
    let machine = machine(&[("GOOD", "fine"), ("KEY", "top-secret-value")]);
    write(&machine, "GOOD='fine'\nKEY='top-secret-value'\n");
    machine.engine.world().misread = Some(("top-".to_owned(), "lost-".to_owned()));
    let mut action = action(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    let error = action.execute(&machine.cx()).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("`KEY`") && !text.contains("GOOD"), "{text}");
    assert!(!text.contains("secret-value"), "{text}");
}

#[test]
fn files_that_compose_refuses_fail_with_its_own_words() {
    let machine = machine(&[("KEY", "x")]);
    let mut action = action(&machine);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::Needed);
    let ActionError::Situation { evidence, .. } = action.execute(&machine.cx()).unwrap_err() else {
        panic!("a situation");
    };
    assert_eq!(evidence, ["env file not found"]);
}

#[test]
fn no_value_is_in_a_command() {
    let machine = machine(&[("KEY", "top-secret-value")]);
    write(&machine, "KEY='top-secret-value'\n");
    action(&machine).execute(&machine.cx()).unwrap();
    for command in machine.host.ran() {
        assert!(!command.script.contains("top-secret"));
        assert!(!String::from_utf8_lossy(command.input.bytes()).contains("top-secret"));
    }
}
