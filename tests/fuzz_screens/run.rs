//! The pages of a run: hostile events, questions that nobody waits for, keys in between.

use std::collections::{BTreeMap, VecDeque};

use camino::Utf8PathBuf;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use ratatui::crossterm::event::Event as Input;
use syntho_installer::model::docker::LayerProgress;
use syntho_installer::model::event::{Event, Outcome, Record, Stage, StepResult};
use syntho_installer::model::failure::{Failure, FailureKind};
use syntho_installer::model::ids::{HostName, RunId, StepId};
use syntho_installer::model::operator::{Operator, SecretRequest, UnknownHostKey};
use syntho_installer::model::plan::{Description, Phase, Probe, StepSummary};
use syntho_installer::ui::channel::{Message, open};
use syntho_installer::ui::tui::run::{Heard, RunScreen, Setup, Source};
use syntho_installer::ui::tui::{App, Effect};

use crate::{draw, hostile, random_input, random_look, random_size};

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

/// Shakes one run.
pub(crate) fn round(seed: u64) {
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
        for_wizard: false,
        expected: std::collections::HashMap::new(),
        place: None,
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
        command: dice.random_bool(0.5).then(|| hostile(dice)),
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
    match dice.random_range(0..14) {
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
        10 if dice.random_bool(0.3) => Event::RunEnded {
            outcome: random_outcome(dice),
            took_ms: dice.random(),
        },
        9 | 11 => random_aside(dice),
        _ => Event::StepOutput {
            step,
            line: hostile(dice),
        },
    }
}

/// Returns what is told beside the steps: what the operator decided, and where the result is.
fn random_aside(dice: &mut SmallRng) -> Event {
    let host = host(dice.random_range(0..9));
    match dice.random_range(0..7) {
        0 => Event::Held,
        6 => Event::EndpointReady {
            title: hostile(dice),
            url: hostile(dice),
        },
        1 => Event::Paused {
            paused: dice.random(),
        },
        2 => Event::StepReopened {
            step: random_step(dice),
        },
        3 => Event::FixStarted {
            host,
            command: hostile(dice),
        },
        4 => Event::FixOutput {
            host,
            line: hostile(dice),
        },
        _ => Event::FixEnded {
            host,
            failure: dice.random_bool(0.5).then(|| random_failure(dice)),
        },
    }
}

fn random_result(dice: &mut SmallRng) -> StepResult {
    match dice.random_range(0..5) {
        0 => StepResult::Changed,
        3 => StepResult::Skipped,
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
        may_skip: dice.random(),
    }
}
