//! Sequences of events and what they fold to; any sequence at all keeps the promises.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::model::docker::LayerProgress;
use crate::model::event::StepResult;
use crate::model::event::{Event, Record};
use crate::model::failure::FailureKind;
use crate::model::plan::StepSummary;
use crate::model::plan::{Description, Probe};

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

fn id(text: &str) -> StepId {
    StepId(text.to_owned())
}

fn at(second: i64, event: Event) -> Record {
    Record {
        time: Timestamp::from_second(second).unwrap(),
        event,
    }
}

fn summary(step: &str, phase: Phase, after: &[&str]) -> StepSummary {
    StepSummary {
        id: id(step),
        host: host(step.split('/').next().unwrap()),
        phase,
        description: Description {
            summary: format!("do {step}"),
            reasons: Vec::new(),
            difference: None,
        },
        after: after.iter().map(|step| id(step)).collect(),
        probe: Probe::Needed,
        may_skip: false,
    }
}

fn failure(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: message.to_owned(),
        causes: Vec::new(),
        hint: None,
        command: None,
    }
}

fn started(step: &str) -> Event {
    Event::StepStarted { step: id(step) }
}

fn ended(step: &str, result: StepResult, took_ms: u64) -> Event {
    Event::StepEnded {
        step: id(step),
        result,
        took_ms,
    }
}

fn progress(step: &str, done: u64, total: Option<u64>) -> Event {
    Event::StepProgress {
        step: id(step),
        done,
        total,
    }
}

fn plan() -> Event {
    Event::PlanReady {
        steps: vec![
            summary("a/images/one", Phase::Images, &[]),
            summary("b/images/one", Phase::Images, &[]),
            summary("c/images/one", Phase::Images, &[]),
            summary("a/stack/one", Phase::Stack, &["a/images/one"]),
            summary(
                "b/stack/one",
                Phase::Stack,
                &["b/images/one", "a/stack/one"],
            ),
        ],
    }
}

fn told(records: impl IntoIterator<Item = (i64, Event)>) -> RunView {
    let mut view = RunView::default();
    for (second, event) in records {
        view.apply(&at(second, event));
    }
    view
}

#[test]
fn the_matrix_follows_the_steps() {
    let view = told([
        (0, plan()),
        (
            0,
            Event::HostConnecting {
                host: host("a"),
                address: "10.0.0.1".to_owned(),
            },
        ),
        (1, started("a/images/one")),
        (2, progress("a/images/one", 1, Some(4))),
        (2, started("b/images/one")),
        (3, ended("b/images/one", StepResult::AlreadySo, 1000)),
        (3, started("c/images/one")),
        (
            4,
            ended(
                "c/images/one",
                StepResult::Failed(failure("no space")),
                1000,
            ),
        ),
        (
            4,
            ended(
                "b/stack/one",
                StepResult::Blocked {
                    by: id("c/images/one"),
                },
                0,
            ),
        ),
    ]);
    let cell = |name: &str, phase| view.cell(&host(name), phase);
    assert_eq!(cell("a", Phase::Connect), Cell::Running(Share::NOTHING));
    assert_eq!(cell("a", Phase::Images), Cell::Running(Share::of(1, 4)));
    assert_eq!(cell("a", Phase::Stack), Cell::Waiting);
    assert_eq!(cell("b", Phase::Images), Cell::AlreadySo);
    assert_eq!(cell("b", Phase::Stack), Cell::Blocked);
    assert_eq!(cell("c", Phase::Images), Cell::Failed);
    assert_eq!(cell("c", Phase::Health), Cell::Nothing);
    assert_eq!(view.failures, [failure("no space").on(&host("c"))]);
}

#[test]
fn a_failure_told_twice_is_kept_once() {
    let lost = || Event::HostLost {
        host: host("a"),
        failure: failure("lost"),
    };
    let view = told([
        (0, lost()),
        (1, lost()),
        (
            2,
            Event::RunEnded {
                outcome: Outcome::Failed(failure("lost").on(&host("a"))),
                took_ms: 2000,
            },
        ),
    ]);
    assert_eq!(view.failures.len(), 1);
}

#[test]
fn stages_have_their_times() {
    let stage = |stage| Event::StageStarted { stage };
    let view = told([
        (0, stage(Stage::Connect)),
        (2, stage(Stage::Connect)),
        (3, stage(Stage::Facts)),
        (
            7,
            Event::RunEnded {
                outcome: Outcome::Done,
                took_ms: 7000,
            },
        ),
    ]);
    let times: Vec<_> = view
        .stages
        .iter()
        .map(|s| between(s.began, s.ended.unwrap()).as_secs())
        .collect();
    assert_eq!(times, [3, 4]);
    assert_eq!(view.share(), Share::WHOLE);
}

#[test]
fn layers_count_when_the_step_itself_does_not() {
    let layer = |name: &str, status: &str| Event::LayerProgressed {
        step: id("a/images/one"),
        layer: LayerProgress {
            layer: name.to_owned(),
            status: status.to_owned(),
            done: Some(1),
            total: Some(2),
        },
    };
    let view = told([
        (0, plan()),
        (1, layer("1", "Already exists")),
        (1, layer("2", "Downloading")),
        (1, layer("2", "Pull complete")),
    ]);
    let step = view.step(&id("a/images/one")).unwrap();
    assert_eq!(step.layers.len(), 2);
    assert_eq!(step.share(), Share::of(2, 3));
}

#[test]
fn host_lines_are_bounded_and_harmless() {
    let mut view = told([(0, plan())]);
    for n in 0..500 {
        view.apply(&at(
            1,
            Event::StepOutput {
                step: id("a/images/one"),
                line: format!("\u{1b}[2J{n}"),
            },
        ));
    }
    let lines = &view.host(&host("a")).unwrap().lines;
    assert_eq!(lines.len(), 200);
    assert_eq!(lines.back().unwrap(), "␛[2J499");
}

#[rstest]
#[case::nothing_measured(&[], None)]
#[case::one_is_not_enough(&[("a/images/one", 10)], None)]
fn no_forecast_without_two_measurements(
    #[case] done: &[(&str, u64)],
    #[case] expected: Option<Forecast>,
) {
    let mut view = told([(0, plan())]);
    for (step, seconds) in done {
        view.apply(&at(1, started(step)));
        view.apply(&at(1, ended(step, StepResult::Changed, seconds * 1000)));
    }
    assert_eq!(view.forecast(Timestamp::from_second(1).unwrap()), expected);
}

#[test]
fn the_forecast_follows_the_longest_path_and_names_its_host() {
    let mut view = told([
        (0, plan()),
        (0, started("a/images/one")),
        (0, started("b/images/one")),
        (0, started("c/images/one")),
        (10, ended("a/images/one", StepResult::Changed, 10_000)),
        (20, ended("b/images/one", StepResult::Changed, 20_000)),
    ]);
    // Images take 15 s on average, 20 have gone on `c`; stacks were never measured.
    let early = view.forecast(Timestamp::from_second(20).unwrap()).unwrap();
    assert!(!early.complete);
    view.apply(&at(20, progress("c/images/one", 1, Some(4))));
    let half = view.forecast(Timestamp::from_second(20).unwrap()).unwrap();
    assert_eq!(half.left, Duration::from_mins(1), "20 s for a quarter");
    assert_eq!(half.bottleneck, host("c"));
}

#[test]
fn a_step_waits_for_another_host_in_the_forecast() {
    let mut steps = vec![
        summary("a/stack/x", Phase::Stack, &[]),
        summary("b/stack/x", Phase::Stack, &[]),
        summary("a/stack/one", Phase::Stack, &[]),
        summary("b/stack/one", Phase::Stack, &["a/stack/one"]),
    ];
    steps[3].description.summary = "waits for a".to_owned();
    let view = told([
        (0, Event::PlanReady { steps }),
        (0, started("a/stack/x")),
        (0, started("b/stack/x")),
        (10, ended("a/stack/x", StepResult::Changed, 10_000)),
        (10, ended("b/stack/x", StepResult::Changed, 10_000)),
    ]);
    let forecast = view.forecast(Timestamp::from_second(10).unwrap()).unwrap();
    assert_eq!(
        forecast,
        Forecast {
            left: Duration::from_secs(20),
            complete: true,
            bottleneck: host("b")
        }
    );
}

const STEPS: [&str; 6] = [
    "a/images/one",
    "b/images/one",
    "c/images/one",
    "a/stack/one",
    "b/stack/one",
    "nobody/knows",
];

fn results() -> impl Strategy<Value = StepResult> {
    prop_oneof![
        Just(StepResult::Changed),
        Just(StepResult::AlreadySo),
        Just(StepResult::Cancelled),
        Just(StepResult::Failed(failure("failed"))),
        Just(StepResult::Blocked {
            by: id("b/stack/one")
        }),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let step = || prop::sample::select(&STEPS[..]);
    let total = || proptest::option::of(any::<u64>());
    prop_oneof![
        2 => Just(plan()),
        1 => prop::sample::select(vec![Stage::Connect, Stage::Plan, Stage::Run])
            .prop_map(|stage| Event::StageStarted { stage }),
        1 => Just(Event::HostLost { host: host("z"), failure: failure("lost") }),
        4 => step().prop_map(started),
        8 => (step(), any::<u64>(), total()).prop_map(|(step, done, total)| progress(step, done, total)),
        4 => (step(), any::<String>()).prop_map(|(step, line)| Event::StepOutput { step: id(step), line }),
        4 => (step(), "[a-c]", prop::sample::select(vec!["Downloading", "Pull complete"]), total()).prop_map(
            |(step, layer, status, done)| Event::LayerProgressed {
                step: id(step),
                layer: LayerProgress { layer, status: status.to_owned(), done, total: done },
            }
        ),
        8 => (step(), results(), any::<u64>()).prop_map(|(step, result, took)| ended(step, result, took)),
        1 => Just(Event::RunEnded { outcome: Outcome::Done, took_ms: 1 }),
    ]
}

proptest! {
    #[test]
    fn any_order_of_events_keeps_shares_rising(
        story in prop::collection::vec((events(), -1_000_000_000_i64..1_000_000_000), 1..80)
    ) {
        let mut view = RunView::default();
        let (mut whole, mut hosts) = (Share::NOTHING, HashMap::new());
        for (event, second) in story {
            view.apply(&at(second, event));
            let now = Timestamp::from_second(second).unwrap();
            let _ = (view.forecast(now), view.elapsed(now));
            prop_assert!(view.share() >= whole);
            whole = view.share();
            for host in &view.hosts {
                let before = hosts.insert(host.name.clone(), host.share).unwrap_or_default();
                prop_assert!(host.share >= before);
                for phase in [Phase::Connect, Phase::Files, Phase::Images, Phase::Stack, Phase::Health] {
                    let _ = view.cell(&host.name, phase);
                }
            }
        }
    }
}
