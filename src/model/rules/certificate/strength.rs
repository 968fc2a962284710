//! Whether browsers still take a certificate's key and signature for safe, and its purpose for a server's.

use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry as oid;
use x509_parser::public_key::PublicKey;

use super::CertificateProblem;

/// Fewest bits of an RSA key.
const RSA_BITS: usize = 2048;
/// Fewest bits of a key on an elliptic curve.
const CURVE_BITS: usize = 256;

/// Checks the key and the purpose of a server's own certificate.
pub(super) fn check_leaf(leaf: &X509Certificate<'_>) -> Result<(), CertificateProblem> {
    check_public_key(leaf)?;
    let purposes = leaf.extended_key_usage().ok().flatten();
    match purposes {
        Some(purposes) if !purposes.value.server_auth && !purposes.value.any => {
            Err(CertificateProblem::Purpose)
        }
        _ => Ok(()),
    }
}

fn check_public_key(leaf: &X509Certificate<'_>) -> Result<(), CertificateProblem> {
    let weak = |key: String| Err(CertificateProblem::WeakKey { key });
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS => {
            weak(format!("RSA with {} bits", key.key_size()))
        }
        Ok(PublicKey::EC(point)) if point.key_size() < CURVE_BITS => {
            weak(format!("an elliptic curve of {} bits", point.key_size()))
        }
        Ok(PublicKey::DSA(_)) => weak("DSA".to_owned()),
        _ => check_curve(leaf),
    }
}

/// Browsers know no certificates with these keys, good as they are.
fn check_curve(leaf: &X509Certificate<'_>) -> Result<(), CertificateProblem> {
    let algorithm = &leaf.public_key().algorithm.algorithm;
    if *algorithm == oid::OID_SIG_ED25519 {
        return Err(CertificateProblem::WeakKey {
            key: "Ed25519, which browsers do not know in certificates".to_owned(),
        });
    }
    Ok(())
}

/// Checks how certificate `number` is signed; nobody looks at the signature of one that vouches for itself.
pub(super) fn check_signature(
    number: usize,
    certificate: &X509Certificate<'_>,
) -> Result<(), CertificateProblem> {
    if certificate.subject() == certificate.issuer() {
        return Ok(());
    }
    let broken = [
        ("1.2.840.113549.1.1.5", "SHA-1"), // RSA
        ("1.2.840.10045.4.1", "SHA-1"),    // elliptic curves
        ("1.2.840.113549.1.1.4", "MD5"),   // RSA
    ];
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    match broken.into_iter().find(|(id, _)| *id == algorithm) {
        Some((_, digest)) => Err(CertificateProblem::WeakSignature { number, digest }),
        None => Ok(()),
    }
}
