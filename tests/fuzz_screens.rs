//! Random sizes, keys, pastes and hostile output on the pages of a run and on the wizard: nothing panics, nothing that acts on a terminal is drawn, and no
//! answer is lost.
//!
//! A few seconds by default; `SYNTHO_FUZZ_SECONDS=600` goes on for ten minutes. Each round prints its seed when it fails; `SYNTHO_FUZZ_SEED` begins with it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that meets a surprise must fail, and says how far it came"
)]

#[path = "fuzz_screens/run.rs"]
mod run;
#[path = "fuzz_screens/wizard.rs"]
mod wizard;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;
use syntho_installer::ui::tui::theme::{Characters, Colours, Ground};
use syntho_installer::ui::tui::{App, Look, Screen};

/// How long the test takes when nothing else is said.
const SECONDS: u64 = 4;

#[test]
fn nothing_shakes_a_run() {
    shake(run::round);
}

#[test]
fn nothing_shakes_the_wizard_and_no_answer_is_lost() {
    shake(wizard::round);
}

/// Goes through rounds until the time is over.
fn shake(round: fn(u64)) {
    let variable = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
    };
    let seconds = variable("SYNTHO_FUZZ_SECONDS").unwrap_or(SECONDS);
    let mut seed: u64 = variable("SYNTHO_FUZZ_SEED").unwrap_or_else(rand::random);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while Instant::now() < end || rounds == 0 {
        let ended = catch_unwind(AssertUnwindSafe(|| round(seed)));
        assert!(ended.is_ok(), "SYNTHO_FUZZ_SEED={seed} fails");
        seed = seed.wrapping_add(1);
        rounds += 1;
    }
    eprintln!("{rounds} rounds");
}

/// Draws, and fails when a cell would act on a terminal.
fn draw<S: Screen>(app: &App<S>, size: Size) {
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    for cell in &terminal.backend().buffer().content {
        let acts = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!cell.symbol().chars().any(acts), "{:?}", cell.symbol());
    }
}

fn random_size(dice: &mut SmallRng) -> Size {
    match dice.random_range(0..4) {
        0 => Size::new(80, 24),
        1 => Size::new(120, 40),
        _ => Size::new(dice.random_range(1..=300), dice.random_range(1..=100)),
    }
}

fn random_look(dice: &mut SmallRng) -> Look {
    Look {
        colours: *[Colours::Sixteen, Colours::None].choose(dice).unwrap(),
        characters: *[Characters::Unicode, Characters::Ascii]
            .choose(dice)
            .unwrap(),
        ground: *[Ground::Dark, Ground::Light].choose(dice).unwrap(),
    }
}

fn random_input(dice: &mut SmallRng, size: Size) -> Input {
    let codes = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::F(1),
        KeyCode::F(6),
    ];
    match dice.random_range(0..10) {
        0 => Input::Paste(hostile(dice)),
        1 => Input::Mouse(MouseEvent {
            kind: *[
                MouseEventKind::Down(MouseButton::Left),
                MouseEventKind::ScrollDown,
                MouseEventKind::ScrollUp,
            ]
            .choose(dice)
            .unwrap(),
            column: dice.random_range(0..size.width),
            row: dice.random_range(0..size.height),
            modifiers: KeyModifiers::NONE,
        }),
        2..6 => {
            // Not `s`, which would write a file each time.
            let keys: Vec<char> = "yntrjkgGaeqfcN/!? 0éx漢".chars().collect();
            key(
                KeyCode::Char(*keys.choose(dice).unwrap()),
                KeyModifiers::NONE,
            )
        }
        6 => {
            let keys = ['c', 'r', 'l', 'w', 'u', 'k', 'z'];
            key(
                KeyCode::Char(*keys.choose(dice).unwrap()),
                KeyModifiers::CONTROL,
            )
        }
        _ => key(*codes.choose(dice).unwrap(), KeyModifiers::NONE),
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

/// Returns text that means harm.
fn hostile(dice: &mut SmallRng) -> String {
    let mut bytes = vec![0; dice.random_range(0..300)];
    dice.fill_bytes(&mut bytes);
    match dice.random_range(0..6) {
        0 => String::from_utf8_lossy(&bytes).into_owned(),
        1 => "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[?1049l\u{9b}31m\u{202e}\r\n".repeat(20),
        2 => "x".repeat(dice.random_range(0..8_000)),
        3 => format!("e{}", "\u{301}".repeat(dice.random_range(0..500))),
        4 => "漢字\u{200d}👩\u{200d}👧 \u{feff}".repeat(dice.random_range(0..200)),
        _ => format!("pulling layer {}", dice.random::<u32>()),
    }
}
