//! What a file is that holds no PEM block of the kind wanted: authorities hand out several forms, and each has its own way to PEM.

use openssl::pkcs7::Pkcs7;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;

use super::CertificateProblem;

/// Returns what a file is instead of a PEM certificate, when it is a form that can be turned into one.
pub(super) fn of_certificate(bytes: &[u8]) -> Option<CertificateProblem> {
    if Pkcs12::from_der(bytes).is_ok() {
        return Some(CertificateProblem::Pkcs12);
    }
    if X509::from_der(bytes).is_ok() {
        return Some(CertificateProblem::Der {
            convert: "openssl x509 -inform DER -in OLD -out NEW",
        });
    }
    if Pkcs7::from_der(bytes).is_ok() {
        return Some(CertificateProblem::Pkcs7 {
            options: " -inform DER",
        });
    }
    if Pkcs7::from_pem(bytes).is_ok() {
        return Some(CertificateProblem::Pkcs7 { options: "" });
    }
    None
}

/// Returns what a file is instead of a PEM private key, when it is a form that can be turned into one.
pub(super) fn of_key(bytes: &[u8]) -> Option<CertificateProblem> {
    if Pkcs12::from_der(bytes).is_ok() {
        return Some(CertificateProblem::Pkcs12);
    }
    let der = PKey::private_key_from_der(bytes).is_ok();
    der.then_some(CertificateProblem::Der {
        convert: "openssl pkey -inform DER -in OLD -out NEW",
    })
}
