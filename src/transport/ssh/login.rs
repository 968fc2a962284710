//! Proving who we are: agent, keys, password, keyboard-interactive, in this order, within the number of attempts that sshd allows.

mod agent;
mod interactive;

use std::collections::VecDeque;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use ssh2::{ErrorCode, Session};

use super::key::{PrivateKey, refuse};
use super::target::{KeyFile, Target};
use crate::model::ids::HostName;
use crate::model::operator::{Operator, SecretRequest};
use crate::transport::TransportError;
use agent::Identity;
use interactive::Answers;

/// Refusals after which a new connection is made; sshd hangs up at six.
const ATTEMPTS: usize = 5;

const TIMEOUT: i32 = -9;
const AUTHENTICATION_FAILED: i32 = -18;
const PUBLICKEY_UNVERIFIED: i32 = -19;

/// The secrets of one login; what the operator gave is kept for connecting again.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets {
    /// For the login.
    pub(super) password: Option<SecretString>,
    /// For the private key.
    pub(super) passphrase: Option<SecretString>,
}

/// One way in.
enum Way {
    Agent(Identity),
    Key(KeyFile),
    Password,
    Interactive,
}

impl Way {
    /// Returns what it is called in a list of attempts.
    fn name(&self) -> String {
        match self {
            Self::Agent(identity) => format!("agent key {}", identity.name()),
            Self::Key(file) => format!("key {}", file.path),
            Self::Password => "password".to_owned(),
            Self::Interactive => "keyboard-interactive".to_owned(),
        }
    }
}

/// How an attempt ended.
enum Outcome {
    In,
    Refused,
    Skipped,
}

/// A login under way, over as many connections as it takes.
pub(super) struct Login<'a> {
    name: &'a HostName,
    target: &'a Target,
    operator: &'a dyn Operator,
    limit: Duration,
    secrets: &'a mut Secrets,
    ways: Option<VecDeque<Way>>,
    tried: Vec<String>,
    unusable: Option<TransportError>,
    asked: bool,
}

impl<'a> Login<'a> {
    /// Begins a login.
    pub(super) fn new(
        name: &'a HostName,
        target: &'a Target,
        operator: &'a dyn Operator,
        limit: Duration,
        secrets: &'a mut Secrets,
    ) -> Self {
        Self {
            name,
            target,
            operator,
            limit,
            secrets,
            ways: None,
            tried: Vec::new(),
            unusable: None,
            asked: false,
        }
    }

    /// Tries what is left to try on this connection; `false` means that a new connection is needed for the rest.
    ///
    /// # Errors
    /// When nothing is left, a named key cannot be used, or the connection fails.
    pub(super) fn attempt(&mut self, session: &Session) -> Result<bool, TransportError> {
        let offered = match session.auth_methods(&self.target.user) {
            Ok(methods) => methods.to_owned(),
            // The server wants no proof at all.
            Err(_) if session.authenticated() => return Ok(true),
            Err(error) => return Err(self.broken(&error)),
        };
        if session.authenticated() {
            return Ok(true);
        }
        if self.ways.is_none() {
            self.ways = Some(self.plan(&offered));
        }
        let mut refusals = 0;
        self.asked = false;
        while let Some(way) = self.ways.as_mut().and_then(VecDeque::pop_front) {
            match self.go(session, &way) {
                Ok(Outcome::In) => return Ok(true),
                Ok(Outcome::Refused) => refusals += 1,
                Ok(Outcome::Skipped) => {}
                // This server hears fewer attempts than others, or the operator took longer than it waits.
                Err(TransportError::Handshake { .. }) if refusals > 0 || self.asked => {
                    self.ways.get_or_insert_default().push_front(way);
                    return Ok(false);
                }
                // This server hears a single attempt: hanging up was its refusal.
                Err(TransportError::Handshake { .. }) if self.more() => {
                    self.tried.push(format!("{}: refused", way.name()));
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
            if refusals == ATTEMPTS && self.more() {
                return Ok(false);
            }
        }
        Err(self.shut_out(&offered))
    }

    fn more(&self) -> bool {
        self.ways.as_ref().is_some_and(|ways| !ways.is_empty())
    }

    /// Lists the ways in that the server and our means allow.
    fn plan(&mut self, offered: &str) -> VecDeque<Way> {
        let offers = |method: &str| offered.split(',').any(|offer| offer == method);
        let mut ways = VecDeque::new();
        if offers("publickey") {
            match agent::identities(&self.target.keys) {
                Ok(found) => ways.extend(found.into_iter().map(Way::Agent)),
                Err(why) => self.tried.push(format!("agent: {why}")),
            }
            ways.extend(self.target.keys.iter().cloned().map(Way::Key));
        }
        // A server may want a key first and a password then, and offer the password only after the key.
        let second = self.secrets.password.is_some() && offers("publickey");
        if offers("password") || (second && !offers("keyboard-interactive")) {
            ways.push_back(Way::Password);
        }
        if offers("keyboard-interactive") {
            ways.push_back(Way::Interactive);
        }
        ways
    }

    fn go(&mut self, session: &Session, way: &Way) -> Result<Outcome, TransportError> {
        match way {
            Way::Agent(identity) => {
                let outcome = identity.offer(session, &self.target.user);
                self.judge(&way.name(), outcome)
            }
            Way::Key(file) => self.with_key(session, file),
            Way::Password => self.with_password(session),
            Way::Interactive => self.interactively(session),
        }
    }

    fn with_key(&mut self, session: &Session, file: &KeyFile) -> Result<Outcome, TransportError> {
        let key = match PrivateKey::read(&file.path) {
            Ok(Some(key)) => key,
            Ok(None) if !file.named => return Ok(Outcome::Skipped),
            Ok(None) => return Ok(self.skip(file, refuse(&file.path, "there is no such file"))),
            Err(error) => return Ok(self.skip(file, error)),
        };
        let passphrase = match self.passphrase(file, &key) {
            Ok(passphrase) => passphrase,
            Err(error) => return Ok(self.skip(file, error)),
        };
        let passphrase = passphrase.as_ref().map(ExposeSecret::expose_secret);
        let outcome = session.userauth_pubkey_memory(
            &self.target.user,
            None,
            key.text().expose_secret(),
            passphrase,
        );
        if let Err(error) = &outcome
            && !is_verdict(error)
            && !session.authenticated()
        {
            return if is_link_fault(error) {
                Err(self.broken(error))
            } else {
                let why = if key.is_encrypted() {
                    "the passphrase is wrong".to_owned()
                } else {
                    format!(
                        "it is damaged or of a kind that is not supported ({})",
                        error.message()
                    )
                };
                Ok(self.skip(file, refuse(&file.path, why)))
            };
        }
        self.judge(&format!("key {}", file.path), outcome)
    }

    fn passphrase(
        &mut self,
        file: &KeyFile,
        key: &PrivateKey,
    ) -> Result<Option<SecretString>, TransportError> {
        if !key.is_encrypted() {
            return Ok(None);
        }
        if self.secrets.passphrase.is_none() {
            self.secrets.passphrase = self.ask(&SecretRequest::KeyPassphrase {
                host: self.name.clone(),
                path: file.path.to_string(),
            });
        }
        match &self.secrets.passphrase {
            Some(passphrase) => Ok(Some(passphrase.clone())),
            None => Err(refuse(
                &file.path,
                "it is encrypted and no passphrase was given",
            )),
        }
    }

    fn with_password(&mut self, session: &Session) -> Result<Outcome, TransportError> {
        if self.secrets.password.is_none() {
            self.secrets.password = self.ask(&SecretRequest::SshPassword {
                host: self.name.clone(),
                user: self.target.user.clone(),
            });
        }
        let Some(password) = self.secrets.password.clone() else {
            self.tried.push("password: none was given".to_owned());
            return Ok(Outcome::Skipped);
        };
        let outcome = session.userauth_password(&self.target.user, password.expose_secret());
        self.judge("password", outcome)
    }

    fn ask(&mut self, request: &SecretRequest) -> Option<SecretString> {
        self.asked = true;
        self.operator.secret(request)
    }

    fn interactively(&mut self, session: &Session) -> Result<Outcome, TransportError> {
        let mut answers = Answers::new(self.name, self.operator, self.secrets.password.as_ref());
        let outcome = session.userauth_keyboard_interactive(&self.target.user, &mut answers);
        let what = if answers.unanswered() {
            "keyboard-interactive without an answer"
        } else {
            "keyboard-interactive"
        };
        self.judge(what, outcome)
    }

    /// Sorts an attempt's end into in, refused, and a broken connection.
    fn judge(
        &mut self,
        what: &str,
        outcome: Result<(), ssh2::Error>,
    ) -> Result<Outcome, TransportError> {
        match outcome {
            Ok(()) => Ok(Outcome::In),
            Err(error) if is_link_fault(&error) => Err(self.broken(&error)),
            Err(_) => {
                self.tried.push(format!("{what}: refused"));
                Ok(Outcome::Refused)
            }
        }
    }

    /// Leaves a key out, and keeps the reason when somebody named the key.
    fn skip(&mut self, file: &KeyFile, error: TransportError) -> Outcome {
        if let TransportError::Key { path, detail } = &error {
            self.tried.push(format!("key {path}: {detail}"));
        }
        if file.named && self.unusable.is_none() {
            self.unusable = Some(error);
        }
        Outcome::Skipped
    }

    /// Returns the error of a login that used up its connections.
    pub(super) fn give_up(&mut self) -> TransportError {
        self.shut_out("")
    }

    fn shut_out(&mut self, offered: &str) -> TransportError {
        if let Some(error) = self.unusable.take() {
            return error;
        }
        let mut tried = std::mem::take(&mut self.tried);
        if tried.is_empty() {
            tried.push("nothing: no agent, key or password is at hand".to_owned());
        }
        if !offered.is_empty() {
            tried.push(format!("the server offers {}", offered.replace(',', ", ")));
        }
        TransportError::Login {
            address: self.target.address(),
            user: self.target.user.clone(),
            tried,
        }
    }

    fn broken(&self, error: &ssh2::Error) -> TransportError {
        let address = self.target.address();
        if error.code() == ErrorCode::Session(TIMEOUT) {
            return TransportError::Silent {
                address,
                stage: "no answer to the login",
                limit: self.limit,
            };
        }
        TransportError::Handshake {
            address,
            detail: format!("it ended during the login: {}", error.message()),
        }
    }
}

/// Returns whether the server itself said no.
fn is_verdict(error: &ssh2::Error) -> bool {
    !is_unanswered(error)
        && matches!(
            error.code(),
            ErrorCode::Session(AUTHENTICATION_FAILED | PUBLICKEY_UNVERIFIED)
        )
}

/// Returns whether the server hung up instead of answering.
///
/// libssh2 gives a key that was refused and a connection that ended the same code; its words differ (`userauth.c`).
fn is_unanswered(error: &ssh2::Error) -> bool {
    error.message().starts_with("Waiting for ")
}

/// Returns whether the connection, rather than the proof, is at fault.
fn is_link_fault(error: &ssh2::Error) -> bool {
    const SOCKET_SEND: i32 = -7;
    const SOCKET_DISCONNECT: i32 = -13;
    const PROTO: i32 = -14;
    const SOCKET_RECV: i32 = -43;
    is_unanswered(error)
        || matches!(
            error.code(),
            ErrorCode::Session(TIMEOUT | SOCKET_SEND | SOCKET_DISCONNECT | PROTO | SOCKET_RECV)
        )
}
