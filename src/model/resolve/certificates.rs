//! Certificates that are made: read back from the host that keeps them, made where there is none or it ends soon.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::scope::Views;
use super::{KeptSecrets, ResolveError};
use crate::model::deployment::Deployment;
use crate::model::ids::{HostName, QuestionId};
use crate::model::issue::{Issued, KeptParts, Wanted, settle};
use crate::model::preset::{CertificatePart, MadeCertificate, Stack, StackFile};
use crate::model::resolved::PlacedAuthority;
use crate::model::secret::Secrets;
use crate::model::template::Kind;

use super::stacks::folder;

/// Certificates by their ids.
pub(super) type Made = BTreeMap<String, Issued>;

/// Reads back or makes every certificate that applies.
pub(super) fn complete(
    deployment: &Deployment,
    views: &Views,
    kept: &KeptSecrets<'_>,
    now: Timestamp,
) -> Result<(Made, Vec<PlacedAuthority>), ResolveError> {
    let mut made = Made::new();
    let mut authorities = Vec::new();
    for certificate in &deployment.preset.parts.certificates {
        let entry = format!("certificate.{}", certificate.id);
        if !views.holds(&format!("{entry}.when"), certificate.when.as_deref())? {
            continue;
        }
        let Some((stack, host)) = keeper(deployment, views, certificate)? else {
            continue;
        };
        let names = names(views, host, certificate)?;
        let wanted = Wanted {
            owner: deployment.name.as_str(),
            names: &names,
        };
        let issued = settle(wanted, &parts(stack, host, certificate, kept), now);
        let issued = issued.map_err(|error| ResolveError::Preset {
            entry,
            reason: error.to_string(),
        })?;
        authorities.push(PlacedAuthority {
            title: certificate.title.clone(),
            names,
            pem: issued.authority.clone(),
            host: host.clone(),
            path: path_of(deployment, stack, certificate),
        });
        made.insert(certificate.id.clone(), issued);
    }
    Ok((made, authorities))
}

/// Adds the private keys, so that they are taken out of whatever is told.
pub(super) fn add_keys(secrets: &mut Secrets, made: &Made) {
    for (id, issued) in made {
        let keys = [
            ("key", &issued.key),
            ("authority-key", &issued.authority_key),
        ];
        for (part, key) in keys {
            if let Ok(id) = format!("{id}-{part}").parse::<QuestionId>() {
                secrets.insert(id, key.clone());
            }
        }
    }
}

/// Returns the stack and the host that keep a certificate: the first that has its authority's key.
fn keeper<'d, 'v>(
    deployment: &'d Deployment,
    views: &'v Views,
    certificate: &MadeCertificate,
) -> Result<Option<(&'d Stack, &'v HostName)>, ResolveError> {
    for stack in &deployment.preset.parts.stacks {
        let keeps = file_of(stack, certificate, CertificatePart::AuthorityKey).is_some();
        let applies = views.holds(&format!("stack.{}.when", stack.id), stack.when.as_deref())?;
        let host = deployment
            .hosts
            .iter()
            .find(|host| host.roles.contains(&stack.role));
        let host = host.and_then(|host| views.hosts.iter().find(|(name, _)| *name == host.name));
        if let (true, true, Some((host, _))) = (keeps, applies, host) {
            return Ok(Some((stack, host)));
        }
    }
    Ok(None)
}

fn file_of<'s>(
    stack: &'s Stack,
    certificate: &MadeCertificate,
    part: CertificatePart,
) -> Option<&'s StackFile> {
    stack.files.iter().find(|file| {
        file.from_certificate.as_ref() == Some(&certificate.id) && file.part == Some(part)
    })
}

fn names(
    views: &Views,
    host: &HostName,
    certificate: &MadeCertificate,
) -> Result<Vec<String>, ResolveError> {
    let view = views.hosts.iter().find(|(name, _)| name == host);
    let views = match view {
        Some((_, view)) => &views.with("host", &view.value()),
        None => views,
    };
    let mut names: Vec<String> = Vec::new();
    for template in &certificate.names {
        let entry = format!("certificate.{}.names", certificate.id);
        let name = views.open(Kind::Text, &entry, template)?;
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Returns what the host keeps.
fn parts(
    stack: &Stack,
    host: &HostName,
    certificate: &MadeCertificate,
    kept: &KeptSecrets<'_>,
) -> KeptParts {
    let part = |part| {
        let file = file_of(stack, certificate, part)?;
        kept(host, &stack.id, file.to.as_deref()?)
    };
    KeptParts {
        authority: part(CertificatePart::Authority),
        authority_key: part(CertificatePart::AuthorityKey),
        certificate: part(CertificatePart::Certificate),
        key: part(CertificatePart::Key),
    }
}

/// Returns where the authority's certificate stands on its host.
fn path_of(deployment: &Deployment, stack: &Stack, certificate: &MadeCertificate) -> String {
    let file = file_of(stack, certificate, CertificatePart::Authority);
    let path = file.and_then(|file| file.to.as_deref()).unwrap_or_default();
    format!("{}/{path}", folder(deployment, stack))
}
