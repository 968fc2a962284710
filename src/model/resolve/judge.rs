//! How hosts must reach each other, how the product is judged, where it can be seen, and rules that need facts.

mod ports;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use secrecy::SecretString;

use super::ResolveError;
use super::certificates::Made;
use super::scope::Views;
use crate::model::deployment::Deployment;
use crate::model::fault::{Fault, Faults};
use crate::model::ids::HostName;
use crate::model::preset::{Health, HealthProbe};
use crate::model::resolved::{PlacedEndpoint, PlacedHealth, PlacedProbe, PlacedStack, ReachNeed};
use crate::model::template::{Assets, HostView, Kind};

/// Who connects when it is the operator's machine.
const OPERATOR: &str = "operator";

/// Checks the rules that are judged on hosts.
pub(super) fn check_rules(deployment: &Deployment, views: &Views) -> Result<(), ResolveError> {
    let mut faults = Vec::new();
    for (number, rule) in deployment.preset.parts.rules.iter().enumerate() {
        let Some(role) = &rule.on else { continue };
        let entry = format!("rule[{number}]");
        for (host, view) in views.of_role(role) {
            let views = views.with("host", &view.value());
            if views.holds(&format!("{entry}.holds"), Some(&rule.holds))? {
                continue;
            }
            let about = rule
                .about
                .first()
                .map_or(String::new(), |about| format!("answers.{about}"));
            let message = views.open(Kind::Text, &format!("{entry}.message"), &rule.message)?;
            let example = views.open(Kind::Text, &format!("{entry}.example"), &rule.example)?;
            faults.push(Fault::new(about, format!("host `{host}`: {message}")).example(example));
        }
    }
    Faults::gather(faults).map_or(Ok(()), |faults| Err(ResolveError::DoesNotFit(faults)))
}

/// Returns the hosts that `from` names: `None` for the operator's machine.
fn sources<'v>(
    views: &'v Views,
    entry: &str,
    from: &str,
) -> Result<Vec<Option<&'v (HostName, HostView)>>, ResolveError> {
    if from == OPERATOR {
        return Ok(vec![None]);
    }
    let is_role = from.parse::<crate::model::ids::RoleId>().is_ok();
    if !is_role {
        return Err(ResolveError::Preset {
            entry: entry.to_owned(),
            reason: format!("`{from}` is neither `operator` nor a role"),
        });
    }
    Ok(views
        .hosts
        .iter()
        .filter(|(_, view)| view.is(from))
        .map(Some)
        .collect())
}

/// Returns every network path that must be open, each once.
pub(super) fn reach(
    deployment: &Deployment,
    views: &Views,
) -> Result<Vec<ReachNeed>, ResolveError> {
    let mut needs: Vec<ReachNeed> = Vec::new();
    for (number, rule) in deployment.preset.parts.reach.iter().enumerate() {
        let entry = format!("reach[{number}]");
        if !views.holds(&format!("{entry}.when"), rule.when.as_deref())? {
            continue;
        }
        for from in sources(views, &entry, &rule.from)? {
            for (to, view) in views.of_role(&rule.to) {
                if from.is_some_and(|(name, _)| name == to) {
                    continue;
                }
                let views = views.with("host", &view.value());
                for ports in &rule.ports {
                    let text = views.open(Kind::Text, &format!("{entry}.ports"), ports)?;
                    let Some(ports) = port_range(&entry, &text)? else {
                        continue;
                    };
                    let from = from.map(|(name, _)| name.clone());
                    let known = needs
                        .iter()
                        .any(|need| need.from == from && &need.to == to && need.ports == ports);
                    if !known {
                        needs.push(ReachNeed {
                            from,
                            to: to.clone(),
                            ports,
                            why: rule.why.clone(),
                        });
                    }
                }
            }
        }
    }
    Ok(needs)
}

/// Returns the first and last port of `6379` or `11000-11999`; `None` of an empty text.
pub(super) fn port_range(entry: &str, text: &str) -> Result<Option<(u16, u16)>, ResolveError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if first > 0 && first <= last => Ok(Some((first, last))),
        _ => Err(ResolveError::Preset {
            entry: entry.to_owned(),
            reason: format!("`{text}` is neither a port nor a range of ports"),
        }),
    }
}

/// What judgements need beside the views.
pub(super) struct Around<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) stacks: &'a [PlacedStack],
    /// Certificates that were made.
    pub(super) made: &'a Made,
    pub(super) assets: &'a Arc<dyn Assets>,
}

/// Returns every judgement of the preset's list `list` with its hosts settled.
pub(super) fn judgements(
    views: &Views,
    around: &Around<'_>,
    list: &str,
    judgements: &[Health],
) -> Result<Vec<PlacedHealth>, ResolveError> {
    let mut placed = Vec::new();
    for health in judgements {
        let entry = format!("{list}.{}", health.id);
        if !views.holds(&format!("{entry}.when"), health.when.as_deref())? {
            continue;
        }
        let probes = probes(&entry, &health.probe, views, around)?;
        let several = probes.len() > 1;
        for (place, views, probe) in probes {
            let on = place.filter(|_| several);
            placed.push(PlacedHealth {
                id: on
                    .as_ref()
                    .map_or_else(|| health.id.clone(), |on| format!("{}-{on}", health.id)),
                title: on.map_or_else(
                    || health.title.clone(),
                    |on| format!("{} ({on})", health.title),
                ),
                probe,
                within: health.within,
                warns: health.warns,
                remedy: advice(&format!("{entry}.remedy"), health.remedy.as_ref(), &views)?,
                command: advice(&format!("{entry}.command"), health.command.as_ref(), &views)?,
            });
        }
    }
    Ok(placed)
}

fn advice(
    entry: &str,
    text: Option<&String>,
    views: &Views,
) -> Result<Option<String>, ResolveError> {
    text.map(|text| views.open(Kind::Text, entry, text))
        .transpose()
}

/// A probe with what tells it from its siblings and the views it was rendered in.
type Placed = (Option<String>, Views, PlacedProbe);

fn probes(
    entry: &str,
    probe: &HealthProbe,
    views: &Views,
    around: &Around<'_>,
) -> Result<Vec<Placed>, ResolveError> {
    match probe {
        HealthProbe::Tls { .. } => {
            let probe = tls::place(entry, probe, views, around)?;
            Ok(vec![(None, on_host(views, None), probe)])
        }
        HealthProbe::Exec { on, .. } => around
            .stacks
            .iter()
            .filter(|stack| &stack.id == on)
            .map(|stack| {
                let views = on_host(views, Some(&stack.host));
                let probe = exec(entry, probe, stack, &views)?;
                Ok((Some(stack.host.to_string()), views, probe))
            })
            .collect(),
        HealthProbe::Http { from, .. } => sources(views, entry, from)?
            .into_iter()
            .map(|from| {
                let from = from.map(|(name, _)| name);
                let views = on_host(views, from);
                let probe = http(entry, probe, from, &views)?;
                Ok((from.map(ToString::to_string), views, probe))
            })
            .collect(),
        HealthProbe::Program { from, run, input } => views
            .of_role(from)
            .map(|(host, view)| {
                let views = views.with("host", &view.value());
                let probe = PlacedProbe::Program {
                    from: host.clone(),
                    run: words(entry, run, &views)?,
                    input: standard_input(entry, input.as_deref(), &views)?,
                };
                Ok((Some(host.to_string()), views, probe))
            })
            .collect(),
        HealthProbe::Port { .. } => ports::place(entry, probe, views),
    }
}

/// Returns the views with `host` defined, when there is such a host.
fn on_host(views: &Views, host: Option<&HostName>) -> Views {
    let view = views.hosts.iter().find(|(name, _)| Some(name) == host);
    match view {
        Some((_, view)) => views.with("host", &view.value()),
        None => views.with("host", &Value::from(())),
    }
}

fn exec(
    entry: &str,
    probe: &HealthProbe,
    stack: &PlacedStack,
    views: &Views,
) -> Result<PlacedProbe, ResolveError> {
    let HealthProbe::Exec {
        service,
        run,
        input,
        equals,
        ..
    } = probe
    else {
        return Err(not_this_kind(entry));
    };
    Ok(PlacedProbe::Exec {
        host: stack.host.clone(),
        project: stack.project.clone(),
        service: service.clone(),
        run: words(entry, run, views)?,
        input: standard_input(entry, input.as_deref(), views)?,
        equals: equals
            .as_ref()
            .map(|text| views.open(Kind::Text, &format!("{entry}.equals"), text))
            .transpose()?,
    })
}

fn words(entry: &str, run: &[String], views: &Views) -> Result<Vec<String>, ResolveError> {
    run.iter()
        .map(|word| views.open(Kind::Text, &format!("{entry}.run"), word))
        .collect()
}

fn standard_input(
    entry: &str,
    input: Option<&str>,
    views: &Views,
) -> Result<SecretString, ResolveError> {
    let input = input.unwrap_or_default();
    let rendered = views.render(Kind::Text, &format!("{entry}.input"), input)?;
    Ok(rendered.real.into())
}

fn http(
    entry: &str,
    probe: &HealthProbe,
    from: Option<&HostName>,
    views: &Views,
) -> Result<PlacedProbe, ResolveError> {
    let HealthProbe::Http {
        url,
        method,
        body,
        status,
        matches,
        absent,
        name,
        location,
        secure_cookies,
        json,
        authorities,
        ..
    } = probe
    else {
        return Err(not_this_kind(entry));
    };
    let text = |key: &str, template: &Option<String>| {
        let entry = format!("{entry}.{key}");
        let template = template.as_ref();
        template
            .map(|template| views.open(Kind::Text, &entry, template))
            .transpose()
    };
    let said = |(key, text): (&String, &String)| {
        let text = views.open(Kind::Text, &format!("{entry}.json"), text)?;
        Ok((key.clone(), text))
    };
    let json: BTreeMap<String, String> =
        json.iter().map(said).collect::<Result<_, ResolveError>>()?;
    let body = match body {
        Some(body) => Some(
            views
                .render(Kind::Json, &format!("{entry}.body"), body)?
                .real
                .into(),
        ),
        None => None,
    };
    Ok(PlacedProbe::Http {
        from: from.cloned(),
        url: views.open(Kind::Text, &format!("{entry}.url"), url)?,
        method: method.clone().unwrap_or_else(|| "GET".to_owned()),
        body,
        status: if status.is_empty() {
            vec![200]
        } else {
            status.clone()
        },
        matches: matches.clone(),
        json,
        authorities: advice(&format!("{entry}.authorities"), authorities.as_ref(), views)?,
        absent: absent.clone(),
        name: text("name", name)?,
        location: text("location", location)?,
        secure_cookies: *secure_cookies,
    })
}

fn not_this_kind(entry: &str) -> ResolveError {
    ResolveError::Preset {
        entry: entry.to_owned(),
        reason: "its kind does not fit its keys".to_owned(),
    }
}

/// Returns where the result can be seen.
pub(super) fn endpoints(
    deployment: &Deployment,
    views: &Views,
) -> Result<Vec<PlacedEndpoint>, ResolveError> {
    let mut placed = Vec::new();
    for (number, endpoint) in deployment.preset.parts.endpoints.iter().enumerate() {
        let entry = format!("endpoint[{number}]");
        if views.holds(&format!("{entry}.when"), endpoint.when.as_deref())? {
            placed.push(PlacedEndpoint {
                title: endpoint.title.clone(),
                url: views.open(Kind::Text, &format!("{entry}.url"), &endpoint.url)?,
                audience: endpoint.audience.clone(),
            });
        }
    }
    Ok(placed)
}
