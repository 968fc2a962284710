//! What templates see once the hosts were seen: once with the secrets, once with their names in place of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use minijinja::Value;
use secrecy::ExposeSecret;

use super::ResolveError;
use crate::model::deployment::Deployment;
use crate::model::facts::HostFacts;
use crate::model::fault::Fault;
use crate::model::ids::{HostName, ImageId, QuestionId, RoleId};
use crate::model::image::ImageRef;
use crate::model::preset::QuestionKind;
use crate::model::secret::Secrets;
use crate::model::template::{Assets, HostView, Kind, Scope, TemplateError};
use crate::model::validate;

/// The two scopes with the hosts they know.
pub(super) struct Views {
    /// Hosts as templates see them, in the order of the answers.
    pub(super) hosts: Vec<(HostName, HostView)>,
    /// Full references of the images that apply.
    pub(super) references: BTreeMap<ImageId, ImageRef>,
    /// With the secrets.
    pub(super) real: Scope,
    /// With the secrets' names.
    pub(super) masked: Scope,
}

/// Says what becomes of an entry, by its name, that cannot be computed.
type Otherwise<'a> = dyn Fn(&str, TemplateError) -> Result<(), TemplateError> + 'a;

/// Something rendered twice.
pub(super) struct Rendered {
    /// With the secrets.
    pub(super) real: String,
    /// With the secrets' names.
    pub(super) masked: String,
}

impl Views {
    /// Gathers everything templates see.
    pub(super) fn build(
        deployment: &Deployment,
        facts: &[HostFacts],
        addresses: &[IpAddr],
        secrets: &Secrets,
        assets: &Arc<dyn Assets>,
    ) -> Result<Self, ResolveError> {
        let (mut views, faults) = Self::begun(deployment, facts, addresses, secrets, assets);
        if let Some(fault) = faults.first() {
            return Err(ResolveError::Preset {
                entry: fault.at.clone(),
                reason: fault.message.clone(),
            });
        }
        views.compute(deployment, &|_, error| Err(error))?;
        Ok(views)
    }

    /// As [`Self::build`], for answers that may be incomplete: what cannot be told yet is not there.
    pub(super) fn build_leniently(
        deployment: &Deployment,
        facts: &[HostFacts],
        addresses: &[IpAddr],
        secrets: &Secrets,
        assets: &Arc<dyn Assets>,
    ) -> Self {
        let (mut views, _) = Self::begun(deployment, facts, addresses, secrets, assets);
        let skipped = views.compute(deployment, &|name, error| {
            tracing::debug!(name, %error, "cannot be told yet");
            Ok(())
        });
        debug_assert!(skipped.is_ok(), "nothing fails that is skipped");
        views
    }

    /// Gathers what needs no template, with what is wrong about image references.
    fn begun(
        deployment: &Deployment,
        facts: &[HostFacts],
        addresses: &[IpAddr],
        secrets: &Secrets,
        assets: &Arc<dyn Assets>,
    ) -> (Self, Vec<Fault>) {
        let hosts = host_views(deployment, facts, addresses);
        let scope = validate::answers_scope(deployment)
            .with_hosts(hosts.iter().map(|(_, view)| view.clone()).collect())
            .with_assets(Arc::clone(assets));
        let (references, faults) =
            validate::references(&deployment.preset, &deployment.images, &scope);
        let scope = scope.with_images(validate::texts(&references));
        let real = with_secrets(scope.clone(), deployment, |id| {
            secrets
                .get(id)
                .map(|secret| secret.expose_secret().to_owned())
        });
        let masked = with_secrets(scope.masked(), deployment, |id| {
            secrets.get(id).map(|_| name_of(id))
        });
        let views = Self {
            hosts,
            references,
            real,
            masked,
        };
        (views, faults)
    }

    /// Adds what is computed, for real and masked; `otherwise` says what becomes of an entry that cannot be.
    fn compute(
        &mut self,
        deployment: &Deployment,
        otherwise: &Otherwise<'_>,
    ) -> Result<(), TemplateError> {
        self.real = self.with_computed(deployment, self.real.clone(), otherwise)?;
        self.masked = self.with_computed(deployment, self.masked.clone(), otherwise)?;
        Ok(())
    }

    /// Returns the hosts of a role, in order.
    pub(super) fn of_role<'v>(
        &'v self,
        role: &'v RoleId,
    ) -> impl Iterator<Item = &'v (HostName, HostView)> {
        self.hosts.iter().filter(|(_, view)| view.is(role.as_str()))
    }

    /// Adds the yields of stacks and the preset's values.
    fn with_computed(
        &self,
        deployment: &Deployment,
        mut scope: Scope,
        otherwise: &Otherwise<'_>,
    ) -> Result<Scope, TemplateError> {
        for stack in &deployment.preset.parts.stacks {
            let host = self.of_role(&stack.role).next();
            for (name, yielded) in &stack.yields {
                let entry = format!("stack.{}.yields.{name}", stack.id);
                let value = match host {
                    Some((_, view)) => scope
                        .with("host", view.value())
                        .evaluate(&entry, &yielded.from),
                    None => Ok(Value::from(())),
                };
                match value {
                    Ok(value) => scope.set(&name.replace('-', "_"), value),
                    Err(error) => otherwise(&entry, error)?,
                }
            }
        }
        for value in &deployment.preset.parts.values {
            let entry = format!("value.{}", value.id);
            match scope.evaluate(&entry, &value.is) {
                Ok(computed) => scope.set(&value.id.variable(), computed),
                Err(error) => otherwise(&entry, error)?,
            }
        }
        Ok(scope)
    }

    /// Returns the same views with one more variable.
    pub(super) fn with(&self, name: &str, value: &Value) -> Self {
        Self {
            hosts: self.hosts.clone(),
            references: self.references.clone(),
            real: self.real.with(name, value.clone()),
            masked: self.masked.with(name, value.clone()),
        }
    }

    /// Renders a template twice.
    pub(super) fn render(
        &self,
        kind: Kind,
        name: &str,
        source: &str,
    ) -> Result<Rendered, TemplateError> {
        Ok(Rendered {
            real: self.real.render(kind, name, source)?,
            masked: self.masked.render(kind, name, source)?,
        })
    }

    /// Renders a template that must not hold a secret.
    pub(super) fn open(
        &self,
        kind: Kind,
        name: &str,
        source: &str,
    ) -> Result<String, ResolveError> {
        let rendered = self.render(kind, name, source)?;
        if rendered.real == rendered.masked {
            Ok(rendered.real)
        } else {
            Err(ResolveError::Preset {
                entry: name.to_owned(),
                reason: "it puts a secret where everybody can read it".to_owned(),
            })
        }
    }

    /// Returns whether an expression holds.
    pub(super) fn holds(
        &self,
        name: &str,
        expression: Option<&str>,
    ) -> Result<bool, TemplateError> {
        self.real.holds(name, expression)
    }
}

/// Returns what stands in place of a secret on screens and in reports.
pub(super) fn name_of(id: &QuestionId) -> String {
    format!("‹{id}›")
}

fn with_secrets(
    mut scope: Scope,
    deployment: &Deployment,
    value: impl Fn(&QuestionId) -> Option<String>,
) -> Scope {
    for question in &deployment.preset.parts.questions {
        if question.kind == QuestionKind::Secret {
            let value = value(&question.id).map_or(Value::from(()), Value::from);
            scope.set(&question.id.variable(), value);
        }
    }
    scope
}

fn host_views(
    deployment: &Deployment,
    facts: &[HostFacts],
    addresses: &[IpAddr],
) -> Vec<(HostName, HostView)> {
    deployment
        .hosts
        .iter()
        .zip(addresses)
        .map(|(host, address)| {
            let mut settled = host.clone();
            settled.private_address = Some(address.to_string());
            let mut view = validate::host_view(&settled);
            view.size = facts
                .iter()
                .find(|facts| facts.host == host.name)
                .map(|facts| {
                    (
                        facts.cpus,
                        facts.memory,
                        facts.nofile_limit.unwrap_or(validate::NOFILE),
                    )
                });
            (host.name.clone(), view)
        })
        .collect()
}
