//! Questions that come up while connecting or running, asked of whoever is there.
//!
//! A front end implements [`Operator`]; without a terminal [`Nobody`] answers, so nothing ever waits for a person who is not there.

use secrecy::SecretString;

use super::ids::HostName;

/// A host key that nobody has vouched for yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownHostKey {
    /// The host as the deployment names it.
    pub host: HostName,
    /// The address and port that were connected to.
    pub address: String,
    /// The key's algorithm, such as `ssh-ed25519`.
    pub algorithm: String,
    /// The key's fingerprint in OpenSSH's form, `SHA256:…`.
    pub fingerprint: String,
}

/// A secret that is needed now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretRequest {
    /// The password of `user` on `host`.
    SshPassword {
        /// The host.
        host: HostName,
        /// The user who logs in.
        user: String,
    },
    /// The passphrase of a private key file.
    KeyPassphrase {
        /// The host.
        host: HostName,
        /// The key file.
        path: String,
    },
    /// One prompt of keyboard-interactive authentication, with the server's own text.
    Interactive {
        /// The host.
        host: HostName,
        /// What the server asks.
        prompt: String,
    },
    /// The password that sudo wants from `user` on `host`.
    SudoPassword {
        /// The host.
        host: HostName,
        /// The user who becomes root.
        user: String,
    },
}

/// Answers questions that only a person, or settings made beforehand, can answer.
pub trait Operator: Send + Sync {
    /// Returns whether the key is the host's own.
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool;

    /// Returns the secret, or `None` when nobody can give it.
    fn secret(&self, request: &SecretRequest) -> Option<SecretString>;
}

/// Answers nothing: for automation, where every answer must have been given beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Operator for Nobody {
    fn accept_host_key(&self, _key: &UnknownHostKey) -> bool {
        false
    }

    fn secret(&self, _request: &SecretRequest) -> Option<SecretString> {
        None
    }
}
