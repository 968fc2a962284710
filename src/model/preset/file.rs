//! The preset file as it stands on disk: one shape for presets and for fragments, every unknown key refused with its place.
//!
//! A fragment has the lists only; a preset has the head keys too. Flattened structs would lose both the refusal and the places, so the lists are written
//! out here once and turned into [`Preset`] or [`Parts`] afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::adopt::Adopt;
use super::alike::Alike;
use super::certificate::MadeCertificate;
use super::judge::{Endpoint, Health, HealthProbe, LogSource, ReachRule, RoleNeed};
use super::question::Question;
use super::stack::{FileSet, Image, Stack, StepSet, default_within};
use super::{Parts, Preset, Role, Rule, Value};
use crate::model::diagnosis::Signature;
use crate::model::ids::{PresetId, QuestionId, RoleId, StackId};

/// A preset file or a fragment, as read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PresetFile {
    id: Option<PresetId>,
    title: Option<String>,
    summary: Option<String>,
    needs: Option<String>,
    guide: Option<String>,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    role: Vec<Role>,
    #[serde(default)]
    question: Vec<Question>,
    #[serde(default)]
    value: Vec<Value>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    image: Vec<Image>,
    #[serde(default)]
    alike: Vec<Alike>,
    #[serde(default)]
    certificate: Vec<MadeCertificate>,
    #[serde(default)]
    file_set: Vec<FileSet>,
    #[serde(default)]
    step_set: Vec<StepSet>,
    #[serde(default)]
    stack: Vec<Stack>,
    #[serde(default)]
    reach: Vec<ReachRule>,
    #[serde(default)]
    need: Vec<RoleNeed>,
    #[serde(default)]
    check: Vec<HealthEntry>,
    #[serde(default)]
    health: Vec<HealthEntry>,
    #[serde(default)]
    endpoint: Vec<Endpoint>,
    #[serde(default)]
    log: Vec<LogSource>,
    #[serde(default)]
    adopt: Vec<Adopt>,
    #[serde(default)]
    signature: Vec<Signature>,
}

impl PresetFile {
    /// Returns the fragments it is built from.
    #[must_use]
    pub fn include(&self) -> &[String] {
        &self.include
    }

    /// Returns how many entries each list holds, by the list's key.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 17] {
        [
            ("question", self.question.len()),
            ("value", self.value.len()),
            ("rule", self.rule.len()),
            ("image", self.image.len()),
            ("alike", self.alike.len()),
            ("certificate", self.certificate.len()),
            ("file-set", self.file_set.len()),
            ("step-set", self.step_set.len()),
            ("stack", self.stack.len()),
            ("reach", self.reach.len()),
            ("need", self.need.len()),
            ("check", self.check.len()),
            ("health", self.health.len()),
            ("endpoint", self.endpoint.len()),
            ("log", self.log.len()),
            ("adopt", self.adopt.len()),
            ("signature", self.signature.len()),
        ]
    }

    /// Returns the head key that a fragment must not have, when it has one.
    #[must_use]
    pub fn head_key(&self) -> Option<&'static str> {
        [
            ("id", self.id.is_some()),
            ("title", self.title.is_some()),
            ("summary", self.summary.is_some()),
            ("needs", self.needs.is_some()),
            ("guide", self.guide.is_some()),
            ("include", !self.include.is_empty()),
            ("role", !self.role.is_empty()),
        ]
        .into_iter()
        .find_map(|(key, present)| present.then_some(key))
    }

    /// Turns it into a preset whose lists begin with those of `fragments`, in order.
    ///
    /// # Errors
    /// Fails with the name of a head key that is missing.
    pub fn into_preset(self, fragments: Vec<PresetFile>) -> Result<Preset, &'static str> {
        let mut parts = Parts::default();
        for fragment in fragments {
            fragment.add_to(&mut parts);
        }
        let mut own = self;
        let head = std::mem::take(&mut own.include);
        let roles = std::mem::take(&mut own.role);
        let preset = Preset {
            id: own.id.take().ok_or("id")?,
            title: own.title.take().ok_or("title")?,
            summary: own.summary.take().ok_or("summary")?,
            needs: own.needs.take().ok_or("needs")?,
            guide: own.guide.take().ok_or("guide")?,
            include: head,
            roles,
            parts: Parts::default(),
        };
        own.add_to(&mut parts);
        spread_sets(&mut parts);
        spread_groups(&mut parts);
        Ok(Preset { parts, ..preset })
    }

    fn add_to(self, parts: &mut Parts) {
        parts.questions.extend(self.question);
        parts.values.extend(self.value);
        parts.rules.extend(self.rule);
        parts.images.extend(self.image);
        parts.alikes.extend(self.alike);
        parts.certificates.extend(self.certificate);
        parts.file_sets.extend(self.file_set);
        parts.step_sets.extend(self.step_set);
        parts.stacks.extend(self.stack);
        parts.reach.extend(self.reach);
        parts.needs_of_roles.extend(self.need);
        parts
            .checks
            .extend(self.check.into_iter().map(|entry| entry.0));
        parts
            .health
            .extend(self.health.into_iter().map(|entry| entry.0));
        parts.endpoints.extend(self.endpoint);
        parts.logs.extend(self.log);
        parts.adopts.extend(self.adopt);
        parts.signatures.extend(self.signature);
    }
}

/// Puts the files and steps of each set behind those of the stacks that name it; a set that is not there stays named, for the preset's own check to complain.
fn spread_sets(parts: &mut Parts) {
    let (files, steps) = (&parts.file_sets, &parts.step_sets);
    for stack in &mut parts.stacks {
        stack.file_sets.retain(|id| {
            let set = files.iter().find(|set| set.id == *id);
            let files = set.into_iter().flat_map(|set| &set.files);
            stack.files.extend(files.cloned());
            set.is_none()
        });
        stack.step_sets.retain(|id| {
            let set = steps.iter().find(|set| set.id == *id);
            let steps = set.into_iter().flat_map(|set| &set.steps);
            stack.steps.extend(steps.cloned());
            set.is_none()
        });
    }
}

/// Puts the stacks of a group where its name stands among those that others come after; a stack's own name goes before a group's.
fn spread_groups(parts: &mut Parts) {
    let known: BTreeSet<StackId> = parts.stacks.iter().map(|stack| stack.id.clone()).collect();
    let mut groups: BTreeMap<StackId, Vec<StackId>> = BTreeMap::new();
    for stack in &parts.stacks {
        if let Some(group) = &stack.group {
            let members = groups.entry(group.clone()).or_default();
            members.push(stack.id.clone());
        }
    }
    groups.retain(|group, _| !known.contains(group));
    for stack in &mut parts.stacks {
        let after = std::mem::take(&mut stack.after).into_iter();
        let spread = after.flat_map(|id| groups.get(&id).cloned().unwrap_or_else(|| vec![id]));
        stack.after = spread.collect();
    }
}

/// A `[[health]]` or `[[check]]` entry; its keys depend on its kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "HealthKeys")]
struct HealthEntry(Health);

/// Every key that a `[[health]]` or `[[check]]` entry of any kind may have.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HealthKeys {
    id: String,
    title: String,
    when: Option<String>,
    kind: HealthKind,
    #[serde(default = "default_within")]
    within: u64,
    #[serde(default)]
    warns: bool,
    remedy: Option<String>,
    command: Option<String>,
    on: Option<StackId>,
    service: Option<String>,
    run: Option<Vec<String>>,
    input: Option<String>,
    equals: Option<String>,
    from: Option<String>,
    url: Option<String>,
    method: Option<String>,
    body: Option<String>,
    status: Option<Vec<u16>>,
    matches: Option<String>,
    absent: Option<Vec<u16>>,
    json: Option<BTreeMap<String, String>>,
    authorities: Option<String>,
    to: Option<RoleId>,
    port: Option<String>,
    open: Option<bool>,
    name: Option<String>,
    location: Option<String>,
    secure_cookies: Option<bool>,
    address: Option<String>,
    certificate: Option<String>,
    answer: Option<QuestionId>,
    renew: Option<String>,
}

/// The kinds of judgements.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HealthKind {
    Exec,
    Http,
    Program,
    Port,
    Tls,
}

impl HealthKeys {
    /// Returns the keys present that belong to kinds, in the order of the format.
    fn present(&self) -> Vec<&'static str> {
        [
            ("on", self.on.is_some()),
            ("service", self.service.is_some()),
            ("run", self.run.is_some()),
            ("input", self.input.is_some()),
            ("equals", self.equals.is_some()),
            ("from", self.from.is_some()),
            ("url", self.url.is_some()),
            ("method", self.method.is_some()),
            ("body", self.body.is_some()),
            ("status", self.status.is_some()),
            ("matches", self.matches.is_some()),
            ("absent", self.absent.is_some()),
            ("json", self.json.is_some()),
            ("authorities", self.authorities.is_some()),
            ("to", self.to.is_some()),
            ("port", self.port.is_some()),
            ("open", self.open.is_some()),
            ("name", self.name.is_some()),
            ("location", self.location.is_some()),
            ("secure-cookies", self.secure_cookies.is_some()),
            ("address", self.address.is_some()),
            ("certificate", self.certificate.is_some()),
            ("answer", self.answer.is_some()),
            ("renew", self.renew.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, present)| present.then_some(key))
        .collect()
    }

    fn refuse_keys_of_other_kinds(&self) -> Result<(), String> {
        let (kind, allowed): (_, &[&str]) = match self.kind {
            HealthKind::Exec => ("exec", &["on", "service", "run", "input", "equals"]),
            HealthKind::Http => (
                "http",
                &[
                    "from",
                    "url",
                    "method",
                    "body",
                    "status",
                    "matches",
                    "absent",
                    "name",
                    "location",
                    "secure-cookies",
                    "json",
                    "authorities",
                ],
            ),
            HealthKind::Program => ("program", &["from", "run", "input"]),
            HealthKind::Port => ("port", &["from", "to", "port", "open"]),
            HealthKind::Tls => (
                "tls",
                &["address", "port", "name", "certificate", "answer", "renew"],
            ),
        };
        match self
            .present()
            .into_iter()
            .find(|key| !allowed.contains(key))
        {
            Some(key) => Err(format!(
                "health `{}` of kind `{kind}` has no key `{key}`: it takes {}",
                self.id,
                allowed.join(", ")
            )),
            None => Ok(()),
        }
    }
}

impl TryFrom<HealthKeys> for HealthEntry {
    type Error = String;

    fn try_from(mut keys: HealthKeys) -> Result<Self, String> {
        keys.refuse_keys_of_other_kinds()?;
        let probe = keys.probe()?;
        Ok(Self(Health {
            id: keys.id,
            title: keys.title,
            when: keys.when,
            probe,
            within: keys.within,
            warns: keys.warns,
            remedy: keys.remedy,
            command: keys.command,
        }))
    }
}

impl HealthKeys {
    /// Takes out what belongs to the kind.
    fn probe(&mut self) -> Result<HealthProbe, String> {
        let id = self.id.clone();
        let missing = |key: &str| format!("health `{id}` needs the key `{key}`");
        Ok(match self.kind {
            HealthKind::Exec => HealthProbe::Exec {
                on: self.on.take().ok_or_else(|| missing("on"))?,
                service: self.service.take().ok_or_else(|| missing("service"))?,
                run: self.run.take().ok_or_else(|| missing("run"))?,
                input: self.input.take(),
                equals: self.equals.take(),
            },
            HealthKind::Http => HealthProbe::Http {
                from: self.from.take().ok_or_else(|| missing("from"))?,
                url: self.url.take().ok_or_else(|| missing("url"))?,
                method: self.method.take(),
                body: self.body.take(),
                status: self.status.take().unwrap_or_default(),
                matches: self.matches.take(),
                absent: self.absent.take().unwrap_or_default(),
                json: self.json.take().unwrap_or_default(),
                authorities: self.authorities.take(),
                name: self.name.take(),
                location: self.location.take(),
                secure_cookies: self.secure_cookies.unwrap_or_default(),
            },
            HealthKind::Program => HealthProbe::Program {
                from: role(&id, &self.from.take().ok_or_else(|| missing("from"))?)?,
                run: self.run.take().ok_or_else(|| missing("run"))?,
                input: self.input.take(),
            },
            HealthKind::Port => HealthProbe::Port {
                from: self.from.take().ok_or_else(|| missing("from"))?,
                to: self.to.take().ok_or_else(|| missing("to"))?,
                port: self.port.take().ok_or_else(|| missing("port"))?,
                open: self.open.ok_or_else(|| missing("open"))?,
            },
            HealthKind::Tls => HealthProbe::Tls {
                address: self.address.take().ok_or_else(|| missing("address"))?,
                port: self.port.take().ok_or_else(|| missing("port"))?,
                name: self.name.take().ok_or_else(|| missing("name"))?,
                certificate: self.certificate.take(),
                answer: self.answer.take(),
                renew: self.renew.take(),
            },
        })
    }
}

fn role(id: &str, from: &str) -> Result<RoleId, String> {
    from.parse()
        .map_err(|error| format!("health `{id}`: `from` is no role: {error}"))
}
