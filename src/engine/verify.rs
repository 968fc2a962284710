//! Judges whether what was deployed works: containers, steps by tools, images, and every judgement of the preset, all at once.
//!
//! Each judgement is tried until it holds or its time is over, and ends as one [`CheckResult`] with what was found. Only what a judgement itself does is done
//! on hosts (a program in a container, a request, a connection); nothing is changed. An exit code of some command is no verdict here.

mod containers;
mod exec;
mod http;
mod images;
mod port;
mod program;
mod step;
mod tls;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::action::Rights;
use super::cancel::Cancel;
use super::fan_out::fan_out;
use super::redact::Redactor;
use super::runner::Links;
use crate::model::check::{CheckResult, Verdict};
use crate::model::event::{Event, Listener};
use crate::model::facts::HostFacts;
use crate::model::ids::HostName;
use crate::model::resolved::{
    PlacedHealth, PlacedProbe, PlacedStack, PlacedStep, Resolved, ResolvedHost,
};

/// How thorough the judging is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Everything, each until it holds or its time is over.
    Full,
    /// Everything, each tried once.
    Once,
    /// One look, without starting programs in containers: for a deployment on which nothing was to be done, and for `status`.
    Quick,
}

/// What judging works with.
pub struct Verification<'a> {
    /// What shall be.
    pub resolved: &'a Resolved,
    /// Whose rights are used on each host.
    pub rights: &'a BTreeMap<HostName, Rights>,
    /// What hosts are.
    pub facts: &'a BTreeMap<HostName, HostFacts>,
    /// Connections.
    pub links: &'a dyn Links,
    /// Hears each result as it comes.
    pub listener: &'a dyn Listener,
    /// Keeps secrets out of what is told.
    pub redactor: &'a Redactor,
    /// The operator's wish to stop.
    pub cancel: &'a Cancel,
    /// How thorough.
    pub depth: Depth,
    /// Time between two signs of life.
    pub silence: Duration,
}

/// Time between two tries.
const AGAIN: Duration = Duration::from_secs(2);
/// Seconds until a stack's containers must be as they should; the run has waited for them before.
const CONTAINERS_WITHIN: u64 = 60;
/// As many judgements as are made at once; most of their time is waiting.
const AT_ONCE: usize = 32;

/// What one try found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// One sentence.
    pub(super) found: String,
    /// Why it is a problem, with the last words of whoever spoke.
    pub(super) cause: Option<String>,
    /// What to do about it, where the preset's own advice is about something else.
    pub(super) remedy: Option<String>,
    /// Trying again can not change it.
    certain: bool,
}

/// What a probe works with.
#[derive(Clone, Copy)]
pub(super) struct Probing<'a> {
    /// Connections.
    pub(super) links: &'a dyn Links,
    /// Every host of the deployment.
    pub(super) hosts: &'a [ResolvedHost],
}

fn probe(probing: Probing<'_>, probe: &PlacedProbe) -> Finding {
    match probe {
        PlacedProbe::Exec { .. } => exec::run(probing, probe),
        PlacedProbe::Http { .. } => http::ask(probing, probe),
        PlacedProbe::Program { .. } => program::run(probing, probe),
        PlacedProbe::Port { .. } => port::dial(probing, probe),
        PlacedProbe::Tls { .. } => tls::shake_hands(probe),
    }
}

/// Makes one try of a judgement as the preset weighs it; preflight makes it, too.
pub(super) fn weigh(probing: Probing<'_>, health: &PlacedHealth) -> Finding {
    let mut finding = probe(probing, &health.probe);
    if health.warns && finding.verdict == Verdict::Fail {
        finding.verdict = Verdict::Warn;
    }
    finding
}

impl Finding {
    fn pass(found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Pass,
            found: found.into(),
            cause: None,
            remedy: None,
            certain: true,
        }
    }

    /// Says that it could not be tried, by the fault of nobody.
    fn untried(found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            ..Self::pass(found)
        }
    }

    fn fail(found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            found: found.into(),
            cause: None,
            remedy: None,
            certain: false,
        }
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        let cause: String = cause.into();
        self.cause = Some(cause).filter(|cause| !cause.trim().is_empty());
        self
    }

    fn certainly(mut self) -> Self {
        self.certain = true;
        self
    }
}

/// One thing that is judged.
enum Question<'a> {
    Containers(&'a PlacedStack),
    Step(&'a PlacedStack, &'a PlacedStep),
    Images,
    Health(&'a PlacedHealth),
}

/// Judges, telling each result, and returns all of them in the order of the preset.
#[must_use]
pub fn verify(verification: &Verification<'_>) -> Vec<CheckResult> {
    let pending: Mutex<Vec<String>> = Mutex::default();
    let done = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| say_what_lasts(verification, &pending, &done));
        let results = fan_out(questions(verification), AT_ONCE, |question| {
            judge(verification, &question, &pending)
        });
        done.raise();
        results
    })
}

fn questions<'a>(verification: &Verification<'a>) -> Vec<Question<'a>> {
    let resolved = verification.resolved;
    let projects = resolved.stacks.iter().filter(|stack| stack.is_project());
    let mut questions: Vec<Question<'a>> = projects.map(Question::Containers).collect();
    for stack in &resolved.stacks {
        let steps = stack.steps.iter();
        questions.extend(steps.map(|step| Question::Step(stack, step)));
    }
    questions.push(Question::Images);
    let quick = verification.depth == Depth::Quick;
    let wanted =
        |health: &&PlacedHealth| !(quick && matches!(health.probe, PlacedProbe::Exec { .. }));
    questions.extend(resolved.health.iter().filter(wanted).map(Question::Health));
    questions
}

/// Tries until it holds, cannot change any more, or its time is over; then tells.
fn judge(
    verification: &Verification<'_>,
    question: &Question<'_>,
    pending: &Mutex<Vec<String>>,
) -> CheckResult {
    let title = question.title();
    lock(pending).push(title.clone());
    let began = Instant::now();
    let within = Duration::from_secs(match verification.depth {
        Depth::Full => question.within(),
        Depth::Once | Depth::Quick => 0,
    });
    let finding = loop {
        let finding = question.try_once(verification);
        let over = began.elapsed() >= within;
        if finding.certain || finding.verdict == Verdict::Pass || over {
            break finding;
        }
        if verification.cancel.wait(AGAIN) {
            break finding;
        }
    };
    let mut check = question.check(finding, began.elapsed());
    verification.redactor.check(&mut check);
    lock(pending).retain(|other| *other != title);
    verification.listener.hear(Event::CheckEnded {
        check: check.clone(),
    });
    check
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names what is still being judged, now and then.
fn say_what_lasts(verification: &Verification<'_>, pending: &Mutex<Vec<String>>, done: &Cancel) {
    while !done.wait(verification.silence) {
        let titles = lock(pending).join(", ");
        if !titles.is_empty() {
            verification.listener.hear(Event::Noticed {
                host: None,
                text: format!("still judging: {titles}"),
            });
        }
    }
}

impl Question<'_> {
    fn title(&self) -> String {
        match self {
            Self::Containers(stack) => format!("Containers of {} on {}", stack.title, stack.host),
            Self::Step(stack, step) => format!("{} on {}", step.title, stack.host),
            Self::Images => "The same images on every host".to_owned(),
            Self::Health(health) => health.title.clone(),
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Containers(stack) => format!("containers-{}", stack.id),
            Self::Step(stack, step) => format!("step-{}-{}", stack.id, step.id),
            Self::Images => "images-agree".to_owned(),
            Self::Health(health) => health.id.clone(),
        }
    }

    fn host(&self) -> Option<HostName> {
        match self {
            Self::Containers(stack) | Self::Step(stack, _) => Some(stack.host.clone()),
            Self::Images => None,
            Self::Health(health) => match &health.probe {
                PlacedProbe::Exec { host, .. } | PlacedProbe::Program { from: host, .. } => {
                    Some(host.clone())
                }
                PlacedProbe::Http { from, .. } => from.clone(),
                PlacedProbe::Port { to, .. } => Some(to.clone()),
                PlacedProbe::Tls { .. } => None,
            },
        }
    }

    fn within(&self) -> u64 {
        match self {
            Self::Containers(_) | Self::Step(..) => CONTAINERS_WITHIN,
            Self::Images => 0,
            Self::Health(health) => health.within,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Containers(stack) => Some(format!(
                "see `docker compose -p {} ps -a` and its logs on {}",
                stack.project, stack.host
            )),
            Self::Step(stack, step) => Some(format!(
                "{}; `syntho-installer deploy` brings it about again. By hand, in {} on {}: `{}`",
                step.remedy,
                stack.folder,
                stack.host,
                step.run.join(" ")
            )),
            Self::Images => Some(
                "deliver one release to every host: name it by `tag`, not by a moving name"
                    .to_owned(),
            ),
            Self::Health(health) => health.remedy.clone(),
        }
    }

    fn try_once(&self, verification: &Verification<'_>) -> Finding {
        match self {
            Self::Containers(stack) => containers::look(verification, stack),
            Self::Step(stack, step) => step::look(verification, stack, step),
            Self::Images => images::look(verification),
            Self::Health(health) => {
                let probing = Probing {
                    links: verification.links,
                    hosts: &verification.resolved.hosts,
                };
                weigh(probing, health)
            }
        }
    }

    fn command(&self) -> Option<String> {
        match self {
            Self::Health(health) => health.command.clone(),
            Self::Containers(_) | Self::Step(..) | Self::Images => None,
        }
    }

    fn check(&self, finding: Finding, took: Duration) -> CheckResult {
        let late = finding.verdict == Verdict::Fail && !finding.certain && took > AGAIN;
        CheckResult {
            id: self.id(),
            host: self.host(),
            title: self.title(),
            verdict: finding.verdict,
            found: if late {
                format!("{}, after {} s", finding.found, took.as_secs())
            } else {
                finding.found
            },
            cause: finding.cause,
            remedy: finding
                .remedy
                .or_else(|| self.remedy())
                .filter(|_| finding.verdict != Verdict::Pass),
            command: self.command().filter(|_| finding.verdict != Verdict::Pass),
            opening: None,
            mends: false,
        }
    }
}

/// Returns what could not be asked as a finding.
fn unreachable(error: &crate::transport::TransportError) -> Finding {
    Finding::fail("could not be asked").because(error.to_string())
}

#[cfg(test)]
mod tests;
