//! A made-up deployment of any preset, so that every template of it can be tried before a customer's evening.
//!
//! Used by the preset's own check and by tests. Files that answers would name are made up too.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::answers::{ImageSource, ImagesSection, SshSection};
use super::deployment::{AnswerValue, Deployment, HostSettings};
use super::docker::{EngineFacts, NetworkFacts};
use super::facts::{
    ComposeFacts, Disk, DockerFacts, HostFacts, InterfaceAddress, RootAccess, Route, UserFacts,
};
use super::ids::{HostName, QuestionId};
use super::preset::{Preset, Question, QuestionKind};
use super::resolve::Making;
use super::rules;
use super::secret::Secrets;
use super::template::{Kind, Scope, TemplateError};
use super::validate::{BASE_FOLDER, base_scope, template_value};

/// The value of every secret that is not made.
const MADE_UP: &str = "Sample-value-of-a-secret-0123456789";

/// Returns facts of a host of middling size with one address.
#[must_use]
pub fn facts(host: &HostName, address: IpAddr) -> HostFacts {
    HostFacts {
        host: host.clone(),
        os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        os_id: "debian".to_owned(),
        os_version: "12".to_owned(),
        kernel: "6.1.0".to_owned(),
        architecture: "x86_64".to_owned(),
        cpus: 8,
        memory: 32 << 30,
        memory_available: 30 << 30,
        hostname: host.to_string(),
        machine_id: format!("{host:0>32}"),
        addresses: vec![InterfaceAddress {
            interface: "eth0".to_owned(),
            address,
            prefix: if address.is_ipv4() { 24 } else { 64 },
        }],
        routes: vec![Route {
            destination: "0.0.0.0/0".to_owned(),
            interface: "eth0".to_owned(),
        }],
        default_address: Some(address),
        clock_skew: 0.0,
        disks: vec![Disk {
            path: "/var/lib/docker".to_owned(),
            mount: "/".to_owned(),
            total: 200 << 30,
            free: 150 << 30,
            free_inodes: 1_000_000,
        }],
        listeners: Vec::new(),
        user: UserFacts {
            name: "deploy".to_owned(),
            uid: 1000,
            groups: vec!["docker".to_owned()],
            root: RootAccess::Passwordless,
        },
        docker: Some(docker()),
        docker_problem: None,
        compose: Some(ComposeFacts {
            version: "2.26.1".to_owned(),
            command: vec!["docker".to_owned(), "compose".to_owned()],
        }),
        nofile_limit: Some(1_048_576),
        proxies: BTreeMap::new(),
        tools: BTreeMap::new(),
        folders: Vec::new(),
    }
}

fn docker() -> DockerFacts {
    DockerFacts {
        engine: EngineFacts {
            version: "26.1.5".to_owned(),
            root: "/var/lib/docker".to_owned(),
            storage_driver: "overlay2".to_owned(),
            containerd_store: false,
            proxies: BTreeMap::new(),
        },
        as_user: true,
        images: Vec::new(),
        containers: Vec::new(),
        networks: vec![NetworkFacts {
            name: "bridge".to_owned(),
            subnets: vec!["172.17.0.0/16".to_owned()],
            labels: BTreeMap::new(),
        }],
        volumes: Vec::new(),
    }
}

/// Returns the address that host number `number` of a sample has.
#[must_use]
pub fn address(number: usize) -> IpAddr {
    let last = u8::try_from(number).unwrap_or(u8::MAX).saturating_add(11);
    IpAddr::from([10, 0, 0, last])
}

/// Returns a deployment of `preset` with the answers in `chosen`, and defaults or examples elsewhere; two hosts where a role takes several.
///
/// # Errors
/// Fails when an expression or default of the preset is broken.
pub fn deployment(
    preset: &Arc<Preset>,
    chosen: &BTreeMap<QuestionId, String>,
) -> Result<Deployment, TemplateError> {
    let hosts = hosts(preset);
    let name = "sample"
        .parse()
        .map_err(|error: super::ids::InvalidName| TemplateError {
            name: "sample".to_owned(),
            line: None,
            message: error.to_string(),
        })?;
    let mut deployment = Deployment {
        name,
        preset: Arc::clone(preset),
        hosts,
        images: ImagesSection {
            source: ImageSource::Registry,
            tag: Some("1.9.0".to_owned()),
            registry: Some("registry.acme.example".to_owned()),
            ..ImagesSection::default()
        },
        answers: BTreeMap::new(),
        secrets: Secrets::default(),
        base_folder: BASE_FOLDER.to_owned(),
        adopted: Vec::new(),
    };
    let mut scope = base_scope("sample", &deployment.hosts).with("image_source", "registry".into());
    for question in &preset.parts.questions {
        let entry = format!("question.{}", question.id);
        if question.kind == QuestionKind::Secret {
            continue;
        }
        scope.set(&question.id.variable(), ().into());
        if !scope.holds(&format!("{entry}.when"), question.when.as_deref())? {
            continue;
        }
        if let Some(value) = answer(question, chosen, &scope)? {
            scope.set(&question.id.variable(), template_value(&value));
            deployment.answers.insert(question.id.clone(), value);
        }
    }
    deployment.secrets = secrets(preset, chosen, &scope)?;
    Ok(deployment)
}

/// Returns a made-up value for every secret that would have to be given.
fn secrets(
    preset: &Preset,
    chosen: &BTreeMap<QuestionId, String>,
    scope: &Scope,
) -> Result<Secrets, TemplateError> {
    let mut secrets = Secrets::default();
    for question in &preset.parts.questions {
        let entry = format!("question.{}", question.id);
        if question.kind != QuestionKind::Secret
            || !scope.holds(&format!("{entry}.when"), question.when.as_deref())?
        {
            continue;
        }
        let generated = question.generate.is_some()
            && scope.holds(
                &format!("{entry}.generate-when"),
                question.generate_when.as_deref(),
            )?;
        match chosen.get(&question.id) {
            Some(value) => secrets.insert(question.id.clone(), value.clone().into()),
            None if generated => {}
            None => secrets.insert(question.id.clone(), MADE_UP.into()),
        }
    }
    Ok(secrets)
}

fn answer(
    question: &Question,
    chosen: &BTreeMap<QuestionId, String>,
    scope: &Scope,
) -> Result<Option<AnswerValue>, TemplateError> {
    let entry = format!("question.{}.default", question.id);
    let text = match (chosen.get(&question.id), &question.default) {
        (Some(chosen), _) => chosen.clone(),
        (None, Some(default)) => scope.render(Kind::Text, &entry, default)?,
        (None, None) if question.optional => return Ok(None),
        (None, None) => rules::example_of(question),
    };
    rules::from_text(question, &text)
        .map(Some)
        .map_err(|broken| TemplateError {
            name: entry,
            line: None,
            message: format!(
                "the default or example breaks the question's own rule: {}",
                broken.rule
            ),
        })
}

fn hosts(preset: &Preset) -> Vec<HostSettings> {
    let mut hosts: Vec<HostSettings> = Vec::new();
    for role in &preset.roles {
        let (least, most) = role.bounds().unwrap_or((1, Some(1)));
        let count = most.unwrap_or(least.max(2));
        for number in 1..=count {
            let name = if count == 1 {
                role.id.to_string()
            } else {
                format!("{}-{number}", role.id)
            };
            let Ok(name) = name.parse() else { continue };
            hosts.push(HostSettings {
                name,
                address: address(hosts.len()).to_string(),
                private_address: None,
                roles: vec![role.id.clone()],
                host_key: None,
                login: SshSection::default(),
            });
        }
    }
    hosts
}

/// Returns facts for every host of a sample deployment.
#[must_use]
pub fn facts_of(deployment: &Deployment) -> Vec<HostFacts> {
    deployment
        .hosts
        .iter()
        .enumerate()
        .map(|(number, host)| {
            let own = host.address.parse().unwrap_or_else(|_| address(number));
            facts(&host.name, own)
        })
        .collect()
}

/// Returns what makes secrets and certificates of samples: always the same randomness and the same time, as far as that is ours to choose.
#[must_use]
pub fn making() -> Making<'static> {
    Making {
        random: &|buffer| buffer.fill(7),
        now: jiff::Timestamp::constant(1_800_000_000, 0),
    }
}

/// Returns every way through the preset's choices, one changed at a time: the choices to pass to [`deployment`].
#[must_use]
pub fn variants(preset: &Preset) -> Vec<BTreeMap<QuestionId, String>> {
    let mut variants = vec![BTreeMap::new()];
    for question in &preset.parts.questions {
        let values: Vec<String> = match question.kind {
            QuestionKind::Choice => question.choices.clone(),
            QuestionKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
            _ if question.optional && question.kind != QuestionKind::Secret => {
                vec![rules::example_of(question)]
            }
            _ => continue,
        };
        // What is so when nothing is chosen is the first variant already.
        let others = values
            .into_iter()
            .filter(|value| question.default.as_deref() != Some(value));
        variants.extend(others.map(|value| BTreeMap::from([(question.id.clone(), value)])));
    }
    variants
}
