use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;
use rstest::rstest;

mod sample;

use sample::*;

use super::*;
use crate::engine::helm::Wish;
use crate::model::check::{CheckResult, Verdict};
use crate::model::docker::LayerProgress;
use crate::model::event::{Event, Stage, StepResult};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::{RunId, StepId};
use crate::model::operator::{SecretRequest, UnknownHostKey};
use crate::model::plan::{Description, Phase, Probe, StepSummary};
use crate::ui::channel::Message;
use crate::ui::tui::{App, Effect, Look, Screen};

/// Gives what it was filled with, and counts what it was told.
#[derive(Debug, Default)]
struct Scripted {
    messages: VecDeque<Message>,
    stopped: std::rc::Rc<std::cell::Cell<u32>>,
    again: std::rc::Rc<std::cell::Cell<u32>>,
    wishes: std::rc::Rc<std::cell::RefCell<Vec<Wish>>>,
    earlier: VecDeque<Told>,
}

impl Source for Scripted {
    fn next(&mut self, _now: Timestamp) -> Heard {
        self.messages
            .pop_front()
            .map_or(Heard::Nothing, Heard::Message)
    }

    fn stop(&mut self) {
        self.stopped.set(self.stopped.get() + 1);
    }

    fn pause(&mut self, paused: bool) -> bool {
        let told = Event::Paused { paused };
        self.messages.push_back(sample::told(252, told));
        true
    }

    fn wish(&mut self, wish: Wish) -> bool {
        self.wishes.borrow_mut().push(wish);
        true
    }

    fn earlier(&mut self) -> Option<Told> {
        self.earlier.pop_front()
    }

    fn again(&mut self) -> bool {
        self.again.set(self.again.get() + 1);
        true
    }
}

/// A run on the screen, with keys to press.
struct Theatre {
    app: App<RunScreen>,
    now: Timestamp,
    stopped: std::rc::Rc<std::cell::Cell<u32>>,
    again: std::rc::Rc<std::cell::Cell<u32>>,
    wishes: std::rc::Rc<std::cell::RefCell<Vec<Wish>>>,
    size: (u16, u16),
}

fn start() -> Timestamp {
    "2026-11-20T12:30:00Z".parse().unwrap()
}

fn shown_with(size: (u16, u16), messages: Vec<Message>) -> Theatre {
    shown_after(size, Vec::new(), messages)
}

fn shown_after(size: (u16, u16), earlier: Vec<Message>, messages: Vec<Message>) -> Theatre {
    let earlier = earlier.into_iter().filter_map(|message| match message {
        Message::Told(told) => Some(*told),
        _ => None,
    });
    let source = Scripted {
        messages: messages.into(),
        earlier: earlier.collect(),
        ..Scripted::default()
    };
    let wishes = source.wishes.clone();
    let (stopped, again) = (source.stopped.clone(), source.again.clone());
    let shell = vec!["true".to_owned()];
    let setup = Setup {
        again: "syntho-installer deploy acme-prod".to_owned(),
        shells: BTreeMap::from([(host("node-3"), shell)]),
        host_keys: BTreeMap::new(),
        save_folder: Utf8PathBuf::from("/nowhere"),
        zone: TimeZone::UTC,
        recorded: false,
        for_wizard: false,
        expected: std::collections::HashMap::new(),
        place: None,
    };
    let screen = RunScreen::new(Box::new(source), setup);
    let now = start() + SignedDuration::from_secs(252);
    let mut app = App::new(screen, Look::FULL, Size::new(size.0, size.1), now);
    // A turn takes in only so much.
    while matches!(app.turn(now), Effect::Draw) {}
    Theatre {
        app,
        now,
        stopped,
        again,
        wishes,
        size,
    }
}

impl Theatre {
    fn press(&mut self, code: KeyCode) -> Effect {
        let event = KeyEvent::new(code, KeyModifiers::NONE);
        let effect = self.app.heed(&Input::Key(event));
        self.app.turn(self.now);
        effect
    }

    fn ctrl(&mut self, c: char) -> Effect {
        let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        self.app.heed(&Input::Key(event))
    }

    fn keys(&mut self, keys: &str) {
        for c in keys.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    fn shown(&self) -> TestBackend {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().clone()
    }

    fn text(&self) -> String {
        self.shown().to_string()
    }
}

macro_rules! snapshot {
    ($stage:expr) => {
        let (width, height) = $stage.size;
        insta::with_settings!({ snapshot_suffix => format!("{width}x{height}") }, {
            insta::assert_snapshot!($stage.shown());
        });
    };
}

mod deciding;
mod for_wizard;

#[rstest]
fn hosts_connect(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    snapshot!(shown_with(size, begun()));
}

#[rstest]
fn hosts_at_work(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, working());
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    snapshot!(stage);
}

#[rstest]
fn all_hosts_at_once(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, failed());
    stage.keys("a");
    snapshot!(stage);
}

#[rstest]
fn a_failed_host_is_chosen_and_says_what_it_needs(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    snapshot!(shown_with(size, failed()));
}

#[rstest]
fn the_log_of_a_host(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, failed());
    stage.press(KeyCode::Enter);
    snapshot!(stage);
}

#[rstest]
fn the_checks(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, working());
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Enter);
    snapshot!(stage);
}

#[rstest]
fn the_review(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut messages = planned();
    let (reply, _answer) = sync_channel(1);
    messages.push(Message::Asked(Ask::Review(steps(), reply)));
    let mut stage = shown_with(size, messages);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Enter);
    snapshot!(stage);
}

#[rstest]
fn the_result(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, done());
    stage.app.screen_mut().record = Some(Record {
        path: "/home/op/handover.md".to_owned(),
        text: "# acme-prod\n\nSome product.\n".to_owned(),
    });
    snapshot!(stage);
}

#[rstest]
fn a_run_that_failed(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let failure = no_room().on(&host("node-3"));
    let mut stage = shown_with(size, over(failed(), Outcome::Failed(failure)));
    stage.press(KeyCode::BackTab);
    snapshot!(stage);
}

fn asking_for_review() -> (Vec<Message>, Receiver<bool>) {
    let mut messages = planned();
    let (reply, answer) = sync_channel(1);
    messages.push(Message::Asked(Ask::Review(steps(), reply)));
    (messages, answer)
}

#[rstest]
#[case('y', true)]
#[case('n', false)]
fn the_plan_is_accepted_or_refused(#[case] key: char, #[case] accepted: bool) {
    let (messages, answer) = asking_for_review();
    let mut stage = shown_with((80, 24), messages);
    assert!(answer.try_recv().is_err(), "nothing before the answer");
    stage.press(KeyCode::Char(key));
    assert_eq!(answer.try_recv(), Ok(accepted));
    assert!(
        stage.text().contains("connect files images"),
        "back at the hosts"
    );
}

#[test]
fn stopping_while_the_plan_is_shown_refuses_it() {
    let (messages, answer) = asking_for_review();
    let mut stage = shown_with((80, 24), messages);
    stage.ctrl('c');
    assert!(stage.text().contains("Stop safely"));
    stage.press(KeyCode::Char('s'));
    assert_eq!(answer.try_recv(), Ok(false));
    assert_eq!(stage.stopped.get(), 1);
}

#[test]
fn ctrl_c_twice_leaves_at_once() {
    let mut stage = shown_with((80, 24), working());
    assert!(matches!(stage.ctrl('c'), Effect::Draw));
    assert!(matches!(stage.ctrl('c'), Effect::Leave));
    assert!(stage.app.screen().left_at_once());
    assert_eq!(stage.stopped.get(), 1);
}

#[test]
fn a_signal_stops_safely_and_leaves_when_the_run_has_ended() {
    let mut stage = shown_with((80, 24), working());
    assert!(matches!(stage.app.signalled(false), Effect::Draw));
    assert_eq!(stage.stopped.get(), 1);
    assert!(stage.text().contains("stopping at the next safe point"));
}

#[test]
fn a_host_key_is_shown_and_answered() {
    let (reply, answer) = sync_channel(1);
    let key = UnknownHostKey {
        host: host("ui"),
        address: "10.0.0.11:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:abc".to_owned(),
    };
    let mut messages = begun();
    messages.push(Message::Asked(Ask::HostKey(key, reply)));
    let mut stage = shown_with((80, 24), messages);
    insta::assert_snapshot!(stage.shown());
    stage.keys("y");
    assert_eq!(answer.try_recv(), Ok(true));
    assert!(!stage.text().contains("Needs you"));
}

#[test]
fn a_secret_is_typed_unseen() {
    use secrecy::ExposeSecret;
    let (reply, answer) = sync_channel(1);
    let request = SecretRequest::SudoPassword {
        host: host("ui"),
        user: "deploy".to_owned(),
    };
    let mut messages = begun();
    messages.push(Message::Asked(Ask::Secret(request, reply)));
    let mut stage = shown_with((80, 24), messages);
    stage.keys("qy!");
    stage.app.heed(&Input::Paste("pass\n".to_owned()));
    insta::assert_snapshot!(stage.shown());
    stage.ctrl('r');
    assert!(stage.text().contains("qy!pass"));
    stage.press(KeyCode::Enter);
    assert_eq!(
        answer.try_recv().unwrap().unwrap().expose_secret(),
        "qy!pass"
    );
}

#[test]
fn what_a_host_prints_never_reaches_the_terminal_raw() {
    let mut stage = shown_with((120, 40), working());
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Enter);
    let text = stage.text();
    assert!(
        text.contains("(412 MB) <U+202E>reversed␛]0;owned␇"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
}

#[test]
fn a_log_is_searched() {
    let mut stage = shown_with((80, 24), failed());
    stage.press(KeyCode::Enter);
    stage.keys("/space");
    assert!(stage.text().contains("/space"));
    stage.press(KeyCode::Enter);
    assert!(stage.text().contains("no space left"));
    stage.keys("/nowhere");
    stage.press(KeyCode::Enter);
    assert!(stage.text().contains("not found"), "{}", stage.text());
    stage.press(KeyCode::Esc);
    assert!(stage.text().contains("connect files"));
}

#[test]
fn a_run_that_failed_is_tried_again() {
    let failure = no_room().on(&host("node-3"));
    let mut stage = shown_with((80, 24), over(failed(), Outcome::Failed(failure)));
    assert!(stage.text().contains("r try again"));
    stage.keys("r");
    assert_eq!(stage.again.get(), 1);
    assert!(stage.text().contains("starting"));
}

#[test]
fn while_others_work_only_the_failed_host_is_tried_again() {
    let mut stage = shown_with((80, 24), failed());
    assert!(stage.text().contains("the others go on"));
    stage.keys("r");
    assert_eq!(stage.again.get(), 0);
    assert_eq!(*stage.wishes.borrow(), [Wish::Retry(host("node-3"))]);
    // Of a host that has not failed there is nothing to try again.
    stage.press(KeyCode::Up);
    stage.keys("r");
    assert_eq!(stage.wishes.borrow().len(), 1);
}

#[test]
fn a_shell_opens_where_one_is_known() {
    let mut stage = shown_with((80, 24), failed());
    let effect = stage.press(KeyCode::Char('!'));
    assert!(matches!(effect, Effect::Outside(_)), "{effect:?}");
    stage.press(KeyCode::Up);
    let effect = stage.press(KeyCode::Char('!'));
    assert!(matches!(effect, Effect::None), "{effect:?}");
}

#[test]
fn the_failure_is_copied() {
    let mut stage = shown_with((80, 24), failed());
    let Effect::Copy(text) = stage.press(KeyCode::Char('c')) else {
        panic!("nothing copied");
    };
    assert!(text.starts_with("no space left on /var/lib/docker\n  1.1 GB free"));
}

#[test]
fn a_click_chooses_a_host() {
    let mut stage = shown_with((80, 24), working());
    stage.app.heed(&Input::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: 5,
        row: 4,
        modifiers: KeyModifiers::NONE,
    }));
    assert_eq!(stage.app.screen().chosen_host(), Some(host("node-1")));
}

#[test]
fn every_key_that_is_shown_does_what_it_says() {
    for messages in [begun(), working(), failed(), done()] {
        let stage = shown_with((80, 24), messages);
        let screen = stage.app.screen();
        for binding in screen.bindings() {
            let first = binding.keys[0];
            let found = crate::ui::tui::keys::action_of(&screen.bindings(), first);
            assert_eq!(found, Some(binding.action), "{}", first.name());
        }
    }
}
