//! What can go wrong between us and a host; what to do about each stands in [`super::hint`].

use std::io;
use std::time::Duration;

use super::{Command, Exit, Output, hint};
use crate::model::failure::Hinted;

/// What went wrong between us and a host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The name did not resolve.
    #[error("cannot resolve `{address}`")]
    Resolve {
        /// What was looked up.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No TCP connection.
    #[error("cannot connect to {address}")]
    Connect {
        /// Address and port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Connected, but no usable SSH.
    #[error("no SSH session with {address}: {detail}")]
    Handshake {
        /// Address and port.
        address: String,
        /// What was said.
        detail: String,
    },
    /// Connected, and then no word.
    #[error("{address} took the connection and then said nothing for {} s: {stage}", limit.as_secs())]
    Silent {
        /// Address and port.
        address: String,
        /// What did not come, such as `no key exchange`.
        stage: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Nobody vouches for the host's key.
    #[error("the host key of {address} is unknown: {algorithm} {fingerprint}")]
    HostKeyUnknown {
        /// Address and port.
        address: String,
        /// Key algorithm.
        algorithm: String,
        /// Fingerprint, `SHA256:…`.
        fingerprint: String,
    },
    /// The key is not the one on record.
    #[error(
        "the host key of {address} has CHANGED: it shows {algorithm} {found}, on record is {expected} ({record})"
    )]
    HostKeyChanged {
        /// Address and port.
        address: String,
        /// Key algorithm shown.
        algorithm: String,
        /// Fingerprint shown.
        found: String,
        /// Fingerprint on record.
        expected: String,
        /// Where that record is: file and line, or the answers file.
        record: String,
    },
    /// Nothing that was tried let us in.
    #[error("{user} may not log in to {address}")]
    Login {
        /// Address and port.
        address: String,
        /// Login name.
        user: String,
        /// What was tried, and what the server offers.
        tried: Vec<String>,
    },
    /// A private key file cannot be used.
    #[error("cannot use the key {path}: {detail}")]
    Key {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// `~/.ssh/config` or `known_hosts` cannot be used.
    #[error("cannot use {path}: {detail}")]
    Config {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// Root's rights cannot be had.
    #[error("no root rights on the host: {detail}")]
    Sudo {
        /// Why.
        detail: String,
    },
    /// The connection broke.
    #[error("lost the connection: {detail}")]
    Lost {
        /// Why.
        detail: String,
    },
    /// It took too long.
    #[error("no answer within {} s: {what}", limit.as_secs())]
    TimedOut {
        /// What was waited for; no secret.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// A command could not be started on the host, or ended badly where that is an error.
    #[error("`{command}` failed with {exit}")]
    Command {
        /// The command, shortened; no secret.
        command: String,
        /// Its end in words, such as `status 1`.
        exit: String,
        /// Last lines of its standard error.
        stderr: String,
    },
    /// Docker said no.
    #[error("Docker cannot {action}")]
    Docker {
        /// What was asked.
        action: String,
        /// The engine's words.
        detail: String,
        /// The engine's HTTP status, when there was one.
        status: Option<u16>,
    },
    /// A file arrived different from what was sent.
    #[error("{path} arrived damaged: checksum {found}, sent {sent}")]
    Damaged {
        /// The file on the host.
        path: String,
        /// Checksum there.
        found: String,
        /// Checksum here.
        sent: String,
    },
    /// Something on the host's file system is not as it must be.
    #[error("cannot {action} {path}: {detail}")]
    File {
        /// What was tried, such as `write`.
        action: String,
        /// The path on the host.
        path: String,
        /// Why not.
        detail: String,
    },
    /// The host does not allow this kind of forwarding.
    #[error("the host's sshd refuses {what}")]
    Refused {
        /// What was asked.
        what: String,
    },
    /// An argument cannot be quoted.
    #[error("an argument holds a NUL byte")]
    Unquotable,
}

impl TransportError {
    /// Returns whether trying again on a new connection makes sense: only faults of the link, never a no.
    #[must_use]
    pub fn is_link_fault(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Silent { .. } | Self::Lost { .. } | Self::TimedOut { .. }
        )
    }
}

impl TransportError {
    /// Returns the error of a command that ended badly, with the last lines of its complaint.
    #[must_use]
    pub fn from_output(command: &Command, output: &Output) -> Self {
        let exit = match &output.exit {
            Exit::Code(code) => format!("status {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        };
        let complaint = output.complaint();
        let lines: Vec<&str> = complaint.lines().collect();
        let last = lines[lines.len().saturating_sub(8)..].join("\n");
        Self::Command {
            command: command.title(),
            exit,
            stderr: last,
        }
    }
}

impl Hinted for TransportError {
    fn hint(&self) -> Option<String> {
        hint::of(self)
    }

    fn evidence(&self) -> Vec<String> {
        match self {
            Self::Login { tried, .. } => tried.clone(),
            Self::Command { stderr: words, .. } | Self::Docker { detail: words, .. }
                if !words.is_empty() =>
            {
                vec![words.clone()]
            }
            _ => Vec::new(),
        }
    }
}
