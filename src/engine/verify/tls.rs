//! Shakes hands over TLS from this machine and judges what is shown as a browser does.
//!
//! A browser looks at the name, the dates and who vouches. Whom it trusts is not the same everywhere, so every finding says by whom it was judged.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509StoreContext};

use super::Finding;
use crate::model::check::Verdict;
use crate::model::resolved::{PlacedProbe, Trust};
use crate::model::rules::{CertificateDetails, read_certificate};

/// Seconds for the connection, and for each answer.
const LIMIT: Duration = Duration::from_secs(10);
/// With fewer days left somebody must be told.
const SOON: i64 = 30;

/// What a server showed.
struct Shown {
    /// The protocol's version.
    version: String,
    /// Its certificates, its own first.
    chain: Vec<X509>,
}

impl Shown {
    /// Returns whether the server showed the first certificate of these.
    fn is(&self, expected: &str) -> bool {
        let expected = X509::from_pem(expected.as_bytes());
        let expected = expected.and_then(|first| first.to_der()).ok();
        let shown = self.chain.first().and_then(|leaf| leaf.to_der().ok());
        shown.is_some() && shown == expected
    }
}

/// Says of what was found that another certificate is meant to be shown. A server takes up a new one some moments after it was told to, so this can change.
fn not_yet(finding: Finding) -> Finding {
    if finding.verdict != Verdict::Pass {
        return Finding {
            certain: false,
            ..finding
        };
    }
    let other = "another certificate is shown than the one that is meant to be";
    Finding {
        verdict: Verdict::Warn,
        certain: false,
        ..Finding::pass(other).because(finding.found)
    }
}

pub(super) fn shake_hands(probe: &PlacedProbe) -> Finding {
    let PlacedProbe::Tls {
        address,
        port,
        name,
        trust,
        expected,
        renew,
    } = probe
    else {
        return Finding::fail("is not a server with TLS").certainly();
    };
    match shown(address, *port, name) {
        Ok(shown) => {
            let finding = judge(&shown, name, trust, renew.as_deref());
            match expected {
                Some(expected) if !shown.is(expected) => not_yet(finding),
                _ => finding,
            }
        }
        Err(why) => Finding::fail(format!("{address}:{port} does not speak TLS")).because(why),
    }
}

/// Connects and takes whatever is shown; it is judged afterwards, so that all of it can be told.
fn shown(address: &str, port: u16, name: &str) -> Result<Shown, String> {
    let mut addresses = (address, port).to_socket_addrs().map_err(text)?;
    let address = addresses.next().ok_or("the name has no address")?;
    let stream = TcpStream::connect_timeout(&address, LIMIT).map_err(text)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(text)?;
    stream.set_write_timeout(Some(LIMIT)).map_err(text)?;
    let mut connector = SslConnector::builder(SslMethod::tls_client()).map_err(text)?;
    connector.set_verify(SslVerifyMode::NONE);
    let mut connection = connector.build().configure().map_err(text)?;
    connection.set_verify_hostname(false);
    let stream = connection.connect(name, stream).map_err(text)?;
    let ssl = stream.ssl();
    let chain = ssl.peer_cert_chain().ok_or("it shows no certificate")?;
    Ok(Shown {
        version: ssl.version_str().to_owned(),
        chain: chain.iter().map(ToOwned::to_owned).collect(),
    })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn judge(shown: &Shown, name: &str, trust: &Trust, renew: Option<&str>) -> Finding {
    let leaf = shown.chain.first().and_then(|leaf| leaf.to_pem().ok());
    let details = leaf.and_then(|pem| read_certificate(&pem, jiff::Timestamp::now()).ok());
    let Some(details) = details else {
        return Finding::fail("the certificate cannot be read").certainly();
    };
    match vouched(shown, name, trust) {
        Ok(whom) => good(shown, &details, whom, renew),
        Err(Doubt::Unknown(issuer)) => Finding {
            verdict: Verdict::Warn,
            ..Finding::pass(format!(
                "vouched for by `{issuer}`, which this machine does not know"
            ))
        }
        .because("it could not be judged whether browsers trust it; those at the site must know this authority"),
        Err(Doubt::Bad(why)) => Finding::fail(format!(
            "browsers refuse the certificate for {}",
            details.names.join(", ")
        ))
        .because(why),
    }
}

fn good(shown: &Shown, details: &CertificateDetails, whom: &str, renew: Option<&str>) -> Finding {
    let found = format!(
        "{}, for {}, vouched for by {whom}, good until {} ({} days)",
        shown.version,
        details.names.join(", "),
        details.until,
        details.days_left
    );
    if details.days_left >= SOON {
        return Finding::pass(found);
    }
    let mut finding = Finding::pass(found).because("browsers refuse it from that day on");
    finding.verdict = Verdict::Warn;
    finding.remedy = renew.map(str::to_owned);
    finding
}

/// Why nobody vouches.
enum Doubt {
    /// The last in the chain is by somebody who is not known here.
    Unknown(String),
    /// A browser would refuse it.
    Bad(String),
}

/// Returns whose word counts, in words.
fn vouched(shown: &Shown, name: &str, trust: &Trust) -> Result<&'static str, Doubt> {
    let bad = |error: openssl::error::ErrorStack| Doubt::Bad(error.to_string());
    match trust {
        Trust::Own(authority) => {
            let roots = X509::stack_from_pem(authority.as_bytes()).map_err(bad)?;
            verified(shown, name, &roots).map(|()| "the deployment's own authority")
        }
        Trust::Known => verified(shown, name, &known()).map(|()| "an authority of this machine"),
        Trust::Chain(chain) => {
            let known = verified(shown, name, &known());
            let chain = X509::stack_from_pem(chain.as_bytes()).map_err(bad)?;
            let last = chain.last();
            let root = last.filter(|last| last.issued(last) == openssl::x509::X509VerifyResult::OK);
            match (known, root) {
                (Ok(()), _) => Ok("an authority of this machine"),
                (Err(_), Some(root)) => verified(shown, name, std::slice::from_ref(root))
                    .map(|()| "the last authority of the file that was given"),
                (Err(doubt), None) => Err(doubt),
            }
        }
    }
}

/// Returns the authorities that this machine trusts.
fn known() -> Vec<X509> {
    let file = openssl_probe::probe().cert_file;
    let pem = file.and_then(|file| fs_err::read(file).ok());
    pem.and_then(|pem| X509::stack_from_pem(&pem).ok())
        .unwrap_or_default()
}

fn verified(shown: &Shown, name: &str, roots: &[X509]) -> Result<(), Doubt> {
    let outcome = verify(shown, name, roots).map_err(|error| Doubt::Bad(error.to_string()))?;
    match outcome {
        Outcome::Good => Ok(()),
        Outcome::NoRoot => {
            let last = shown.chain.last().map(issuer);
            Err(Doubt::Unknown(last.unwrap_or_default()))
        }
        Outcome::Refused(why) => Err(Doubt::Bad(why)),
    }
}

enum Outcome {
    Good,
    NoRoot,
    Refused(String),
}

fn verify(
    shown: &Shown,
    name: &str,
    roots: &[X509],
) -> Result<Outcome, openssl::error::ErrorStack> {
    let Some(leaf) = shown.chain.first() else {
        return Ok(Outcome::Refused("it shows no certificate".to_owned()));
    };
    let store = store(name, roots)?;
    let mut between = Stack::new()?;
    for certificate in shown.chain.iter().skip(1) {
        between.push(certificate.clone())?;
    }
    let mut context = X509StoreContext::new()?;
    context.init(&store, leaf, &between, |context| {
        if context.verify_cert()? {
            return Ok(Outcome::Good);
        }
        let error = context.error();
        // 2, 20: the issuer is not there. Any other refusal is about the certificates themselves.
        Ok(match error.as_raw() {
            2 | 20 => Outcome::NoRoot,
            _ => Outcome::Refused(error.error_string().to_owned()),
        })
    })
}

fn store(name: &str, roots: &[X509]) -> Result<X509Store, openssl::error::ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for root in roots {
        store.add_cert(root.clone())?;
    }
    let mut param = X509VerifyParam::new()?;
    match name.parse() {
        Ok(address) => param.set_ip(address)?,
        Err(_) => param.set_host(name)?,
    }
    store.set_param(&param)?;
    Ok(store.build())
}

fn issuer(certificate: &X509) -> String {
    let names = certificate.issuer_name();
    let common = names.entries_by_nid(openssl::nid::Nid::COMMONNAME).next();
    let common = common.and_then(|entry| entry.data().to_string().ok());
    common.unwrap_or_else(|| format!("{names:?}"))
}

#[cfg(test)]
mod tests;
