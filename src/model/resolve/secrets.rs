//! Secrets completed: what a host keeps is used again, what nobody gave is made.

use secrecy::{ExposeSecret, SecretString};

use super::{KeptSecrets, ResolveError};
use crate::model::deployment::Deployment;
use crate::model::generate::generate;
use crate::model::ids::{HostName, QuestionId};
use crate::model::preset::{Kept, Question, QuestionKind};
use crate::model::secret::Secrets;
use crate::model::validate::answers_scope;

/// Adds to `secrets` every one that is kept or made.
pub(super) fn complete(
    deployment: &Deployment,
    secrets: &mut Secrets,
    kept: &KeptSecrets<'_>,
    random: &dyn Fn(&mut [u8]),
) -> Result<(), ResolveError> {
    let scope = answers_scope(deployment);
    for question in &deployment.preset.parts.questions {
        let id = &question.id;
        if question.kind != QuestionKind::Secret
            || !scope.holds(id.as_str(), question.when.as_deref())?
        {
            continue;
        }
        let ours = scope.holds(id.as_str(), question.generate_when.as_deref())?;
        match question.generate.filter(|_| ours) {
            Some(generator) => {
                let given = secrets.get(id).cloned();
                let value = match (given, in_use(deployment, question, kept)?) {
                    (Some(given), Some((host, value, place)))
                        if given.expose_secret() != value.expose_secret() =>
                    {
                        return Err(ResolveError::SecretDiffers {
                            id: id.clone(),
                            host,
                            stack: place.stack.clone(),
                            variable: place.variable.clone(),
                        });
                    }
                    (_, Some((_, value, _))) => value,
                    (Some(given), None) => given,
                    (None, None) => adopted(deployment, question, kept)
                        .unwrap_or_else(|| generate(generator, random)),
                };
                secrets.insert(id.clone(), value);
            }
            // One that is given may change; where nobody gives it again the host's own counts.
            None if secrets.get(id).is_none() => match in_use(deployment, question, kept)?
                .map(|(_, value, _)| value)
                .or_else(|| adopted(deployment, question, kept))
            {
                Some(value) => {
                    secrets.insert(id.clone(), value);
                }
                None if question.optional => {}
                None => return Err(ResolveError::SecretMissing { id: id.clone() }),
            },
            None => {}
        }
    }
    Ok(())
}

/// Returns the value that what was set up by hand before has used.
fn adopted(
    deployment: &Deployment,
    question: &Question,
    kept: &KeptSecrets<'_>,
) -> Option<SecretString> {
    let mut all = deployment.adopted.iter();
    all.find_map(|adopted| kept(&adopted.host, &adopted.stack, &adopted_name(&question.id)))
}

/// Returns under which name a secret of what was set up by hand is kept; no variable and no path is called so.
#[must_use]
pub fn adopted_name(id: &QuestionId) -> String {
    format!("adopted:{id}")
}

/// Returns the value that hosts keep, with the first host that does.
fn in_use<'d>(
    deployment: &'d Deployment,
    question: &'d Question,
    kept: &KeptSecrets<'_>,
) -> Result<Option<(HostName, SecretString, &'d Kept)>, ResolveError> {
    let Some(place) = deployment.preset.kept(question) else {
        return Ok(None);
    };
    let Some(stack) = deployment.preset.stack(&place.stack) else {
        return Ok(None);
    };
    let mut found: Option<(HostName, SecretString)> = None;
    for host in deployment
        .hosts
        .iter()
        .filter(|host| host.roles.contains(&stack.role))
    {
        let value = kept(&host.name, &place.stack, &place.variable);
        // An empty variable was never a secret of ours.
        let Some(value) = value.filter(|value| !value.expose_secret().is_empty()) else {
            continue;
        };
        match &found {
            Some((first, other)) if other.expose_secret() != value.expose_secret() => {
                return Err(ResolveError::KeptDiffers {
                    id: question.id.clone(),
                    first: first.clone(),
                    second: host.name.clone(),
                });
            }
            Some(_) => {}
            None => found = Some((host.name.clone(), value)),
        }
    }
    Ok(found.map(|(host, value)| (host, value, place)))
}
