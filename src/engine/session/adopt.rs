//! `adopt`: finds what somebody set up by hand and decides what taking it over would be. Nothing on any host is changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stages;
use super::story::{Ending, Run};
use crate::engine::adopt::{self, Project, Takeover};
use crate::engine::fan_out::fan_out;
use crate::engine::planner;
use crate::engine::runner::Links as _;
use crate::model::check::Verdict;
use crate::model::event::{Event, Listener, Outcome};
use crate::model::failure::{Failure, FailureKind};
use crate::model::ids::HostName;
use crate::model::preset::Preset;

/// Looks at every host and tells what was found.
pub(super) fn adopt(run: &Run<'_>, presets: &[Arc<Preset>]) -> Result<Takeover, Ending> {
    let found = look(run)?;
    let broken = |error| Failure::from_error(&error);
    let Some(preset) = adopt::fitting(presets, &found).map_err(broken)? else {
        return Err(nothing_known(&found).into());
    };
    let known = adopt::known(preset, &found).map_err(broken)?;
    let takeover = adopt::takeover(preset, &known).map_err(broken)?;
    for check in &takeover.told {
        // What is right is the finding itself here.
        let event = match check.verdict {
            Verdict::Pass => Event::Noticed {
                host: check.host.clone(),
                text: format!("{}: {}", check.title, check.found),
            },
            _ => Event::CheckEnded {
                check: check.clone(),
            },
        };
        run.listener.hear(event);
    }
    Ok(takeover)
}

/// Says how the run ended.
pub(super) fn outcome(takeover: &Takeover) -> Outcome {
    if takeover.refused() {
        Outcome::ChecksFailed
    } else {
        Outcome::NothingToDo
    }
}

fn look(run: &Run<'_>) -> Result<BTreeMap<HostName, Vec<Project>>, Ending> {
    let seen = stages::see(run)?;
    run.go_on()?;
    let deployment = &run.job.deployment;
    let sudo = deployment.hosts.iter();
    let sudo = sudo.map(|host| (host.name.clone(), host.login.sudo.unwrap_or_default()));
    let folder = planner::folder(&deployment.base_folder, &deployment.name);
    let rights = planner::rights(&seen.facts, &sudo.collect(), seen.links.as_ref(), &folder);
    let rights =
        rights.map_err(|failures| stages::unplanned(planner::PlanError::Hosts(failures)))?;
    let hosts: Vec<&HostName> = seen.facts.keys().collect();
    let found = fan_out(hosts, run.job.concurrency, |name| {
        let rights = rights.get(name).copied().unwrap_or_default();
        let projects = seen
            .links
            .host(name)
            .and_then(|host| adopt::projects(host.as_ref(), rights));
        let projects = projects.map_err(|error| Failure::from_error(&error).on(name));
        projects.map(|projects| (name.clone(), projects))
    });
    let mut all = BTreeMap::new();
    for of_one in found {
        let (name, projects) = of_one?;
        all.insert(name, projects);
    }
    Ok(all)
}

/// Says what is there instead.
fn nothing_known(found: &BTreeMap<HostName, Vec<Project>>) -> Failure {
    let causes = found.iter().map(|(host, projects)| {
        let named = projects.iter().map(|project| {
            format!(
                "`{}` in {} ({})",
                project.name,
                project.folder,
                project.by_hand.services.join(", ")
            )
        });
        let named: Vec<String> = named.collect();
        if named.is_empty() {
            format!("{host}: no Compose project that is not ours")
        } else {
            format!("{host}: {}", named.join("; "))
        }
    });
    Failure {
        kind: FailureKind::Situation,
        host: None,
        message: "nothing on these hosts is known to any preset as a whole deployment".to_owned(),
        causes: causes.collect(),
        hint: Some("name every host that belongs to it, and start it there: what does not exist as containers is not found".to_owned()),
        command: None,
    }
}
