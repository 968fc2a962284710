//! `logs`: reaches the hosts that can be reached, learns their secrets, and gathers what their programs print. Nothing on them is changed.

use std::sync::Arc;

use super::connections::{self, Connections};
use super::story::{Ending, Run};
use crate::engine::fan_out::fan_out;
use crate::engine::gather::survey::{Search, Survey};
use crate::engine::gather::{Gathered, Gathering, Order};
use crate::engine::redact::{Redactor, kept};
use crate::logs::Book;
use crate::model::event::{Event, Listener, Outcome, Stage};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::HostName;
use crate::model::secret::Secrets;
use crate::transport::Host;

/// Hosts with what was found on each, hosts that are lost and why, and who takes secrets out.
pub(super) struct Surveyed {
    pub(super) hosts: Vec<(Arc<dyn Host>, Survey)>,
    pub(super) lost: Vec<(HostName, String)>,
    pub(super) redactor: Redactor,
    pub(super) links: Arc<Connections>,
    /// What the redactor knows.
    pub(super) secrets: Secrets,
}

/// Gathers logs into a file.
pub(super) fn gather(run: &Run<'_>, order: &Order) -> Result<Outcome, Ending> {
    refuse_unknown_hosts(run, order)?;
    let mut book = Book::open(&order.output).map_err(|error| Failure::from_error(&error))?;
    let surveyed = survey(run, order)?;
    refuse_unknown_services(&surveyed, order)?;
    run.stage(Stage::Gather);
    let gathering = Gathering {
        deployment: &run.job.deployment,
        order,
        surveys: surveyed.hosts,
        lost: surveyed.lost,
        redactor: surveyed.redactor,
        listener: run.listener.as_ref(),
        cancel: &run.job.cancel,
    };
    let gathered = gathering.run(&mut book);
    let gathered = gathered.map_err(|error| Failure::from_error(&error))?;
    run.listener.hear(Event::LogsWritten {
        path: book.path().to_string(),
        records: gathered.records,
        bytes: gathered.bytes,
    });
    // Whoever follows ends it so; that is no break.
    if run.job.cancel.is_raised() && !order.follow {
        return Err(Ending(Outcome::Cancelled));
    }
    match incomplete(run, &gathered) {
        Some(failure) => Err(failure.into()),
        None => Ok(Outcome::Done),
    }
}

/// Reaches hosts and looks what is on them, each within its own time; those that fail are named and hold up nobody.
pub(super) fn survey(run: &Run<'_>, order: &Order) -> Result<Surveyed, Ending> {
    run.stage(Stage::Connect);
    let wanted = |host: &HostName| order.hosts.is_empty() || order.hosts.contains(host);
    let (links, failures) = connections::connect(run, &wanted);
    run.go_on()?;
    let mut lost: Vec<(HostName, String)> = failures
        .into_iter()
        .filter_map(|failure| Some((failure.host?, failure.message)))
        .collect();
    let hosts: Vec<Arc<dyn Host>> = links.all().into_values().collect();
    let deployment = &run.job.deployment;
    let found = fan_out(hosts, run.job.concurrency, |host| {
        let survey = Search::new(deployment, host.name(), order).survey(&host);
        (host, survey)
    });
    run.go_on()?;
    let mut secrets = deployment.secrets.clone();
    let mut surveys = Vec::new();
    for (host, survey) in found {
        if let Some(mut survey) = survey {
            kept::learn(&mut secrets, std::mem::take(&mut survey.secrets));
            surveys.push((host, survey));
        } else {
            let why = "it did not say in time what is on it".to_owned();
            lost.push((host.name().clone(), why));
        }
    }
    let redactor = Redactor::new(&secrets);
    run.listener.redact(redactor.clone());
    for (host, _) in &lost {
        let text = "secrets that this host alone keeps are not known: in the lines of others they are found by their look only".to_owned();
        run.listener.hear(Event::Noticed {
            host: Some(host.clone()),
            text,
        });
    }
    Ok(Surveyed {
        hosts: surveys,
        lost,
        redactor,
        links,
        secrets,
    })
}

fn refuse_unknown_hosts(run: &Run<'_>, order: &Order) -> Result<(), Ending> {
    let hosts = &run.job.deployment.hosts;
    let unknown = |wanted: &&HostName| !hosts.iter().any(|host| host.name == **wanted);
    let Some(unknown) = order.hosts.iter().find(unknown) else {
        return Ok(());
    };
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    Err(refused(
        format!("there is no host `{unknown}` in this deployment"),
        format!("its hosts are {}", names.join(", ")),
    ))
}

/// Refuses when nothing that was asked for is there, on hosts that all told what is.
fn refuse_unknown_services(surveyed: &Surveyed, order: &Order) -> Result<(), Ending> {
    let nothing = surveyed
        .hosts
        .iter()
        .all(|(_, survey)| survey.sources.is_empty() && survey.missing.is_empty());
    if order.services.is_empty() || !nothing || !surveyed.lost.is_empty() {
        return Ok(());
    }
    let containers = surveyed.hosts.iter().flat_map(|(_, s)| &s.containers);
    let mut names: Vec<&str> = containers.filter_map(|c| c.service()).collect();
    names.sort_unstable();
    names.dedup();
    Err(refused(
        format!(
            "there is no service `{}` on its hosts",
            order.services.join("`, `")
        ),
        format!("there are {}", names.join(", ")),
    ))
}

fn refused(message: String, hint: String) -> Ending {
    Ending(Outcome::Failed(Failure {
        kind: FailureKind::Usage,
        host: None,
        message,
        causes: Vec::new(),
        hint: Some(hint),
        command: None,
    }))
}

/// Returns the failure that says what is missing, when something is.
fn incomplete(run: &Run<'_>, gathered: &Gathered) -> Option<Failure> {
    let missing = gathered.missing();
    if missing.is_empty() {
        return None;
    }
    let are = match missing.len() {
        1 => "1 source is".to_owned(),
        number => format!("{number} sources are"),
    };
    let name = &run.job.deployment.name;
    Some(Failure {
        kind: FailureKind::Situation,
        host: None,
        message: format!("the logs are incomplete: {are} missing or cut short, all else is there"),
        causes: missing,
        hint: Some(format!(
            "when that is mended, `syntho-installer logs {name}` gathers again; `--host` and `--service` gather a part"
        )),
        command: None,
    })
}
