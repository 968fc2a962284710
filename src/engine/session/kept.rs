//! What hosts keep in their own files, read back so that nothing is typed twice and nothing that was made changes by itself: secrets in `.env`, and
//! certificates.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::engine::action::Rights;
use crate::engine::fan_out::fan_out;
use crate::engine::planner;
use crate::engine::runner::Links;
use crate::model::adopt::{self, ByHand};
use crate::model::answers::Adopted;
use crate::model::deployment::Deployment;
use crate::model::dotenv;
use crate::model::failure::Failure;
use crate::model::ids::{HostName, StackId};
use crate::model::preset::CertificatePart;
use crate::model::resolve::adopted_name;
use crate::transport::{Host, TransportError, files};

/// What hosts keep, by host, stack and variable or path.
pub(super) type Kept = BTreeMap<(HostName, StackId, String), SecretString>;

/// One file to read.
struct Reading {
    host: HostName,
    stack: StackId,
    /// Its path in the stack's folder.
    path: String,
    /// The variables of interest in it; none where the whole file is.
    variables: Vec<String>,
}

/// The variables file of a stack.
const ENV_FILE: &str = ".env";

/// Reads everything that is kept from every host that may hold it and was looked at: each of those has rights.
pub(super) fn read(
    deployment: &Deployment,
    rights: &BTreeMap<HostName, Rights>,
    links: &dyn Links,
    concurrency: usize,
) -> Result<Kept, Failure> {
    let mut wanted = readings(deployment);
    wanted.retain(|reading| rights.contains_key(&reading.host));
    let found = fan_out(wanted, concurrency, |reading| {
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
    let by_hand = deployment.adopted.iter();
    let by_hand = by_hand.filter(|adopted| rights.contains_key(&adopted.host));
    let by_hand = by_hand.collect();
    let found = fan_out(by_hand, concurrency, |adopted: &Adopted| {
        let rights = rights.get(&adopted.host).copied().unwrap_or_default();
        read_adopted(deployment, adopted, links, rights)
            .map_err(|failure| failure.on(&adopted.host))
    });
    for of_one in found {
        kept.extend(of_one?);
    }
    Ok(kept)
}

/// Reads the secrets of what was set up by hand. Its folder may be gone one day: by then our own files hold what they keep.
fn read_adopted(
    deployment: &Deployment,
    adopted: &Adopted,
    links: &dyn Links,
    rights: Rights,
) -> Result<Kept, Failure> {
    let Some(form) = deployment.preset.adopt(&adopted.form) else {
        return Ok(Kept::new());
    };
    let read = links
        .host(&adopted.host)
        .and_then(|host| files::read(host.as_ref(), &adopted.environment, rights.privilege()));
    let text = read.map_err(|error| Failure::from_error(&error))?;
    let Some(text) = text else {
        return Ok(Kept::new());
    };
    let by_hand = ByHand {
        environment: Some(SecretString::from(
            String::from_utf8_lossy(&text).into_owned(),
        )),
        ..ByHand::default()
    };
    let secrets = adopt::secrets(form, &by_hand).map_err(|error| Failure::from_error(&error))?;
    let key = |id| {
        (
            adopted.host.clone(),
            adopted.stack.clone(),
            adopted_name(id),
        )
    };
    Ok(secrets
        .iter()
        .map(|(id, value)| (key(id), value.clone()))
        .collect())
}

/// Leaves out servers' own certificates, not their authorities, so that each is made anew.
pub(super) fn forget_certificates(deployment: &Deployment, kept: &mut Kept) {
    let files = deployment.preset.parts.stacks.iter();
    let files = files.flat_map(|stack| stack.files.iter().map(move |file| (&stack.id, file)));
    let own = files.filter(|(_, file)| file.part == Some(CertificatePart::Certificate));
    let own: Vec<_> = own
        .filter_map(|(stack, file)| Some((stack, file.to.as_deref()?)))
        .collect();
    kept.retain(|(_, stack, path), _| !own.contains(&(stack, path)));
}

fn readings(deployment: &Deployment) -> Vec<Reading> {
    let preset = &deployment.preset;
    let variables = preset.kept_variables().into_iter();
    let variables =
        variables.map(|(stack, variable, _)| (stack, ENV_FILE.to_owned(), Some(variable)));
    let files = preset.kept_files().into_iter();
    let files = files.map(|(stack, path)| (stack, path, None));
    let mut readings: Vec<Reading> = Vec::new();
    for (stack, path, variable) in variables.chain(files) {
        let Some(role) = preset.stack(&stack).map(|stack| &stack.role) else {
            continue;
        };
        let hosts = deployment.hosts.iter();
        for host in hosts.filter(|host| host.roles.contains(role)) {
            let same = readings.iter_mut().find(|reading| {
                reading.host == host.name && reading.stack == stack && reading.path == path
            });
            match same {
                Some(reading) => reading.variables.extend(variable.clone()),
                None => readings.push(Reading {
                    host: host.name.clone(),
                    stack: stack.clone(),
                    path: path.clone(),
                    variables: variable.clone().into_iter().collect(),
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
    let path = format!("{folder}/{}/{}", reading.stack, reading.path);
    let Some(bytes) = files::read(host, &path, rights.privilege())? else {
        return Ok(Kept::new());
    };
    let text = String::from_utf8_lossy(&bytes);
    let key = |name: &str| (reading.host.clone(), reading.stack.clone(), name.to_owned());
    if reading.path != ENV_FILE {
        let whole = (key(&reading.path), SecretString::from(text.into_owned()));
        return Ok(Kept::from([whole]));
    }
    let kept = reading.variables.iter().filter_map(|variable| {
        let value = dotenv::kept(&text, variable)?;
        Some((key(variable), value))
    });
    Ok(kept.collect())
}
