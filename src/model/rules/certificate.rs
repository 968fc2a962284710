//! Certificates and private keys: whether they parse, belong together, are in order, cover the names and are valid now.
//!
//! Works on bytes; the clock is given. Nothing of a private key enters a message.

mod form;
mod strength;

use std::net::IpAddr;

use openssl::pkey::PKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

/// What is wrong with a certificate or key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// No certificate in it.
    #[error("holds no PEM certificate (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
    /// A key where a certificate belongs.
    #[error("holds a private key where a certificate belongs: are the two files swapped?")]
    KeyInstead,
    /// Certificate or key in the binary form.
    #[error("is in the binary form (DER), and servers want PEM text; `{convert}` writes it")]
    Der {
        /// The command.
        convert: &'static str,
    },
    /// Certificate and key in one locked file.
    #[error(
        "is a PKCS#12 file (.p12, .pfx), which holds certificate and key together; `openssl pkcs12 -in OLD -nokeys -out server.crt` and `openssl pkcs12 -in OLD -nocerts -noenc -out server.key` take them out"
    )]
    Pkcs12,
    /// Certificates in a file of another kind.
    #[error(
        "is a PKCS#7 file (.p7b); `openssl pkcs7{options} -in OLD -print_certs -out NEW` takes the certificates out, then put the server's own first"
    )]
    Pkcs7 {
        /// What tells its form.
        options: &'static str,
    },
    /// The key is one that browsers refuse.
    #[error(
        "has a key that browsers refuse: {key}; have it issued anew for RSA with 2048 bits or more, or the curve P-256"
    )]
    WeakKey {
        /// What it is.
        key: String,
    },
    /// It is signed in a way that browsers refuse.
    #[error(
        "is signed with {digest} (certificate {number} in it), which browsers refuse; have it issued anew with SHA-256"
    )]
    WeakSignature {
        /// Which, counted from 1.
        number: usize,
        /// How.
        digest: &'static str,
    },
    /// It is for something else than a server.
    #[error(
        "is not for servers: its extended key usage lacks `serverAuth`; have one issued for a web server"
    )]
    Purpose,
    /// A certificate that cannot be parsed.
    #[error("certificate {number} in it cannot be read: {reason}")]
    Unreadable {
        /// Which, counted from 1.
        number: usize,
        /// Why.
        reason: String,
    },
    /// The chain is not in order.
    #[error(
        "is not in order: certificate {number} (`{subject}`) was not issued by the one after it (`{next}`); the server's own comes first, then its issuers"
    )]
    Order {
        /// Which, counted from 1.
        number: usize,
        /// Its subject.
        subject: String,
        /// The next one's subject.
        next: String,
    },
    /// A name it must cover is not among its own.
    #[error("does not cover `{name}`: it is for {covered}")]
    Name {
        /// The name.
        name: String,
        /// Names it covers.
        covered: String,
    },
    /// Not valid yet.
    #[error("is not valid before {from}")]
    Early {
        /// From when.
        from: String,
    },
    /// Not valid any more.
    #[error("expired on {until}")]
    Expired {
        /// Since when.
        until: String,
    },
    /// No key in it.
    #[error("holds no PEM private key (`-----BEGIN PRIVATE KEY-----`)")]
    NoKey,
    /// The key wants a passphrase.
    #[error(
        "is protected by a passphrase, which a server that starts by itself cannot type; `openssl pkey -in OLD -out NEW` writes one without"
    )]
    Encrypted,
    /// Key and certificate are strangers.
    #[error("does not belong to the certificate: their public keys differ")]
    Strangers,
}

/// Checks a PEM certificate file, leaf first.
///
/// # Errors
/// Fails with the first thing that is wrong.
pub fn check_certificate(
    pem: &[u8],
    names: &[String],
    now: jiff::Timestamp,
) -> Result<(), CertificateProblem> {
    let blocks = certificates(pem)?;
    let mut chain = Vec::with_capacity(blocks.len());
    for (number, block) in blocks.iter().enumerate() {
        chain.push(parse(number + 1, block)?);
    }
    let Some(leaf) = chain.first() else {
        return Err(CertificateProblem::NoCertificate);
    };
    check_order(&chain)?;
    strength::check_leaf(leaf)?;
    for (number, certificate) in chain.iter().enumerate() {
        strength::check_signature(number + 1, certificate)?;
    }
    for name in names {
        check_name(leaf, name)?;
    }
    chain
        .iter()
        .try_for_each(|certificate| check_dates(certificate, now))
}

/// What a certificate file says, for whoever chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateDetails {
    /// Whom it is for.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// Names it covers.
    pub names: Vec<String>,
    /// Last day of its validity, `2027-03-01`.
    pub until: String,
    /// Whole days left; negative when it has expired.
    pub days_left: i64,
    /// Certificates in the file, its own included.
    pub chain: usize,
    /// Whether it vouches for itself, so that no browser trusts it by itself.
    pub self_signed: bool,
}

/// Reads what the first certificate of a PEM file says, whether or not it is good.
///
/// # Errors
/// Fails when there is no certificate that can be read.
pub fn read_certificate(
    pem: &[u8],
    now: jiff::Timestamp,
) -> Result<CertificateDetails, CertificateProblem> {
    let blocks = certificates(pem)?;
    let Some(block) = blocks.first() else {
        return Err(CertificateProblem::NoCertificate);
    };
    let leaf = parse(1, block)?;
    let until = leaf.validity().not_after.timestamp();
    Ok(CertificateDetails {
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        names: alternative_names(&leaf),
        until: day(until),
        days_left: (until - now.as_second()).div_euclid(86_400),
        chain: blocks.len(),
        self_signed: leaf.subject() == leaf.issuer(),
    })
}

/// Returns whether an authority may vouch for a name: bound to none it may for all.
#[must_use]
pub fn permits(pem: &[u8], name: &str) -> bool {
    let blocks = certificates(pem).unwrap_or_default();
    let Some(Ok(authority)) = blocks.first().map(|block| parse(1, block)) else {
        return false;
    };
    let Ok(Some(bound)) = authority.name_constraints() else {
        return authority.name_constraints().is_ok();
    };
    let permitted = bound.value.permitted_subtrees.iter().flatten();
    let mut names = permitted.map(|subtree| &subtree.base);
    match name.parse::<IpAddr>() {
        // An address and its mask, one behind the other; ours are of single addresses.
        Ok(address) => names.any(|base| match base {
            GeneralName::IPAddress(bytes) => ip(&bytes[..bytes.len() / 2]) == Some(address),
            _ => false,
        }),
        Err(_) => names.any(|base| match base {
            GeneralName::DNSName(base) => is_below(name, base),
            _ => false,
        }),
    }
}

/// Returns whether a name is a domain or below it.
fn is_below(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
    name.strip_suffix(&domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Checks that a PEM private key belongs to the first certificate of a PEM file.
///
/// # Errors
/// Fails with what is wrong; a certificate that cannot be read is not told again.
pub fn check_key(key: &[u8], certificate: Option<&[u8]>) -> Result<(), CertificateProblem> {
    let text = String::from_utf8_lossy(key);
    if text.contains("ENCRYPTED") && text.contains("PRIVATE KEY") {
        return Err(CertificateProblem::Encrypted);
    }
    // The callback answers for keys whose encryption shows only inside: never ask a terminal.
    let key = PKey::private_key_from_pem_callback(key, |_| Ok(0))
        .map_err(|_| form::of_key(key).unwrap_or(CertificateProblem::NoKey))?;
    let Some(certificate) = certificate.and_then(|pem| openssl::x509::X509::from_pem(pem).ok())
    else {
        return Ok(());
    };
    match certificate.public_key() {
        Ok(public) if public.public_eq(&key) => Ok(()),
        _ => Err(CertificateProblem::Strangers),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Pem>, CertificateProblem> {
    let blocks: Vec<Pem> = Pem::iter_from_buffer(pem).filter_map(Result::ok).collect();
    let has_key = blocks
        .iter()
        .any(|block| block.label.ends_with("PRIVATE KEY"));
    let certificates: Vec<Pem> = blocks
        .into_iter()
        .filter(|block| block.label == "CERTIFICATE")
        .collect();
    match (certificates.is_empty(), has_key) {
        (true, true) => Err(CertificateProblem::KeyInstead),
        (true, false) => {
            Err(form::of_certificate(pem).unwrap_or(CertificateProblem::NoCertificate))
        }
        (false, _) => Ok(certificates),
    }
}

fn parse(number: usize, block: &Pem) -> Result<X509Certificate<'_>, CertificateProblem> {
    X509Certificate::from_der(&block.contents)
        .map(|(_, certificate)| certificate)
        .map_err(|error| CertificateProblem::Unreadable {
            number,
            reason: error.to_string(),
        })
}

fn check_order(chain: &[X509Certificate<'_>]) -> Result<(), CertificateProblem> {
    for (number, pair) in chain.windows(2).enumerate() {
        let [certificate, next] = pair else { continue };
        let issued = certificate.issuer() == next.subject()
            && certificate
                .verify_signature(Some(next.public_key()))
                .is_ok();
        if !issued {
            return Err(CertificateProblem::Order {
                number: number + 1,
                subject: certificate.subject().to_string(),
                next: next.subject().to_string(),
            });
        }
    }
    Ok(())
}

fn check_dates(
    certificate: &X509Certificate<'_>,
    now: jiff::Timestamp,
) -> Result<(), CertificateProblem> {
    let validity = certificate.validity();
    if now.as_second() < validity.not_before.timestamp() {
        return Err(CertificateProblem::Early {
            from: day(validity.not_before.timestamp()),
        });
    }
    if now.as_second() > validity.not_after.timestamp() {
        return Err(CertificateProblem::Expired {
            until: day(validity.not_after.timestamp()),
        });
    }
    Ok(())
}

fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| seconds.to_string(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

fn check_name(leaf: &X509Certificate<'_>, name: &str) -> Result<(), CertificateProblem> {
    let names = alternative_names(leaf);
    if names.iter().any(|own| covers(own, name)) {
        return Ok(());
    }
    let covered = if names.is_empty() {
        "no name at all (browsers look at subjectAltName only)".to_owned()
    } else {
        names.join(", ")
    };
    Err(CertificateProblem::Name {
        name: name.to_owned(),
        covered,
    })
}

fn alternative_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => ip(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4: Result<[u8; 4], _> = bytes.try_into();
    let v6: Result<[u8; 16], _> = bytes.try_into();
    v4.map(IpAddr::from).or_else(|_| v6.map(IpAddr::from)).ok()
}

/// Returns whether a certificate's name covers `name`; a `*` stands for exactly the first label.
fn covers(own: &str, name: &str) -> bool {
    let (own, name) = (own.to_ascii_lowercase(), name.to_ascii_lowercase());
    match own.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(first, parent)| {
            !first.is_empty() && parent == rest && name.parse::<IpAddr>().is_err()
        }),
        None => own == name,
    }
}

#[cfg(test)]
mod tests;
