//! How browsers and programs come to trust the deployment's own authority, as commands to type.

use std::fmt::Write as _;

use openssl::hash::MessageDigest;
use openssl::x509::X509;

use crate::model::ids::DeploymentName;
use crate::model::resolved::PlacedAuthority;
use crate::model::text::shell_quoted;

/// The name of the authority's file in the deployment's folder of the program's home.
pub const AUTHORITY_FILE: &str = "ca.crt";

/// Writes what is to be done for one authority.
pub(super) fn write(text: &mut String, deployment: &DeploymentName, authority: &PlacedAuthority) {
    let name = shell_quoted(&format!("{deployment}-{AUTHORITY_FILE}"));
    let fingerprint = fingerprint(&authority.pem).unwrap_or_else(|| "not known".to_owned());
    let _ = writeln!(
        text,
        "### How browsers come to trust it\n\n\
         It was issued by an authority of this deployment's own, which is `{AUTHORITY_FILE}` in the deployment's folder of the program's home and `{}` on {}. \
         It can vouch for {} and for nothing else. Its SHA-256 fingerprint, to be compared where it is received:\n\n    {fingerprint}\n\n\
         Give the file to everybody who opens the application, best by the means with which the site manages its machines:\n",
        authority.path,
        authority.host,
        authority.names.join(", ")
    );
    let ways = [
        (
            "Windows, for all users",
            format!("certutil -addstore -f Root {AUTHORITY_FILE}"),
        ),
        (
            "macOS",
            format!(
                "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {AUTHORITY_FILE}"
            ),
        ),
        (
            "Debian and Ubuntu",
            format!(
                "sudo install -m 0644 {AUTHORITY_FILE} /usr/local/share/ca-certificates/{name} && sudo update-ca-certificates"
            ),
        ),
        (
            "Red Hat and kin",
            format!(
                "sudo install -m 0644 {AUTHORITY_FILE} /etc/pki/ca-trust/source/anchors/{name} && sudo update-ca-trust"
            ),
        ),
        (
            "One request",
            format!(
                "curl --cacert {AUTHORITY_FILE} https://{}/",
                authority.names.first().map_or("", String::as_str)
            ),
        ),
    ];
    for (system, command) in ways {
        let _ = writeln!(text, "{system}:\n\n    {command}\n");
    }
    text.push_str("Firefox has a list of its own unless it was told to use the system's: Settings, Privacy & Security, View Certificates, Authorities, Import.\n\n");
}

/// Returns the fingerprint as browsers show it.
fn fingerprint(pem: &str) -> Option<String> {
    let certificate = X509::from_pem(pem.as_bytes()).ok()?;
    let digest = certificate.digest(MessageDigest::sha256()).ok()?;
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    Some(bytes.join(":"))
}
