use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::sync_channel;

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind,
};
use ratatui::layout::Size;
use rstest::rstest;
use secrecy::ExposeSecret;

mod sample;

use sample::*;

use super::*;
use crate::engine::watch::LogScope;
use crate::model::operator::{SecretRequest, UnknownHostKey};
use crate::ui::tui::{App, Effect, Look};

/// What a feed was told, and what it will tell.
#[derive(Debug, Default)]
struct Wire {
    news: VecDeque<News>,
    followed: Vec<Option<LogScope>>,
    refreshed: u32,
}

#[derive(Debug, Default)]
struct Scripted(Rc<RefCell<Wire>>);

impl Feed for Scripted {
    fn next(&mut self) -> Option<News> {
        self.0.borrow_mut().news.pop_front()
    }

    fn refresh(&mut self) {
        self.0.borrow_mut().refreshed += 1;
    }

    fn follow(&mut self, scope: &LogScope) {
        self.0.borrow_mut().followed.push(Some(scope.clone()));
    }

    fn unfollow(&mut self) {
        self.0.borrow_mut().followed.push(None);
    }
}

/// A dashboard with keys to press.
struct Theatre {
    app: App<DashboardScreen>,
    wire: Rc<RefCell<Wire>>,
    now: Timestamp,
    size: (u16, u16),
}

fn shown_with(size: (u16, u16), hosts: &[&str], seen: Vec<Watched>) -> Theatre {
    looked(size, hosts, seen, Look::FULL)
}

fn looked(size: (u16, u16), hosts: &[&str], seen: Vec<Watched>, look: Look) -> Theatre {
    let feed = Scripted::default();
    let wire = Rc::clone(&feed.0);
    let hosts = hosts.iter().enumerate();
    let hosts: Vec<_> = hosts
        .map(|(at, name)| (host(name), format!("10.0.0.{}", 11 + at)))
        .collect();
    let setup = Setup {
        name: "acme-prod".to_owned(),
        title: "Some product on several machines".to_owned(),
        shells: [(host("node-1"), vec!["true".to_owned()])].into(),
        hosts,
        save_folder: Utf8PathBuf::from("/nowhere"),
        zone: TimeZone::UTC,
    };
    let screen = DashboardScreen::new(Box::new(feed), setup, access());
    let app = App::new(screen, look, Size::new(size.0, size.1), now());
    let mut theatre = Theatre {
        app,
        wire,
        now: now(),
        size,
    };
    theatre.see(seen);
    theatre
}

impl Theatre {
    fn see(&mut self, seen: Vec<Watched>) {
        self.wire
            .borrow_mut()
            .news
            .extend(seen.into_iter().map(News::Seen));
        self.turn();
    }

    fn turn(&mut self) {
        while !self.wire.borrow().news.is_empty() {
            self.app.turn(self.now);
        }
        self.app.turn(self.now);
    }

    fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.turn();
    }

    fn press(&mut self, code: KeyCode) -> Effect {
        let effect = self
            .app
            .heed(&Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        self.app.turn(self.now);
        effect
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

    fn followed(&self) -> Vec<Option<LogScope>> {
        self.wire.borrow().followed.clone()
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

const THREE: [&str; 3] = ["ui", "node-1", "node-2"];

#[rstest]
fn nothing_is_known_yet(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let connecting = THREE.map(|name| Watched::Connecting { host: host(name) });
    let stage = shown_with(size, &THREE, connecting.into());
    snapshot!(stage);
}

#[rstest]
fn one_host_is_read_before_the_others(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let stage = shown_with(size, &THREE, vec![read("node-1", well("node-1"))]);
    snapshot!(stage);
}

#[rstest]
fn all_is_well(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let stage = shown_with(size, &THREE, all_well());
    snapshot!(stage);
}

#[rstest]
fn services_are_unhealthy_and_restart(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.see(vec![read("ui", troubled())]);
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Down);
    snapshot!(stage);
}

#[rstest]
fn a_host_is_down_and_its_last_state_is_old(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.later(42);
    stage.see(vec![
        read_at("ui", well("ui"), stage.now),
        read_at("node-2", well("node-2"), stage.now),
        lost("node-1", Some(stage.now + SignedDuration::from_secs(16))),
    ]);
    stage.press(KeyCode::Tab);
    snapshot!(stage);
}

#[rstest]
fn docker_does_not_answer(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.see(vec![without_docker("ui")]);
    snapshot!(stage);
}

#[rstest]
fn twenty_hosts_are_scrolled(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let names: Vec<String> = (1..=20).map(|number| format!("node-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = names.iter().map(|name| read(name, well(name))).collect();
    let mut stage = shown_with(size, &names, seen);
    for _ in 0..11 {
        stage.press(KeyCode::Tab);
    }
    snapshot!(stage);
}

#[rstest]
fn a_log_is_followed(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("a");
    stage.see(lines(60));
    snapshot!(stage);
}

#[rstest]
fn a_log_stands_still(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("a");
    stage.see(lines(60));
    stage.press(KeyCode::PageUp);
    let before = stage.text();
    stage.see(lines(5));
    // The same lines; only their number has grown.
    let first = |text: &str| text.lines().nth(3).unwrap().to_owned();
    assert_eq!(first(&before), first(&stage.text()));
    snapshot!(stage);
}

#[rstest]
fn a_log_is_searched(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("a");
    stage.see(lines(60));
    stage.keys("/request 4");
    assert!(stage.text().contains("/request 4"), "{}", stage.text());
    stage.press(KeyCode::Enter);
    snapshot!(stage);
}

#[rstest]
fn a_log_is_filtered(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("a");
    stage.see(lines(60));
    stage.keys("tstatus 500");
    stage.press(KeyCode::Enter);
    stage.keys("o");
    snapshot!(stage);
}

#[test]
fn a_filter_is_typed_in_sight_and_undone() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.keys("a");
    stage.see(lines(60));
    stage.keys("tnothing like it");
    assert!(
        stage.text().contains("lines with: nothing like it"),
        "{}",
        stage.text()
    );
    stage.press(KeyCode::Enter);
    assert!(!stage.text().contains("request"), "{}", stage.text());
    stage.keys("t");
    stage.press(KeyCode::Enter);
    assert!(stage.text().contains("request 59"), "{}", stage.text());
}

#[rstest]
fn hostile_lines_are_shown_as_text(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("a");
    stage.see(hostile());
    snapshot!(stage);
}

#[test]
fn hostile_names_are_shown_as_text() {
    let mut stage = shown_with((80, 24), &["ui"], vec![read("ui", spoiled())]);
    stage.press(KeyCode::Down);
    insta::assert_snapshot!(stage.shown());
}

#[rstest]
fn addresses_and_the_record(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    stage.keys("e");
    snapshot!(stage);
}

#[rstest]
fn a_host_key_is_asked_about(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, &THREE, all_well());
    let (reply, answer) = sync_channel(1);
    let key = UnknownHostKey {
        host: host("node-2"),
        address: "10.0.0.13:22".to_owned(),
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:uKJ0aCLGRpRnHfOUXmAFvqVvWS2xw4oVcQzjQmFqIdw".to_owned(),
    };
    stage
        .wire
        .borrow_mut()
        .news
        .push_back(News::Asked(Ask::HostKey(key, reply)));
    stage.turn();
    snapshot!(stage);
    stage.keys("y");
    assert!(answer.try_recv().unwrap());
    assert!(!stage.text().contains("Needs you"));
}

#[test]
fn a_password_is_typed_unseen_wherever_one_is() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.keys("a");
    let (reply, answer) = sync_channel(1);
    let request = SecretRequest::SshPassword {
        host: host("node-2"),
        user: "deploy".to_owned(),
    };
    stage
        .wire
        .borrow_mut()
        .news
        .push_back(News::Asked(Ask::Secret(request, reply)));
    stage.turn();
    stage.keys("q?f");
    insta::assert_snapshot!(stage.shown());
    stage.press(KeyCode::Enter);
    assert_eq!(answer.try_recv().unwrap().unwrap().expose_secret(), "q?f");
    assert_eq!(stage.app.screen().page, Page::Log);
}

#[test]
fn nobody_waits_for_an_answer_when_the_dashboard_is_left() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    let (reply, answer) = sync_channel(1);
    let request = SecretRequest::SudoPassword {
        host: host("ui"),
        user: "deploy".to_owned(),
    };
    stage
        .wire
        .borrow_mut()
        .news
        .push_back(News::Asked(Ask::Secret(request, reply)));
    stage.turn();
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(matches!(stage.app.heed(&Input::Key(ctrl_c)), Effect::Leave));
    assert!(answer.try_recv().unwrap().is_none());
    assert_eq!(stage.app.screen_mut().wanted(), Wanted::Leave);
}

#[test]
fn a_log_is_of_what_is_chosen_and_ends_with_its_page() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.press(KeyCode::Down);
    stage.press(KeyCode::Enter);
    stage.press(KeyCode::Esc);
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Enter);
    stage.press(KeyCode::Esc);
    stage.keys("a");
    let of = |host_name: &str, service: Option<&str>| {
        Some(LogScope {
            host: Some(host(host_name)),
            service: service.map(|service| ("application".to_owned(), service.to_owned())),
        })
    };
    assert_eq!(
        stage.followed(),
        [
            of("ui", Some("web")),
            None,
            of("node-1", None),
            None,
            Some(LogScope::default())
        ]
    );
}

#[test]
fn lines_that_come_late_do_not_get_into_the_next_log() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.keys("a");
    stage.press(KeyCode::Esc);
    stage.see(lines(3));
    stage.keys("a");
    assert!(!stage.text().contains("request"), "{}", stage.text());
}

#[rstest]
#[case('v', Wanted::Verify)]
#[case('d', Wanted::Deploy)]
#[case('l', Wanted::Order(Order::Logs))]
#[case('S', Wanted::Order(Order::Support))]
#[case('b', Wanted::Order(Order::Backup))]
#[case('u', Wanted::Order(Order::Upgrade))]
#[case('U', Wanted::Order(Order::Rollback))]
#[case('D', Wanted::Order(Order::Destroy))]
#[case('q', Wanted::Leave)]
fn what_is_wanted_is_told_once(#[case] key: char, #[case] wanted: Wanted) {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    assert!(matches!(stage.press(KeyCode::Char(key)), Effect::Leave));
    assert_eq!(stage.app.screen_mut().wanted(), wanted);
    assert_eq!(stage.app.screen_mut().wanted(), Wanted::Leave);
}

#[test]
fn esc_goes_back_step_by_step() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.keys("e");
    assert!(matches!(stage.press(KeyCode::Esc), Effect::Draw));
    assert!(matches!(stage.press(KeyCode::Esc), Effect::Leave));
    assert_eq!(stage.app.screen_mut().wanted(), Wanted::Deployments);
}

#[test]
fn a_shell_opens_where_one_is_known_and_reads_anew_afterwards() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    assert!(matches!(stage.press(KeyCode::Char('!')), Effect::None));
    stage.press(KeyCode::Tab);
    let Effect::Outside(outing) = stage.press(KeyCode::Char('!')) else {
        panic!("no shell");
    };
    assert_eq!(outing.command.get_program(), "true");
    stage.app.returned(Ok(std::process::ExitStatus::default()));
    assert_eq!(stage.wire.borrow().refreshed, 1);
}

#[test]
fn what_is_chosen_is_copied() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    stage.press(KeyCode::Down);
    let Effect::Copy(text) = stage.press(KeyCode::Char('c')) else {
        panic!("nothing copied");
    };
    assert!(text.contains("registry.example/some/web:1.9.0"), "{text}");
    stage.keys("e");
    let Effect::Copy(text) = stage.press(KeyCode::Char('c')) else {
        panic!("nothing copied");
    };
    assert!(
        text.starts_with("Application: https://acme.example"),
        "{text}"
    );
}

#[test]
fn the_mouse_chooses_a_row_and_opens_it() {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    let click = |row| {
        Input::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 10,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    stage.app.heed(&click(4));
    assert_eq!(
        stage.app.screen().chosen_row(),
        Some(view::Row::Service(0, 0))
    );
    stage.app.heed(&click(4));
    assert_eq!(stage.app.screen().page, Page::Log);
}

#[test]
fn what_is_not_heard_of_grows_old_by_itself() {
    let mut stage = shown_with((80, 24), &["ui"], vec![read("ui", well("ui"))]);
    stage.later(5);
    assert!(stage.text().contains("7 s ago"), "{}", stage.text());
    stage.later(10);
    let text = stage.text();
    assert!(
        text.contains("old: 17 s ago") && text.contains("was healthy"),
        "{text}"
    );
}

#[test]
fn without_colour_and_unicode_nothing_is_lost() {
    let plain = Look {
        colours: crate::ui::tui::theme::Colours::None,
        characters: crate::ui::tui::theme::Characters::Ascii,
        ground: crate::ui::tui::theme::Ground::Dark,
    };
    let mut stage = looked((80, 24), &THREE, all_well(), plain);
    stage.see(vec![read("ui", troubled())]);
    insta::assert_snapshot!(stage.shown());
}

#[rstest]
fn any_size_can_be_drawn(
    #[values(1, 20, 79, 80, 300)] width: u16,
    #[values(1, 23, 24, 90)] height: u16,
) {
    let mut stage = shown_with((80, 24), &THREE, all_well());
    for page in ["", "e", "a"] {
        stage.keys(page);
        stage.size = (width, height);
        stage.app.heed(&Input::Resize(width, height));
        stage.shown();
        stage.press(KeyCode::Esc);
    }
}
