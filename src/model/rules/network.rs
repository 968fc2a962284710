//! What names, addresses, e-mail addresses and URLs must look like.

use std::net::IpAddr;

/// Returns whether `text` is a host name: labels of letters, digits and hyphens, joined by dots.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let looks_like_an_address = text
        .split('.')
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && !looks_like_an_address && text.split('.').all(label)
}

/// Returns what is wrong with a host name or address, when something is.
#[must_use]
pub fn problem_of_host(text: &str) -> Option<String> {
    if text.parse::<IpAddr>().is_ok() || is_host_name(text) {
        return None;
    }
    let rule = if text.contains("://") {
        "must be a host alone, without a scheme such as `https://`"
    } else if text.contains('/') {
        "must be a host alone, without a path"
    } else if text.contains('@') {
        "must be a host alone, without a user"
    } else if text
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        "must be a host alone, without a port"
    } else {
        "must be a host name (letters, digits, hyphens, dots) or an IP address"
    };
    Some(rule.to_owned())
}

/// Returns what is wrong with an e-mail address, when something is.
pub(super) fn problem_of_email(text: &str) -> Option<String> {
    let rule = "must be an e-mail address: a name, one `@` and a host name".to_owned();
    let Some((name, host)) = text.split_once('@') else {
        return Some(rule);
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let good = (1..=64).contains(&name.len())
        && name.chars().all(is_name)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && is_host_name(host);
    (!good).then_some(rule)
}

/// Returns what is wrong with an `http` or `https` address, when something is.
pub(super) fn problem_of_url(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Some("must begin with `http://` or `https://`".to_owned());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must not hold a user or password".to_owned());
    }
    if text.contains([' ', '"', '<', '>', '\\']) {
        return Some("holds a character that no address may hold".to_owned());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => host,
        Some((host, _)) if host.starts_with('[') && authority.ends_with(']') => authority,
        Some(_) => return Some("must have a port from 1 to 65535 after the `:`".to_owned()),
        None => authority,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    problem_of_host(bare).map(|_| "must name a host after the `//`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("syntho.acme.example", None)]
    #[case("10.0.0.1", None)]
    #[case("fd00::1", None)]
    #[case("localhost", None)]
    #[case("https://x.example", Some("scheme"))]
    #[case("x.example:3000", Some("port"))]
    #[case("x.example/app", Some("path"))]
    #[case("a@x.example", Some("user"))]
    #[case("10.0.0.256", Some("host name"))]
    #[case("x_y.example", Some("host name"))]
    #[case("-x.example", Some("host name"))]
    #[case("{{ x }}", Some("host name"))]
    #[case("a;id", Some("host name"))]
    fn hosts(#[case] text: &str, #[case] problem: Option<&str>) {
        assert_eq!(
            problem_of_host(text).map(|rule| rule.contains(problem.unwrap_or("\0"))),
            problem.map(|_| true)
        );
    }

    #[rstest]
    #[case("admin@acme.example", true)]
    #[case("a.b+c@acme.example", true)]
    #[case("admin", false)]
    #[case("a@b@acme.example", false)]
    #[case("a b@acme.example", false)]
    #[case("@acme.example", false)]
    #[case("a@", false)]
    fn emails(#[case] text: &str, #[case] good: bool) {
        assert_eq!(problem_of_email(text).is_none(), good);
    }

    #[rstest]
    #[case("https://acme.example/a?b=c", true)]
    #[case("http://10.0.0.1:8080", true)]
    #[case("https://[fd00::1]:8443/", true)]
    #[case("https://[fd00::1]", true)]
    #[case("ftp://acme.example", false)]
    #[case("acme.example", false)]
    #[case("https://user:pw@acme.example", false)]
    #[case("https://acme.example:99999", false)]
    #[case("https:///path", false)]
    fn urls(#[case] text: &str, #[case] good: bool) {
        assert_eq!(problem_of_url(text).is_none(), good);
    }
}
