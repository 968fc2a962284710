//! Many hosts that print without pause.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use syntho_installer::model::event::{Event, Record, Stage};
use syntho_installer::model::ids::{HostName, RunId, StepId};
use syntho_installer::model::plan::{Description, Phase, Probe, StepSummary};
use syntho_installer::ui::channel::Message;
use syntho_installer::ui::tui::run::{Heard, RunScreen, Setup, Source};

/// Steps of each host besides the one that runs.
const STEPS: usize = 10;

/// Makes events.
pub(crate) struct Load {
    sender: Sender<Message>,
    waiting: Arc<AtomicUsize>,
    hosts: Vec<HostName>,
    number: usize,
}

#[derive(Debug)]
struct Fed {
    receiver: Receiver<Message>,
    waiting: Arc<AtomicUsize>,
}

impl Source for Fed {
    fn next(&mut self, _now: Timestamp) -> Heard {
        match self.receiver.try_recv() {
            Ok(message) => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                Heard::Message(message)
            }
            Err(_) => Heard::Nothing,
        }
    }

    fn stop(&mut self) {}

    fn again(&mut self) -> bool {
        false
    }
}

impl Load {
    /// Returns a screen and what feeds it.
    pub(crate) fn new(hosts: usize) -> (RunScreen, Self) {
        let (sender, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let fed = Fed {
            receiver,
            waiting: Arc::clone(&waiting),
        };
        let setup = Setup {
            again: "syntho-installer deploy acme".to_owned(),
            shells: BTreeMap::new(),
            host_keys: BTreeMap::new(),
            save_folder: Utf8PathBuf::from("/tmp"),
            zone: TimeZone::UTC,
            recorded: false,
            for_wizard: false,
            expected: std::collections::HashMap::new(),
            place: None,
        };
        let load = Self {
            sender,
            waiting,
            hosts: (0..hosts).map(name).collect(),
            number: 0,
        };
        (RunScreen::new(Box::new(fed), setup), load)
    }

    /// Begins the run: a plan, and a step on every host that goes on.
    pub(crate) fn begin(&mut self) {
        self.tell(Event::RunStarted {
            run: RunId("r".to_owned()),
            deployment: "acme".parse().unwrap(),
            title: "Some product".to_owned(),
            purpose: "deploy".to_owned(),
            hosts: self.hosts.clone(),
        });
        let steps = self.hosts.iter().flat_map(|host| {
            (0..=STEPS).map(move |number| StepSummary {
                id: step(host, number),
                host: host.clone(),
                phase: [Phase::Files, Phase::Images, Phase::Stack, Phase::Health][number % 4],
                description: Description {
                    summary: format!("step {number}"),
                    reasons: Vec::new(),
                    difference: None,
                },
                after: Vec::new(),
                probe: Probe::Needed,
                may_skip: false,
            })
        });
        let steps = steps.collect();
        self.tell(Event::PlanReady { steps });
        self.tell(Event::StageStarted { stage: Stage::Run });
        for host in self.hosts.clone() {
            let step = step(&host, 1);
            self.tell(Event::StepStarted { step });
        }
    }

    /// Prints a line on the next host; now and then a step moves on.
    pub(crate) fn print(&mut self) {
        self.number += 1;
        let host = &self.hosts[self.number % self.hosts.len()];
        let step = step(host, 1);
        if self.number.is_multiple_of(20) {
            let done = self.number as u64;
            self.tell(Event::StepProgress {
                step,
                done,
                total: Some(10_000_000),
            });
            return;
        }
        let line = format!(
            "2026-11-20T12:30:58Z \u{1b}[32mINFO\u{1b}[0m worker {} took request {} of the queue in 12 ms",
            self.number % 97,
            self.number
        );
        self.tell(Event::StepOutput { step, line });
    }

    /// Returns whether the screen has taken in everything.
    pub(crate) fn is_taken(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    fn tell(&self, event: Event) {
        let time = Timestamp::now();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let record = Box::new(Record { time, event });
        self.sender.send(Message::Told(record)).unwrap();
    }
}

fn name(number: usize) -> HostName {
    format!("node-{number}").parse().unwrap()
}

fn step(host: &HostName, number: usize) -> StepId {
    StepId(format!("{host}/step-{number}"))
}
