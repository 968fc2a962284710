//! Certificates that are made for a deployment where nobody gives one: an authority of its own, and a server's certificate by it.

use serde::{Deserialize, Serialize};

/// A certificate that is made once, kept on the host that uses it, and made anew before it ends.
///
/// The files of stacks say where it goes; they are also where it is read back from, so that nothing is made twice.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MadeCertificate {
    /// Its id.
    pub id: String,
    /// What it is for, in words.
    pub title: String,
    /// Only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// Names and addresses it covers; *templates* that see the `host` that keeps it. The first is the one that people use: the authority is good for it.
    pub names: Vec<String>,
}

/// One part of a certificate that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificatePart {
    /// The server's own certificate.
    Certificate,
    /// Its private key.
    Key,
    /// The certificate of the authority that issued it; browsers are told to trust this one.
    Authority,
    /// The authority's private key, kept for the next certificate.
    AuthorityKey,
}

impl CertificatePart {
    /// Returns whether nobody else may read it.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::AuthorityKey)
    }
}
