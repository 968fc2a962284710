//! What a preset declares: roles, questions, images, stacks, reach, checks, health, endpoints and log sources.
//!
//! These types are the preset file format (TOML, kebab-case, unknown keys refused). Code interprets kinds of things; only presets know products.
//! A preset may `include` shared fragments (`presets/shared/*.toml`), whose lists are put before its own, so that a thing has one definition.
//!
//! Texts marked *template* are rendered by minijinja, strictly: an undefined name is an error with file and line. Texts marked *expression* are minijinja
//! expressions. Both see, by name (hyphens become underscores):
//!
//! - every answer and secret; a question that does not apply, or was left empty, has no value (`none`);
//! - every `[[value]]` and the yields of stacks (not in `default`, `when` and `names` of questions, which see the questions before them);
//! - `deployment`, `image_source`; in an image's `reference` also `registry` and `tag`; in a stack's files also `stack`, `project`,
//!   `folder` and `adopted_volumes`, the names of volumes that were there before, by those in the stack's Compose file;
//! - `host`, the host a file, probe, port or rule is for: `name`, `address`, `operator_address` (where the operator's machine would connect to),
//!   `private_address`, `roles`, and from its facts `cpus`, `memory` and `nofile_limit`;
//! - the functions `operator_file(path)` (the text of a file that an answer names),
//!   `count(role)`, `shared(role, role)` (hosts with both), `hosts(role)`, `image(id)`, `asset(path)`, `port_suffix(protocol, port)`,
//!   `url_encode(text)`, `url_host(address)`, `size(text)`, `megabytes(bytes)` (`512m`) and `amount(bytes)` (`64 GB`, for people).
//!
//! A question may `propose` a value from what the hosts are, with the reason in words; nothing is taken without the operator's yes.
//!
//! A file's kind follows from the template's name: `*.env`, `*.yaml`, `*.json`, `*.sh`, `*.py`, `*.md` and `*.txt`; anything else is taken for a configuration
//! file with the strictest rule for values. See [`super::template::Kind`].

mod adopt;
mod alike;
mod certificate;
mod check;
mod file;
mod judge;
mod question;
mod stack;
mod step;

pub use adopt::{Adopt, Trap};
pub use alike::Alike;
pub use certificate::{CertificatePart, MadeCertificate};
pub use check::Problem;
pub use file::PresetFile;
pub use judge::{Endpoint, Health, HealthProbe, LogSource, ReachRule, RoleNeed, need_docker};
pub use question::{Generator, Kept, Page, Pattern, Propose, Question, QuestionKind};
pub use stack::{
    Backup, Confirm, FileSet, Image, Proof, Service, ServiceState, Stack, StackFile, StepSet, Yield,
};
pub use step::{KnownFailure, StepPhase, Take, ToolStep};

use serde::{Deserialize, Serialize};

use super::diagnosis::Signature;
use super::ids::{PresetId, QuestionId, RoleId, StackId};

/// A deployable product, its fragments merged in. It is read through [`PresetFile`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Preset {
    /// Its id; equal to the file's name.
    pub id: PresetId,
    /// Its name for people.
    pub title: String,
    /// What it gives, in a sentence or two.
    pub summary: String,
    /// What it needs, in a sentence.
    pub needs: String,
    /// The public guide it replaces.
    pub guide: String,
    /// Fragments it is built from, by file name without extension, in order.
    pub include: Vec<String>,
    /// What hosts are for.
    #[serde(rename = "role")]
    pub roles: Vec<Role>,
    /// Everything below can also stand in a fragment.
    #[serde(flatten)]
    pub parts: Parts,
}

/// The lists that a preset and a fragment may both hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parts {
    /// What is asked.
    #[serde(rename = "question")]
    pub questions: Vec<Question>,
    /// Values computed from answers, in order; a later one may use an earlier one.
    #[serde(rename = "value")]
    pub values: Vec<Value>,
    /// Rules over several answers, hosts or images.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// Container images.
    #[serde(rename = "image")]
    pub images: Vec<Image>,
    /// What must be the same in several images.
    #[serde(rename = "alike")]
    pub alikes: Vec<Alike>,
    /// Certificates that are made where nobody gives one.
    #[serde(rename = "certificate")]
    pub certificates: Vec<MadeCertificate>,
    /// Files that several stacks have in common.
    #[serde(rename = "file-set")]
    pub file_sets: Vec<FileSet>,
    /// Steps that several stacks have in common.
    #[serde(rename = "step-set", skip_serializing_if = "Vec::is_empty")]
    pub step_sets: Vec<StepSet>,
    /// What stands on hosts: Compose projects, and what is brought about by tools.
    #[serde(rename = "stack")]
    pub stacks: Vec<Stack>,
    /// Who must reach whom.
    #[serde(rename = "reach")]
    pub reach: Vec<ReachRule>,
    /// What a host of a role must have.
    #[serde(rename = "need")]
    pub needs_of_roles: Vec<RoleNeed>,
    /// What is tried before anything is deployed.
    #[serde(rename = "check")]
    pub checks: Vec<Health>,
    /// How it is judged to work.
    #[serde(rename = "health")]
    pub health: Vec<Health>,
    /// Where the result can be seen.
    #[serde(rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// Where logs come from beside the containers' own output.
    #[serde(rename = "log")]
    pub logs: Vec<LogSource>,
    /// How stacks are known that were set up by hand.
    #[serde(rename = "adopt")]
    pub adopts: Vec<Adopt>,
    /// What is known to go wrong with it, and how that shows.
    #[serde(rename = "signature")]
    pub signatures: Vec<Signature>,
}

/// What a host is for.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name for people.
    pub title: String,
    /// What it does, in a sentence.
    pub help: String,
    /// How many hosts: `1`, `0..`, `1..`, `0..1`.
    pub count: String,
}

/// A computed value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Value {
    /// The name templates see.
    pub id: QuestionId,
    /// Its *expression*.
    pub is: String,
}

/// A rule over several answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// An *expression* that must be true.
    pub holds: String,
    /// What is wrong when it is not; a *template*.
    pub message: String,
    /// What to write instead; a *template*.
    pub example: String,
    /// The questions it is about, for placing the message.
    pub about: Vec<String>,
    /// Judged on every host of this role once its facts are known, with `host` at hand; before anything connects when left out.
    #[serde(default)]
    pub on: Option<RoleId>,
}

impl Preset {
    /// Returns the question with this id.
    #[must_use]
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.parts.questions.iter().find(|q| &q.id == id)
    }

    /// Returns the role with this id.
    #[must_use]
    pub fn role(&self, id: &RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| &role.id == id)
    }

    /// Returns the stack with this id.
    #[must_use]
    pub fn stack(&self, id: &StackId) -> Option<&Stack> {
        self.parts.stacks.iter().find(|stack| &stack.id == id)
    }

    /// Returns how a stack that was set up by hand is known, by its id.
    #[must_use]
    pub fn adopt(&self, id: &str) -> Option<&Adopt> {
        self.parts.adopts.iter().find(|adopt| adopt.id == id)
    }

    /// Returns where a host keeps the secret that `question` asks for.
    #[must_use]
    pub fn kept<'q>(&self, question: &'q Question) -> Option<&'q Kept> {
        let mut places = question.kept.iter();
        places.find(|place| self.stack(&place.stack).is_some())
    }

    /// Returns every secret that a host keeps: its stack, the variable of the stack's `.env`, and the question.
    #[must_use]
    pub fn kept_variables(&self) -> Vec<(StackId, String, QuestionId)> {
        self.parts
            .questions
            .iter()
            .filter_map(|question| {
                let kept = self.kept(question)?;
                Some((
                    kept.stack.clone(),
                    kept.variable.clone(),
                    question.id.clone(),
                ))
            })
            .collect()
    }

    /// Returns the files in which hosts keep certificates that are made, by stack and path.
    #[must_use]
    pub fn kept_files(&self) -> Vec<(StackId, String)> {
        let stacks = self.parts.stacks.iter();
        stacks
            .flat_map(|stack| {
                let made = stack.files.iter().filter(|f| f.from_certificate.is_some());
                made.filter_map(|file| Some((stack.id.clone(), file.to.clone()?)))
            })
            .collect()
    }
}

impl Role {
    /// Returns the least and the greatest number of hosts; `None` when `count` is not of the form `1`, `0..`, `1..` or `0..1`.
    #[must_use]
    pub fn bounds(&self) -> Option<(usize, Option<usize>)> {
        match self.count.split_once("..") {
            Some((least, "")) => Some((least.parse().ok()?, None)),
            Some((least, most)) => Some((least.parse().ok()?, Some(most.parse().ok()?))),
            None => {
                let exact = self.count.parse().ok()?;
                Some((exact, Some(exact)))
            }
        }
    }
}
