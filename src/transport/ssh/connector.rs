//! Builds the connection to a host, through its jump hosts, and builds it again when it broke.

use std::sync::Arc;

use super::gate;
use super::known_hosts::KnownHosts;
use super::link::{Far, Fault, Link};
use super::login::{Login, Secrets};
use super::session::{Meeting, Trust, Trusted};
use super::socket::{self, Socket, Tuning};
use super::target::{Route, Target};
use crate::model::operator::Operator;
use crate::transport::{ConnectSpec, TransportError};

/// Connections that one login may use up; each is good for five refusals, fewer where the server says so.
const CONNECTIONS: usize = 6;

/// One machine on the way, and what was learnt when it was first logged in to.
#[derive(Debug)]
struct Station {
    target: Target,
    trust: Trust,
    secrets: Secrets,
    legacy_cipher: bool,
}

/// The way to one host.
#[derive(Debug)]
pub(super) struct Connector {
    spec: ConnectSpec,
    tuning: Tuning,
    stations: Vec<Station>,
}

impl Connector {
    /// Prepares the way; nothing is connected yet.
    pub(super) fn new(spec: &ConnectSpec, route: Route, tuning: Tuning) -> Self {
        let station = |target| Station {
            target,
            trust: Trust::Records,
            // The host's password is none of a jump host's business; its key may well be the same.
            secrets: Secrets {
                password: None,
                passphrase: spec.passphrase.clone(),
            },
            legacy_cipher: false,
        };
        let mut stations: Vec<Station> = route.hops.into_iter().map(station).collect();
        let mut last = station(route.target);
        last.secrets.password.clone_from(&spec.password);
        if let Some(fingerprint) = &spec.host_key {
            last.trust = Trust::Fingerprint(fingerprint.trim().to_owned());
        }
        stations.push(last);
        Self {
            spec: spec.clone(),
            tuning,
            stations,
        }
    }

    /// Returns who logs in where and how, for people.
    pub(super) fn describe(&self) -> String {
        let Some((last, hops)) = self.stations.split_last() else {
            return self.spec.address.clone();
        };
        let mut text = format!("{}@{}", last.target.user, last.target.address());
        for hop in hops {
            text.push_str(" through ");
            text.push_str(&hop.target.address());
        }
        if self.stations.iter().any(|station| station.legacy_cipher) {
            text.push_str(" (no AES-GCM on the server, an older cipher is used)");
        }
        text
    }

    /// Returns the login name on the host.
    pub(super) fn user(&self) -> String {
        let last = self.stations.last();
        last.map_or_else(String::new, |station| station.target.user.clone())
    }

    /// Connects through all jump hosts. Keys and secrets are remembered, so that a second time needs nobody.
    ///
    /// # Errors
    /// As said by the first machine on the way that does not let us through; its address is in the error.
    pub(super) fn connect(&mut self, operator: &dyn Operator) -> Result<Arc<Link>, TransportError> {
        let mut via: Option<(Arc<Link>, String)> = None;
        let Self {
            spec,
            tuning,
            stations,
        } = self;
        for station in stations {
            let known = KnownHosts::load(spec.ssh_folder.as_deref())?;
            let passage = Passage {
                spec,
                tuning: *tuning,
                operator,
                known,
                via: via.clone(),
            };
            let link = passage.enter(station)?;
            via = Some((Arc::new(link), station.target.address()));
        }
        via.map(|(link, _)| link)
            .ok_or_else(|| TransportError::Lost {
                detail: "there is nowhere to connect to".to_owned(),
            })
    }
}

/// One step of the way: from where we are to the next machine.
struct Passage<'a> {
    spec: &'a ConnectSpec,
    tuning: Tuning,
    operator: &'a dyn Operator,
    known: KnownHosts,
    via: Option<(Arc<Link>, String)>,
}

impl Passage<'_> {
    fn enter(self, station: &mut Station) -> Result<Link, TransportError> {
        let _pass = gate::enter(&station.target.address())?;
        let trusted = self.log_in(station)?;
        let via = self.via.map(|(link, _)| link);
        Link::start(trusted.session, trusted.socket, via, self.tuning)
    }

    fn log_in(&self, station: &mut Station) -> Result<Trusted, TransportError> {
        let Station {
            target,
            trust,
            secrets,
            legacy_cipher,
        } = station;
        let mut login = Login::new(
            &self.spec.host,
            target,
            self.operator,
            self.spec.limit,
            secrets,
        );
        for _ in 0..CONNECTIONS {
            let trusted = self.meet(target, trust)?;
            *legacy_cipher = trusted.legacy_cipher;
            // From here on this very key is the host's, whatever the records become.
            *trust = Trust::Pinned(trusted.key.clone());
            if login.attempt(&trusted.session)? {
                return Ok(trusted);
            }
        }
        Err(login.give_up())
    }

    fn meet(&self, target: &Target, trust: &Trust) -> Result<Trusted, TransportError> {
        Meeting {
            name: &self.spec.host,
            target,
            trust,
            known: &self.known,
            operator: self.operator,
            limit: self.spec.limit,
            dial: &|| self.dial(target),
        }
        .hold()
    }

    fn dial(&self, target: &Target) -> Result<Socket, TransportError> {
        let limit = self.spec.limit;
        let Some((link, hop)) = &self.via else {
            return socket::connect(&target.host, target.port, limit, self.tuning);
        };
        let far = Far::Tcp(target.host.clone(), target.port);
        match link.stream(far, limit) {
            Ok(stream) => Ok(Socket::Pair(stream)),
            Err(Fault::TimedOut) => Err(TransportError::TimedOut {
                what: format!("the jump host {hop} connecting to {}", target.address()),
                limit,
            }),
            Err(Fault::Refused(why)) if why.contains("prohibited") => {
                Err(TransportError::Refused {
                    what: format!(
                        "TCP forwarding on the jump host {hop} to {}",
                        target.address()
                    ),
                })
            }
            Err(Fault::Refused(why)) => Err(TransportError::Connect {
                address: format!("{} from the jump host {hop}", target.address()),
                source: std::io::Error::other(why),
            }),
            Err(Fault::Full | Fault::Closed) => Err(lost(hop, "the stream was closed")),
            Err(Fault::Lost(why)) => Err(lost(hop, &why)),
        }
    }
}

fn lost(hop: &str, why: &str) -> TransportError {
    TransportError::Lost {
        detail: format!("jump host {hop}: {why}"),
    }
}
