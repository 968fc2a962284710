//! What stands at a path on a host, asked in one command.

use std::time::Duration;

use super::{ActionError, Rights};
use crate::transport::{Command, Host, TransportError};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Absent,
    /// A plain file.
    File {
        /// Permission bits.
        mode: u32,
        /// Whether it belongs to the one whose rights we use.
        ours: bool,
        /// SHA-256 of its content in hexadecimal.
        checksum: String,
    },
    /// A folder.
    Folder {
        /// Permission bits.
        mode: u32,
        /// Whether it belongs to the one whose rights we use.
        ours: bool,
        /// Whether it holds nothing but what the installer itself keeps there while it works.
        empty: bool,
    },
    /// A link, a device, anything else.
    Other(String),
}

/// Quotes a word for the shell.
pub(super) fn quote(text: &str) -> Result<String, TransportError> {
    shlex::try_quote(text)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| TransportError::Unquotable)
}

/// Looks at `path`.
pub(super) fn look(host: &dyn Host, path: &str, rights: Rights) -> Result<Place, ActionError> {
    let script = format!(
        "p={}\n\
         if [ -L \"$p\" ]; then echo link\n\
         elif [ -d \"$p\" ]; then stat -c 'folder %a %u' -- \"$p\" && id -u && find \"$p\" -mindepth 1 -maxdepth 1 ! -name '.lock*' ! -name '.run' | head -n 1\n\
         elif [ -f \"$p\" ]; then stat -c 'file %a %u' -- \"$p\" && id -u && sha256sum < \"$p\"\n\
         elif [ -e \"$p\" ]; then stat -c '%F' -- \"$p\"\n\
         else echo absent; fi",
        quote(path)?
    );
    let command = Command::sh(script)
        .with_privilege(rights.privilege())
        .within(Duration::from_secs(30));
    let text = host.must(&command)?.text();
    parse(&text).ok_or_else(|| {
        ActionError::Bug(format!("cannot read what the host says of {path}: {text}"))
    })
}

fn parse(text: &str) -> Option<Place> {
    let mut lines = text.lines();
    let first = lines.next()?;
    let mut words = first.split(' ');
    let kind = words.next()?;
    if !matches!(kind, "file" | "folder") || words.clone().count() != 2 {
        return Some(match first {
            "absent" => Place::Absent,
            other => Place::Other(other.to_owned()),
        });
    }
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let ours = words.next()? == lines.next()?.trim();
    Some(if kind == "folder" {
        Place::Folder {
            mode,
            ours,
            empty: lines.next().is_none(),
        }
    } else {
        Place::File {
            mode,
            ours,
            checksum: lines.next()?.split(' ').next()?.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("absent", Place::Absent)]
    #[case("link", Place::Other("link".to_owned()))]
    #[case("character special file", Place::Other("character special file".to_owned()))]
    #[case("folder 700 0\n0", Place::Folder { mode: 0o700, ours: true, empty: true })]
    #[case("folder 755 0\n1000\n/x/y", Place::Folder { mode: 0o755, ours: false, empty: false })]
    #[case("file 600 5\n5\nabc  -", Place::File { mode: 0o600, ours: true, checksum: "abc".to_owned() })]
    fn what_a_host_says_of_a_path(#[case] text: &str, #[case] place: Place) {
        assert_eq!(parse(text), Some(place));
    }
}
