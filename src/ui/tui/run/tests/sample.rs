//! A made-up run on four hosts, as far as each test needs it.

use super::*;

pub(super) fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

pub(super) fn id(text: &str) -> StepId {
    StepId(text.to_owned())
}

pub(super) fn told(second: i64, event: Event) -> Message {
    Message::Told(Box::new(Told {
        time: start() + SignedDuration::from_secs(second),
        event,
    }))
}

pub(super) fn step(step: &str, phase: Phase, summary: &str) -> StepSummary {
    StepSummary {
        id: id(step),
        host: host(step.split('/').next().unwrap()),
        phase,
        description: Description {
            summary: summary.to_owned(),
            reasons: vec!["the preset asks for it".to_owned()],
            difference: None,
        },
        after: Vec::new(),
        probe: Probe::Needed,
        may_skip: false,
    }
}

pub(super) fn steps() -> Vec<StepSummary> {
    let mut steps = Vec::new();
    for name in ["ui", "node-1", "node-2", "node-3"] {
        let mut file = step(&format!("{name}/files/env"), Phase::Files, "write `.env`");
        file.description.difference = Some(
            "--- .env\n+++ .env\n-TAG=1.8.0\n+TAG=1.9.0\n PASSWORD=<database-password>\n"
                .to_owned(),
        );
        steps.push(file);
        let image = "deliver some-image:1.9.0";
        steps.push(step(&format!("{name}/images/one"), Phase::Images, image));
        let start = "start stack `application`";
        steps.push(step(&format!("{name}/stack/one"), Phase::Stack, start));
    }
    steps[0].probe = Probe::AlreadySo;
    steps
}

pub(super) fn check(title: &str, verdict: Verdict) -> CheckResult {
    let bad = verdict != Verdict::Pass;
    CheckResult {
        id: "disk".to_owned(),
        host: Some(host("node-3")),
        title: title.to_owned(),
        verdict,
        found: "1.1 GB free in /var/lib/docker".to_owned(),
        cause: bad.then(|| "the images need 3.4 GB".to_owned()),
        remedy: bad.then(|| "make room or give Docker another disk".to_owned()),
        command: bad.then(|| "docker system prune".to_owned()),
        opening: None,
        mends: false,
    }
}

pub(super) fn begun() -> Vec<Message> {
    let hosts = ["ui", "node-1", "node-2", "node-3"].map(host);
    let mut messages = vec![
        told(
            0,
            Event::RunStarted {
                run: RunId("20261120T123000Z-4f2a".to_owned()),
                deployment: "acme-prod".parse().unwrap(),
                title: "Some product on several machines".to_owned(),
                purpose: "deploy".to_owned(),
                hosts: hosts.to_vec(),
            },
        ),
        told(
            0,
            Event::StageStarted {
                stage: Stage::Connect,
            },
        ),
    ];
    for (host, second) in hosts.into_iter().zip(1..) {
        let took_ms = 400;
        messages.push(told(second, Event::HostConnected { host, took_ms }));
    }
    messages.push(told(
        5,
        Event::StageStarted {
            stage: Stage::Preflight,
        },
    ));
    for check in [
        check("Disk", Verdict::Warn),
        check("Docker Engine", Verdict::Pass),
    ] {
        messages.push(told(6, Event::CheckEnded { check }));
    }
    messages
}

pub(super) fn planned() -> Vec<Message> {
    let mut messages = begun();
    messages.push(told(8, Event::StageStarted { stage: Stage::Plan }));
    messages.push(told(9, Event::PlanReady { steps: steps() }));
    messages
}

pub(super) fn ended(second: i64, step: &str, result: StepResult) -> Message {
    let took_ms = 20_000;
    told(
        second,
        Event::StepEnded {
            step: id(step),
            result,
            took_ms,
        },
    )
}

pub(super) fn no_room() -> Failure {
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "no space left on /var/lib/docker".to_owned(),
        causes: vec!["1.1 GB free, 3.4 GB needed".to_owned()],
        hint: Some("make room with `docker system prune`, then try again".to_owned()),
        command: None,
    }
}

pub(super) fn working() -> Vec<Message> {
    let mut messages = planned();
    messages.push(told(20, Event::StageStarted { stage: Stage::Run }));
    for name in ["ui", "node-1", "node-2", "node-3"] {
        let file = format!("{name}/files/env");
        let image = format!("{name}/images/one");
        messages.push(ended(21, &file, StepResult::Changed));
        messages.push(told(22, Event::StepStarted { step: id(&image) }));
    }
    for name in ["ui", "node-1"] {
        messages.push(ended(
            80,
            &format!("{name}/images/one"),
            StepResult::Changed,
        ));
    }
    let image = id("node-2/images/one");
    for (layer, done, total) in [("9f2c", 1_300, 2_100), ("77aa", 200, 1_400), ("0c0c", 5, 5)] {
        let layer = LayerProgress {
            layer: layer.to_owned(),
            status: "Downloading".to_owned(),
            done: Some(done * 1_000_000),
            total: Some(total * 1_000_000),
        };
        messages.push(told(
            90,
            Event::LayerProgressed {
                step: image.clone(),
                layer,
            },
        ));
    }
    let output =
        "pulled sha256:9f2c \u{1b}[31m(412 MB)\u{1b}[0m \u{202e}reversed\u{1b}]0;owned\u{7}";
    messages.push(told(
        91,
        Event::StepOutput {
            step: image.clone(),
            line: output.to_owned(),
        },
    ));
    messages.push(told(
        92,
        Event::StepProgress {
            step: image,
            done: 1_505_000_000,
            total: Some(3_505_000_000),
        },
    ));
    messages
}

pub(super) fn failed() -> Vec<Message> {
    let mut messages = working();
    let image = "node-3/images/one";
    messages.push(ended(95, image, StepResult::Failed(no_room())));
    let by = id(image);
    messages.push(ended(95, "node-3/stack/one", StepResult::Blocked { by }));
    messages
}

pub(super) fn over(mut messages: Vec<Message>, outcome: Outcome) -> Vec<Message> {
    messages.push(told(
        252,
        Event::RunEnded {
            outcome,
            took_ms: 252_000,
        },
    ));
    messages.push(Message::Over);
    messages
}

pub(super) fn done() -> Vec<Message> {
    let mut messages = working();
    for name in ["node-2", "node-3"] {
        messages.push(ended(
            120,
            &format!("{name}/images/one"),
            StepResult::Changed,
        ));
    }
    for name in ["ui", "node-1", "node-2", "node-3"] {
        messages.push(ended(
            150,
            &format!("{name}/stack/one"),
            StepResult::Changed,
        ));
    }
    messages.push(told(
        160,
        Event::StageStarted {
            stage: Stage::Verify,
        },
    ));
    let check = check("The application answers", Verdict::Pass);
    messages.push(told(170, Event::CheckEnded { check }));
    messages.push(told(
        180,
        Event::EndpointReady {
            title: "Application".to_owned(),
            url: "https://acme.example".to_owned(),
        },
    ));
    over(messages, Outcome::Done)
}
