//! Random sizes, keys, pastes and hostile output on the pages of a run: nothing panics, and nothing that acts on a terminal is drawn.
//!
//! A few seconds by default; `SYNTHO_FUZZ_SECONDS=600` goes on for ten minutes. Each round prints its seed when it fails; `SYNTHO_FUZZ_SEED` begins with it.

#![expect(clippy::unwrap_used, reason = "a test that meets a surprise must fail")]

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;
use syntho_installer::model::docker::LayerProgress;
use syntho_installer::model::event::{Event, Outcome, Record, Stage, StepResult};
use syntho_installer::model::failure::{Failure, FailureKind};
use syntho_installer::model::ids::{HostName, RunId, StepId};
use syntho_installer::model::operator::{Operator, SecretRequest, UnknownHostKey};
use syntho_installer::model::plan::{Description, Phase, Probe, StepSummary};
use syntho_installer::ui::channel::{Message, open};
use syntho_installer::ui::tui::run::{Heard, RunScreen, Setup, Source};
use syntho_installer::ui::tui::theme::{Characters, Colours, Ground};
use syntho_installer::ui::tui::{App, Effect, Look};

/// How long the test takes when nothing else is said.
const SECONDS: u64 = 4;

/// How much happens in one round.
const EVENTS: usize = 100;

#[derive(Debug)]
struct Fed(std::sync::Arc<std::sync::Mutex<VecDeque<Message>>>);

impl Source for Fed {
    fn next(&mut self, _now: Timestamp) -> Heard {
        let message = self.0.lock().unwrap().pop_front();
        message.map_or(Heard::Nothing, Heard::Message)
    }

    fn stop(&mut self) {}

    fn again(&mut self) -> bool {
        true
    }
}

#[test]
fn nothing_shakes_the_screens() {
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
    println!("{rounds} rounds of {EVENTS} events");
}

/// Shakes one run.
fn round(seed: u64) {
    let mut dice = SmallRng::seed_from_u64(seed);
    let fed = std::sync::Arc::new(std::sync::Mutex::new(VecDeque::new()));
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        again: "syntho-installer deploy acme".to_owned(),
        shells: BTreeMap::from([(host(0), vec!["true".to_owned()])]),
        host_keys: BTreeMap::new(),
        save_folder: Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap(),
        zone: TimeZone::UTC,
        recorded: dice.random_bool(0.2),
    };
    let mut size = random_size(&mut dice);
    let mut now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let screen = RunScreen::new(Box::new(Fed(fed.clone())), setup);
    let mut app = App::new(screen, random_look(&mut dice), size, now);
    for _ in 0..EVENTS {
        match dice.random_range(0..10) {
            0 => {
                size = random_size(&mut dice);
                app.heed(&Input::Resize(size.width, size.height));
            }
            1..5 => {
                app.heed(&random_input(&mut dice, size));
            }
            5 => {
                app.signalled(dice.random_bool(0.5));
            }
            _ => {
                let mut queue = fed.lock().unwrap();
                for _ in 0..dice.random_range(1..20) {
                    queue.push_back(random_message(&mut dice, now));
                }
            }
        }
        now += SignedDuration::from_millis(dice.random_range(0..2000));
        while matches!(app.turn(now), Effect::Draw) && dice.random_bool(0.7) {}
        draw(&app, size);
    }
}

/// Draws, and fails when a cell would act on a terminal.
fn draw(app: &App<RunScreen>, size: Size) {
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

fn host(number: usize) -> HostName {
    format!("node-{number}").parse().unwrap()
}

fn random_step(dice: &mut SmallRng) -> StepId {
    let host = dice.random_range(0..7);
    StepId(format!("node-{host}/step-{}", dice.random_range(0..6)))
}

fn random_failure(dice: &mut SmallRng) -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: dice.random_bool(0.5).then(|| host(1)),
        message: hostile(dice),
        causes: (0..dice.random_range(0..6))
            .map(|_| hostile(dice))
            .collect(),
        hint: dice.random_bool(0.5).then(|| hostile(dice)),
    }
}

fn random_message(dice: &mut SmallRng, now: Timestamp) -> Message {
    if dice.random_bool(0.03) {
        return random_question(dice);
    }
    let shift = SignedDuration::from_secs(dice.random_range(-100..100));
    Message::Told(Box::new(Record {
        time: now + shift,
        event: random_event(dice),
    }))
}

/// Returns a question; nobody waits for its answer.
fn random_question(dice: &mut SmallRng) -> Message {
    let (line, messages) = open();
    let text = hostile(dice);
    let which = dice.random_range(0..3);
    std::thread::spawn(move || match which {
        0 => {
            line.accept_host_key(&UnknownHostKey {
                host: host(0),
                address: text.clone(),
                algorithm: text.clone(),
                fingerprint: text,
            });
        }
        1 => {
            line.secret(&SecretRequest::Interactive {
                host: host(0),
                prompt: text,
            });
        }
        _ => {
            let _ = line.review(Vec::new());
        }
    });
    messages.recv().unwrap()
}

fn random_event(dice: &mut SmallRng) -> Event {
    let step = random_step(dice);
    match dice.random_range(0..13) {
        0 => Event::RunStarted {
            run: RunId("r".to_owned()),
            deployment: "acme".parse().unwrap(),
            title: hostile(dice),
            purpose: "deploy".to_owned(),
            hosts: (0..dice.random_range(0..60)).map(host).collect(),
        },
        1 => Event::StageStarted {
            stage: *[Stage::Connect, Stage::Preflight, Stage::Run, Stage::Verify]
                .choose(dice)
                .unwrap(),
        },
        2 => Event::PlanReady {
            steps: (0..dice.random_range(0..30))
                .map(|_| random_summary(dice))
                .collect(),
        },
        3 => Event::StepStarted { step },
        4 => Event::StepProgress {
            step,
            done: dice.random(),
            total: dice.random_bool(0.7).then(|| dice.random()),
        },
        5 => Event::LayerProgressed {
            step,
            layer: LayerProgress {
                layer: hostile(dice),
                status: "Downloading".to_owned(),
                done: Some(dice.random()),
                total: Some(dice.random()),
            },
        },
        6 => Event::StepEnded {
            step,
            result: random_result(dice),
            took_ms: dice.random(),
        },
        7 => Event::HostLost {
            host: host(dice.random_range(0..9)),
            failure: random_failure(dice),
        },
        8 => Event::Noticed {
            host: Some(host(dice.random_range(0..9))),
            text: hostile(dice),
        },
        9 => Event::EndpointReady {
            title: hostile(dice),
            url: hostile(dice),
        },
        10 if dice.random_bool(0.3) => Event::RunEnded {
            outcome: random_outcome(dice),
            took_ms: dice.random(),
        },
        _ => Event::StepOutput {
            step,
            line: hostile(dice),
        },
    }
}

fn random_result(dice: &mut SmallRng) -> StepResult {
    match dice.random_range(0..4) {
        0 => StepResult::Changed,
        1 => StepResult::Failed(random_failure(dice)),
        2 => StepResult::Blocked {
            by: random_step(dice),
        },
        _ => StepResult::Cancelled,
    }
}

fn random_outcome(dice: &mut SmallRng) -> Outcome {
    match dice.random_range(0..4) {
        0 => Outcome::Done,
        1 => Outcome::Failed(random_failure(dice)),
        2 => Outcome::ChecksFailed,
        _ => Outcome::Cancelled,
    }
}

fn random_summary(dice: &mut SmallRng) -> StepSummary {
    let id = random_step(dice);
    let name = id.0.split('/').next().unwrap().to_owned();
    StepSummary {
        host: name.parse().unwrap(),
        phase: *[
            Phase::Connect,
            Phase::Files,
            Phase::Images,
            Phase::Stack,
            Phase::Health,
        ]
        .choose(dice)
        .unwrap(),
        description: Description {
            summary: hostile(dice),
            reasons: vec![hostile(dice)],
            difference: dice.random_bool(0.3).then(|| hostile(dice)),
        },
        after: vec![random_step(dice)],
        probe: match dice.random_range(0..3) {
            0 => Probe::AlreadySo,
            1 => Probe::Conflict(hostile(dice)),
            _ => Probe::Needed,
        },
        id,
    }
}
