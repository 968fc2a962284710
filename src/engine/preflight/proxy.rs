//! Proxy settings of Docker's daemon and of the login.

use std::net::IpAddr;

use ipnet::IpNet;

use super::scene::{Scene, Seat};
use crate::model::check::CheckResult;

/// Judges whether a proxy of the daemon would be asked for private addresses.
pub(super) fn proxy(scene: Scene<'_>, seat: Seat<'_>) -> Vec<CheckResult> {
    let Some(docker) = seat.docker() else {
        return Vec::new();
    };
    let draft = seat.draft("proxy", "Proxy settings");
    let setting = |wanted: &str| {
        docker
            .engine
            .proxies
            .iter()
            .find(|(name, value)| squeezed(name) == wanted && !value.is_empty())
            .map(|(_, value)| value.as_str())
    };
    let Some(proxy) = setting("httpsproxy").or_else(|| setting("httpproxy")) else {
        let of_login = seat
            .facts
            .proxies
            .get("https_proxy")
            .or_else(|| seat.facts.proxies.get("http_proxy"));
        return vec![match of_login {
            Some(address) => draft.pass(format!("Docker uses none; the login uses {address}")),
            None => draft.pass("none"),
        }];
    };
    let proxy = crate::engine::facts::without_credentials(proxy);
    let exceptions = setting("noproxy").unwrap_or_default();
    let uncovered: Vec<String> = scene
        .resolved
        .hosts
        .iter()
        .filter(|host| !is_excepted(exceptions, host.private_address))
        .map(|host| host.private_address.to_string())
        .collect();
    vec![if uncovered.is_empty() {
        draft.pass(format!(
            "Docker uses {proxy}, not for the hosts' own addresses"
        ))
    } else {
        draft
            .because(format!("Docker would ask the proxy for {}", uncovered.join(", ")))
            .remedy("add the hosts' addresses to NO_PROXY of Docker's service and restart it")
            .command(format!(
                "sudo systemctl edit docker  # add [Service] and Environment=\"NO_PROXY={}\", then: sudo systemctl restart docker",
                with(exceptions, &uncovered)
            ))
            .warn(format!("Docker uses {proxy} for private addresses, too"))
    }]
}

/// Writes a setting's name without case and separators: `HttpsProxy`, `HTTPS_PROXY` and `https-proxy` are one.
fn squeezed(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_lowercase()
}

fn with(exceptions: &str, more: &[String]) -> String {
    let mut all: Vec<&str> = exceptions
        .split(',')
        .map(str::trim)
        .filter(|e| !e.is_empty())
        .collect();
    all.extend(more.iter().map(String::as_str));
    all.join(",")
}

/// Returns whether `NO_PROXY` excepts an address: itself, its network, or everything.
fn is_excepted(exceptions: &str, address: IpAddr) -> bool {
    exceptions.split(',').map(str::trim).any(|entry| {
        entry == "*"
            || entry.parse::<IpAddr>() == Ok(address)
            || entry
                .parse::<IpNet>()
                .is_ok_and(|net| net.contains(&address))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], "pass proxy: none")]
    #[case(&[("HttpsProxy", "http://joe:secret@proxy:3128"), ("NoProxy", "localhost,10.0.0.0/24")], "pass proxy: Docker uses http://proxy:3128, not for the hosts' own addresses")]
    #[case(&[("https-proxy", "http://proxy:3128"), ("no-proxy", "10.0.0.11")], "warn proxy: Docker uses http://proxy:3128 for private addresses, too")]
    #[case(&[("HTTP_PROXY", "http://proxy:3128")], "warn proxy: Docker uses http://proxy:3128 for private addresses, too")]
    fn settings(#[case] proxies: &[(&str, &str)], #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.docker("ui").engine.proxies = proxies
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let results = proxy(sample.scene(), sample.seat("ui"));
        assert_eq!(told(&results), [expected]);
    }
}
