//! The folder of a rehearsal: its answers file and the secrets beside it, for its owner alone.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use crate::model::failure::{FailureKind, Hinted};
use crate::rehearsal::Vm;

/// The answers, to be filled in with addresses and keys.
const ANSWERS: &str = include_str!("../../../assets/rehearsal/demo/answers.toml");

/// Why the folder could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum FolderError {
    /// A file could not be written.
    #[error("cannot write the files of the rehearsal")]
    Write(#[from] io::Error),
    /// The answers do not fit the machines.
    #[error("cannot fill in the answers of the rehearsal")]
    Answers(#[from] minijinja::Error),
}

impl Hinted for FolderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Write(_) => Some("name another folder with `--home DIR`".to_owned()),
            Self::Answers(_) => None,
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Write(_) => FailureKind::Situation,
            Self::Answers(_) => FailureKind::Bug,
        }
    }
}

/// A machine as the answers need it.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    name: String,
    address: String,
    host_key: String,
}

impl Machine {
    /// Reads it from the fleet.
    pub(super) fn of(vm: &Vm) -> Self {
        Self {
            name: vm.name().to_owned(),
            address: vm.address().to_string(),
            host_key: fingerprint(vm.host_key()),
        }
    }
}

/// Makes the folder anew and returns the answers file in it.
///
/// # Errors
/// Fails when a file cannot be written.
pub(super) fn write(
    folder: &Utf8Path,
    machines: &[Machine],
    key: &Utf8Path,
    tag: &str,
) -> Result<Utf8PathBuf, FolderError> {
    if folder.is_dir() {
        fs_err::remove_dir_all(folder)?;
    }
    fs_err::create_dir_all(folder)?;
    fs_err::set_permissions(folder, Permissions::from_mode(0o700))?;
    for name in ["license-key", "admin-password"] {
        put(&folder.join(name), &random())?;
    }
    let answers = folder.join("answers.toml");
    put(&answers, &render(machines, key, tag)?)?;
    Ok(answers)
}

/// Fills in the answers.
fn render(machines: &[Machine], key: &Utf8Path, tag: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let machines = machines.iter().map(|machine| {
        let facts =
            context! { address => machine.address.as_str(), host_key => machine.host_key.as_str() };
        (machine.name.as_str(), facts)
    });
    let known = [
        ("key", Value::from(key.as_str())),
        ("tag", Value::from(tag)),
    ];
    environment.render_str(
        ANSWERS,
        Value::from_pairs(known.into_iter().chain(machines)),
    )
}

/// Writes a file for its owner alone.
fn put(path: &Utf8Path, text: &str) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns a new secret of 32 characters.
fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}

/// Returns the fingerprint of a key as OpenSSH writes it, from its line in `known_hosts`.
fn fingerprint(key: &str) -> String {
    let blob = key.split_whitespace().nth(1).unwrap_or(key);
    let bytes = STANDARD.decode(blob).unwrap_or_default();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(name: &str) -> Machine {
        Machine {
            name: name.to_owned(),
            address: "10.0.0.1".to_owned(),
            host_key: "SHA256:abc".to_owned(),
        }
    }

    #[test]
    fn the_folder_is_for_its_owner_alone_and_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(dir.path().join("rehearsal")).unwrap();
        let machines = super::super::MACHINES.map(machine);
        for _ in 0..2 {
            let answers = write(&folder, &machines, Utf8Path::new("/k"), "1").unwrap();
            let mode = fs_err::metadata(&answers).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let text = fs_err::read_to_string(answers).unwrap();
            assert!(text.parse::<toml::Table>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_missing_machine_is_our_bug() {
        let error = render(&[machine("ui")], Utf8Path::new("/k"), "1").unwrap_err();
        assert_eq!(FolderError::from(error).kind(), FailureKind::Bug);
    }

    #[test]
    fn a_fingerprint_is_openssh_s() {
        // Both lines as `ssh-keygen` printed them.
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPsLzvR9pwcwiFYaqcauTWTN9sljrTdk+iGRqf/p9ywB";
        let shown = "SHA256:b6XjP1/sj53a3y4IZ1WxW3sa/5DzWVoVZLpowHU5Nzg";
        assert_eq!(fingerprint(key), shown);
    }
}
