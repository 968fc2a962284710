//! The connections of a run: all hosts reached at once, broken ones replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use secrecy::SecretString;

use super::Connector;
use super::story::Run;
use super::teller::Peace;
use crate::engine::fan_out::fan_out;
use crate::engine::runner::{Links, millis};
use crate::model::deployment::HostSettings;
use crate::model::event::{Event, Listener};
use crate::model::failure::Failure;
use crate::model::ids::{HostName, QuestionId};
use crate::model::operator::{Operator, SecretRequest, UnknownHostKey};
use crate::model::secret::Secrets;
use crate::transport::{ConnectSpec, Host, TransportError};

/// Limit for each of name look-up, connection, handshake and login.
const LIMIT: Duration = Duration::from_secs(15);

/// Connections to the hosts of one deployment.
pub(super) struct Connections {
    specs: BTreeMap<HostName, ConnectSpec>,
    hosts: Mutex<BTreeMap<HostName, Arc<dyn Host>>>,
    connector: Arc<dyn Connector>,
    operator: Asked,
    listener: Arc<dyn Listener>,
}

/// Reaches every host that is wanted; those that could not be reached are told and returned with why.
pub(super) fn connect(
    run: &Run<'_>,
    wanted: &dyn Fn(&HostName) -> bool,
) -> (Arc<Connections>, Vec<Failure>) {
    let job = run.job;
    let hosts = job.deployment.hosts.iter();
    let hosts = hosts.filter(|host| wanted(&host.name));
    let connections = Connections {
        specs: hosts
            .map(|host| {
                (
                    host.name.clone(),
                    spec(host, &job.deployment.secrets, job.ssh_folder.as_deref()),
                )
            })
            .collect(),
        hosts: Mutex::default(),
        connector: Arc::clone(&job.connector),
        operator: Asked {
            operator: Arc::clone(&job.operator),
            peace: run.peace.clone(),
        },
        listener: Arc::clone(&run.listener) as Arc<dyn Listener>,
    };
    let names: Vec<&HostName> = connections.specs.keys().collect();
    let lost = fan_out(names, job.concurrency, |name| {
        let error = connections.renew(name).err()?;
        let failure = crate::engine::runner::failure(&error.into(), name);
        connections.listener.hear(Event::HostLost {
            host: name.clone(),
            failure: failure.clone(),
        });
        Some(failure)
    });
    let lost = lost.into_iter().flatten().collect();
    (Arc::new(connections), lost)
}

/// Asks the operator in peace.
struct Asked {
    operator: Arc<dyn Operator>,
    peace: Peace,
}

impl Operator for Asked {
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool {
        self.peace.during(|| self.operator.accept_host_key(key))
    }

    fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
        self.peace.during(|| self.operator.secret(request))
    }
}

/// Returns how a host is connected to: by the settings of its login and the secrets that go with it.
pub(in crate::engine) fn spec(
    host: &HostSettings,
    secrets: &Secrets,
    ssh_folder: Option<&Utf8Path>,
) -> ConnectSpec {
    let secret = |id: &str| {
        let id: QuestionId = id.parse().ok()?;
        secrets.get(&id).cloned()
    };
    ConnectSpec {
        host: host.name.clone(),
        address: host.address.clone(),
        login: host.login.clone(),
        host_key: host.host_key.clone(),
        password: secret("ssh-password"),
        passphrase: secret("ssh-passphrase"),
        sudo_password: secret("sudo-password"),
        ssh_folder: ssh_folder.map(Utf8Path::to_owned),
        limit: LIMIT,
    }
}

impl Connections {
    /// Returns every connection.
    pub(super) fn all(&self) -> BTreeMap<HostName, Arc<dyn Host>> {
        self.hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the hosts that are reached through another one.
    pub(super) fn behind_jump(&self) -> BTreeSet<HostName> {
        self.specs
            .iter()
            .filter(|(_, spec)| spec.login.jump.is_some())
            .map(|(name, _)| name.clone())
            .collect()
    }
}

impl Links for Connections {
    fn host(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts
            .get(name)
            .cloned()
            .ok_or_else(|| TransportError::Lost {
                detail: format!("`{name}` was never reached"),
            })
    }

    fn renew(&self, name: &HostName) -> Result<Arc<dyn Host>, TransportError> {
        let spec = self.specs.get(name).ok_or_else(|| TransportError::Lost {
            detail: format!("`{name}` is no host of this run"),
        })?;
        let began = Instant::now();
        self.listener.hear(Event::HostConnecting {
            host: name.clone(),
            address: spec.address.clone(),
        });
        let host = self.connector.connect(spec, &self.operator)?;
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(name.clone(), Arc::clone(&host));
        drop(hosts);
        self.listener.hear(Event::HostConnected {
            host: name.clone(),
            took_ms: millis(began.elapsed()),
        });
        Ok(host)
    }
}
