//! Host keys on record: what the operator's and the system's `known_hosts` say of a key, and adding one that was accepted.
//!
//! Parsed here and not by libssh2, which knows no wildcards and no markers. Certificates are not supported: `@cert-authority` lines are left out.

mod line;

use std::fmt::Write as _;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use sha2::{Digest, Sha256};

use crate::transport::TransportError;
use line::{Line, Marker, Parsed};

/// The system's own record.
const SYSTEM: &str = "/etc/ssh/ssh_known_hosts";

/// A host key as the server showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKey {
    blob: Vec<u8>,
}

impl HostKey {
    /// Wraps a key in SSH's wire form.
    pub(super) fn new(blob: &[u8]) -> Self {
        Self {
            blob: blob.to_vec(),
        }
    }

    /// Returns the key's algorithm, such as `ssh-ed25519`.
    pub(super) fn algorithm(&self) -> String {
        let name = self
            .blob
            .first_chunk::<4>()
            .and_then(|length| usize::try_from(u32::from_be_bytes(*length)).ok())
            .and_then(|length| self.blob.get(4..length.checked_add(4)?));
        name.map_or_else(
            || "unknown".to_owned(),
            |name| String::from_utf8_lossy(name).into_owned(),
        )
    }

    /// Returns the fingerprint in OpenSSH's form.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "SHA256:{}",
            STANDARD_NO_PAD.encode(Sha256::digest(&self.blob))
        )
    }
}

/// What the records say of a host's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is on record.
    Known,
    /// Nothing is on record for this host.
    Unknown,
    /// Another key is on record.
    Changed {
        /// That key's fingerprint.
        expected: String,
        /// File and line.
        record: String,
    },
    /// It is on record as revoked.
    Revoked {
        /// File and line.
        record: String,
    },
}

/// All records that count for this operator.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    lines: Vec<(String, Line)>,
    own: Option<Utf8PathBuf>,
}

impl KnownHosts {
    /// Reads the operator's `known_hosts` in `folder`, and the system's.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub(super) fn load(folder: Option<&Utf8Path>) -> Result<Self, TransportError> {
        let own = folder.map(|folder| folder.join("known_hosts"));
        let mut known = Self {
            lines: Vec::new(),
            own: own.clone(),
        };
        let second = folder.map(|folder| folder.join("known_hosts2"));
        for path in own.into_iter().chain(second).chain([SYSTEM.into()]) {
            match fs::read(&path) {
                Ok(bytes) => known.add(&path, &String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(unusable(&path, &error)),
            }
        }
        Ok(known)
    }

    fn add(&mut self, path: &Utf8Path, text: &str) {
        for (index, text) in text.lines().enumerate() {
            let record = format!("{path}:{}", index + 1);
            match line::parse(text) {
                Parsed::Line(line) => self.lines.push((record, line)),
                Parsed::Nothing => {}
                Parsed::Unsupported(what) => {
                    tracing::info!(record, what, "a line of known_hosts is not used");
                }
                Parsed::Broken(why) => {
                    tracing::warn!(record, why, "a line of known_hosts is broken and ignored");
                }
            }
        }
    }

    fn of<'a>(&'a self, host: &str, port: u16) -> impl Iterator<Item = &'a (String, Line)> {
        let name = record_name(host, port);
        self.lines
            .iter()
            .filter(move |(_, line)| line.matches(&name))
    }

    /// Returns what the records say of the key that `host` showed on `port`.
    pub(super) fn judge(&self, host: &str, port: u16, key: &HostKey) -> Verdict {
        let of_host: Vec<_> = self.of(host, port).collect();
        let same = |line: &Line| line.key == *key;
        // A key revoked for the plain name is revoked on every port.
        let revoked = |(_, line): &&(String, Line)| line.marker == Marker::Revoked && same(line);
        if let Some((record, _)) = of_host
            .iter()
            .copied()
            .chain(self.of(host, 22))
            .find(revoked)
        {
            return Verdict::Revoked {
                record: record.clone(),
            };
        }
        let mut valid = of_host
            .iter()
            .filter(|(_, line)| line.marker == Marker::None);
        if valid.clone().any(|(_, line)| same(line)) {
            return Verdict::Known;
        }
        let algorithm = key.algorithm();
        let other = valid
            .clone()
            .find(|(_, line)| line.key.algorithm() == algorithm)
            .or_else(|| valid.next());
        if let Some((record, line)) = other {
            return Verdict::Changed {
                expected: line.key.fingerprint(),
                record: record.clone(),
            };
        }
        // As OpenSSH does: on another port the very same key on record for the plain name is good enough.
        let plain = |(_, line): &(String, Line)| line.marker == Marker::None && same(line);
        if self.of(host, 22).any(plain) {
            return Verdict::Known;
        }
        Verdict::Unknown
    }

    /// Returns the algorithms of the keys on record for a host, for asking the server to show one of those.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (_, line) in self.of(host, port) {
            let algorithm = line.key.algorithm();
            if line.marker == Marker::None && !found.contains(&algorithm) {
                found.push(algorithm);
            }
        }
        found
    }

    /// Writes an accepted key into the operator's file; without a folder it is not kept.
    ///
    /// # Errors
    /// When the folder or file cannot be written.
    pub(super) fn remember(
        &self,
        host: &str,
        port: u16,
        key: &HostKey,
    ) -> Result<(), TransportError> {
        let Some(path) = &self.own else {
            return Ok(());
        };
        let line = format!(
            "{} {} {}\n",
            record_name(host, port),
            key.algorithm(),
            STANDARD.encode(&key.blob)
        );
        append(path, &line).map_err(|error| unusable(path, &error))
    }
}

/// Hosts are connected to at the same time, and their lines must not run into each other.
static APPENDING: Mutex<()> = Mutex::new(());

fn append(path: &Utf8Path, line: &str) -> std::io::Result<()> {
    let _turn = APPENDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = path.parent()
        && !folder.exists()
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut file = fs::OpenOptions::new();
    file.read(true).append(true).create(true);
    file.options_mut().mode(0o600);
    let mut file = file.open(path)?;
    let mut text = String::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    // Writing to a String cannot fail. One write of the whole line: another program's line goes before or after it, never into it.
    let _ = text.write_str(line);
    file.write_all(text.as_bytes())
}

/// Returns the name under which OpenSSH files a host's key.
fn record_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

fn unusable(path: &Utf8Path, error: &std::io::Error) -> TransportError {
    TransportError::Config {
        path: path.to_string(),
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
