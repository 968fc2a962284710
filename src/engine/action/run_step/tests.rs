//! Steps run for real in a shell on a folder of their own.

use std::path::Path;
use std::sync::atomic::Ordering;

use secrecy::SecretString;

use super::*;
use crate::engine::action::{Material, Rights};
use crate::engine::machine::Machine;
use crate::model::failure::Hinted;
use crate::model::preset::{KnownFailure, StepPhase};
use crate::model::resolved::PlacedTake;

const TOKEN: &str = "canary-SWMTKN-1-5xq";

fn machine() -> Machine {
    let mut machine = Machine::new();
    fs_err::create_dir(machine.path("stack")).unwrap();
    set_file(&mut machine, "size: 1\n");
    machine
}

fn set_file(machine: &mut Machine, content: &str) {
    let material = Material {
        content: Input::Secret(SecretString::from(content)),
        masked: String::new(),
    };
    let files = &mut machine.materials.files;
    files.insert("cluster.yaml".to_owned(), material);
}

fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

fn compose(machine: &Machine) -> Compose {
    Compose {
        project: "acme-launcher".to_owned(),
        folder: machine.path("stack"),
        command: vec!["docker".to_owned(), "compose".to_owned()],
        rights: Rights::Login,
    }
}

/// A step that makes the file `up`, counts its runs in `ran`, and removes the file.
fn action(machine: &Machine) -> RunStep {
    RunStep {
        stack: "launcher".parse().unwrap(),
        compose: compose(machine),
        tool: PlacedStep {
            id: "cluster".parse().unwrap(),
            title: "The cluster is up".to_owned(),
            probe: sh("test -e up || { echo no cluster; exit 1; }"),
            run: sh("echo starting; echo run >> ran; : > up; echo done"),
            revert: sh("echo stopping; rm -f up"),
            makes: vec!["ran".to_owned()],
            leaves: Some("the nodes' disks stay".to_owned()),
            within: 30,
            remedy: "see its log".to_owned(),
            fails: Vec::new(),
            phases: Vec::new(),
            takes: Vec::new(),
        },
        files: vec!["cluster.yaml".to_owned()],
        sources: BTreeMap::new(),
        deployment: machine.path("stack"),
        created: false,
    }
}

fn done(machine: &Machine) -> RunStep {
    let mut action = action(machine);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    action
}

fn ran(machine: &Machine) -> usize {
    let ran = fs_err::read_to_string(machine.path("stack/ran"));
    ran.map_or(0, |text| text.lines().count())
}

fn exists(machine: &Machine, path: &str) -> bool {
    Path::new(&machine.path(path)).exists()
}

fn said(machine: &Machine) -> Vec<String> {
    machine.voice.lines.lock().unwrap().clone()
}

#[test]
fn it_runs_once_and_is_known_to_be_done() {
    let machine = machine();
    assert_eq!(
        action(&machine).probe(&machine.cx()).unwrap(),
        Probe::Needed
    );
    let action = done(&machine);
    assert!(action.created);
    assert_eq!(said(&machine), ["starting", "done"]);
    assert_eq!(action.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(ran(&machine), 1);
    // Only its owner may read what it left.
    let mark = fs_err::metadata(action.mark()).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mark.permissions()) & 0o777,
        0o600
    );
}

#[test]
fn it_runs_again_when_its_files_its_line_or_the_world_have_changed() {
    let mut machine = machine();
    let first = done(&machine);
    let mut other = first.clone();
    other.tool.run.push("more".to_owned());
    assert_eq!(other.probe(&machine.cx()).unwrap(), Probe::Needed);

    fs_err::remove_file(machine.path("stack/up")).unwrap();
    assert_eq!(first.probe(&machine.cx()).unwrap(), Probe::Needed);
    fs_err::write(machine.path("stack/up"), "").unwrap();
    assert_eq!(first.probe(&machine.cx()).unwrap(), Probe::AlreadySo);

    set_file(&mut machine, "size: 2\n");
    assert_eq!(first.probe(&machine.cx()).unwrap(), Probe::Needed);
    let mut again = first.clone();
    again.execute(&machine.cx()).unwrap();
    assert_eq!(again.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
    assert_eq!(ran(&machine), 2);
}

#[test]
fn what_was_so_before_stays_when_everything_goes() {
    let machine = machine();
    fs_err::write(machine.path("stack/up"), "").unwrap();
    let mut action = done(&machine);
    assert!(!action.created);
    assert!(action.describe_revert().summary.contains("so before"));
    action.revert(&machine.cx()).unwrap();
    assert!(exists(&machine, "stack/up"));
    assert!(!Path::new(&action.mark()).exists());
}

#[test]
fn it_is_taken_back_once_also_when_it_failed_half_way() {
    let machine = machine();
    let mut action = action(&machine);
    action.tool.run = sh(": > up; exit 3");
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap_err();
    assert_eq!(action.probe_revert(&machine.cx()).unwrap(), Probe::Needed);
    let reverting = action.describe_revert();
    assert!(reverting.reasons[0].contains("rm -f up"));
    assert_eq!(reverting.reasons[1], "the nodes' disks stay");
    action.revert(&machine.cx()).unwrap();
    assert!(!exists(&machine, "stack/up") && !Path::new(&action.mark()).exists());
    assert_eq!(
        action.probe_revert(&machine.cx()).unwrap(),
        Probe::AlreadySo
    );
    action.revert(&machine.cx()).unwrap();
    let stops = said(&machine);
    assert_eq!(stops.iter().filter(|line| *line == "stopping").count(), 1);
}

#[test]
fn what_cannot_be_taken_back_is_said_and_stays_known() {
    let machine = machine();
    let mut action = done(&machine);
    action.tool.revert = sh("echo the cloud says no; exit 1");
    let error = action.revert(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "the cloud says no");
    assert_eq!(action.probe_revert(&machine.cx()).unwrap(), Probe::Needed);
}

fn known(says: &str, message: &str) -> KnownFailure {
    KnownFailure {
        says: says.to_owned(),
        message: message.to_owned(),
        remedy: "ask for {found}".to_owned(),
        about: Some("worker-type".parse().unwrap()),
    }
}

#[test]
fn a_known_failure_says_what_where_and_what_to_do() {
    let machine = machine();
    let mut action = action(&machine);
    action.tool.run = sh(
        "echo the second thing; printf '\\033[31mquota of m5.large\\033[0m\\n'; echo last; exit 1",
    );
    action.tool.fails = vec![
        known("quota of (\\S+)", "no quota for {found}"),
        known("second", "the second"),
    ];
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "no quota for m5.large");
    assert_eq!(
        error.evidence(),
        ["the second thing", "quota of m5.large", "last"]
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.starts_with("ask for m5.large (`worker-type` in the answers); then run the same"),
        "{hint}"
    );

    action.tool.fails.clear();
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "last");
    assert!(error.hint().unwrap().starts_with("see its log; "));
}

#[test]
fn what_ends_well_and_is_not_so_fails() {
    let machine = machine();
    let mut action = action(&machine);
    action.tool.run = sh("echo fine");
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "it ended well, and still: no cluster");
}

#[test]
fn its_lines_tell_how_far_it_is() {
    let machine = machine();
    let mut action = action(&machine);
    let phase = |says: &str, title: &str| StepPhase {
        says: says.to_owned(),
        title: title.to_owned(),
    };
    action.tool.phases = vec![
        phase("^one", "First"),
        phase("^never", "Skipped"),
        phase("^three", "Third"),
    ];
    action.tool.run = sh(": > up; echo one; echo three; echo one; echo two");
    action.execute(&machine.cx()).unwrap();
    let lines = said(&machine);
    assert_eq!(
        lines,
        ["one", "== First", "three", "== Third", "one", "two"]
    );
    assert_eq!(*machine.voice.last.lock().unwrap(), Some((3, Some(3))));
}

#[test]
fn what_takes_too_long_is_ended() {
    let machine = machine();
    let mut action = action(&machine);
    action.tool.within = 1;
    action.tool.run = sh("echo waiting; sleep 60");
    let error = action.execute(&machine.cx()).unwrap_err();
    assert!(error.to_string().contains("after 1 s"), "{error}");
    assert_eq!(error.evidence(), ["waiting"]);
    assert!(!exists(&machine, "stack/.run"));
}

/// A step that takes a token from another stack.
fn taking(machine: &Machine) -> RunStep {
    let mut action = action(machine);
    action.tool.takes = vec![PlacedTake {
        name: "TOKEN".to_owned(),
        stack: "manager".parse().unwrap(),
        run: sh("cat token"),
        secret: true,
    }];
    let source = Source {
        host: "manager-1".parse().unwrap(),
        compose: compose(machine),
    };
    action.sources.insert("manager".parse().unwrap(), source);
    action.tool.run = sh(
        "echo \"joining with $TOKEN\"; tr '\\0' ' ' < /proc/$$/cmdline > argv; echo \"$TOKEN\" | cksum > got; : > up",
    );
    fs_err::write(machine.path("stack/token"), format!("words\n{TOKEN}\n")).unwrap();
    action
}

#[test]
fn a_taken_secret_reaches_the_program_and_nothing_else() {
    let machine = machine();
    let mut action = taking(&machine);
    action.prepare(&machine.cx()).unwrap();
    action.execute(&machine.cx()).unwrap();
    let expected = std::process::Command::new("sh")
        .args(["-c", &format!("echo '{TOKEN}' | cksum")])
        .output()
        .unwrap();
    let got = fs_err::read(machine.path("stack/got")).unwrap();
    assert_eq!(got, expected.stdout);
    assert_eq!(said(&machine), ["joining with ‹TOKEN›"]);
    let argv = fs_err::read_to_string(machine.path("stack/argv")).unwrap();
    let texts = [
        argv,
        serde_json::to_string(&action).unwrap(),
        format!("{:?}", action.describe()),
        format!(
            "{:?}",
            action.by_hand(machine.cx().host.name(), &machine.materials)
        ),
        machine
            .host
            .ran()
            .iter()
            .map(|command| command.script.clone())
            .collect(),
    ];
    for text in texts {
        assert!(!text.contains(TOKEN), "{text}");
    }
    fs_err::remove_file(machine.path("stack/token")).unwrap();
    let mut left = String::new();
    for entry in fs_err::read_dir(machine.path("stack")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            left.push_str(&fs_err::read_to_string(path).unwrap());
        }
    }
    assert!(!left.contains(TOKEN), "{left}");
}

#[test]
fn a_value_that_nobody_gives_is_named_with_its_host() {
    let machine = machine();
    let mut action = taking(&machine);
    fs_err::remove_file(machine.path("stack/token")).unwrap();
    let error = action.execute(&machine.cx()).unwrap_err();
    assert_eq!(error.to_string(), "manager-1 does not say TOKEN");
    assert!(error.evidence()[0].contains("token"));
    assert!(!exists(&machine, "stack/up"));
}

#[test]
fn a_run_that_an_earlier_installer_began_is_followed_and_not_begun_again() {
    let machine = machine();
    let mut first = action(&machine);
    first.tool.run = sh(
        "echo run >> ran; echo begun; while [ ! -e go ]; do sleep 0.05; done; : > up; echo done",
    );
    let mut second = first.clone();
    machine.voice.stop.store(true, Ordering::SeqCst);
    first.prepare(&machine.cx()).unwrap();
    assert!(matches!(
        first.execute(&machine.cx()).unwrap_err(),
        ActionError::Cancelled
    ));
    machine.voice.stop.store(false, Ordering::SeqCst);
    assert_eq!(second.probe(&machine.cx()).unwrap(), Probe::Needed);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| second.execute(&machine.cx()));
        while !said(&machine)
            .iter()
            .any(|line| line.contains("earlier run"))
        {
            assert!(!running.is_finished());
            std::thread::yield_now();
        }
        fs_err::write(machine.path("stack/go"), "").unwrap();
        running.join().unwrap().unwrap();
    });
    assert_eq!(ran(&machine), 1);
    assert_eq!(second.probe(&machine.cx()).unwrap(), Probe::AlreadySo);
}

#[test]
fn a_run_that_ended_while_nobody_looked_is_known_to_be_done() {
    let machine = machine();
    let mut first = action(&machine);
    first.tool.run = sh("sleep 0.3; echo run >> ran; : > up");
    machine.voice.stop.store(true, Ordering::SeqCst);
    first.execute(&machine.cx()).unwrap_err();
    let began = std::time::Instant::now();
    while first.probe(&machine.cx()).unwrap() != Probe::AlreadySo {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    first.tidy(&machine.cx()).unwrap();
    assert_eq!(ran(&machine), 1);
}

#[test]
fn it_comes_back_from_a_receipt() {
    let machine = machine();
    let action = super::super::AnyAction::RunStep(taking(&machine));
    let text = serde_json::to_string(&action).unwrap();
    assert!(text.starts_with(r#"{"action":"run-step","stack":"launcher""#));
    let back: super::super::AnyAction = serde_json::from_str(&text).unwrap();
    assert_eq!(back, action);
}
