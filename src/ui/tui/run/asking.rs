//! Questions that come up while a run connects: a host key nobody has vouched for, a password, a passphrase.

use std::sync::mpsc::SyncSender;

use secrecy::SecretString;

use crate::model::operator::{SecretRequest, UnknownHostKey};
use crate::ui::line::prompt;
use crate::ui::tui::widgets::field::Field;

/// A question somebody waits on.
#[derive(Debug)]
pub(in crate::ui::tui) enum Asking {
    /// Whether a host key is the host's own.
    HostKey {
        key: UnknownHostKey,
        reply: SyncSender<bool>,
    },
    /// A secret, as it is being typed.
    Secret {
        request: SecretRequest,
        field: Field,
        reply: SyncSender<Option<SecretString>>,
    },
}

impl Asking {
    /// Returns the question in words, a line each.
    pub(in crate::ui::tui) fn words(&self) -> Vec<String> {
        match self {
            Self::HostKey { key, .. } => {
                let mut lines = prompt::host_key_lines(key).to_vec();
                lines.push(
                    "Is this the key of that host? `ssh-keygen -lf` on its console says so."
                        .to_owned(),
                );
                lines
            }
            Self::Secret { request, .. } => vec![prompt::wanted(request)],
        }
    }

    /// Answers yes or gives what was typed. Whoever asked may have gone in the meantime.
    pub(in crate::ui::tui) fn accept(self) {
        match self {
            Self::HostKey { reply, .. } => {
                let _ = reply.send(true);
            }
            Self::Secret { field, reply, .. } => {
                let _ = reply.send(Some(SecretString::from(field.text().to_owned())));
            }
        }
    }

    /// Answers no or gives nothing.
    pub(in crate::ui::tui) fn refuse(self) {
        match self {
            Self::HostKey { reply, .. } => {
                let _ = reply.send(false);
            }
            Self::Secret { reply, .. } => {
                let _ = reply.send(None);
            }
        }
    }
}
