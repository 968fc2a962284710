//! Private key files: whether one can be used, and whether it wants a passphrase, told before the server hears of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use secrecy::{ExposeSecret, SecretString};

use crate::transport::TransportError;

/// A private key as text, and how it is protected.
pub(super) struct PrivateKey {
    text: SecretString,
    encrypted: bool,
}

impl PrivateKey {
    /// Reads a key file; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is not a private key in a form that we know.
    pub(super) fn read(path: &Utf8Path) -> Result<Option<Self>, TransportError> {
        let text = match fs_err::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(refuse(
                    path,
                    "it is not a private key in OpenSSH or PEM form",
                ));
            }
            Err(error) => return Err(refuse(path, error.to_string())),
        };
        let encrypted = is_encrypted(text.expose_secret()).map_err(|why| refuse(path, why))?;
        Ok(Some(Self { text, encrypted }))
    }

    /// Returns the key's text.
    pub(super) fn text(&self) -> &SecretString {
        &self.text
    }

    /// Returns whether it needs a passphrase.
    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// Returns the error of a key that cannot be used.
pub(super) fn refuse(path: &Utf8Path, detail: impl Into<String>) -> TransportError {
    TransportError::Key {
        path: path.to_string(),
        detail: detail.into(),
    }
}

/// Returns whether a key is encrypted, or why it is not one that can be used.
fn is_encrypted(text: &str) -> Result<bool, &'static str> {
    let Some(begin) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return Err("it is empty");
    };
    match begin {
        "-----BEGIN OPENSSH PRIVATE KEY-----" => openssh_cipher(text).map(|name| name != b"none"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----" => Ok(true),
        "-----BEGIN PRIVATE KEY-----" => Ok(false),
        "-----BEGIN RSA PRIVATE KEY-----" | "-----BEGIN EC PRIVATE KEY-----" => Ok(text
            .lines()
            .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))),
        "-----BEGIN DSA PRIVATE KEY-----" => Err("DSA keys are too weak for today's servers"),
        _ if begin.starts_with("PuTTY-User-Key-File") => Err(
            "it is in PuTTY's form; turn it into OpenSSH's with `puttygen KEY -O private-openssh -o NEW`",
        ),
        _ if begin.starts_with("ssh-") || begin.starts_with("ecdsa-") => {
            Err("it is a public key; the private one is the file without `.pub`")
        }
        _ => Err("it is not a private key in OpenSSH or PEM form"),
    }
}

/// Returns the cipher's name out of a key in OpenSSH's own form, where it stands right behind the magic word.
fn openssh_cipher(text: &str) -> Result<Vec<u8>, &'static str> {
    let body: String = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let damaged = "it is damaged";
    let bytes = STANDARD.decode(body).map_err(|_| damaged)?;
    let rest = bytes.strip_prefix(b"openssh-key-v1\0").ok_or(damaged)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| damaged)?;
    rest.get(..length).map(<[u8]>::to_vec).ok_or(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn openssh(cipher: &str) -> String {
        let mut bytes = b"openssh-key-v1\0".to_vec();
        bytes.extend(u32::try_from(cipher.len()).unwrap().to_be_bytes());
        bytes.extend(cipher.as_bytes());
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            STANDARD.encode(bytes)
        )
    }

    #[rstest]
    #[case("none", false)]
    #[case("aes256-ctr", true)]
    fn openssh_keys_say_whether_they_are_encrypted(#[case] cipher: &str, #[case] encrypted: bool) {
        assert_eq!(is_encrypted(&openssh(cipher)), Ok(encrypted));
    }

    #[rstest]
    #[case("-----BEGIN RSA PRIVATE KEY-----\nMIIE", Ok(false))]
    #[case("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", Ok(true))]
    #[case("-----BEGIN ENCRYPTED PRIVATE KEY-----\n", Ok(true))]
    #[case("-----BEGIN OPENSSH PRIVATE KEY-----\n!!", Err("it is damaged"))]
    #[case(
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==",
        Err("it is damaged")
    )]
    #[case(
        "ssh-ed25519 AAAA me",
        Err("it is a public key; the private one is the file without `.pub`")
    )]
    #[case("\n", Err("it is empty"))]
    #[case("hello", Err("it is not a private key in OpenSSH or PEM form"))]
    fn other_forms(#[case] text: &str, #[case] expected: Result<bool, &'static str>) {
        assert_eq!(is_encrypted(text), expected);
    }
}
