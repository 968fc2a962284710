//! Every page at both sizes, and the ways through them: keys in, screen out.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use rstest::rstest;
use std::sync::mpsc::sync_channel;

use super::*;
use crate::model::facts::RootAccess;
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::HostName;
use crate::model::operator::{SecretRequest, UnknownHostKey};
use crate::model::sample as model_sample;
use crate::ui::desk::Attempt;
use crate::ui::desk::sample::{Site, desk};
use crate::ui::tui::app::{App, Effect};
use crate::wizard::sample as wizard_sample;

mod hosts;

/// The wizard on a terminal that is not there.
struct Stage {
    app: App<WizardScreen>,
    size: (u16, u16),
}

impl Stage {
    fn of(desk: Desk, size: (u16, u16)) -> Self {
        let screen = WizardScreen::new(desk);
        let sized = Size::new(size.0, size.1);
        let app = App::new(screen, Look::FULL, sized, Timestamp::UNIX_EPOCH);
        Self { app, size }
    }

    fn press(&mut self, code: KeyCode) -> Effect {
        self.app
            .heed(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn keys(&mut self, codes: &[KeyCode]) {
        for code in codes {
            self.press(*code);
        }
    }

    fn write(&mut self, text: &str) {
        for c in text.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    fn paste(&mut self, text: &str) {
        self.app.heed(&Event::Paste(text.to_owned()));
    }

    fn shown(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    fn screen(&self) -> &WizardScreen {
        self.app.screen()
    }

    fn draft(&self) -> &crate::wizard::Draft {
        self.screen().desk.wizard.draft()
    }

    /// Takes a picture, the test's folder left out.
    fn picture(&self, name: &str, site: &Site) {
        let folder = site.path("").into_string();
        // The frame behind a shortened path moves; the path is cut to the same length.
        let instead = "/site/".to_owned() + &"-".repeat(folder.len().saturating_sub(6));
        let shown = self.shown().replace(&folder, &instead);
        let name = format!("{name}@{}x{}", self.size.0, self.size.1);
        insta::assert_snapshot!(name, shown);
    }
}

/// Returns a desk whose answers are whole, on a page.
fn whole_at(site: &Site, page: Page) -> Desk {
    let mut desk = desk(site);
    let folder = desk.wizard.draft().folder.clone();
    let mut draft = wizard_sample::whole().draft().clone();
    draft.folder = folder;
    draft.place.page = page;
    draft.visited = PAGES
        .into_iter()
        .take_while(|other| *other < page)
        .collect();
    desk = site.desk_of(draft);
    desk
}

/// Lets a host be known, as if it had been tried.
fn known(desk: &mut Desk, number: usize, gb: u64, cpus: u32) {
    let slot = desk.wizard.draft().hosts[number].slot;
    let name: HostName = "any".parse().unwrap();
    let mut facts = model_sample::facts(&name, model_sample::address(number));
    facts.memory = gb << 30;
    facts.cpus = cpus;
    desk.wizard.learn(slot, facts);
    let root = RootAccess::Passwordless;
    desk.attempts
        .insert(slot, Attempt::Known { took_ms: 80, root });
}

#[rstest]
fn the_first_page(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let site = Site::new();
    let mut stage = Stage::of(desk(&site), size);
    stage.picture("option-empty", &site);
    stage.press(KeyCode::Enter);
    stage.write("Acme");
    stage.picture("option-wrong", &site);
    stage.keys(&[KeyCode::Backspace; 4]);
    stage.write("acme");
    stage.picture("option-filled", &site);
}

#[rstest]
fn a_page_of_every_kind(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let site = Site::new();
    for page in [
        Page::Images,
        Page::Sizing,
        Page::Application,
        Page::Auth,
        Page::Tls,
        Page::Review,
    ] {
        let mut desk = whole_at(&site, page);
        known(&mut desk, 0, 3, 2);
        let stage = Stage::of(desk, size);
        stage.picture(&format!("page-{page:?}").to_lowercase(), &site);
    }
}

#[test]
fn a_password_that_a_host_wants_is_kept_for_the_others() {
    use secrecy::ExposeSecret;
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, Page::Hosts), (80, 24));
    let (reply, answer) = sync_channel(1);
    let request = SecretRequest::SshPassword {
        host: "web".parse().unwrap(),
        user: "deploy".to_owned(),
    };
    stage.app.screen_mut().question = Some((1, Question::Secret(request, reply)));
    stage.press(KeyCode::F(4));
    stage.write("open sesame");
    assert!(!stage.shown().contains("sesame"));
    stage.press(KeyCode::Enter);
    let given = answer.try_recv().unwrap().unwrap();
    assert_eq!(given.expose_secret(), "open sesame");
    let id = "ssh-password".parse().unwrap();
    assert!(stage.screen().desk.secrets().get(&id).is_some());
    let text = fs_err::read_to_string(stage.screen().desk.draft_path()).unwrap();
    assert!(!text.contains("sesame"), "{text}");
}

#[test]
fn from_nothing_to_an_answers_file_by_keys_alone() {
    let site = Site::new();
    let mut stage = Stage::of(desk(&site), (80, 24));
    stage.press(KeyCode::Enter);
    stage.write("acme");
    stage.keys(&[KeyCode::Enter, KeyCode::Enter]);
    stage.write("1.9.0");
    stage.press(KeyCode::PageDown);
    stage.press(KeyCode::Char('l'));
    stage.write("deploy");
    stage.keys(&[KeyCode::Esc, KeyCode::Char('a')]);
    stage.write("web");
    stage.press(KeyCode::Enter);
    stage.write("10.0.0.11");
    stage.keys(&[
        KeyCode::Esc,
        KeyCode::Char('1'),
        KeyCode::PageDown,
        KeyCode::PageDown,
    ]);
    stage.write("shop.acme.example");
    stage.press(KeyCode::PageDown);
    stage.write("admin@acme.example");
    stage.keys(&[KeyCode::PageDown, KeyCode::PageDown]);
    assert!(stage.screen().all.is_valid(), "{}", stage.shown());
    stage.press(KeyCode::Char('w'));
    assert!(matches!(stage.press(KeyCode::Enter), Effect::Leave));
    let (desk, ending) = stage.app.into_screen().finish();
    let path = site.path("acme.toml");
    assert_eq!(ending, Ending::Written(path.clone()));
    assert_eq!(
        fs_err::read_to_string(path).unwrap(),
        desk.answers_for(&desk.proposed_path())
    );
    // The same answers give the same file, whichever front end they came from.
    let plain = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ui/line/wizard/snapshots/syntho_installer__ui__line__wizard__tests__a_walk_to_the_end_writes_the_answers.snap")).unwrap();
    let plain = plain.rsplit("---\n").next().unwrap();
    assert_eq!(desk.answers_for(&desk.proposed_path()).trim(), plain.trim());
}

#[rstest]
fn the_registry_is_asked(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let site = Site::new();
    let mut desk = whole_at(&site, Page::Images);
    desk.wizard.stand_at(&Key::new("images.tag"));
    let lacking = Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "syntho.azurecr.io/shop:1.9.0 is not in the registry".to_owned(),
        causes: vec!["tags that are there: 1.9.1\u{1b}[2J, 1.8.0".to_owned()],
        hint: None,
        command: None,
    };
    let reference = crate::model::image::ImageRef::parse("shop:1.9.0").unwrap();
    let offer = crate::engine::trial::Offer::Known {
        found: 1,
        lacking: vec![(reference, lacking)],
    };
    desk.say_of_registry(offer);
    Stage::of(desk, size).picture("images-registry", &site);
}

#[test]
fn back_and_forward_nothing_is_lost() {
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, Page::Review), (80, 24));
    let before = stage.draft().fields.clone();
    for _ in PAGES {
        stage.press(KeyCode::PageUp);
    }
    assert_eq!(stage.screen().page(), Page::Option);
    for _ in PAGES {
        stage.press(KeyCode::PageDown);
    }
    assert_eq!(stage.screen().page(), Page::Review);
    assert_eq!(stage.draft().fields, before);
}

#[rstest]
fn whatever_is_left_comes_back(
    #[values(
        Page::Option,
        Page::Images,
        Page::Hosts,
        Page::Sizing,
        Page::Application,
        Page::Auth,
        Page::Tls,
        Page::Review
    )]
    page: Page,
) {
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, page), (80, 24));
    if page != Page::Review {
        stage.keys(&[KeyCode::Down, KeyCode::Enter]);
    }
    let (place, fields) = (stage.draft().place.clone(), stage.draft().fields.clone());
    let shown = stage.shown();
    // No more is done: as after a kill, only what is on disk is left.
    let draft = site.last_draft().unwrap();
    assert_eq!(draft.place, place);
    assert_eq!(draft.fields, fields);
    let again = Stage::of(site.desk_of(draft), (80, 24));
    assert_eq!(again.shown(), shown);
}

#[test]
fn a_list_that_is_pasted_becomes_hosts() {
    let site = Site::new();
    let mut desk = desk(&site);
    desk.wizard.choose(wizard_sample::preset());
    desk.wizard.go(Page::Hosts);
    let mut stage = Stage::of(desk, (80, 24));
    stage.paste("name address user\nweb 10.0.0.1 deploy\nback 10.0.0.2\n10.0.0.3:99999");
    assert_eq!(stage.draft().hosts.len(), 2);
    assert!(
        stage.shown().contains("2 hosts added; line 4"),
        "{}",
        stage.shown()
    );
    stage.press(KeyCode::Char('x'));
    assert_eq!(stage.draft().hosts.len(), 2, "it asks first");
    stage.press(KeyCode::Char('y'));
    assert_eq!(stage.draft().hosts.len(), 1);
}

#[test]
fn hosts_of_the_ssh_config_are_imported() {
    let site = Site::new();
    fs_err::create_dir(site.path(".ssh")).unwrap();
    fs_err::write(
        site.path(".ssh/config"),
        "Host one\n HostName 10.0.0.1\nHost two\n User ops\n",
    )
    .unwrap();
    let mut stage = Stage::of(whole_at(&site, Page::Hosts), (80, 24));
    stage.press(KeyCode::Char('i'));
    stage.picture("hosts-import", &site);
    stage.keys(&[KeyCode::Down, KeyCode::Char(' '), KeyCode::Enter]);
    assert_eq!(stage.draft().hosts[1].address, "two");
}

#[test]
fn a_secret_shows_only_while_its_key_is_held() {
    let site = Site::new();
    let mut desk = whole_at(&site, Page::Application);
    desk.wizard.stand_at(&Key::new("secrets.license-key"));
    let mut stage = Stage::of(desk, (80, 24));
    stage.paste("AAAA-BBBB\r\nCCCC\n");
    assert!(!stage.shown().contains("AAAA"));
    stage.press(KeyCode::F(8));
    assert!(stage.shown().contains("AAAA-BBBBCCCC"));
    let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(3);
    stage.app.turn(later);
    assert!(!stage.shown().contains("AAAA"));
    stage.press(KeyCode::Down);
    assert!(
        stage.shown().contains("typed, 13 characters"),
        "{}",
        stage.shown()
    );
    assert!(
        !fs_err::read_to_string(stage.screen().desk.draft_path())
            .unwrap()
            .contains("AAAA")
    );
}

#[test]
fn a_secret_that_breaks_its_rule_holds_the_field() {
    let site = Site::new();
    let mut desk = whole_at(&site, Page::Application);
    desk.wizard.stand_at(&Key::new("secrets.license-key"));
    let mut stage = Stage::of(desk, (80, 24));
    stage.write("short");
    assert!(
        stage.shown().contains("must have at least 8 characters"),
        "{}",
        stage.shown()
    );
    stage.press(KeyCode::Down);
    assert_eq!(
        stage.screen().form.focus(),
        Some(&Key::new("secrets.license-key"))
    );
    stage.press(KeyCode::F(5));
    stage.write("LICENCE");
    stage.press(KeyCode::Enter);
    assert!(
        stage.shown().contains("from the variable LICENCE"),
        "{}",
        stage.shown()
    );
}

#[test]
fn a_proposal_is_taken_by_its_key() {
    let site = Site::new();
    let mut desk = whole_at(&site, Page::Sizing);
    known(&mut desk, 0, 64, 16);
    let mut stage = Stage::of(desk, (80, 24));
    assert!(
        stage.shown().contains("half of the host's 64 GB"),
        "{}",
        stage.shown()
    );
    stage.keys(&[KeyCode::F(3), KeyCode::Enter]);
    let key = Key::new("answers.worker-memory");
    assert_eq!(stage.draft().text(&key), Some("32768m"));
}

#[test]
fn the_review_leads_to_what_is_wrong() {
    let site = Site::new();
    let mut desk = whole_at(&site, Page::Review);
    let look = desk.look();
    let port = look.field(&Key::new("answers.web-port")).unwrap().clone();
    desk.accept(&port, "99999");
    let mut stage = Stage::of(desk, (80, 24));
    stage.picture("review-wrong", &site);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.screen().page(), Page::Application);
    assert_eq!(stage.screen().form.focus(), Some(&port.key));
}

#[test]
fn what_an_archive_holds_is_told_on_its_page() {
    let site = Site::new();
    fs_err::write(site.path("notes.txt"), "no archive at all").unwrap();
    let mut desk = whole_at(&site, Page::Images);
    for (key, text) in [("images.source", "bundle"), ("images.bundle", "notes.txt")] {
        let field = desk.look().field(&Key::new(key)).unwrap().clone();
        desk.accept(&field, text);
    }
    desk.wizard.stand_at(&Key::new("images.bundle"));
    let mut stage = Stage::of(desk, (80, 24));
    let began = std::time::Instant::now();
    while !stage.shown().contains("✖ ") {
        assert!(began.elapsed().as_secs() < 20, "{}", stage.shown());
        stage.app.turn(Timestamp::UNIX_EPOCH);
    }
    assert!(stage.shown().contains("notes.txt"), "{}", stage.shown());
}

#[test]
fn leaving_asks_and_keeps_everything() {
    let site = Site::new();
    let mut stage = Stage::of(whole_at(&site, Page::Application), (80, 24));
    stage.press(KeyCode::Down);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    stage.app.heed(&Event::Key(ctrl_c));
    stage.picture("leave", &site);
    stage.press(KeyCode::Char('s'));
    assert!(!stage.shown().contains("comes back to this place"));
    stage.app.heed(&Event::Key(ctrl_c));
    assert!(matches!(stage.press(KeyCode::Enter), Effect::Leave));
    let (_, ending) = stage.app.into_screen().finish();
    assert_eq!(ending, Ending::Left);
}

#[test]
fn every_key_of_the_bar_is_explained_and_none_panics() {
    let site = Site::new();
    let codes = [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Delete,
        KeyCode::Backspace,
        KeyCode::F(2),
        KeyCode::F(3),
        KeyCode::F(4),
        KeyCode::F(5),
        KeyCode::F(8),
        KeyCode::Char(' '),
        KeyCode::Char('a'),
        KeyCode::Char('d'),
        KeyCode::Char('x'),
        KeyCode::Char('y'),
        KeyCode::Char('1'),
        KeyCode::Char('é'),
    ];
    // A simple generator: the same walk every time.
    let mut seed: u64 = 7;
    let mut stage = Stage::of(whole_at(&site, Page::Hosts), (80, 24));
    for step in 0..600 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let code = codes[usize::try_from(seed >> 33).unwrap() % codes.len()];
        stage.press(code);
        if step % 20 == 0 {
            stage.size = [(1, 1), (80, 24), (200, 60), (79, 23), (120, 40)][step / 20 % 5];
            let _ = stage.shown();
        }
        for binding in stage.screen().bindings() {
            assert!(!binding.help.is_empty() && !binding.label.is_empty());
        }
    }
}
