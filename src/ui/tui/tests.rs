use jiff::Timestamp;
use proptest::prelude::*;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Rect, Size};
use ratatui::widgets::{Block, Paragraph};
use ratatui::{Frame, Terminal};
use rstest::rstest;

use super::keys::{Binding, Key};
use super::screen::{Interrupted, Rail, RailEntry, RailState, Title, Turned};
use super::theme::{Characters, Colours};
use super::widgets::field::{Display, Field};
use super::*;

/// A screen with a field, a rail, and one action that asks first.
#[derive(Debug)]
struct Sample {
    field: Field,
    typing: bool,
    removed: bool,
    interrupts: Vec<Interrupted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Do {
    Remove,
    ReallyRemove,
    Type,
}

const TABLE: &[Binding<Do>] = &[
    Binding::new(&[Key::char('d')], Do::Remove, "remove", "Removes the host"),
    Binding::new(&[Key::of(KeyCode::Enter)], Do::Type, "edit", "Types a name"),
];

impl Sample {
    fn new() -> Self {
        Self {
            field: Field::new("acme", Display::Plain),
            typing: false,
            removed: false,
            interrupts: Vec::new(),
        }
    }
}

impl Screen for Sample {
    type Action = Do;

    fn title(&self, _now: Timestamp) -> Title {
        Title {
            what: "acme-prod · Some product".to_owned(),
            step: "step 2/3 Hosts".to_owned(),
            time: "04:12 elapsed".to_owned(),
        }
    }

    fn rail(&self) -> Option<Rail> {
        let entry = |title: &str, state| RailEntry {
            title: title.to_owned(),
            state,
        };
        Some(Rail {
            entries: vec![
                entry("Option", RailState::Done),
                entry("Hosts", RailState::Trouble),
                entry("Review", RailState::Waiting),
            ],
            here: 1,
        })
    }

    fn draw(&self, frame: &mut Frame<'_>, page: Rect, look: Look, _now: Timestamp) {
        let block = Block::bordered().title(" Hosts ");
        let inner = block.inner(page);
        frame.render_widget(block, page);
        let (line, column) = self.field.line(inner.width, look);
        frame.render_widget(Paragraph::new(line), inner);
        if self.typing {
            frame.set_cursor_position((inner.x + column, inner.y));
        }
    }

    fn bindings(&self) -> Vec<Binding<Do>> {
        TABLE.to_vec()
    }

    fn help(&self) -> Vec<String> {
        vec!["The machines that are worked on.".to_owned()]
    }

    fn act(&mut self, action: Do) -> Flow<Do> {
        match action {
            Do::Remove => Flow::Ask(Dialog::confirm(
                "Remove",
                vec!["Remove the host `acme`?".to_owned()],
                "Yes, remove it",
                Do::ReallyRemove,
                "No",
            )),
            Do::ReallyRemove => {
                self.removed = true;
                Flow::Say("removed".to_owned())
            }
            Do::Type => {
                self.typing = !self.typing;
                Flow::Redraw
            }
        }
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn typed(&mut self, key: Key) -> Flow<Do> {
        if self.typing && self.field.heed(key) {
            Flow::Redraw
        } else {
            Flow::Stay
        }
    }

    fn pasted(&mut self, text: &str) -> Flow<Do> {
        self.field.insert(text);
        Flow::Redraw
    }

    fn turn(&mut self, _now: Timestamp) -> Turned {
        Turned::Idle
    }

    fn interrupt(&mut self, how: Interrupted) -> Flow<Do> {
        self.interrupts.push(how);
        Flow::Leave
    }
}

fn app(width: u16, height: u16) -> App<Sample> {
    let size = Size::new(width, height);
    App::new(Sample::new(), Look::FULL, size, Timestamp::UNIX_EPOCH)
}

fn press(app: &mut App<Sample>, code: KeyCode) -> Effect {
    app.heed(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn ctrl(app: &mut App<Sample>, c: char) -> Effect {
    app.heed(&Event::Key(KeyEvent::new(
        KeyCode::Char(c),
        KeyModifiers::CONTROL,
    )))
}

fn shown(app: &App<Sample>, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    terminal.backend().clone()
}

#[rstest]
fn the_layout(#[values((80, 24), (120, 40))] (width, height): (u16, u16)) {
    let app = app(width, height);
    insta::with_settings!({ snapshot_suffix => format!("{width}x{height}") }, {
        insta::assert_snapshot!(shown(&app, width, height));
    });
}

#[test]
fn the_help_lists_the_table() {
    let mut app = app(80, 24);
    press(&mut app, KeyCode::Char('?'));
    insta::assert_snapshot!(shown(&app, 80, 24));
    press(&mut app, KeyCode::Esc);
    assert!(!shown(&app, 80, 24).to_string().contains("Everywhere"));
}

#[test]
fn a_dialog_holds_what_a_yes_does() {
    let mut app = app(80, 24);
    press(&mut app, KeyCode::Char('d'));
    insta::assert_snapshot!(shown(&app, 80, 24));
    press(&mut app, KeyCode::Enter);
    assert!(!app.screen().removed, "Enter gives the safe answer");
    press(&mut app, KeyCode::Char('d'));
    press(&mut app, KeyCode::Char('y'));
    assert!(app.screen().removed);
    assert!(shown(&app, 80, 24).to_string().contains("removed"));
    // What is told goes away by itself.
    let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(5);
    assert!(matches!(app.turn(later), Effect::Draw));
    assert!(!shown(&app, 80, 24).to_string().contains("removed"));
}

#[test]
fn characters_go_into_the_field_while_it_has_the_focus() {
    let mut app = app(80, 24);
    press(&mut app, KeyCode::Enter);
    for c in ['d', '?'] {
        press(&mut app, KeyCode::Char(c));
    }
    app.heed(&Event::Paste("one\ntwo".to_owned()));
    assert_eq!(app.screen().field.text(), "acmed?onetwo");
    press(&mut app, KeyCode::F(1));
    assert!(shown(&app, 80, 24).to_string().contains("Everywhere"));
}

#[test]
fn ctrl_c_asks_first_and_leaves_the_second_time() {
    let mut app = app(80, 24);
    ctrl(&mut app, 'c');
    press(&mut app, KeyCode::Down);
    ctrl(&mut app, 'c');
    ctrl(&mut app, 'c');
    app.signalled(false);
    let heard = [
        Interrupted::Asking,
        Interrupted::Asking,
        Interrupted::Again,
        Interrupted::Telling,
    ];
    assert_eq!(app.screen().interrupts, heard);
}

#[test]
fn a_small_terminal_says_so() {
    let app = app(79, 24);
    let text = shown(&app, 79, 24).to_string();
    assert!(text.contains("It has 79x24, needed are 80x24."), "{text}");
}

#[test]
fn every_key_of_the_bar_does_something() {
    let app = app(80, 24);
    for binding in app.screen().bindings() {
        for key in binding.keys {
            let found = keys::action_of(&app.screen().bindings(), *key);
            assert_eq!(found, Some(binding.action), "{}", key.name());
        }
    }
}

#[test]
fn ascii_without_colour_is_ascii_without_colour() {
    let look = Look {
        colours: Colours::None,
        characters: Characters::Ascii,
        ..Look::FULL
    };
    let size = Size::new(80, 24);
    let mut app = App::new(Sample::new(), look, size, Timestamp::UNIX_EPOCH);
    press(&mut app, KeyCode::Char('d'));
    let backend = shown(&app, 80, 24);
    assert!(backend.to_string().is_ascii());
    let plain = ratatui::style::Color::Reset;
    assert!(
        backend
            .buffer()
            .content
            .iter()
            .all(|cell| cell.fg == plain && cell.bg == plain)
    );
}

proptest! {
    #[test]
    fn no_size_and_no_key_panics(
        width in 1_u16..300,
        height in 1_u16..100,
        keys in proptest::collection::vec(0_usize..9, 0..12),
    ) {
        let mut app = app(width, height);
        for key in keys {
            let code = [
                KeyCode::Char('d'), KeyCode::Char('?'), KeyCode::Enter, KeyCode::Esc, KeyCode::Down,
                KeyCode::PageDown, KeyCode::Left, KeyCode::F(6), KeyCode::Char('é'),
            ][key];
            press(&mut app, code);
            let _ = shown(&app, width, height);
        }
    }
}
