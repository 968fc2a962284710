//! The secrets that hosts keep in their own `.env` files: those that nobody gave and nobody sees, such as generated passwords.

use secrecy::{ExposeSecret, SecretString};

use crate::model::dotenv;
use crate::model::facts::RootAccess;
use crate::model::ids::QuestionId;
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
pub(in crate::engine) type Found = (QuestionId, SecretString);

/// Adds what was found to the secrets that are known; a value that is known keeps its name.
pub(in crate::engine) fn learn(secrets: &mut Secrets, found: Vec<Found>) {
    for (id, value) in found {
        let text = value.expose_secret();
        if secrets
            .iter()
            .any(|(_, known)| known.expose_secret() == text)
        {
            continue;
        }
        let id = free(secrets, id);
        secrets.insert(id, value);
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
pub(in crate::engine) fn read(host: &dyn Host, stacks: &[ExpectedStack]) -> Vec<Found> {
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

pub(in crate::engine) fn secrets_in(text: &str) -> Vec<Found> {
    dotenv::parse(text)
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && says_secret(name))
        .filter_map(|(name, value)| {
            let id = name.to_ascii_lowercase().replace('_', "-");
            Some((id.parse().ok()?, SecretString::from(value)))
        })
        .collect()
}

/// Returns whether a variable's name says that its value is a secret.
pub(in crate::engine) fn says_secret(variable: &str) -> bool {
    let name = variable.to_ascii_uppercase();
    name.split('_').any(|word| SECRET_WORDS.contains(&word))
}
