//! The same pages while they only look for the wizard: what they show, and the way back.

use super::*;

fn looking(size: (u16, u16), messages: Vec<Message>) -> Theatre {
    let mut stage = shown_with(size, begun());
    stage.app.screen_mut().setup.for_wizard = true;
    for message in messages.into_iter().skip(begun().len()) {
        match message {
            Message::Told(record) => stage.app.screen_mut().told(&record),
            _ => stage.app.screen_mut().over = true,
        }
    }
    stage
}

fn failed_check(id: &str) -> Vec<Message> {
    let mut messages = begun();
    let check = CheckResult {
        id: id.to_owned(),
        ..check("Ports", Verdict::Fail)
    };
    messages.push(told(7, Event::CheckEnded { check }));
    over(messages, Outcome::ChecksFailed)
}

#[rstest]
fn the_plan_with_the_way_back(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    snapshot!(looking(size, over(planned(), Outcome::NothingToDo)));
}

#[rstest]
fn failed_checks_with_the_way_to_the_answer(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = looking(size, failed_check("ports"));
    snapshot!(stage);
    assert!(matches!(stage.press(KeyCode::Char('m')), Effect::Leave));
    assert!(stage.app.screen().mending().is_some());
}

#[test]
fn a_check_that_no_answer_is_about_leads_only_back() {
    let mut stage = looking((80, 24), failed_check("inodes"));
    assert!(!stage.text().contains("mend the answer"));
    assert!(matches!(stage.press(KeyCode::Char('m')), Effect::None));
    assert!(matches!(stage.press(KeyCode::Char('w')), Effect::Leave));
    assert!(stage.app.screen().mending().is_none());
}

#[test]
fn a_host_that_cannot_be_reached_leads_to_its_address() {
    let mut messages = begun();
    let (host, failure) = (host("node-3"), no_room());
    messages.push(told(
        7,
        Event::HostLost {
            host: host.clone(),
            failure: failure.clone(),
        },
    ));
    let mut stage = looking((80, 24), over(messages, Outcome::Failed(failure)));
    assert!(matches!(stage.press(KeyCode::Char('m')), Effect::Leave));
    assert_eq!(stage.app.screen().mending(), Some(&Mending::of_host(&host)));
}
