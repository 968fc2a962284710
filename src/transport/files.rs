//! Files on a host: written whole or not at all, read, compared, listed.
//!
//! Everything goes over [`Host::run`]: contents on standard input, never in an argument. A file is written under a temporary name beside its
//! target with its final mode set first, compared by checksum, brought to disk and renamed. What a file holds is not known here.

use sha2::{Digest, Sha256};

use crate::model::text::hexadecimal;

use super::{Command, Exit, Host, Input, Output, Privilege, TransportError};

mod scripts;
#[cfg(test)]
mod tests;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it points.
    Link,
    /// A socket, device or pipe.
    Other,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name without the folder.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// Writes a file, replacing the one that is there; its folder must exist.
///
/// # Errors
/// Fails when the folder is missing, when a folder or a link to elsewhere stands in the way, when it cannot be written (a full disk leaves the
/// old file and nothing else), and with [`TransportError::Damaged`] when something else arrived than was sent.
pub fn put(
    host: &dyn Host,
    path: &str,
    mode: u32,
    content: &Input,
    privilege: Privilege,
) -> Result<(), TransportError> {
    let job = Job::new(host, "write", path, privilege)?;
    let sent = hexadecimal(&Sha256::digest(content.bytes()));
    let script = format!(
        "{}mode={:04o}\nsent={sent}\nnonce={:016x}\n{}",
        job.settings()?,
        mode & 0o7777,
        rand::random::<u64>(),
        scripts::PUT
    );
    let output = job.run_with(script, content.clone())?;
    match output.exit {
        Exit::Code(0) => Ok(()),
        Exit::Code(scripts::DAMAGED) => Err(TransportError::Damaged {
            path: path.to_owned(),
            found: output.text(),
            sent,
        }),
        _ => Err(job.refused(&output)),
    }
}

/// Returns a file's content, or `None` when there is no such file.
///
/// # Errors
/// Fails when it may not be read or is no file.
pub fn read(
    host: &dyn Host,
    path: &str,
    privilege: Privilege,
) -> Result<Option<Vec<u8>>, TransportError> {
    let job = Job::new(host, "read", path, privilege)?;
    Ok(job.ask(scripts::READ)?.map(|output| output.stdout))
}

/// Returns the SHA-256 of a file in hexadecimal, or `None` when there is no such file.
///
/// # Errors
/// Fails when it may not be read or is no file, or when the host has no program for it.
pub fn checksum(
    host: &dyn Host,
    path: &str,
    privilege: Privilege,
) -> Result<Option<String>, TransportError> {
    let job = Job::new(host, "read", path, privilege)?;
    Ok(job.ask(scripts::CHECKSUM)?.map(|output| output.text()))
}

/// Makes a folder and those above it; returns whether it is new. One that is there keeps its mode.
///
/// # Errors
/// Fails when something else stands there or it may not be made.
pub fn make_folder(
    host: &dyn Host,
    path: &str,
    mode: u32,
    privilege: Privilege,
) -> Result<bool, TransportError> {
    let job = Job::new(host, "make the folder", path, privilege)?;
    let script = format!(
        "{}mode={:04o}\n{}",
        job.settings()?,
        mode & 0o7777,
        scripts::MAKE_FOLDER
    );
    let output = job.run_with(script, Input::Empty)?;
    match output.exit {
        Exit::Code(0) => Ok(output.text() == "new"),
        _ => Err(job.refused(&output)),
    }
}

/// Removes a file or a link; returns whether there was one.
///
/// # Errors
/// Fails when it is a folder or may not be removed.
pub fn remove(host: &dyn Host, path: &str, privilege: Privilege) -> Result<bool, TransportError> {
    let job = Job::new(host, "remove", path, privilege)?;
    Ok(job.ask(scripts::REMOVE)?.is_some())
}

/// Removes a folder when nothing is in it; returns whether it is gone.
///
/// # Errors
/// Fails when it may not be removed.
pub fn remove_empty_folder(
    host: &dyn Host,
    path: &str,
    privilege: Privilege,
) -> Result<bool, TransportError> {
    let job = Job::new(host, "remove the folder", path, privilege)?;
    let output = job.ask(scripts::REMOVE_EMPTY_FOLDER)?;
    Ok(output.is_none_or(|output| output.text() == "gone"))
}

/// Returns what is in a folder by name, or `None` when there is no such folder.
///
/// # Errors
/// Fails when it may not be read.
pub fn list(
    host: &dyn Host,
    path: &str,
    privilege: Privilege,
) -> Result<Option<Vec<Entry>>, TransportError> {
    let job = Job::new(host, "list", path, privilege)?;
    let Some(output) = job.ask(scripts::LIST)? else {
        return Ok(None);
    };
    let mut entries: Vec<Entry> = output
        .stdout
        .split(|byte| *byte == 0)
        .filter_map(entry)
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(entries))
}

/// Reads one entry: a letter for its kind, then its name.
fn entry(bytes: &[u8]) -> Option<Entry> {
    let (kind, name) = bytes.split_first()?;
    Some(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        kind: match kind {
            b'f' => Kind::File,
            b'd' => Kind::Folder,
            b'l' => Kind::Link,
            _ => Kind::Other,
        },
    })
}

/// One piece of work on one path.
struct Job<'a> {
    host: &'a dyn Host,
    action: &'static str,
    path: &'a str,
    privilege: Privilege,
}

impl<'a> Job<'a> {
    fn new(
        host: &'a dyn Host,
        action: &'static str,
        path: &'a str,
        privilege: Privilege,
    ) -> Result<Self, TransportError> {
        let job = Self {
            host,
            action,
            path,
            privilege,
        };
        if !path.starts_with('/') || path.ends_with('/') {
            return Err(job.error("the path must begin and not end with a slash"));
        }
        Ok(job)
    }

    /// Returns the lines before a script: what all scripts share, and the path as a variable.
    fn settings(&self) -> Result<String, TransportError> {
        let path = shlex::try_quote(self.path).map_err(|_| TransportError::Unquotable)?;
        Ok(format!("{}path={path}\n", scripts::SHARED))
    }

    fn run_with(&self, script: String, input: Input) -> Result<Output, TransportError> {
        let command = Command::sh(script)
            .with_input(input)
            .with_privilege(self.privilege);
        self.host.run(&command)
    }

    /// Runs a script that needs no more than the path; `None` when there is nothing at that path.
    fn ask(&self, script: &str) -> Result<Option<Output>, TransportError> {
        let output = self.run_with(format!("{}{script}", self.settings()?), Input::Empty)?;
        match output.exit {
            Exit::Code(0) => Ok(Some(output)),
            Exit::Code(scripts::ABSENT) => Ok(None),
            _ => Err(self.refused(&output)),
        }
    }

    fn error(&self, detail: impl Into<String>) -> TransportError {
        TransportError::File {
            action: self.action.to_owned(),
            path: self.path.to_owned(),
            detail: detail.into(),
        }
    }

    /// Returns the error of a script that ended otherwise than well, in our words where its status says enough.
    fn refused(&self, output: &Output) -> TransportError {
        let complaint = output.complaint();
        let last = complaint.lines().last().unwrap_or_default().trim();
        self.error(match &output.exit {
            Exit::Code(scripts::ABSENT) => "its folder does not exist".to_owned(),
            Exit::Code(scripts::IS_FOLDER) => {
                "it is a folder; Docker makes one where a file to mount is missing".to_owned()
            }
            Exit::Code(scripts::LINK_ELSEWHERE) => {
                format!("it is a link to {}, outside its folder", output.text())
            }
            Exit::Code(scripts::NOT_A_FILE) => "it is no regular file".to_owned(),
            Exit::Code(scripts::NO_CHECKSUM) => {
                "the host has neither sha256sum nor openssl to check it".to_owned()
            }
            Exit::Code(scripts::NO_ENTRY) => {
                format!(
                    "{} may not look into {}",
                    self.host.describe(),
                    output.text()
                )
            }
            Exit::Code(code) if last.is_empty() => format!("status {code}"),
            Exit::Code(_) => in_our_words(last),
            Exit::Signal(signal) => format!("ended by signal {signal}"),
        })
    }
}

/// What system errors mean, and what to do; the words are those of `LC_ALL=C`.
const SYSTEM: &[(&str, &str, &str)] = &[
    (
        "No space left on device",
        "the disk is full",
        "free space there (`df -h`, `df -i`) and run the same command again",
    ),
    (
        "Disk quota exceeded",
        "the quota is used up",
        "free space there or have the quota raised, and run the same command again",
    ),
    (
        "Read-only file system",
        "the file system is mounted read-only",
        "see `dmesg` on the host: file systems turn read-only after disk errors",
    ),
    (
        "Permission denied",
        "the login may not",
        "use `sudo = \"auto\"` with the secret `sudo-password`, or give the login the right to that folder",
    ),
];

fn in_our_words(complaint: &str) -> String {
    SYSTEM
        .iter()
        .find(|(words, ..)| complaint.contains(words))
        .map_or_else(
            || complaint.to_owned(),
            |(_, ours, _)| format!("{ours} ({complaint})"),
        )
}

/// Returns what to do about the detail of a [`TransportError::File`].
pub(super) fn hint(detail: &str) -> Option<&'static str> {
    SYSTEM
        .iter()
        .find(|(words, ..)| detail.contains(words))
        .map(|(.., hint)| *hint)
}
