//! The page of hosts: what each answers, the questions they ask, and who reaches whom.

use super::*;
use crate::engine::preflight::Report;
use crate::model::check::{CheckResult, Reach, ReachOutcome, Verdict};

#[rstest]
fn the_page_of_hosts(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let site = Site::new();
    let mut empty = desk(&site);
    empty.wizard.choose(wizard_sample::preset());
    empty.wizard.go(Page::Hosts);
    Stage::of(empty, size).picture("hosts-empty", &site);
    let mut desk = whole_at(&site, Page::Hosts);
    desk.wizard.add_hosts(
        crate::wizard::read_list("back-1 10.0.0.21\nback-2 10.0.0.22 ops\nback-3 10.0.0.23").0,
    );
    for number in 1..4 {
        desk.toggle_role(number, "worker");
    }
    known(&mut desk, 0, 3, 2);
    let hosts = desk.wizard.draft().hosts.clone();
    let failure = Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "10.0.0.21 port 22 does not answer\u{1b}[2J".to_owned(),
        causes: vec!["no answer within 15 s".to_owned()],
        hint: Some("check the address, and that a firewall lets port 22 through".to_owned()),
        command: None,
    };
    desk.attempts
        .insert(hosts[1].slot, Attempt::Failed(failure));
    desk.attempts.insert(hosts[2].slot, Attempt::Connecting);
    desk.attempts.insert(hosts[3].slot, Attempt::Waiting);
    let mut stage = Stage::of(desk, size);
    stage.picture("hosts-known", &site);
    stage.press(KeyCode::Down);
    stage.picture("hosts-failed", &site);
    let (reply, _answer) = sync_channel(1);
    let key = UnknownHostKey {
        host: "back-3".parse().unwrap(),
        address: "10.0.0.23:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BrVbCG4mVMC9yBgl1ZXIwPzk".to_owned(),
    };
    stage.app.screen_mut().question = Some((hosts[3].slot, Question::HostKey(key, reply)));
    stage.picture("hosts-asked", &site);
    stage.press(KeyCode::F(4));
    stage.picture("hosts-fingerprint", &site);
    stage.keys(&[KeyCode::Esc, KeyCode::Enter]);
    stage.picture("hosts-edit", &site);
}

#[rstest]
fn who_reaches_whom(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, Page::Hosts), size);
    stage.press(KeyCode::Char('g'));
    assert!(stage.shown().contains("first every host must be known"));
    let reach = |from: &str, to: &str, port, outcome| Reach {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        port,
        outcome,
    };
    let shut = CheckResult {
        id: "reach".to_owned(),
        host: Some("head".parse().unwrap()),
        title: "Reached by the others".to_owned(),
        verdict: Verdict::Fail,
        found: "worker (10.0.0.13) cannot open port 6379 here (Ray): no answer\u{1b}[2J".to_owned(),
        cause: None,
        remedy: Some("open it on the host, and in every firewall on the way".to_owned()),
        command: Some("sudo ufw allow from 10.0.0.13 to any port 6379 proto tcp".to_owned()),
        opening: None,
        mends: false,
    };
    let report = Report {
        checks: vec![shut],
        reach: vec![
            reach("ui", "head", 6379, ReachOutcome::Open),
            reach("worker", "head", 6379, ReachOutcome::TimedOut),
            reach("head", "worker", 11000, ReachOutcome::Open),
        ],
    };
    let desk = &mut stage.app.screen_mut().desk;
    desk.find_paths(Tried::Known(report));
    stage.press(KeyCode::Char('g'));
    stage.picture("hosts-paths", &site);
    stage.keys(&[KeyCode::Down, KeyCode::Down, KeyCode::Esc]);
    assert!(stage.shown().contains("Roles"));
    stage.press(KeyCode::Char('1'));
    assert_eq!(*stage.screen().desk.paths(), Tried::Nothing);
}

#[test]
fn a_key_of_a_host_is_answered() {
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, Page::Hosts), (80, 24));
    let (reply, answer) = sync_channel(1);
    let key = UnknownHostKey {
        host: "web".parse().unwrap(),
        address: "10.0.0.11:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:abc".to_owned(),
    };
    stage.app.screen_mut().question = Some((1, Question::HostKey(key, reply)));
    stage.keys(&[KeyCode::F(4), KeyCode::Enter]);
    assert!(
        answer.try_recv().is_err(),
        "Enter gives the safe answer, which is later"
    );
    stage.keys(&[KeyCode::F(4), KeyCode::Char('y')]);
    assert_eq!(answer.try_recv(), Ok(true));
}
