use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use rstest::rstest;

use super::*;
use crate::model::failure::{Failure, FailureKind};
use crate::ui::tui::{App, Effect};

fn now() -> Timestamp {
    "2026-11-20T12:30:00Z".parse().unwrap()
}

fn entry(name: &str, outcome: Option<Outcome>, when: &str) -> Entry {
    Entry {
        kind: Kind::Deployment {
            outcome,
            recorded: true,
        },
        name: name.to_owned(),
        preset: "some-preset".to_owned(),
        when: Some(when.parse().unwrap()),
        hosts: ["ui", "node-1", "node-2"].map(str::to_owned).to_vec(),
    }
}

fn entries() -> Vec<Entry> {
    let failure = Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "no space left on /var/lib/docker".to_owned(),
        causes: Vec::new(),
        hint: None,
        command: None,
    };
    let mut draft = entry("acme-new", None, "2026-11-20T12:29:30Z");
    draft.kind = Kind::Draft;
    draft.hosts.truncate(1);
    vec![
        entry("acme-prod", Some(Outcome::Done), "2026-11-17T08:00:00Z"),
        entry(
            "acme-test",
            Some(Outcome::Failed(failure)),
            "2026-11-20T11:20:00Z",
        ),
        entry("acme-training", None, "2026-11-20T12:10:00Z"),
        entry(
            "acme-old",
            Some(Outcome::ChecksFailed),
            "2026-05-01T12:10:00Z",
        ),
        draft,
    ]
}

struct Theatre {
    app: App<DeploymentsScreen>,
    size: (u16, u16),
}

fn shown_with(size: (u16, u16), entries: Vec<Entry>) -> Theatre {
    let screen = DeploymentsScreen::new(entries, 0);
    let mut app = App::new(screen, Look::FULL, Size::new(size.0, size.1), now());
    app.turn(now());
    Theatre { app, size }
}

impl Theatre {
    fn press(&mut self, code: KeyCode) -> Effect {
        self.app
            .heed(&Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn shown(&self) -> TestBackend {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| self.app.draw(frame)).unwrap();
        terminal.backend().clone()
    }
}

#[rstest]
fn what_is_known(#[values((80, 24), (120, 40))] size: (u16, u16)) {
    let mut stage = shown_with(size, entries());
    stage.press(KeyCode::Down);
    insta::with_settings!({ snapshot_suffix => format!("{}x{}", size.0, size.1) }, {
        insta::assert_snapshot!(stage.shown());
    });
}

#[rstest]
#[case(&[KeyCode::Enter], Wanted::Open(0))]
#[case(&[KeyCode::Down, KeyCode::Char('p')], Wanted::Replay(1))]
#[case(&[KeyCode::End, KeyCode::Enter], Wanted::Open(4))]
#[case(&[KeyCode::Char('n')], Wanted::New)]
#[case(&[KeyCode::Esc], Wanted::Leave)]
fn keys_say_what_is_wanted(#[case] keys: &[KeyCode], #[case] wanted: Wanted) {
    let mut stage = shown_with((80, 24), entries());
    let (last, first) = keys.split_last().unwrap();
    for key in first {
        assert!(matches!(stage.press(*key), Effect::Draw));
    }
    assert!(matches!(stage.press(*last), Effect::Leave));
    assert_eq!(stage.app.screen().wanted(), wanted);
}

#[test]
fn a_draft_has_no_run_to_play_and_enter_goes_on_with_it() {
    let mut stage = shown_with((80, 24), entries());
    stage.press(KeyCode::End);
    assert!(matches!(stage.press(KeyCode::Char('p')), Effect::None));
    let text = stage.shown().to_string();
    assert!(
        text.contains("Enter go on") && !text.contains("play last run"),
        "{text}"
    );
}

#[rstest]
#[case(0, 0)]
#[case(3, 60)]
fn any_number_of_rows_can_be_drawn(#[case] at: usize, #[case] count: usize) {
    let many = std::iter::repeat_n(entries().remove(0), count).collect();
    let mut stage = shown_with((80, 24), many);
    for _ in 0..at * 10 {
        stage.press(KeyCode::Down);
    }
    stage.shown();
}
