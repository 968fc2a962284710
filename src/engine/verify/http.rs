//! Asks an address over HTTP, from the operator's side or from a host.
//!
//! Certificates are judged only where the judgement names authorities: a self-signed one is right for many sites.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::{Finding, Probing, unreachable};
use crate::model::ids::HostName;
use crate::model::resolved::PlacedProbe;
use crate::transport::{Command, Exit, Input, TransportError};

const SCRIPT: &str = include_str!("../../../assets/remote/http.sh");
/// Seconds for one request.
const LIMIT: u64 = 10;
/// Bytes of a body that are looked at.
const MOST: u64 = 1 << 20;
/// How the script ends where the host has no program for it.
const NO_TOOL: i32 = 127;

/// What an address answered.
struct Answer {
    status: u16,
    body: String,
    /// Where it leads; only from here.
    location: Option<String>,
    /// The cookies it sets; only from here.
    cookies: Vec<String>,
}

/// What is asked.
struct Request<'a> {
    url: &'a str,
    method: &'a str,
    body: Option<&'a SecretString>,
    /// The name it is asked by, where the address is another.
    name: Option<&'a str>,
    /// Authorities to trust, in PEM; those of the asking machine when empty, and certificates are not judged without.
    authorities: Option<&'a str>,
}

pub(super) fn ask(probing: Probing<'_>, probe: &PlacedProbe) -> Finding {
    let PlacedProbe::Http {
        from,
        url,
        method,
        body,
        name,
        authorities,
        ..
    } = probe
    else {
        return Finding::fail("is not an address").certainly();
    };
    let request = Request {
        url,
        method,
        body: body.as_ref(),
        name: name.as_deref(),
        authorities: authorities.as_deref(),
    };
    let answer = match from {
        None => from_here(&request),
        Some(host) => match from_host(probing, host, &request) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                let no_tool = "the host has neither curl nor python3";
                return Finding::untried(format!("{url} could not be asked")).because(no_tool);
            }
            Err(error) => return unreachable(&error),
        },
    };
    match answer {
        Ok(answer) => judge(probe, &answer),
        Err(why) => Finding::fail(format!("{url} does not answer")).because(why),
    }
}

fn judge(probe: &PlacedProbe, answer: &Answer) -> Finding {
    let PlacedProbe::Http {
        url,
        status,
        matches,
        json,
        absent,
        location,
        secure_cookies,
        ..
    } = probe
    else {
        return Finding::fail("is not an address").certainly();
    };
    let code = answer.status;
    if absent.contains(&code) {
        return Finding::pass(format!("not offered by this release (status {code})"));
    }
    let right = if status.is_empty() {
        code == 200
    } else {
        status.contains(&code)
    };
    if !right {
        let wanted: Vec<String> = status.iter().map(u16::to_string).collect();
        let wanted = if wanted.is_empty() {
            "200".to_owned()
        } else {
            wanted.join(" or ")
        };
        return Finding::fail(format!(
            "{url} answers with status {code} instead of {wanted}"
        ));
    }
    let led = answer.location.as_deref().unwrap_or("nowhere");
    if let Some(wanted) = location.as_deref().filter(|wanted| *wanted != led) {
        return Finding::fail(format!("{url} leads to {led} instead of {wanted}"));
    }
    if let Some(cookie) = answer
        .cookies
        .iter()
        .find(|c| *secure_cookies && !is_secure(c))
    {
        let name = cookie.split('=').next().unwrap_or_default();
        return Finding::fail(format!(
            "{url} sets the cookie `{name}` without marking it secure"
        ));
    }
    if let Some(other) = disagreement(url, json, &answer.body) {
        return other;
    }
    matched(url, code, matches.as_deref(), answer)
}

fn matched(url: &str, code: u16, pattern: Option<&str>, answer: &Answer) -> Finding {
    match pattern.map(Regex::new) {
        None => Finding::pass(format!("{url} answers with status {code}")),
        Some(Ok(pattern)) if pattern.is_match(&answer.body) => {
            Finding::pass(format!("{url} answers as it must"))
        }
        Some(Ok(pattern)) => Finding::fail(format!(
            "{url} answers with status {code}, but not with {pattern}"
        )),
        Some(Err(error)) => Finding::fail("the preset's pattern is broken")
            .because(error.to_string())
            .certainly(),
    }
}

/// Returns whether a browser sends a cookie back over TLS only.
fn is_secure(cookie: &str) -> bool {
    let mut attributes = cookie.split(';').skip(1);
    attributes.any(|attribute| attribute.trim().eq_ignore_ascii_case("secure"))
}

/// Returns what an answer in JSON says otherwise than it must.
fn disagreement(url: &str, wanted: &BTreeMap<String, String>, body: &str) -> Option<Finding> {
    let said: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let (key, text) = wanted
        .iter()
        .find(|(key, text)| said[key.as_str()].as_str() != Some(text.as_str()))?;
    Some(Finding::fail(match &said[key.as_str()] {
        serde_json::Value::Null => format!("{url} says nothing of `{key}`"),
        serde_json::Value::String(found) => {
            format!("{url} says that `{key}` is `{found}` instead of `{text}`")
        }
        found => format!("{url} says that `{key}` is {found} instead of `{text}`"),
    }))
}

/// Returns how far certificates are judged.
fn tls(authorities: Option<&str>) -> TlsConfig {
    let tls = TlsConfig::builder();
    match authorities {
        None => tls.disable_verification(true).build(),
        Some("") => tls.build(),
        Some(pem) => {
            let certificates = parse_pem(pem.as_bytes()).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let certificates: Vec<_> = certificates.collect();
            tls.root_certs(RootCerts::from(certificates)).build()
        }
    }
}

/// Asks from this machine; the error says why there was no answer.
fn from_here(request: &Request<'_>) -> Result<Answer, String> {
    let url = request.url;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(LIMIT)))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(tls(request.authorities))
        .build()
        .into();
    let sent = match (request.method, request.body) {
        ("POST", body) => {
            let text = body.map_or("", ExposeSecret::expose_secret);
            let post = agent.post(url).content_type("application/json");
            match request.name {
                Some(name) => post.header("Host", name).send(text),
                None => post.send(text),
            }
        }
        _ => match request.name {
            Some(name) => agent.get(url).header("Host", name).call(),
            None => agent.get(url).call(),
        },
    };
    let mut response = sent.map_err(|error| chain(&error))?;
    let status = response.status().as_u16();
    let values = |name: &str| {
        let all = response.headers().get_all(name).iter();
        all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect::<Vec<String>>()
    };
    let (location, cookies) = (values("location").pop(), values("set-cookie"));
    let body = response
        .body_mut()
        .with_config()
        .limit(MOST)
        .lossy_utf8(true);
    Ok(Answer {
        status,
        // A body that is too long or cut off is judged as far as its status goes.
        body: body.read_to_string().unwrap_or_default(),
        location,
        cookies,
    })
}

fn chain(error: &ureq::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Asks from a host, by whatever program it has; the inner error says why there was no answer. `None` where the host has no program for it.
fn from_host(
    probing: Probing<'_>,
    host: &HostName,
    request: &Request<'_>,
) -> Result<Option<Result<Answer, String>>, TransportError> {
    let quote = |text: &str| {
        shlex::try_quote(text)
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| TransportError::Unquotable)
    };
    let script = format!(
        "url={}\nmethod={}\nname={}\njudged={}\nauthorities={}\nlimit={LIMIT}\n{SCRIPT}",
        quote(request.url)?,
        quote(request.method)?,
        quote(request.name.unwrap_or_default())?,
        if request.authorities.is_some() {
            "yes"
        } else {
            "no"
        },
        quote(request.authorities.unwrap_or_default())?
    );
    let input = request
        .body
        .map_or(Input::Empty, |body| Input::Secret(body.clone()));
    let command = Command::sh(script)
        .with_input(input)
        .within(Duration::from_secs(LIMIT + 10));
    let output = probing.links.host(host)?.run(&command)?;
    if output.exit == Exit::Code(NO_TOOL) {
        return Ok(None);
    }
    let text = output.text();
    let answer = text.rsplit_once("\nstatus\t").and_then(|(body, status)| {
        let status = status.trim().parse().ok().filter(|status| *status != 0)?;
        Some(Answer {
            status,
            body: body.to_owned(),
            location: None,
            cookies: Vec::new(),
        })
    });
    Ok(Some(answer.ok_or_else(|| output.complaint())))
}

#[cfg(test)]
mod tests;
