//! Certificates made here: an authority that is good for one deployment's names only, and a server's certificate by it.
//!
//! Whoever looks after the deployment in a year needs the authority's key for the next certificate, or every browser would have to be told anew whom to
//! trust; so it is kept with the server's own key. That gives a thief nothing that the server's key does not: the authority is bound to the names that it
//! was made for, and browsers refuse anything else by it. Keys come from the system's randomness; the clock is given.

use std::net::IpAddr;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use secrecy::{ExposeSecret, SecretString};

use super::preset::CertificatePart;
use super::rules::{check_certificate, check_key, permits, read_certificate};

/// Days for which a server's certificate is good; browsers refuse much longer ones also by an authority of one's own.
const DAYS: i64 = 397;
/// Years for which an authority is good.
const YEARS: i64 = 10;
/// Days before its end from which a certificate is made anew.
pub const RENEW: i64 = 30;

/// What shall be certified.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What people find in their lists of authorities: the deployment.
    pub owner: &'a str,
    /// Names and addresses; the first is the one that people use.
    pub names: &'a [String],
}

/// An authority and a certificate by it, as PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The authority's certificate.
    pub authority: String,
    /// Its key.
    pub authority_key: SecretString,
    /// The server's certificate.
    pub certificate: String,
    /// Its key.
    pub key: SecretString,
}

/// What a host keeps of one; any part may be missing.
#[derive(Debug, Clone, Default)]
pub struct KeptParts {
    /// The authority's certificate.
    pub authority: Option<SecretString>,
    /// Its key.
    pub authority_key: Option<SecretString>,
    /// The server's certificate.
    pub certificate: Option<SecretString>,
    /// Its key.
    pub key: Option<SecretString>,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("no certificate can be made for {names}: {reason}")]
pub struct IssueError {
    names: String,
    reason: String,
}

impl Issued {
    /// Returns one part.
    #[must_use]
    pub fn part(&self, part: CertificatePart) -> &str {
        match part {
            CertificatePart::Certificate => &self.certificate,
            CertificatePart::Key => self.key.expose_secret(),
            CertificatePart::Authority => &self.authority,
            CertificatePart::AuthorityKey => self.authority_key.expose_secret(),
        }
    }
}

/// Returns what is kept as far as it is good for a while yet, and makes the rest.
///
/// # Errors
/// Fails when a name cannot stand in a certificate.
pub fn settle(wanted: Wanted<'_>, kept: &KeptParts, now: Timestamp) -> Result<Issued, IssueError> {
    let made = match good_authority(wanted, kept, now) {
        Some(authority) => {
            if let Some((certificate, key)) = good_certificate(wanted, kept, &authority.0, now) {
                return Ok(Issued {
                    authority: authority.0,
                    authority_key: authority.1,
                    certificate,
                    key,
                });
            }
            issue(wanted, authority, now)
        }
        None => make_authority(wanted, now).and_then(|authority| issue(wanted, authority, now)),
    };
    made.map_err(|reason| IssueError {
        names: wanted.names.join(", "),
        reason: reason.to_string(),
    })
}

/// An authority's certificate and key.
type Authority = (String, SecretString);

/// Returns the kept authority when it is whole, lasts, and may vouch for the name that people use.
fn good_authority(wanted: Wanted<'_>, kept: &KeptParts, now: Timestamp) -> Option<Authority> {
    let certificate = kept.authority.as_ref()?.expose_secret().to_owned();
    let key = kept.authority_key.as_ref()?;
    let pem = certificate.as_bytes();
    let lasts = read_certificate(pem, now).ok()?.days_left > RENEW;
    let first = wanted.names.first()?;
    let good = lasts
        && check_certificate(pem, &[], now).is_ok()
        && check_key(key.expose_secret().as_bytes(), Some(pem)).is_ok()
        && permits(pem, first);
    good.then(|| (certificate, key.clone()))
}

/// Returns the kept certificate when it is whole, lasts, is by this authority and covers every name that the authority may vouch for.
fn good_certificate(
    wanted: Wanted<'_>,
    kept: &KeptParts,
    authority: &str,
    now: Timestamp,
) -> Option<(String, SecretString)> {
    let certificate = kept.certificate.as_ref()?.expose_secret().to_owned();
    let key = kept.key.as_ref()?;
    let chain = format!("{certificate}{authority}");
    let names = permitted(wanted, authority);
    let good = read_certificate(certificate.as_bytes(), now)
        .ok()?
        .days_left
        > RENEW
        && check_certificate(chain.as_bytes(), &names, now).is_ok()
        && check_key(key.expose_secret().as_bytes(), Some(certificate.as_bytes())).is_ok();
    good.then(|| (certificate, key.clone()))
}

/// Returns the names that an authority may vouch for: a host's address that changed later is no reason to ask every browser for its trust again.
fn permitted(wanted: Wanted<'_>, authority: &str) -> Vec<String> {
    let names = wanted.names.iter();
    let good = names.filter(|name| permits(authority.as_bytes(), name));
    good.cloned().collect()
}

fn make_authority(wanted: Wanted<'_>, now: Timestamp) -> Result<Authority, rcgen::Error> {
    let today = day(now);
    // Refuses what is no name, which the writer of constraints would break off at.
    CertificateParams::new(wanted.names)?;
    let mut params = CertificateParams::new(Vec::new())?;
    // Two of them in one list must be told apart.
    let name = format!("{} authority, made {today}", wanted.owner);
    params.distinguished_name = named(&name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(constraints(wanted.names));
    set_validity(&mut params, today, today.saturating_add(YEARS.years()));
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem().into()))
}

/// Issues a server's certificate.
fn issue(
    wanted: Wanted<'_>,
    (authority, authority_key): Authority,
    now: Timestamp,
) -> Result<Issued, rcgen::Error> {
    let today = day(now);
    let mut params = CertificateParams::new(permitted(wanted, &authority))?;
    // No host name: what browsers look at are the alternative names, and some take a name here for one that must be permitted.
    params.distinguished_name = named(&format!("{} server", wanted.owner));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // Never beyond the authority's own end.
    let days = read_certificate(authority.as_bytes(), now);
    let days = days.map_or(DAYS, |authority| authority.days_left.min(DAYS));
    set_validity(&mut params, today, today.saturating_add(days.days()));
    let issuer_key = KeyPair::from_pem(authority_key.expose_secret())?;
    let issuer = Issuer::from_ca_cert_pem(&authority, issuer_key)?;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Issued {
        certificate: certificate.pem(),
        key: key.serialize_pem().into(),
        authority,
        authority_key,
    })
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Binds an authority to names: what is not among them it cannot vouch for, of either kind.
fn constraints(names: &[String]) -> NameConstraints {
    let (mut permitted, mut excluded) = (Vec::new(), Vec::new());
    let addresses: Vec<IpAddr> = names.iter().filter_map(|name| name.parse().ok()).collect();
    for address in &addresses {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        permitted.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            *address, bits,
        )));
    }
    if addresses.is_empty() {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    let hosts = names.iter().filter(|name| name.parse::<IpAddr>().is_err());
    let hosts: Vec<GeneralSubtree> = hosts.cloned().map(GeneralSubtree::DnsName).collect();
    if hosts.is_empty() {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    permitted.extend(hosts);
    NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: excluded,
    }
}

fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// Makes it good from the day before, since clocks differ, until a day's midnight.
fn set_validity(params: &mut CertificateParams, today: Date, until: Date) {
    let midnight = |day: Date| {
        let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        rcgen::date_time_ymd(i32::from(day.year()), month, of_month)
    };
    params.not_before = midnight(today.saturating_sub(1.day()));
    params.not_after = midnight(until);
}

#[cfg(test)]
mod tests;
