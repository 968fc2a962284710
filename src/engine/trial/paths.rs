//! The network paths between the hosts, tried while somebody still types: who reaches whom on the ports that will be used.
//!
//! Listeners stand on the hosts for a moment and end by themselves; nothing is written. One attempt at a time; what it found holds until hosts change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use secrecy::SecretString;

use crate::engine::fan_out::fan_out;
use crate::engine::preflight::{self, Report};
use crate::engine::session::{Connector, connections};
use crate::model::deployment::Deployment;
use crate::model::facts::HostFacts;
use crate::model::failure::Failure;
use crate::model::ids::HostName;
use crate::model::operator::{Operator, SecretRequest, UnknownHostKey};
use crate::model::resolve::paths;
use crate::model::secret::Secrets;
use crate::model::template::Assets;
use crate::transport::Host;

/// How far trying has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Nobody asked for it, or hosts have changed since.
    Nothing,
    /// At work.
    AtWork,
    /// What was found.
    Known(Report),
    /// It could not be tried.
    Failed(Failure),
}

/// What is tried.
pub struct PathsWanted {
    /// The deployment as far as it is said, every host with its facts.
    pub deployment: Deployment,
    /// What every host told.
    pub facts: Vec<HostFacts>,
    /// Secrets that log in.
    pub secrets: Secrets,
    /// The preset's templates.
    pub assets: Arc<dyn Assets>,
}

impl std::fmt::Debug for PathsWanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PathsWanted({})", self.deployment.name)
    }
}

/// The trying of paths.
pub struct Paths {
    connector: Arc<dyn Connector>,
    ssh_folder: Option<Utf8PathBuf>,
    tried: Tried,
    round: u64,
    sender: Sender<(u64, Tried)>,
    reports: Receiver<(u64, Tried)>,
}

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Paths({:?})", self.tried)
    }
}

impl Paths {
    /// Nothing is tried yet.
    #[must_use]
    pub fn new(connector: Arc<dyn Connector>, ssh_folder: Option<Utf8PathBuf>) -> Self {
        let (sender, reports) = channel();
        Self {
            connector,
            ssh_folder,
            tried: Tried::Nothing,
            round: 0,
            sender,
            reports,
        }
    }

    /// Tries them, in a thread that nobody waits for.
    pub fn start(&mut self, wanted: PathsWanted) {
        self.round += 1;
        self.tried = Tried::AtWork;
        let (round, sender) = (self.round, self.sender.clone());
        let (connector, ssh_folder) = (Arc::clone(&self.connector), self.ssh_folder.clone());
        thread::spawn(move || {
            let tried = match attempt(&wanted, connector.as_ref(), ssh_folder.as_deref()) {
                Ok(report) => Tried::Known(report),
                Err(failure) => Tried::Failed(failure),
            };
            // Without a front end nobody listens any more.
            let _ = sender.send((round, tried));
        });
    }

    /// Forgets what was found: a host is another one now.
    pub fn forget(&mut self) {
        self.round += 1;
        self.tried = Tried::Nothing;
    }

    /// Takes in what was heard; returns whether anything was. Never blocks.
    pub fn hear(&mut self) -> bool {
        let mut heard = false;
        while let Ok((round, tried)) = self.reports.try_recv() {
            if round == self.round {
                self.tried = tried;
                heard = true;
            }
        }
        heard
    }

    /// Lets something be found, for tests of front ends.
    #[cfg(test)]
    pub(crate) fn find(&mut self, tried: Tried) {
        self.tried = tried;
    }

    /// Returns how far it has come.
    #[must_use]
    pub fn tried(&self) -> &Tried {
        &self.tried
    }
}

/// Answers nothing: whoever is tried here was logged in to a moment ago.
struct Nobody;

impl Operator for Nobody {
    fn accept_host_key(&self, _key: &UnknownHostKey) -> bool {
        false
    }

    fn secret(&self, _request: &SecretRequest) -> Option<SecretString> {
        None
    }
}

fn attempt(
    wanted: &PathsWanted,
    connector: &dyn Connector,
    ssh_folder: Option<&Utf8Path>,
) -> Result<Report, Failure> {
    let deployment = &wanted.deployment;
    let resolved = paths(deployment, &wanted.facts, &wanted.assets)
        .map_err(|error| Failure::from_error(&error))?;
    let hosts = deployment.hosts.iter().collect::<Vec<_>>();
    let count = hosts.len().max(1);
    let reached = fan_out(hosts, count, |host| {
        let spec = connections::spec(host, &wanted.secrets, ssh_folder);
        let reached = connector.connect(&spec, &Nobody);
        reached
            .map(|reached| (host.name.clone(), reached))
            .map_err(|error| Failure::from_error(&error).on(&host.name))
    });
    let hosts = reached
        .into_iter()
        .collect::<Result<BTreeMap<HostName, Arc<dyn Host>>, Failure>>()?;
    let facts = wanted.facts.iter();
    let facts = facts
        .map(|facts| (facts.host.clone(), facts.clone()))
        .collect();
    let behind = deployment.hosts.iter();
    let behind: BTreeSet<HostName> = behind
        .filter(|host| host.login.jump.is_some())
        .map(|host| host.name.clone())
        .collect();
    Ok(preflight::grid(&resolved, &facts, &hosts, &behind))
}
