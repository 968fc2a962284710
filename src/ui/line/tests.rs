//! Whole runs in line mode, as they read.

use super::*;
use crate::model::check::{CheckResult, Opening, Reach, ReachOutcome, Verdict};
use crate::model::event::{Stage, StepResult};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::{RunId, StepId};
use crate::model::plan::{Description, Phase, Probe, StepSummary};

/// Keeps what is said; data lines are marked.
#[derive(Debug, Default)]
struct Kept(Vec<String>);

impl Voice for Kept {
    const SHOWS_STEPS: bool = false;

    fn say(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }

    fn data(&mut self, line: &str) {
        self.0.push(format!("[stdout] {line}"));
    }

    fn draw(&mut self, _view: &RunView, _now: Timestamp) {}

    fn pause(&mut self, question: &mut dyn FnMut(Show<'_>)) {
        question(&mut |_| {});
    }

    fn close(&mut self) {}

    fn abandoned(&self) -> bool {
        false
    }
}

fn manner(volume: Volume) -> Manner {
    Manner {
        volume,
        paint: Paint::PLAIN,
        data_paint: Paint::PLAIN,
        wanted: Wanted::Changes,
        again: "syntho-installer deploy acme".to_owned(),
        can_ask: false,
    }
}

fn step(id: &str, phase: Phase, summary: &str, probe: Probe) -> StepSummary {
    StepSummary {
        id: StepId(id.to_owned()),
        host: id.split('/').next().unwrap().parse().unwrap(),
        phase,
        description: Description {
            summary: summary.to_owned(),
            reasons: vec!["it is not there".to_owned()],
            difference: None,
        },
        after: Vec::new(),
        probe,
        may_skip: false,
    }
}

fn check(verdict: Verdict, title: &str, found: &str) -> Event {
    let bad = verdict != Verdict::Pass;
    Event::CheckEnded {
        check: CheckResult {
            id: "x".to_owned(),
            host: "ui".parse().ok(),
            title: title.to_owned(),
            verdict,
            found: found.to_owned(),
            cause: bad.then(|| "it will not fit".to_owned()),
            remedy: bad.then(|| "make room".to_owned()),
            command: bad.then(|| "docker system df".to_owned()),
            opening: None,
            mends: false,
        },
    }
}

fn begin(purpose: &str) -> Event {
    Event::RunStarted {
        run: RunId("r".to_owned()),
        deployment: "acme".parse().unwrap(),
        title: "Application".to_owned(),
        purpose: purpose.to_owned(),
        hosts: vec!["ui".parse().unwrap(), "work-1".parse().unwrap()],
    }
}

fn id(text: &str) -> StepId {
    StepId(text.to_owned())
}

fn ended(step: &str, result: StepResult, took_ms: u64) -> Event {
    Event::StepEnded {
        step: id(step),
        result,
        took_ms,
    }
}

fn told(volume: Volume, story: impl IntoIterator<Item = (i64, Event)>) -> String {
    let mut front = LineFront::new(manner(volume), Kept::default());
    for (second, event) in story {
        front.told(&Record {
            time: Timestamp::from_second(second).unwrap(),
            event,
        });
    }
    front.finish();
    front.voice.0.join("\n")
}

fn failure() -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "no space left on `/var/lib/docker`".to_owned(),
        causes: vec!["1.1 GB free, 3.4 GB needed".to_owned()],
        hint: Some("free some space, then run the same command again".to_owned()),
        command: None,
    }
}

fn deployment() -> Vec<(i64, Event)> {
    let stage = |stage| Event::StageStarted { stage };
    vec![
        (0, begin("deploy")),
        (0, stage(Stage::Connect)),
        (
            1,
            Event::HostConnected {
                host: "ui".parse().unwrap(),
                took_ms: 120,
            },
        ),
        (1, stage(Stage::Preflight)),
        (2, check(Verdict::Pass, "Memory", "16 GB")),
        (2, check(Verdict::Warn, "Disk", "20 GB free")),
        (3, stage(Stage::Plan)),
        (
            3,
            Event::PlanReady {
                steps: vec![
                    step(
                        "ui/files/env",
                        Phase::Files,
                        "write `.env`",
                        Probe::AlreadySo,
                    ),
                    step(
                        "work-1/images/a",
                        Phase::Images,
                        "deliver `a:1`",
                        Probe::Needed,
                    ),
                    step(
                        "ui/stack/app",
                        Phase::Stack,
                        "start stack `app`",
                        Probe::Needed,
                    ),
                ],
            },
        ),
        (4, stage(Stage::Run)),
        (4, ended("ui/files/env", StepResult::AlreadySo, 3)),
        (
            4,
            Event::StepStarted {
                step: id("work-1/images/a"),
            },
        ),
        (
            9,
            Event::StepOutput {
                step: id("work-1/images/a"),
                line: "\u{1b}[31mpulled".to_owned(),
            },
        ),
    ]
}

#[test]
fn a_deployment_that_works() {
    let mut story = deployment();
    story.extend([
        (10, ended("work-1/images/a", StepResult::Changed, 6000)),
        (16, ended("ui/stack/app", StepResult::Changed, 6500)),
        (
            16,
            Event::EndpointReady {
                title: "Application".to_owned(),
                url: "https://acme.example".to_owned(),
            },
        ),
        (
            20,
            Event::RunEnded {
                outcome: Outcome::Done,
                took_ms: 20_000,
            },
        ),
    ]);
    insta::assert_snapshot!(told(Volume::Normal, story));
}

#[test]
fn a_deployment_that_fails() {
    let mut story = deployment();
    story.extend([
        (
            10,
            ended("work-1/images/a", StepResult::Failed(failure()), 6000),
        ),
        (
            10,
            ended(
                "ui/stack/app",
                StepResult::Blocked {
                    by: id("work-1/images/a"),
                },
                0,
            ),
        ),
        (
            11,
            Event::RunEnded {
                outcome: Outcome::Failed(Failure {
                    message: "1 of 3 steps failed".to_owned(),
                    causes: Vec::new(),
                    hint: None,
                    ..failure()
                }),
                took_ms: 11_000,
            },
        ),
    ]);
    insta::assert_snapshot!(told(Volume::Normal, story));
}

#[test]
fn what_was_skipped_is_said_at_the_end() {
    let mut story = deployment();
    let step = "work-1/images/a";
    story.extend([
        (10, ended(step, StepResult::Failed(failure()), 6000)),
        (12, ended(step, StepResult::Skipped, 0)),
        (
            13,
            Event::RunEnded {
                outcome: Outcome::Done,
                took_ms: 13_000,
            },
        ),
    ]);
    let said = told(Volume::Normal, story);
    let (_, end) = said.split_at(said.len().saturating_sub(200));
    assert!(end.contains("skipped by the operator: work-1"), "{said}");
    assert!(end.contains("deploy done in"), "{said}");
}

#[test]
fn quiet_says_only_failures_and_the_end() {
    let mut story = deployment();
    story.extend([
        (
            10,
            ended("work-1/images/a", StepResult::Failed(failure()), 6000),
        ),
        (
            11,
            Event::RunEnded {
                outcome: Outcome::Cancelled,
                took_ms: 11_000,
            },
        ),
    ]);
    insta::assert_snapshot!(told(Volume::Quiet, story), @r"
    error: work-1: no space left on `/var/lib/docker`
      because: 1.1 GB free, 3.4 GB needed
      next:    free some space, then run the same command again
    - deploy cancelled after 11 s: 1 step done, 1 failed, 1 left
      next:    `syntho-installer deploy acme` goes on from here
    ");
}

#[test]
fn a_check_that_fails_comes_first_and_ends_in_a_sheet() {
    let blocked = CheckResult {
        id: "reach".to_owned(),
        host: None,
        title: "Reachability".to_owned(),
        verdict: Verdict::Fail,
        found: "work-1 cannot reach ui".to_owned(),
        cause: None,
        remedy: None,
        command: None,
        opening: Some(Opening {
            from: "work-1 (10.0.0.12)".to_owned(),
            to: "ui (10.0.0.11)".to_owned(),
            ports: "6379".to_owned(),
            why: "cluster".to_owned(),
        }),
        mends: false,
    };
    let story = [
        (0, begin("check")),
        (1, check(Verdict::Pass, "Memory", "16 GB")),
        (1, check(Verdict::Warn, "Disk", "20 GB free")),
        (1, Event::CheckEnded { check: blocked }),
        (
            2,
            Event::ReachKnown {
                cells: vec![Reach {
                    from: "work-1".parse().unwrap(),
                    to: "ui".parse().unwrap(),
                    port: 6379,
                    outcome: ReachOutcome::TimedOut,
                }],
            },
        ),
        (
            3,
            Event::RunEnded {
                outcome: Outcome::ChecksFailed,
                took_ms: 3000,
            },
        ),
    ];
    insta::assert_snapshot!(told(Volume::Normal, story));
}

#[test]
fn silence_is_broken_and_says_what_still_runs() {
    let mut front = LineFront::new(manner(Volume::Normal), Kept::default());
    for (second, event) in deployment() {
        front.told(&Record {
            time: Timestamp::from_second(second).unwrap(),
            event,
        });
    }
    let before = front.voice.0.len();
    for second in 9..20 {
        front.tick(Timestamp::from_second(second).unwrap());
    }
    insta::assert_snapshot!(front.voice.0[before..].join("\n"), @r"
    … still work-1 deliver `a:1` (5.0 s) · 00:09 elapsed
    … still work-1 deliver `a:1` (10 s) · 00:14 elapsed
    … still work-1 deliver `a:1` (15 s) · 00:19 elapsed
    ");
}

#[test]
fn no_line_holds_a_control_sequence() {
    let text = told(Volume::Verbose, deployment());
    assert!(text.contains("| pulled"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_plan_reads_by_host() {
    let mut steps = vec![
        step("ui/files/env", Phase::Files, "write `.env`", Probe::Needed),
        step(
            "ui/stack/app",
            Phase::Stack,
            "start stack `app`",
            Probe::AlreadySo,
        ),
        step(
            "work-1/stack/app",
            Phase::Stack,
            "start stack `app`",
            Probe::Conflict("a container `app` is there that is not ours".to_owned()),
        ),
    ];
    steps[0].description.difference =
        Some("--- there\n+++ planned\n-TAG=1.8.0\n+TAG=1.9.0".to_owned());
    let lines = review::plan(&steps, review::Files::Changes, Paint::PLAIN);
    insta::assert_snapshot!(lines.join("\n"), @r"
    ui: 1 step to do, 1 already so
      + write `.env`
          it is not there
          --- there
          +++ planned
          -TAG=1.8.0
          +TAG=1.9.0
    work-1: 1 step to do
      ✖ conflict: start stack `app`
          because a container `app` is there that is not ours
          it is not there
    ");
}
