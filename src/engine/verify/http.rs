//! Asks an address over HTTP, from the operator's side or from a host.
//!
//! Certificates are not judged here: a self-signed one is right for many sites, and preflight has looked at those that were provided.

use std::error::Error as _;
use std::time::Duration;

use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use ureq::tls::TlsConfig;

use super::{Finding, Verification, unreachable};
use crate::model::ids::HostName;
use crate::model::resolved::PlacedProbe;
use crate::transport::{Command, Input, TransportError};

const SCRIPT: &str = include_str!("../../../assets/remote/http.sh");
/// Seconds for one request.
const LIMIT: u64 = 10;
/// Bytes of a body that are looked at.
const MOST: u64 = 1 << 20;

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
}

pub(super) fn ask(verification: &Verification<'_>, probe: &PlacedProbe) -> Finding {
    let PlacedProbe::Http {
        from,
        url,
        method,
        body,
        name,
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
    };
    let answer = match from {
        None => from_here(&request),
        Some(host) => match from_host(verification, host, &request) {
            Ok(answer) => answer,
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
    match matches.as_deref().map(Regex::new) {
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

/// Asks from this machine; the error says why there was no answer.
fn from_here(request: &Request<'_>) -> Result<Answer, String> {
    let url = request.url;
    let tls = TlsConfig::builder().disable_verification(true).build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(LIMIT)))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(tls)
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

/// Asks from a host, by whatever program it has; the inner error says why there was no answer.
fn from_host(
    verification: &Verification<'_>,
    host: &HostName,
    request: &Request<'_>,
) -> Result<Result<Answer, String>, TransportError> {
    let quote = |text: &str| {
        shlex::try_quote(text)
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| TransportError::Unquotable)
    };
    let script = format!(
        "url={}\nmethod={}\nname={}\nlimit={LIMIT}\n{SCRIPT}",
        quote(request.url)?,
        quote(request.method)?,
        quote(request.name.unwrap_or_default())?
    );
    let input = request
        .body
        .map_or(Input::Empty, |body| Input::Secret(body.clone()));
    let command = Command::sh(script)
        .with_input(input)
        .within(Duration::from_secs(LIMIT + 10));
    let output = verification.links.host(host)?.run(&command)?;
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
    Ok(answer.ok_or_else(|| output.complaint()))
}

#[cfg(test)]
mod tests;
