//! From a connected socket to a session whose server we trust: ciphers, host key, and trying again when the server is too busy.

use std::time::{Duration, Instant};

use ssh2::{ErrorCode, MethodType, Session};

use super::known_hosts::{HostKey, KnownHosts, Verdict};
use super::socket::Socket;
use super::target::Target;
use crate::model::ids::HostName;
use crate::model::operator::{Operator, UnknownHostKey};
use crate::transport::TransportError;

/// Ciphers with a built-in, hardware-supported integrity check; nothing else is offered unless a server has none of them.
const GCM: &str = "aes128-gcm@openssh.com,aes256-gcm@openssh.com";

/// What a server without GCM is offered on a second connection.
const LEGACY: &str = "chacha20-poly1305@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr";

/// Host key algorithms in the order in which they are asked for when nothing is on record.
const ALGORITHMS: [&str; 6] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// The record that a fingerprint given by the operator is.
const IN_ANSWERS: &str = "`host-key` in the answers file";

const TIMEOUT: i32 = -9;
const KEX_FAILURE: i32 = -5;
const KEY_EXCHANGE_FAILURE: i32 = -8;
const METHOD_NONE: i32 = -17;

/// What a host's key is compared with.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// The very key that was accepted when this host was first connected to.
    Pinned(HostKey),
    /// The fingerprint in the answers file.
    Fingerprint(String),
    /// `known_hosts`, and the operator for a key that it does not hold.
    Records,
}

/// A session that is encrypted and whose host key is the right one, but not logged in.
pub(super) struct Trusted {
    pub(super) session: Session,
    pub(super) socket: Socket,
    pub(super) key: HostKey,
    pub(super) legacy_cipher: bool,
}

/// Everything that a handshake needs to know.
pub(super) struct Meeting<'a> {
    pub(super) name: &'a HostName,
    pub(super) target: &'a Target,
    pub(super) trust: &'a Trust,
    pub(super) known: &'a KnownHosts,
    pub(super) operator: &'a dyn Operator,
    pub(super) limit: Duration,
    pub(super) dial: &'a dyn Fn() -> Result<Socket, TransportError>,
}

/// How one handshake ended without a session.
enum Missed {
    /// The server hung up before its first word, as it does when too many log in at once.
    Busy(TransportError),
    /// Nothing that was offered is known to both.
    NothingShared(TransportError),
    Failed(TransportError),
}

impl Meeting<'_> {
    /// Connects, shakes hands and checks the host key.
    ///
    /// # Errors
    /// When the host cannot be reached, speaks no SSH that we know, or shows a key that nobody vouches for.
    pub(super) fn hold(&self) -> Result<Trusted, TransportError> {
        let mut refused = None;
        for algorithms in self.algorithms() {
            let trusted = match self.with_fitting_cipher(&algorithms) {
                Ok(trusted) => trusted,
                // The server has no key of this kind; the mismatch seen before is the better story.
                Err(Missed::NothingShared(error)) => return Err(refused.unwrap_or(error)),
                Err(Missed::Busy(error) | Missed::Failed(error)) => return Err(error),
            };
            match self.check(&trusted.key) {
                Ok(()) => return Ok(trusted),
                Err(error @ TransportError::HostKeyChanged { .. })
                    if matches!(self.trust, Trust::Fingerprint(_)) =>
                {
                    // The key of the usual kind is the one that an administrator compares.
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| self.no_session("no host key")))
    }

    /// Returns the lists of host key algorithms to ask for, one connection each.
    ///
    /// A server shows one key of several, so it is asked for a kind that is on record. A fingerprint does not tell its kind: then each is tried.
    fn algorithms(&self) -> Vec<String> {
        let known = match self.trust {
            Trust::Pinned(key) => vec![key.algorithm()],
            Trust::Records => self.known.algorithms(&self.target.host, self.target.port),
            Trust::Fingerprint(_) => {
                let kinds: [&[&str]; 4] = [
                    &ALGORITHMS,
                    &ALGORITHMS[1..],
                    &ALGORITHMS[4..],
                    &ALGORITHMS[2..4],
                ];
                return kinds.iter().map(|kinds| kinds.join(",")).collect();
            }
        };
        let is_known = |algorithm: &&str| {
            let kind = if algorithm.starts_with("rsa-") {
                "ssh-rsa"
            } else {
                algorithm
            };
            known.iter().any(|known| known == kind)
        };
        let (mut first, rest): (Vec<&str>, Vec<&str>) = ALGORITHMS.into_iter().partition(is_known);
        first.extend(rest);
        vec![first.join(",")]
    }

    fn with_fitting_cipher(&self, algorithms: &str) -> Result<Trusted, Missed> {
        match self.patiently(algorithms, GCM) {
            Err(Missed::NothingShared(_)) => {
                let mut trusted = self.patiently(algorithms, LEGACY)?;
                trusted.legacy_cipher = true;
                tracing::warn!(host = %self.name, "the server has no AES-GCM; an older cipher is used");
                Ok(trusted)
            }
            outcome => outcome,
        }
    }

    /// Shakes hands, again after ever longer pauses while the server is too busy.
    fn patiently(&self, algorithms: &str, ciphers: &str) -> Result<Trusted, Missed> {
        let deadline = Instant::now() + self.limit;
        let mut pause = Duration::from_millis(150);
        loop {
            let missed = match self.once(algorithms, ciphers) {
                Err(Missed::Busy(error)) => error,
                outcome => return outcome,
            };
            // Hosts that were refused together must not come back together.
            let jitter = pause.mul_f64(rand::random_range(0.5..1.5));
            if Instant::now() + jitter >= deadline {
                return Err(Missed::Failed(missed));
            }
            tracing::debug!(host = %self.name, ?jitter, "the server hung up before its banner; trying again");
            std::thread::sleep(jitter);
            pause = (pause * 2).min(Duration::from_secs(3));
        }
    }

    fn once(&self, algorithms: &str, ciphers: &str) -> Result<Trusted, Missed> {
        let socket = (self.dial)().map_err(Missed::Failed)?;
        let begun = self.prepare(&socket, algorithms, ciphers);
        let mut session = begun.map_err(|why| Missed::Failed(self.no_session(&why)))?;
        if let Err(error) = session.handshake() {
            return Err(self.missed(&session, &error));
        }
        let Some(key) = session.host_key().map(|(blob, _)| HostKey::new(blob)) else {
            return Err(Missed::Failed(self.no_session("no host key")));
        };
        Ok(Trusted {
            session,
            socket,
            key,
            legacy_cipher: false,
        })
    }

    fn prepare(&self, socket: &Socket, algorithms: &str, ciphers: &str) -> Result<Session, String> {
        let of_ssh = |error: ssh2::Error| error.message().to_owned();
        let mut session = Session::new().map_err(of_ssh)?;
        session.set_timeout(u32::try_from(self.limit.as_millis()).unwrap_or(u32::MAX));
        for (kind, list) in [
            (MethodType::HostKey, algorithms),
            (MethodType::CryptCs, ciphers),
            (MethodType::CryptSc, ciphers),
        ] {
            session.method_pref(kind, list).map_err(of_ssh)?;
        }
        session.set_tcp_stream(socket.duplicate().map_err(|error| error.to_string())?);
        Ok(session)
    }

    fn missed(&self, session: &Session, error: &ssh2::Error) -> Missed {
        let greeted = session.banner().is_some();
        let failed = self.no_session(error.message());
        match error.code() {
            ErrorCode::Session(TIMEOUT) => {
                let stage = if greeted {
                    "no key exchange"
                } else {
                    "no greeting"
                };
                Missed::Failed(TransportError::Silent {
                    address: self.target.address(),
                    stage,
                    limit: self.limit,
                })
            }
            _ if !greeted => Missed::Busy(failed),
            ErrorCode::Session(KEX_FAILURE | KEY_EXCHANGE_FAILURE | METHOD_NONE) => {
                Missed::NothingShared(failed)
            }
            _ => Missed::Failed(failed),
        }
    }

    fn no_session(&self, detail: &str) -> TransportError {
        TransportError::Handshake {
            address: self.target.address(),
            detail: detail.to_owned(),
        }
    }

    /// Compares the key with what it should be; an unknown one may be accepted by the operator.
    fn check(&self, key: &HostKey) -> Result<(), TransportError> {
        let (host, port) = (&self.target.host, self.target.port);
        let verdict = self.known.judge(host, port, key);
        if let Verdict::Revoked { record } = verdict {
            return Err(self.changed(key, "revoked".to_owned(), record));
        }
        match self.trust {
            Trust::Pinned(pinned) if pinned == key => Ok(()),
            Trust::Pinned(pinned) => {
                let record = "shown earlier in this run".to_owned();
                Err(self.changed(key, pinned.fingerprint(), record))
            }
            Trust::Fingerprint(wanted) if *wanted == key.fingerprint() => Ok(()),
            Trust::Fingerprint(wanted) => {
                let record = IN_ANSWERS.to_owned();
                Err(self.changed(key, wanted.clone(), record))
            }
            Trust::Records => match verdict {
                Verdict::Known => Ok(()),
                Verdict::Changed { expected, record } => Err(self.changed(key, expected, record)),
                Verdict::Unknown | Verdict::Revoked { .. } => self.ask(key),
            },
        }
    }

    fn ask(&self, key: &HostKey) -> Result<(), TransportError> {
        let unknown = UnknownHostKey {
            host: self.name.clone(),
            address: self.target.address(),
            algorithm: key.algorithm(),
            fingerprint: key.fingerprint(),
        };
        if self.operator.accept_host_key(&unknown) {
            return self
                .known
                .remember(&self.target.host, self.target.port, key);
        }
        Err(TransportError::HostKeyUnknown {
            address: unknown.address,
            algorithm: unknown.algorithm,
            fingerprint: unknown.fingerprint,
        })
    }

    fn changed(&self, key: &HostKey, expected: String, record: String) -> TransportError {
        TransportError::HostKeyChanged {
            address: self.target.address(),
            algorithm: key.algorithm(),
            found: key.fingerprint(),
            expected,
            record,
        }
    }
}
