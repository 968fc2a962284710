//! What a preset puts on hosts: images, stacks with their files and services, and the values that stacks give to later ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::certificate::CertificatePart;
use super::step::ToolStep;
use crate::model::ids::{ImageId, QuestionId, RoleId, StackId};

/// A container image by its part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// What runs in it.
    pub title: String,
    /// The full reference when `refs` does not give one; a *template* that sees `registry` and `tag`.
    pub reference: String,
    /// Other repository names under which the vendor's texts know it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Endings that the vendor has put behind the release at times, such as `-cpu`.
    #[serde(default)]
    pub tag_endings: Vec<String>,
    /// Needed only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// Disk the unpacked image takes, as a size such as `3gb`; used when nothing better is known.
    pub unpacked: String,
}

/// One folder on every host of a role: files, and what is made from them by Compose, by tools, or by both.
///
/// Without a file `docker-compose.yaml` there is no Compose project in it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stack {
    /// Its id; the folder's name on the host and the end of the Compose project's name.
    pub id: StackId,
    /// Its name for people.
    pub title: String,
    /// The role whose hosts carry it.
    pub role: RoleId,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// A name under which other stacks come `after` this one and all that share it, so that a fragment need not know who brings something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<StackId>,
    /// Stacks, or groups of them, that must be healthy on all their hosts before this one starts; once the preset is read, groups are the stacks in them.
    #[serde(default)]
    pub after: Vec<StackId>,
    /// Images it needs.
    #[serde(default)]
    pub images: Vec<ImageId>,
    /// Files it consists of.
    #[serde(default)]
    pub files: Vec<StackFile>,
    /// Sets of files that it shares with other stacks, by id; once the preset is read they stand among `files`.
    #[serde(default)]
    pub file_sets: Vec<String>,
    /// Host ports it will listen on; *templates*. Checked to be free before and to be ours after.
    #[serde(default)]
    pub ports: Vec<String>,
    /// What its services must look like to be healthy.
    #[serde(default, rename = "service")]
    pub services: Vec<Service>,
    /// Data of its services that is saved and brought back.
    #[serde(default, rename = "backup", skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<Backup>,
    /// What must hold before its containers are made, once its files and images are there.
    #[serde(default, rename = "proof")]
    pub proofs: Vec<Proof>,
    /// What is brought about by tools once everything else of the stack stands.
    #[serde(default, rename = "step", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<ToolStep>,
    /// Sets of steps that it shares with other stacks, by id; once the preset is read they stand behind its own `steps`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_sets: Vec<String>,
    /// Values that later stacks use.
    #[serde(default)]
    pub yields: BTreeMap<String, Yield>,
}

/// Files that several stacks have in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSet {
    /// Its id.
    pub id: String,
    /// The files.
    pub files: Vec<StackFile>,
}

/// Steps that several stacks have in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepSet {
    /// Its id.
    pub id: String,
    /// The steps, in their order.
    #[serde(rename = "step")]
    pub steps: Vec<ToolStep>,
}

/// A file on the host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StackFile {
    /// The template under `assets/`.
    #[serde(default)]
    pub from: Option<String>,
    /// A file on the operator's machine, named by the answer of this question; carried over byte for byte.
    #[serde(default)]
    pub from_answer: Option<QuestionId>,
    /// The `[[certificate]]` that it is a `part` of.
    #[serde(default)]
    pub from_certificate: Option<String>,
    /// Which part of the certificate.
    #[serde(default)]
    pub part: Option<CertificatePart>,
    /// Its path in the stack's folder; the file name of `from` when left out.
    #[serde(default)]
    pub to: Option<String>,
    /// Its mode in octal; `0644` when left out, `0600` for `.env`.
    #[serde(default)]
    pub mode: Option<String>,
    /// The service whose `reload` takes up a changed file, so that no container is made anew for it.
    #[serde(default)]
    pub reload: Option<String>,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
}

/// What a Compose service must look like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// The service's name in the Compose file.
    pub name: String,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// `running` (default) or `completed`: ended with exit code 0.
    #[serde(default)]
    pub state: ServiceState,
    /// Seconds it may take until it is healthy and stays so.
    #[serde(default = "default_within")]
    pub within: u64,
    /// The program, run in its container, by which it takes up changed files that name it in their `reload`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reload: Vec<String>,
}

pub(super) fn default_within() -> u64 {
    180
}

/// The state that is right for a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// Runs, and its health check, when it has one, says healthy.
    #[default]
    Running,
    /// Ended with exit code 0.
    Completed,
}

/// A program on the host that says whether a stack can start with what stands there.
///
/// It runs in the stack's folder, where administrators can run it, too, and finds in `COMPOSE` how Compose is called for this project. It may start containers
/// that go again, and changes nothing else. It holds when it ends with 0; otherwise the last line it printed says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Proof {
    /// What holds then, such as "The server accepts its configuration".
    pub title: String,
    /// Only when this *expression* is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The program; *templates*, and no secret among them.
    pub run: Vec<String>,
    /// What to do when it does not hold; a *template*.
    pub remedy: String,
}

/// A value that a stack gives to later ones.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Yield {
    /// Its *expression*, on the host of the stack.
    pub from: String,
    /// How it is compared with what the software itself says.
    #[serde(default)]
    pub confirm: Option<Confirm>,
}

/// Compares a value with what a container printed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Confirm {
    /// The service whose log is read.
    pub service: String,
    /// A regular expression with one group; the last match counts, after control sequences are removed.
    pub log: String,
    /// What the group must equal; a *template*.
    pub equals: String,
    /// What to do when it does not; a *template* that also sees `found`.
    pub remedy: String,
}

/// Data of a service that is saved to files and brought back, by a program in its container.
///
/// Behind the program's arguments comes what it shall do: `ready`, `save PART` (to standard output), `prove` (a saved part on standard input is read to
/// its end), `load PART` (from standard input, beside what is there), `swap PART...` (what was loaded takes the place of all these parts, or of none) and
/// `forget PART...` (what load and swap left goes).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Backup {
    /// What it is, for people.
    pub title: String,
    /// The service, which must run for all of it.
    pub service: String,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// The program and its first arguments; *templates*, without secrets.
    pub program: Vec<String>,
    /// What is saved, each to a file of its own; names of letters, digits and hyphens.
    pub parts: Vec<String>,
}
