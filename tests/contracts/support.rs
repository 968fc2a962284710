//! Made-up deployments of the shipped presets, for tests that look at what would stand on hosts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret;
use syntho_installer::model::deployment::Deployment;
use syntho_installer::model::facts::HostFacts;
use syntho_installer::model::ids::{HostName, QuestionId, StackId};
use syntho_installer::model::preset::Preset;
use syntho_installer::model::resolve::{Making, ResolveError, resolve};
use syntho_installer::model::resolved::{PlacedStack, RenderedFile, Resolved};
use syntho_installer::model::sample;
use syntho_installer::model::template::Assets;
use syntho_installer::presets::Presets;

/// The product's templates with made-up files of the operator.
struct MadeUpFiles(Arc<dyn Assets>);

impl fmt::Debug for MadeUpFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MadeUpFiles")
    }
}

impl Assets for MadeUpFiles {
    fn asset(&self, path: &str) -> Option<String> {
        self.0.asset(path)
    }

    fn operator_file(&self, path: &str) -> Result<String, String> {
        Ok(format!("content of {path}\n"))
    }
}

/// One way through a preset.
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) deployment: Deployment,
    pub(crate) facts: Vec<HostFacts>,
}

pub(crate) fn preset(id: &str) -> Arc<Preset> {
    Presets::default().load(&id.parse().unwrap()).unwrap()
}

impl Variant {
    /// The preset's defaults and examples.
    pub(crate) fn plain(id: &str) -> Self {
        Self::chosen(id, &[])
    }

    /// The same with some answers or secrets given.
    pub(crate) fn chosen(id: &str, choices: &[(&str, &str)]) -> Self {
        let chosen: BTreeMap<QuestionId, String> = choices
            .iter()
            .map(|(id, value)| (id.parse().unwrap(), (*value).to_owned()))
            .collect();
        let name = choices.iter().fold(id.to_owned(), |name, (id, value)| {
            format!("{name} {id}={value}")
        });
        let deployment = sample::deployment(&preset(id), &chosen).unwrap();
        let facts = sample::facts_of(&deployment);
        Self {
            name,
            deployment,
            facts,
        }
    }

    /// Every preset with every choice, one changed at a time, and the application on the Ray head's host.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for id in Presets::default().ids() {
            for chosen in sample::variants(&preset(id.as_str())) {
                let choices: Vec<(&str, &str)> = chosen
                    .iter()
                    .map(|(id, value)| (id.as_str(), value.as_str()))
                    .collect();
                all.push(Self::chosen(id.as_str(), &choices));
            }
        }
        all.push(Self::shared_host());
        all
    }

    /// The application and the Ray head on one host.
    pub(crate) fn shared_host() -> Self {
        let mut variant = Self::plain("syntho-app-ray");
        variant.deployment.hosts[0]
            .roles
            .push("ray-head".parse().unwrap());
        variant.deployment.hosts.remove(1);
        variant.facts.remove(1);
        "syntho-app-ray on a shared host".clone_into(&mut variant.name);
        variant
    }

    pub(crate) fn try_resolve_with(
        &self,
        kept: &dyn Fn(&HostName, &StackId, &str) -> Option<secrecy::SecretString>,
    ) -> Result<Resolved, ResolveError> {
        let assets: Arc<dyn Assets> = Arc::new(MadeUpFiles(Presets::default().assets()));
        let making = Making {
            random: &|buffer| rand::fill(buffer),
            ..sample::making()
        };
        resolve(&self.deployment, &self.facts, kept, &assets, making)
    }

    pub(crate) fn try_resolve(&self) -> Result<Resolved, ResolveError> {
        self.try_resolve_with(&|_, _, _| None)
    }

    /// The stacks of it that are Compose projects.
    pub(crate) fn projects(&self) -> Vec<PlacedStack> {
        let mut stacks = self.resolve().stacks;
        stacks.retain(PlacedStack::is_project);
        stacks
    }

    pub(crate) fn resolve(&self) -> Resolved {
        self.try_resolve()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

pub(crate) fn placed<'r>(resolved: &'r Resolved, stack: &str, host: &str) -> &'r PlacedStack {
    resolved
        .stacks
        .iter()
        .find(|placed| placed.id.as_str() == stack && placed.host.as_str() == host)
        .unwrap()
}

pub(crate) fn file<'s>(stack: &'s PlacedStack, path: &str) -> &'s RenderedFile {
    stack.files.iter().find(|file| file.path == path).unwrap()
}

/// The Compose file with merged keys.
pub(crate) fn compose(stack: &PlacedStack) -> serde_yaml_ng::Value {
    let text = file(stack, "docker-compose.yaml").content.expose_secret();
    let mut yaml: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    yaml.apply_merge().unwrap();
    yaml
}

pub(crate) fn service<'y>(yaml: &'y serde_yaml_ng::Value, name: &str) -> &'y serde_yaml_ng::Value {
    &yaml["services"][name]
}

/// What a variable of a stack's `.env` was meant to be.
pub(crate) fn variable(stack: &PlacedStack, name: &str) -> String {
    let found = stack.environment.iter().find(|(own, _)| own == name);
    found
        .unwrap_or_else(|| panic!("no variable {name}"))
        .1
        .expose_secret()
        .to_owned()
}
