//! The secrets that hosts keep in their own `.env` files, read back so that nothing is typed twice and nothing generated changes by itself.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::engine::action::Rights;
use crate::engine::fan_out::fan_out;
use crate::engine::planner;
use crate::engine::runner::Links;
use crate::model::deployment::Deployment;
use crate::model::dotenv;
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StackId};
use crate::transport::{Host, TransportError, files};

/// What hosts keep, by host, stack and variable.
pub(super) type Kept = BTreeMap<(HostName, StackId, String), SecretString>;

/// One file to read, and the variables of interest in it.
struct Reading {
    host: HostName,
    stack: StackId,
    variables: Vec<String>,
}

/// Reads every kept secret from every host that may hold one.
pub(super) fn read(
    deployment: &Deployment,
    rights: &BTreeMap<HostName, Rights>,
    links: &dyn Links,
    concurrency: usize,
) -> Result<Kept, Failure> {
    let found = fan_out(readings(deployment), concurrency, |reading| {
        let rights = rights.get(&reading.host).copied().unwrap_or_default();
        let kept = links
            .host(&reading.host)
            .and_then(|host| read_one(deployment, &reading, host.as_ref(), rights));
        kept.map_err(|error| Failure::from_error(&error).on(&reading.host))
    });
    let mut kept = Kept::new();
    for of_one in found {
        kept.extend(of_one?);
    }
    Ok(kept)
}

fn readings(deployment: &Deployment) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for (stack, variable, _) in deployment.preset.kept_variables() {
        let Some(role) = deployment.preset.stack(&stack).map(|stack| &stack.role) else {
            continue;
        };
        for host in deployment
            .hosts
            .iter()
            .filter(|host| host.roles.contains(role))
        {
            match readings
                .iter_mut()
                .find(|reading| reading.host == host.name && reading.stack == stack)
            {
                Some(reading) => reading.variables.push(variable.clone()),
                None => readings.push(Reading {
                    host: host.name.clone(),
                    stack: stack.clone(),
                    variables: vec![variable.clone()],
                }),
            }
        }
    }
    readings
}

fn read_one(
    deployment: &Deployment,
    reading: &Reading,
    host: &dyn Host,
    rights: Rights,
) -> Result<Kept, TransportError> {
    let folder = planner::folder(&deployment.base_folder, &deployment.name);
    let path = format!("{folder}/{}/.env", reading.stack);
    let Some(bytes) = files::read(host, &path, rights.privilege())? else {
        return Ok(Kept::new());
    };
    let text = String::from_utf8_lossy(&bytes);
    let kept = reading.variables.iter().filter_map(|variable| {
        let value = dotenv::kept(&text, variable)?;
        Some((
            (
                reading.host.clone(),
                reading.stack.clone(),
                variable.clone(),
            ),
            value,
        ))
    });
    Ok(kept.collect())
}
