//! Keys in the operator's agent.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh2::Session;

use super::super::target::KeyFile;

/// An agent that takes longer to list its keys counts as absent.
const PATIENCE: Duration = Duration::from_secs(3);

/// More keys than this are not tried: each is a refusal that the server counts.
const MOST: usize = 10;

/// A longer list is not an agent's.
const LONGEST: usize = 1 << 20;

/// A key that the agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    blob: Vec<u8>,
    comment: String,
}

impl Identity {
    /// Returns what its owner calls it.
    pub(super) fn name(&self) -> &str {
        if self.comment.is_empty() {
            "without a name"
        } else {
            &self.comment
        }
    }

    /// Lets the agent prove to the server that it holds the key.
    pub(super) fn offer(&self, session: &Session, user: &str) -> Result<(), ssh2::Error> {
        let mut agent = session.agent()?;
        agent.connect()?;
        agent.list_identities()?;
        let held = agent.identities()?;
        match held.iter().find(|key| key.blob() == self.blob) {
            Some(key) => agent.userauth(user, key),
            None => Err(ssh2::Error::unknown()),
        }
    }
}

/// Returns the agent's keys, those first that `keys` name; none when there is no agent.
///
/// # Errors
/// Tells why an agent that should be there gave no answer.
pub(super) fn identities(keys: &[KeyFile]) -> Result<Vec<Identity>, String> {
    let Some(path) = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut found = ask(std::path::Path::new(&path)).map_err(|error| error.to_string())?;
    let named: Vec<Vec<u8>> = keys.iter().filter_map(public_half).collect();
    found.sort_by_key(|identity| !named.contains(&identity.blob));
    found.truncate(MOST);
    Ok(found)
}

/// Reads the public key that lies beside a private one.
fn public_half(key: &KeyFile) -> Option<Vec<u8>> {
    let text = fs_err::read_to_string(format!("{}.pub", key.path)).ok()?;
    STANDARD.decode(text.split_ascii_whitespace().nth(1)?).ok()
}

/// Asks for the keys ourselves, with a time limit, which libssh2 does not have for agents.
fn ask(path: &std::path::Path) -> std::io::Result<Vec<Identity>> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&[0, 0, 0, 1, 11])?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply)?;
    parse(&reply).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

/// Parses an agent's list: its kind, a count, then a key and a comment each.
fn parse(reply: &[u8]) -> Option<Vec<Identity>> {
    let rest = reply.strip_prefix(&[12])?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut found = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let blob = text(&mut rest)?.to_vec();
        let comment = String::from_utf8_lossy(text(&mut rest)?).into_owned();
        found.push(Identity { blob, comment });
    }
    Some(found)
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_agents_list_is_read() {
        let reply = [
            &[12, 0, 0, 0, 2][..],
            &[0, 0, 0, 2, 7, 8, 0, 0, 0, 2, b'm', b'e'],
            &[0, 0, 0, 1, 9, 0, 0, 0, 0],
        ]
        .concat();
        let found = parse(&reply).unwrap();
        assert_eq!(
            (found[0].blob.as_slice(), found[0].name()),
            (&[7, 8][..], "me")
        );
        assert_eq!(found[1].name(), "without a name");
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_crash(reply: Vec<u8>) {
            parse(&reply);
        }
    }
}
