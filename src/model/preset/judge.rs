//! How a preset says that hosts will do and that the product works: needs, reach, health, endpoints and log sources.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::ids::{QuestionId, RoleId, StackId};

/// Who must reach whom.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReachRule {
    /// Role that connects; `operator` for the machine the installer runs on.
    pub from: String,
    /// Role that listens.
    pub to: RoleId,
    /// Ports or ranges, *templates*: `6379`, `11000-11999`. Of a range both ends and the middle are tried.
    pub ports: Vec<String>,
    /// What for, in words for the customer's IT.
    pub why: String,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
}

/// What a host of a role must have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoleNeed {
    /// The role.
    pub role: RoleId,
    /// Least CPUs; fewer fails.
    #[serde(default)]
    pub cpus: Option<u32>,
    /// CPUs below which it warns.
    #[serde(default)]
    pub cpus_recommended: Option<u32>,
    /// Least memory, such as `4gb`; less fails.
    #[serde(default)]
    pub memory: Option<String>,
    /// Memory below which it warns.
    #[serde(default)]
    pub memory_recommended: Option<String>,
    /// Disk for data beside the images, such as `10gb`; less free fails.
    #[serde(default)]
    pub disk: Option<String>,
    /// Whether it needs Docker with Compose; a host without them will do where every one of its roles says no.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub docker: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_yes(docker: &bool) -> bool {
    *docker
}

/// Returns whether a host of these roles needs Docker: unless each of them says that it does not.
#[must_use]
pub fn need_docker(roles: &[RoleId], needs: &[RoleNeed]) -> bool {
    let without = |role: &RoleId| needs.iter().any(|need| need.role == *role && !need.docker);
    !roles.iter().all(without)
}

/// One judgement: whether the product works (`[[health]]`), or whether it could, before anything is deployed (`[[check]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Health {
    /// Stable id.
    pub id: String,
    /// What is judged.
    pub title: String,
    /// Only when this *expression* is true.
    pub when: Option<String>,
    /// How.
    #[serde(flatten)]
    pub probe: HealthProbe,
    /// Seconds it may take until it holds.
    pub within: u64,
    /// Whether it is only worth a warning when it does not hold: the product works all the same.
    pub warns: bool,
    /// What to do when it does not hold; a *template*.
    pub remedy: Option<String>,
    /// The command by which one looks oneself, on the host that asks; a *template*.
    pub command: Option<String>,
}

/// How a judgement is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[non_exhaustive]
pub enum HealthProbe {
    /// Runs a program in a service's container; exit code 0 and, when given, the output's last line equal to a *template*.
    Exec {
        /// The stack.
        on: StackId,
        /// The service.
        service: String,
        /// The program and its arguments; *templates*.
        run: Vec<String>,
        /// What goes to its standard input; a *template*. Secrets belong here and not in `run`.
        input: Option<String>,
        /// What the last line must be; a *template*.
        equals: Option<String>,
    },
    /// Asks over HTTP, from the operator's side or from a host of a role.
    Http {
        /// `operator` or a role.
        from: String,
        /// The address; a *template*.
        url: String,
        /// `GET` (default) or `POST`.
        method: Option<String>,
        /// The body to send; a *template* (JSON).
        body: Option<String>,
        /// Status codes that are right; `[200]` when left out.
        status: Vec<u16>,
        /// A regular expression the body must match.
        matches: Option<String>,
        /// What the body, an object in JSON, must say by each key; *templates*.
        json: BTreeMap<String, String>,
        /// Certificates in PEM of the authorities to trust, a *template*; when it renders to nothing, those that the asking machine trusts. Certificates
        /// are not judged when it is left out.
        authorities: Option<String>,
        /// Statuses that mean "this release has no such path": reported as not offered, not as failed.
        absent: Vec<u16>,
        /// The name it is asked by, where the address is another; a *template*.
        name: Option<String>,
        /// Where a redirect must lead, from the operator's side only; a *template*.
        location: Option<String>,
        /// Whether every cookie of the answer must be marked secure, from the operator's side only.
        secure_cookies: bool,
    },
    /// Shakes hands over TLS from the operator's side, and judges what is shown as a browser does: by whom, for what name, until when.
    Tls {
        /// Where to connect; a *template*.
        address: String,
        /// The port; a *template*.
        port: String,
        /// The name that browsers use; a *template*.
        name: String,
        /// The `[[certificate]]` whose authority browsers are told to trust, when it applies.
        certificate: Option<String>,
        /// The question that names a file with the chain, when it is answered; what neither gives is judged by this machine's own authorities.
        answer: Option<QuestionId>,
        /// What to do when it ends soon; a *template*.
        renew: Option<String>,
    },
    /// Runs a program on a host; exit code 0. What it prints last is what was found, and 127 that the host has no such program.
    Program {
        /// The role.
        from: RoleId,
        /// The program and its arguments; *templates*.
        run: Vec<String>,
        /// What goes to its standard input; a *template*. Secrets belong here and not in `run`.
        input: Option<String>,
    },
    /// Connects to a port that must, or must not, be open from somewhere.
    Port {
        /// `operator` or a role.
        from: String,
        /// The role that would listen.
        to: RoleId,
        /// The port; a *template*.
        port: String,
        /// Whether it must be open.
        open: bool,
    },
}

/// Where the result can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// What it is.
    pub title: String,
    /// Its address; a *template*.
    pub url: String,
    /// Who may open it, in words.
    pub audience: String,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
}

/// Where logs come from beside the containers of a stack: exactly one of `path`, `containers` and `label` says where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogSource {
    /// The stack.
    pub stack: StackId,
    /// The service whose container holds them, or that starts others.
    pub service: String,
    /// A folder in the service's container whose files are logs.
    #[serde(default)]
    pub path: Option<String>,
    /// The names of containers that the service starts by itself, outside Compose; `*` stands for anything, and
    /// `{{ project }}` for the stack's Compose project, as in `{{ project }}-worker-*`.
    #[serde(default)]
    pub containers: Option<String>,
    /// A label that such containers carry, `name` or `name=value`.
    #[serde(default)]
    pub label: Option<String>,
}
