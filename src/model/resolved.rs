//! A deployment brought down to its hosts: every template rendered, every role replaced by hosts. What preflight, planner and verification work from.
//!
//! It is made from a [`super::deployment::Deployment`] once the facts of its hosts are known, and is the same for the wizard and for automation.

use std::collections::BTreeMap;
use std::net::IpAddr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::answers::{Adopted, ImageSource};
use super::bundle::BundledImage;
use super::ids::{DeploymentName, HostName, ImageId, PresetId, RoleId, StackId, StepName};
use super::image::ImageRef;
use super::preset::{Backup, KnownFailure, Proof, RoleNeed, Service, StepPhase};
use super::secret::Secrets;

/// Everything that shall be, with no question left open.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The deployment.
    pub deployment: DeploymentName,
    /// Its preset.
    pub preset: PresetId,
    /// The preset's name for people.
    pub title: String,
    /// Its hosts, in the order of the answers.
    pub hosts: Vec<ResolvedHost>,
    /// Stacks on hosts, in an order in which each comes after what it needs.
    pub stacks: Vec<PlacedStack>,
    /// Who must reach whom.
    pub reach: Vec<ReachNeed>,
    /// What is tried before anything is deployed.
    pub checks: Vec<PlacedHealth>,
    /// Judgements, in order.
    pub health: Vec<PlacedHealth>,
    /// Where the result can be seen.
    pub endpoints: Vec<PlacedEndpoint>,
    /// Authorities of the deployment's own, which browsers must be told to trust.
    pub authorities: Vec<PlacedAuthority>,
    /// How images reach the hosts.
    pub image_source: ImageSource,
    /// The images of the archives, when they come from some; filled in once those have been read.
    pub bundled: Vec<BundledImage>,
    /// The registry's host and user, when images come from one with a login; the password is the secret `registry-password`.
    pub registry: Option<RegistryAccount>,
    /// Whether the registry login stays on the hosts.
    pub keep_login: bool,
    /// Every secret, given, kept or generated; for redaction.
    pub secrets: Secrets,
}

/// A registry account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAccount {
    /// The registry's host.
    pub host: String,
    /// The user, when one logs in.
    pub username: Option<String>,
}

/// One host with its addresses settled.
#[derive(Debug, Clone)]
pub struct ResolvedHost {
    /// Its name here.
    pub name: HostName,
    /// What it is for.
    pub roles: Vec<RoleId>,
    /// Where SSH reaches it.
    pub address: String,
    /// How the other hosts reach it.
    pub private_address: IpAddr,
    /// What its roles ask of it.
    pub needs: Vec<RoleNeed>,
}

impl ResolvedHost {
    /// Returns whether something for which Docker is needed may stand there.
    #[must_use]
    pub fn needs_docker(&self) -> bool {
        super::preset::need_docker(&self.roles, &self.needs)
    }
}

/// One stack on one host.
#[derive(Debug, Clone)]
pub struct PlacedStack {
    /// The stack.
    pub id: StackId,
    /// Its name for people.
    pub title: String,
    /// The host.
    pub host: HostName,
    /// Compose project name; stable, so that volumes are.
    pub project: String,
    /// The folder on the host.
    pub folder: String,
    /// Stacks that must be healthy on all their hosts before this one starts.
    pub after: Vec<StackId>,
    /// Images it needs.
    pub images: Vec<PlacedImage>,
    /// Its files, `.env` and the `README` among them.
    pub files: Vec<RenderedFile>,
    /// The variables its `.env` gives, by name, as they were meant; proved with `docker compose config`.
    pub environment: Vec<(String, SecretString)>,
    /// Host ports it will listen on.
    pub ports: Vec<u16>,
    /// What its services must look like.
    pub services: Vec<Service>,
    /// What must hold before its containers are made, with every template rendered.
    pub proofs: Vec<Proof>,
    /// What is compared with the software's own words once it runs.
    pub confirms: Vec<PlacedConfirm>,
    /// Data of its services that is saved and brought back, its program rendered and without `when`.
    pub backups: Vec<Backup>,
    /// What it was before, when it was set up by hand.
    pub adopted: Option<Adopted>,
    /// What is brought about by tools, in order.
    pub steps: Vec<PlacedStep>,
}

/// The file that makes a stack a Compose project.
pub const COMPOSE_FILE: &str = "docker-compose.yaml";

impl PlacedStack {
    /// Returns whether Compose has to do with it.
    #[must_use]
    pub fn is_project(&self) -> bool {
        self.files.iter().any(|file| file.path == COMPOSE_FILE)
    }
}

/// A step by a tool, with every template rendered; [`super::preset::ToolStep`] says what each is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlacedStep {
    /// Its id in the stack.
    pub id: StepName,
    /// What is so afterwards.
    pub title: String,
    /// Says whether it is so.
    pub probe: Vec<String>,
    /// Brings it about.
    pub run: Vec<String>,
    /// Takes it back; empty where there is nothing to.
    pub revert: Vec<String>,
    /// What it makes in the stack's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub makes: Vec<String>,
    /// What is left then.
    pub leaves: Option<String>,
    /// Seconds it may take.
    pub within: u64,
    /// What to do when it fails in an unknown way.
    pub remedy: String,
    /// Known failures; `{found}` stands where what was found belongs.
    pub fails: Vec<KnownFailure>,
    /// How far it is.
    pub phases: Vec<StepPhase>,
    /// Values from other hosts.
    pub takes: Vec<PlacedTake>,
}

/// A value that another stack's host gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlacedTake {
    /// The variable that holds it.
    pub name: String,
    /// The stack.
    pub stack: StackId,
    /// Prints it.
    pub run: Vec<String>,
    /// Whether nothing may show it.
    pub secret: bool,
}

/// One image a stack needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedImage {
    /// Its part.
    pub id: ImageId,
    /// Its full reference.
    pub reference: ImageRef,
    /// Bytes it takes unpacked, when nothing better is known.
    pub unpacked: u64,
    /// Other repository names the vendor's texts know it by.
    pub aliases: Vec<String>,
    /// Endings the vendor has put behind the release at times.
    pub tag_endings: Vec<String>,
}

/// One file as it shall stand on the host.
#[derive(Debug, Clone)]
pub struct RenderedFile {
    /// Path inside the stack's folder.
    pub path: String,
    /// Mode, such as `0o600`.
    pub mode: u32,
    /// Its content.
    pub content: SecretString,
    /// The same with each secret replaced by its name.
    pub masked: String,
    /// Whether it holds a secret.
    pub secret: bool,
    /// The service that takes it up by its `reload`.
    pub reload: Option<String>,
}

/// An authority that was made for the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedAuthority {
    /// What its certificates are for.
    pub title: String,
    /// Names and addresses that are wanted of it; it may vouch for the first at least.
    pub names: Vec<String>,
    /// Its certificate, PEM.
    pub pem: String,
    /// The host that keeps it.
    pub host: HostName,
    /// Where it stands there.
    pub path: String,
}

/// A value compared with what a container printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedConfirm {
    /// The service whose log is read.
    pub service: String,
    /// A regular expression with one group.
    pub log: String,
    /// What the group must equal.
    pub equals: String,
    /// What to do when it does not; holds `{found}` where the found text belongs.
    pub remedy: String,
}

/// One network path that must be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachNeed {
    /// Who connects; `None` for the operator's machine.
    pub from: Option<HostName>,
    /// Who listens.
    pub to: HostName,
    /// First and last port, both included.
    pub ports: (u16, u16),
    /// What for.
    pub why: String,
}

/// One judgement with its hosts settled.
#[derive(Debug, Clone)]
pub struct PlacedHealth {
    /// Stable id.
    pub id: String,
    /// What is judged.
    pub title: String,
    /// How.
    pub probe: PlacedProbe,
    /// Seconds it may take until it holds.
    pub within: u64,
    /// Whether it is only worth a warning when it does not hold.
    pub warns: bool,
    /// What to do when it does not hold.
    pub remedy: Option<String>,
    /// The command by which one looks oneself.
    pub command: Option<String>,
}

/// How a judgement is made, with every template rendered.
#[derive(Debug, Clone)]
pub enum PlacedProbe {
    /// Runs a program in a service's container.
    Exec {
        /// The host.
        host: HostName,
        /// Compose project.
        project: String,
        /// The service.
        service: String,
        /// Program and arguments; no secret.
        run: Vec<String>,
        /// Standard input; may hold secrets.
        input: SecretString,
        /// What the last line must be.
        equals: Option<String>,
    },
    /// Asks over HTTP.
    Http {
        /// The host it is asked from; `None` for the operator's machine.
        from: Option<HostName>,
        /// The address.
        url: String,
        /// `GET` or `POST`.
        method: String,
        /// The body; may hold secrets.
        body: Option<SecretString>,
        /// Right status codes.
        status: Vec<u16>,
        /// A regular expression the body must match.
        matches: Option<String>,
        /// What the body, an object in JSON, must say by each key.
        json: BTreeMap<String, String>,
        /// Certificates in PEM of the authorities to trust, those of the asking machine when empty; certificates are not judged when there is none.
        authorities: Option<String>,
        /// Statuses that mean "not offered by this release".
        absent: Vec<u16>,
        /// The name it is asked by, where the address is another.
        name: Option<String>,
        /// Where a redirect must lead.
        location: Option<String>,
        /// Whether every cookie must be marked secure.
        secure_cookies: bool,
    },
    /// Shakes hands over TLS from the operator's machine.
    Tls {
        /// Where to connect.
        address: String,
        /// The port.
        port: u16,
        /// The name that browsers use.
        name: String,
        /// Whom to trust.
        trust: Trust,
        /// The certificate that must be shown, PEM, where it is known which.
        expected: Option<String>,
        /// What to do when the certificate ends soon.
        renew: Option<String>,
    },
    /// Runs a program on a host.
    Program {
        /// The host.
        from: HostName,
        /// Program and arguments; no secret.
        run: Vec<String>,
        /// Standard input; may hold secrets.
        input: SecretString,
    },
    /// Connects to a port.
    Port {
        /// Who connects; `None` for the operator's machine.
        from: Option<HostName>,
        /// Who would listen.
        to: HostName,
        /// The port.
        port: u16,
        /// Whether it must be open.
        open: bool,
    },
}

/// By whom a certificate must be vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// By the deployment's own authority, PEM: browsers are told to trust it.
    Own(String),
    /// By an authority that this machine knows, or by the last one of this chain, PEM.
    Chain(String),
    /// By an authority that this machine knows.
    Known,
}

/// Where the result can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEndpoint {
    /// What it is.
    pub title: String,
    /// Its address.
    pub url: String,
    /// Who may open it.
    pub audience: String,
}
