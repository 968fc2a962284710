//! A deployment and the facts of its hosts become [`Resolved`]: addresses settled, secrets complete, every template rendered.
//!
//! Pure: it reads what it is given and changes nothing. The engine calls it after the facts are known, with the secrets that the hosts keep; preflight,
//! planner and verification work from its result.

mod addresses;
mod certificates;
mod expected;
mod judge;
mod order;
mod scope;
mod secrets;
mod stacks;

use std::sync::Arc;

use secrecy::SecretString;

use super::answers::ImageSource;
use super::deployment::Deployment;
use super::facts::HostFacts;
use super::failure::{FailureKind, Hinted};
use super::fault::Faults;
use super::ids::{HostName, QuestionId, StackId};
use super::resolved::{RegistryAccount, Resolved, ResolvedHost};
use super::secret::Secrets;
use super::template::{Assets, TemplateError};
use scope::Views;

pub use expected::{ExpectedStack, expected};
pub use secrets::adopted_name;

/// Why a deployment cannot be brought down to its hosts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// A host was not seen.
    #[error("nothing is known of host `{host}`")]
    NoFacts {
        /// The host.
        host: HostName,
    },
    /// No address of a host will do.
    #[error("no address of host `{host}` can be reached by the other hosts: it has {found}")]
    NoPrivateAddress {
        /// The host.
        host: HostName,
        /// What it has.
        found: String,
    },
    /// The address given is not the host's.
    #[error("`private-address` {address} is not an address of host `{host}`: it has {found}")]
    ForeignAddress {
        /// The host.
        host: HostName,
        /// The address given.
        address: String,
        /// What it has.
        found: String,
    },
    /// A given secret is not the one that a host was set up with.
    #[error("the secret `{id}` differs from the one that host `{host}` was set up with")]
    SecretDiffers {
        /// The secret.
        id: QuestionId,
        /// The host that keeps it.
        host: HostName,
        /// The stack whose `.env` holds it.
        stack: StackId,
        /// The variable.
        variable: String,
    },
    /// Two hosts keep different values of one secret.
    #[error("hosts `{first}` and `{second}` keep different values of the secret `{id}`")]
    KeptDiffers {
        /// The secret.
        id: QuestionId,
        /// One host.
        first: HostName,
        /// The other.
        second: HostName,
    },
    /// A secret that must be given is not there.
    #[error("the secret `{id}` is missing")]
    SecretMissing {
        /// The secret.
        id: QuestionId,
    },
    /// Answers ask more than a host has.
    #[error("the answers do not fit the hosts: {}", .0.summary())]
    DoesNotFit(#[source] Faults),
    /// A file of the operator's machine cannot be read any more.
    #[error("cannot read `{path}`: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Stacks wait for each other.
    #[error("stacks wait for each other: {stacks}")]
    Cycle {
        /// Which.
        stacks: String,
    },
    /// The preset is broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The preset gives something impossible.
    #[error("preset entry `{entry}` is broken: {reason}")]
    Preset {
        /// The entry.
        entry: String,
        /// Why.
        reason: String,
    },
}

impl Hinted for ResolveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPrivateAddress { host, .. } | Self::ForeignAddress { host, .. } => {
                Some(format!(
                    "write the address by which the other hosts reach `{host}` as its `private-address`"
                ))
            }
            Self::SecretDiffers {
                id,
                host,
                stack,
                variable,
            } => Some(format!(
                "leave `{id}` out of `[secrets]`: the value in `{variable}` of stack `{stack}` on `{host}` is used; to change it, change it in the running system first and then in that file"
            )),
            Self::KeptDiffers { .. } => {
                Some("make the `.env` files agree with what the running system uses".to_owned())
            }
            Self::SecretMissing { id } => Some(format!(
                "say under `[secrets]` where `{id}` comes from, or set {}",
                super::secret::variable_of(id)
            )),
            Self::File { .. } => {
                Some("put the file back, or name another in the answers".to_owned())
            }
            Self::NoFacts { .. }
            | Self::DoesNotFit(_)
            | Self::Cycle { .. }
            | Self::Template(_)
            | Self::Preset { .. } => None,
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::DoesNotFit(_) | Self::NoPrivateAddress { .. } | Self::ForeignAddress { .. } => {
                FailureKind::Preflight
            }
            Self::SecretMissing { .. } => FailureKind::Usage,
            Self::NoFacts { .. } => FailureKind::Bug,
            _ => FailureKind::Situation,
        }
    }
}

/// Returns what a host keeps, by host, stack and variable of the stack's `.env`, or the path of a file in the stack's folder.
pub type KeptSecrets<'a> = dyn Fn(&HostName, &StackId, &str) -> Option<SecretString> + 'a;

/// What making secrets and certificates takes.
#[derive(Clone, Copy)]
pub struct Making<'a> {
    /// Fills a buffer with random bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// The time, for certificates.
    pub now: jiff::Timestamp,
}

/// Brings `deployment` down to its hosts.
///
/// `kept` tells what the hosts' own files hold, and by [`adopted_name`] what projects set up by hand do: variables of `.env` (see [`super::preset::Preset::kept_variables`]), and whole files by their paths
/// ([`super::preset::Preset::kept_files`]). `assets` gives templates and the operator's files.
///
/// # Errors
/// Fails when a host's address cannot be settled, a secret contradicts the one in use, the answers ask more than a host has, or the preset is broken.
pub fn resolve(
    deployment: &Deployment,
    facts: &[HostFacts],
    kept: &KeptSecrets<'_>,
    assets: &Arc<dyn Assets>,
    making: Making<'_>,
) -> Result<Resolved, ResolveError> {
    let addresses = addresses::settle(&deployment.hosts, facts)?;
    let mut secrets = deployment.secrets.clone();
    secrets::complete(deployment, &mut secrets, kept, making.random)?;
    let views = Views::build(deployment, facts, &addresses, &secrets, assets)?;
    judge::check_rules(deployment, &views)?;
    let (made, authorities) = certificates::complete(deployment, &views, kept, making.now)?;
    certificates::add_keys(&mut secrets, &made);
    let stacks = stacks::place(deployment, &views, assets, &made)?;
    let around = judge::Around {
        deployment,
        stacks: &stacks,
        made: &made,
        assets,
    };
    Ok(Resolved {
        deployment: deployment.name.clone(),
        preset: deployment.preset.id.clone(),
        title: deployment.preset.title.clone(),
        hosts: hosts(deployment, &addresses),
        reach: judge::reach(deployment, &views)?,
        checks: judge::judgements(&views, &around, "check", &deployment.preset.parts.checks)?,
        health: judge::judgements(&views, &around, "health", &deployment.preset.parts.health)?,
        endpoints: judge::endpoints(deployment, &views)?,
        authorities,
        stacks,
        image_source: deployment.images.source,
        bundled: Vec::new(),
        registry: registry(deployment, &views),
        keep_login: deployment.images.keep_login,
        secrets,
    })
}

/// Returns the hosts and the network paths between them, as far as answers that may be incomplete tell; nothing else is in it.
///
/// For trying paths before everything is said: what an open question decides is left out.
///
/// # Errors
/// Fails when a host's address cannot be settled, or a path depends on an answer that is not there.
pub fn paths(
    deployment: &Deployment,
    facts: &[HostFacts],
    assets: &Arc<dyn Assets>,
) -> Result<Resolved, ResolveError> {
    let addresses = addresses::settle(&deployment.hosts, facts)?;
    let secrets = Secrets::default();
    let views = Views::build_leniently(deployment, facts, &addresses, &secrets, assets);
    Ok(Resolved {
        deployment: deployment.name.clone(),
        preset: deployment.preset.id.clone(),
        title: deployment.preset.title.clone(),
        hosts: hosts(deployment, &addresses),
        reach: judge::reach(deployment, &views)?,
        checks: Vec::new(),
        health: Vec::new(),
        endpoints: Vec::new(),
        authorities: Vec::new(),
        stacks: Vec::new(),
        image_source: deployment.images.source,
        bundled: Vec::new(),
        registry: None,
        keep_login: false,
        secrets,
    })
}

fn hosts(deployment: &Deployment, addresses: &[std::net::IpAddr]) -> Vec<ResolvedHost> {
    let needs = &deployment.preset.parts.needs_of_roles;
    deployment
        .hosts
        .iter()
        .zip(addresses)
        .map(|(host, address)| ResolvedHost {
            name: host.name.clone(),
            roles: host.roles.clone(),
            address: host.address.clone(),
            private_address: *address,
            needs: needs
                .iter()
                .filter(|need| host.roles.contains(&need.role))
                .cloned()
                .collect(),
        })
        .collect()
}

fn registry(deployment: &Deployment, views: &Views) -> Option<RegistryAccount> {
    if deployment.images.source != ImageSource::Registry {
        return None;
    }
    let named = deployment.images.registry.as_deref();
    let named = named.map(|registry| registry.split('/').next().unwrap_or(registry));
    let first = views
        .references
        .values()
        .find_map(|reference| reference.registry());
    Some(RegistryAccount {
        host: named.or(first)?.to_owned(),
        username: deployment.images.username.clone(),
    })
}

#[cfg(test)]
mod tests;
