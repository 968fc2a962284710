//! The secrets that a watched deployment's lines may hold: those that were given, and those in the `.env` files on its hosts.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::engine::redact::Redactor;
use crate::model::dotenv;
use crate::model::facts::RootAccess;
use crate::model::ids::{HostName, QuestionId};
use crate::model::resolve::ExpectedStack;
use crate::model::secret::Secrets;
use crate::transport::{Host, Privilege, TransportError, files};

/// Words in a variable's name that say its value is a secret.
const SECRET_WORDS: [&str; 10] = [
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PASSPHRASE",
    "SECRET",
    "KEY",
    "TOKEN",
    "LICENSE",
    "LICENCE",
    "CREDENTIALS",
];

/// A value under a name that says secret.
pub(super) type Found = (QuestionId, SecretString);

/// The secrets known so far.
pub(super) struct Known {
    state: Mutex<State>,
    tried: Condvar,
}

struct State {
    secrets: Secrets,
    redactor: Arc<Redactor>,
    hosts: usize,
    tried: BTreeSet<HostName>,
}

impl Known {
    /// Begins with the secrets that were given.
    pub(super) fn new(secrets: &Secrets, hosts: usize) -> Self {
        Self {
            state: Mutex::new(State {
                secrets: secrets.clone(),
                redactor: Arc::new(Redactor::new(secrets)),
                hosts,
                tried: BTreeSet::new(),
            }),
            tried: Condvar::new(),
        }
    }

    /// Learns more.
    pub(super) fn learn(&self, found: Vec<Found>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, value) in found {
            let text = value.expose_secret();
            if state
                .secrets
                .iter()
                .any(|(_, known)| known.expose_secret() == text)
            {
                continue;
            }
            let id = free(&state.secrets, id);
            state.secrets.insert(id, value);
        }
        state.redactor = Arc::new(Redactor::new(&state.secrets));
    }

    /// Notes that a host was tried, whatever came of it.
    pub(super) fn tried(&self, host: &HostName) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tried.insert(host.clone());
        self.tried.notify_all();
    }

    /// Waits until every host was tried: one host's lines may hold another one's secret.
    pub(super) fn wait_for_all(&self, limit: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &mut State| state.tried.len() < state.hosts;
        // When the time is over, what is known by then must do.
        let _ = self.tried.wait_timeout_while(state, limit, missing);
    }

    /// Returns what takes them out.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.redactor)
    }
}

/// Returns an id under which nothing is kept: two hosts may keep different values under one name.
fn free(secrets: &Secrets, id: QuestionId) -> QuestionId {
    if secrets.get(&id).is_none() {
        return id;
    }
    (2..1000)
        .filter_map(|number| format!("{id}-{number}").parse().ok())
        .find(|other| secrets.get(other).is_none())
        .unwrap_or(id)
}

/// Reads what the `.env` files of a host hold. A file that cannot be read is left out and logged: without it lines are still worth seeing.
pub(super) fn read(host: &dyn Host, stacks: &[ExpectedStack]) -> Vec<Found> {
    let mut found = Vec::new();
    for stack in stacks {
        let path = format!("{}/.env", stack.folder);
        match env_file(host, &path) {
            Ok(Some(bytes)) => found.extend(secrets_in(&String::from_utf8_lossy(&bytes))),
            Ok(None) => {}
            Err(error) => tracing::warn!(host = %host.name(), %error, "its secrets are not known"),
        }
    }
    found
}

fn env_file(host: &dyn Host, path: &str) -> Result<Option<Vec<u8>>, TransportError> {
    let plain = files::read(host, path, Privilege::User);
    let may_be_root = !matches!(
        host.root_access(),
        RootAccess::None | RootAccess::PasswordMissing
    );
    match plain {
        // A folder that the login may not enter looks as if there were no file.
        Ok(None) | Err(TransportError::File { .. } | TransportError::Command { .. })
            if may_be_root =>
        {
            files::read(host, path, Privilege::Root)
        }
        plain => plain,
    }
}

fn secrets_in(text: &str) -> Vec<Found> {
    dotenv::parse(text)
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && says_secret(name))
        .filter_map(|(name, value)| {
            let id = name.to_ascii_lowercase().replace('_', "-");
            Some((id.parse().ok()?, SecretString::from(value)))
        })
        .collect()
}

fn says_secret(variable: &str) -> bool {
    let name = variable.to_ascii_uppercase();
    name.split('_').any(|word| SECRET_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_keeps_is_taken_out() {
        let known = Known::new(&Secrets::default(), 1);
        known.learn(secrets_in(
            "DATABASE_PASSWORD='first-value'\nTAG=1.9.0\nCORE_SECRET_KEY=\"other$$value\"\nKEYBOARD=harmless\n",
        ));
        known.learn(secrets_in("DATABASE_PASSWORD='second-value'\n"));
        let clean = known
            .redactor()
            .text("first-value second-value other$value 1.9.0 harmless");
        assert!(
            !clean.contains("first-value") && !clean.contains("second-value"),
            "{clean}"
        );
        assert!(clean.contains("‹database-password›"), "{clean}");
        assert!(clean.ends_with("1.9.0 harmless"), "{clean}");
    }

    #[test]
    fn nobody_waits_for_ever_for_a_host_that_is_not_tried() {
        let known = Known::new(&Secrets::default(), 2);
        known.tried(&"ui".parse().unwrap());
        known.tried(&"ui".parse().unwrap());
        let began = std::time::Instant::now();
        known.wait_for_all(Duration::from_millis(30));
        assert!(began.elapsed() >= Duration::from_millis(30));
        known.tried(&"node-1".parse().unwrap());
        known.wait_for_all(Duration::from_mins(5));
    }
}
