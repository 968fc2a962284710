//! `support`: everything from everywhere into one archive, each part within its own time, and nothing on the hosts is changed.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::connections::Connections;
use super::stages::{self, Seen};
use super::story::{Ending, Run};
use super::{Job, logs, look, remembered};
use crate::engine::cancel::Cancel;
use crate::engine::facts::gather_all;
use crate::engine::gather::{Gathering, Order as LogOrder};
use crate::engine::redact::{Redactor, kept};
use crate::engine::support::collect::Asking;
use crate::engine::support::diagnose::{self, Diagnosis};
use crate::engine::support::spool::Spool;
use crate::engine::support::words::{self, TAIL};
use crate::engine::support::{Order, SupportError, own, pack as packing, report};
use crate::engine::verify::Depth;
use crate::logs::{Book, Reach};
use crate::model::check::{CheckResult, Verdict};
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::facts::HostFacts;
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::{HostName, QuestionId};
use crate::model::resolve::expected;
use crate::model::secret::Secrets;

/// Everything that hosts are asked must be over after this.
const TOTAL: Duration = Duration::from_mins(5);

/// The checks alone.
const CHECKS: Duration = Duration::from_mins(2);

/// Time between two looks at whether the operator wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Makes the archive.
pub(super) fn pack(run: &Run<'_>, order: &Order) -> Result<Outcome, Ending> {
    if order.output.exists() {
        return Err(SupportError::Exists {
            path: order.output.clone(),
        }
        .into());
    }
    let until = Instant::now() + TOTAL;
    let log_order = LogOrder {
        daemon: true,
        reach: Reach {
            tail: Some(TAIL),
            ..Reach::default()
        },
        ..LogOrder::default()
    };
    let surveyed = logs::survey(run, &log_order)?;
    run.go_on()?;
    let mut secrets = surveyed.secrets;
    let found = checks(run, &surveyed.links, &secrets, until)?;
    kept::learn(&mut secrets, found.secrets);
    let redactor = Redactor::new(&secrets);
    run.listener.redact(redactor.clone());

    run.stage(Stage::Gather);
    let folder = run.job.home.deployment(&run.job.deployment.name);
    folder
        .create()
        .map_err(|error| Failure::from_error(&error))?;
    let spool = Spool::open(folder.root(), redactor.clone())?;
    for (host, why) in &surveyed.lost {
        spool.miss(host.to_string(), why);
    }
    keep_checks(&spool, &found.checks, &found.facts)?;
    for (what, why) in &found.missing {
        spool.miss(what.clone(), why);
    }
    let asking = Asking {
        spool: &spool,
        listener: run.listener.as_ref(),
        cancel: &run.job.cancel,
        until,
        concurrency: run.job.concurrency,
    };
    let hosts = surveyed.hosts.iter().map(|(host, _)| Arc::clone(host));
    asking.ask(hosts.collect(), &expected(&run.job.deployment))?;
    run.go_on()?;
    let gathering = Gathering {
        deployment: &run.job.deployment,
        order: &log_order,
        surveys: surveyed.hosts,
        lost: Vec::new(),
        redactor,
        listener: run.listener.as_ref(),
        cancel: &Cancel::new(),
    };
    gather_logs(run, gathering, &spool, until)?;
    run.go_on()?;
    let home = &run.job.home;
    own::keep(home, &folder, &run.id, &spool, run.listener.as_ref())?;
    finish(run, order, &spool)
}

/// Writes what the archive says of itself, and packs it.
fn finish(run: &Run<'_>, order: &Order, spool: &Spool) -> Result<Outcome, Ending> {
    let deployment = &run.job.deployment;
    let signatures = diagnose::known(&deployment.preset, run.job.assets.as_ref());
    let diagnosis = Diagnosis {
        signatures: &signatures,
        spool,
        deployment: deployment.name.as_str(),
        now: order.began,
    };
    let causes = diagnosis.make()?;
    let complete = spool.missing().is_empty();
    let json = serde_json::to_string_pretty(&causes).unwrap_or_default() + "\n";
    let texts = [
        (
            "diagnosis.md",
            report::markdown(deployment.name.as_str(), &causes, complete),
        ),
        ("diagnosis.json", json),
        (
            "README.txt",
            words::readme(&run.job.deployment, order, spool),
        ),
        ("missing.txt", words::missing(spool)),
    ];
    for (file, text) in texts {
        spool.write(file, file, &text)?;
    }
    let packed = packing::pack(spool, order, &run.job.cancel)?;
    let Some(packed) = packed else {
        return Err(Ending(Outcome::Cancelled));
    };
    run.listener.hear(Event::Diagnosed { causes });
    run.listener.hear(Event::ArchiveWritten {
        path: order.output.to_string(),
        files: packed.files,
        bytes: packed.bytes,
    });
    match incomplete(run, spool) {
        Some(failure) => Err(failure.into()),
        None => Ok(Outcome::Done),
    }
}

impl From<SupportError> for Ending {
    fn from(error: SupportError) -> Self {
        Failure::from_error(&error).into()
    }
}

/// Gathers logs as `logs` does, within the time that is left.
fn gather_logs(
    run: &Run<'_>,
    gathering: Gathering<'_>,
    spool: &Spool,
    until: Instant,
) -> Result<(), Ending> {
    let path = spool.path("logs.log")?;
    let mut book = Book::open(&path).map_err(|error| Failure::from_error(&error))?;
    let (over, done) = (Cancel::new(), Cancel::new());
    let gathered = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.wait(LOOK) {
                if run.job.cancel.is_raised() || Instant::now() > until {
                    over.raise();
                }
            }
        });
        let gathering = Gathering {
            cancel: &over,
            ..gathering
        };
        let gathered = gathering.run(&mut book);
        done.raise();
        gathered
    });
    let gathered = gathered.map_err(|error| Failure::from_error(&error))?;
    for count in &gathered.counts {
        spool.count_masked(&count.masked);
        if let Some(why) = &count.missing {
            spool.miss(count.source.clone(), why);
        }
    }
    drop(book);
    spool.go_over("logs.log")?;
    if over.is_raised() && !run.job.cancel.is_raised() {
        let minutes = TOTAL.as_secs() / 60;
        spool.miss(
            "logs",
            &format!("cut off: the {minutes} minutes for everything were over"),
        );
    }
    Ok(())
}

/// What is known by asking now.
#[derive(Default)]
struct Found {
    facts: Vec<HostFacts>,
    checks: Vec<CheckResult>,
    /// Further secrets, which nobody may see.
    secrets: Vec<(QuestionId, SecretString)>,
    missing: Vec<(String, String)>,
}

/// Looks at the hosts and judges them, within its own time; what is there by then counts.
fn checks(
    run: &Run<'_>,
    links: &Arc<Connections>,
    known: &Secrets,
    until: Instant,
) -> Result<Found, Ending> {
    let found: Arc<Mutex<Found>> = Arc::default();
    if links.all().is_empty() {
        return Ok(Found {
            missing: vec![("checks".to_owned(), "no host was reached".to_owned())],
            ..Found::default()
        });
    }
    let mut job = Job::clone(run.job);
    // Whoever looks gives no secret: hosts keep most of them under the names of their questions.
    let missing = known
        .iter()
        .filter(|(id, _)| job.deployment.secrets.get(id).is_none());
    let missing: Vec<_> = missing
        .map(|(id, value)| (id.clone(), value.clone()))
        .collect();
    for (id, value) in missing {
        job.deployment.secrets.insert(id, value);
    }
    job.cancel = Cancel::new();
    let over = job.cancel.clone();
    let (id, listener, peace) = (run.id.clone(), Arc::clone(&run.listener), run.peace.clone());
    let (links, into) = (Arc::clone(links), Arc::clone(&found));
    let (send, done) = channel();
    thread::spawn(move || {
        let run = Run {
            job: &job,
            id,
            listener,
            peace,
        };
        let why = judge(&run, links, &into).err().map(|ending| said(&ending));
        // Nobody waits any more when this fails.
        let _ = send.send(why);
    });
    let until = until.min(Instant::now() + CHECKS);
    let why = loop {
        match done.recv_timeout(LOOK) {
            Ok(why) => break why,
            Err(RecvTimeoutError::Timeout) if run.job.cancel.is_raised() => {
                over.raise();
                return Err(Ending(Outcome::Cancelled));
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(RecvTimeoutError::Timeout) => {
                over.raise();
                break Some(format!("cut off after {} s", CHECKS.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => break Some("they broke off".to_owned()),
        }
    };
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(why) = why {
        found.missing.push(("checks".to_owned(), why));
    }
    Ok(found)
}

fn said(ending: &Ending) -> String {
    match &ending.0 {
        Outcome::Failed(failure) => {
            let parts = std::iter::once(&failure.message).chain(&failure.causes);
            parts.map(String::as_str).collect::<Vec<_>>().join(": ")
        }
        outcome => format!("they ended early: {outcome:?}"),
    }
}

/// Makes every check and judgement once, and hands over what is known as soon as it is.
fn judge(run: &Run<'_>, links: Arc<Connections>, into: &Mutex<Found>) -> Result<(), Ending> {
    let found = || into.lock().unwrap_or_else(PoisonError::into_inner);
    run.stage(Stage::Facts);
    let base = &run.job.deployment.base_folder;
    let all = links.all();
    let gathered = gather_all(&all, base, run.job.concurrency, run.listener.as_ref());
    found().facts = gathered.facts.values().cloned().collect();
    for (host, failure) in gathered.lost {
        let what = format!("{host}/facts.json");
        found().missing.push((what, failure.message));
    }
    let hosts = run.job.deployment.hosts.iter().map(|host| &host.name);
    let down = hosts.filter(|host| !gathered.facts.contains_key(*host));
    let down: Vec<HostName> = down.cloned().collect();
    let folder = run.job.home.deployment(&run.job.deployment.name);
    let seen = Seen {
        links,
        facts: gathered.facts,
    };
    let settled = stages::settle_with(run, seen, remembered::facts(&folder, &down))?;
    let secrets = settled.resolved.secrets.iter();
    found().secrets = secrets
        .map(|(id, value)| (id.clone(), value.clone()))
        .collect();
    let report = stages::checked(run, &settled)?;
    found().checks.extend(report.checks);
    run.go_on()?;
    let compared = look::compared(run, &settled);
    found().checks.extend(compared);
    run.go_on()?;
    let judged = look::verified(run, &settled, Depth::Once);
    found().checks.extend(judged);
    Ok(())
}

/// Keeps what was found by asking.
fn keep_checks(
    spool: &Spool,
    checks: &[CheckResult],
    facts: &[HostFacts],
) -> Result<(), SupportError> {
    let mut sorted: Vec<&CheckResult> = checks.iter().collect();
    sorted.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let lines: String = sorted.iter().map(|check| line(check)).collect();
    spool.write("checks.txt", "checks", &lines)?;
    let json = serde_json::to_string_pretty(&sorted).unwrap_or_default();
    spool.write("checks.json", "checks", &format!("{json}\n"))?;
    for of_host in facts {
        let json = serde_json::to_string_pretty(of_host).unwrap_or_default();
        let file = format!("hosts/{}/facts.json", of_host.host);
        spool.write(&file, &file, &format!("{json}\n"))?;
    }
    Ok(())
}

/// Returns a check as one line.
fn line(check: &CheckResult) -> String {
    let verdict = match check.verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "WARN",
        Verdict::Fail => "FAIL",
    };
    let host = check
        .host
        .as_ref()
        .map_or("all hosts", |host| host.as_str());
    let mut line = format!(
        "{verdict} {host} [{}] {}: {}",
        check.id, check.title, check.found
    );
    for (word, text) in [("because", &check.cause), ("remedy", &check.remedy)] {
        if let Some(text) = text {
            line += &format!("; {word}: {text}");
        }
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ") + "\n"
}

/// Returns the failure that says what is missing, when something is.
fn incomplete(run: &Run<'_>, spool: &Spool) -> Option<Failure> {
    let missing = spool.missing();
    let things = match missing.len() {
        0 => return None,
        1 => "1 thing is".to_owned(),
        number => format!("{number} things are"),
    };
    let name = &run.job.deployment.name;
    Some(Failure {
        kind: FailureKind::Situation,
        host: None,
        message: format!(
            "the archive is incomplete: {things} missing or cut short, all else is in it"
        ),
        causes: missing
            .iter()
            .map(|(what, why)| format!("{what}: {why}"))
            .collect(),
        hint: Some(format!(
            "hand it on as it is; when that is mended, `syntho-installer support {name}` makes another one"
        )),
        command: None,
    })
}
