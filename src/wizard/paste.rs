//! A list of hosts as people keep it, read with tolerance: one host a line, name, address and user in any usual form.

use std::net::IpAddr;

use crate::model::rules::is_host_name;

/// A host read from a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pasted {
    /// A name for it here.
    pub name: String,
    /// Where SSH reaches it.
    pub address: String,
    /// Login name; empty when none was given.
    pub user: String,
    /// TCP port; empty when none was given.
    pub port: String,
}

/// A line that is no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a pasted list.
///
/// Understood are `name address user`, `name user@address:port`, `address name` as in `/etc/hosts`, and an address alone; words are parted by blanks,
/// commas, semicolons or bars. Empty lines, comments and a line of headings are passed over.
#[must_use]
pub fn read_list(text: &str) -> (Vec<Pasted>, Vec<Unread>) {
    let mut hosts = Vec::new();
    let mut unread = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"' | '='))
            .filter(|word| !matches!(*word, "" | "-" | "*") && !word.chars().all(|c| c == '-'))
            .collect();
        if words.is_empty() || is_heading(&words) {
            continue;
        }
        match host(&words) {
            Ok(host) => hosts.push(host),
            Err(why) => unread.push(Unread {
                line: number + 1,
                why,
            }),
        }
    }
    (hosts, unread)
}

/// Returns whether a line names columns.
fn is_heading(words: &[&str]) -> bool {
    words.len() > 1
        && words.iter().all(|word| {
            let word = word.to_ascii_lowercase();
            matches!(
                word.as_str(),
                "name" | "host" | "hostname" | "address" | "ip" | "user" | "username" | "login"
            )
        })
}

/// A place to connect to, as one word says it.
struct Spot<'w> {
    user: &'w str,
    address: &'w str,
    port: &'w str,
}

fn host(words: &[&str]) -> Result<Pasted, String> {
    let (at, spot) = address_among(words)?;
    let others: Vec<&str> = words
        .iter()
        .enumerate()
        .filter_map(|(number, word)| (number != at).then_some(*word))
        .collect();
    let name = others.first().copied().unwrap_or(spot.address);
    // In `/etc/hosts` further names follow, which are no users.
    let further = |word: &&str| at > 0 || slug(word) != slug(name);
    let user = if spot.user.is_empty() {
        others.get(1).copied().filter(further).unwrap_or_default()
    } else {
        spot.user
    };
    if user.starts_with('-') {
        return Err(format!("`{user}` is no login name"));
    }
    Ok(Pasted {
        name: slug(name),
        address: spot.address.to_owned(),
        user: user.to_owned(),
        port: spot.port.to_owned(),
    })
}

/// Returns which word is the address: one with a user in front, an IP address, a name with a dot; otherwise the second, or the only one.
fn address_among<'w>(words: &[&'w str]) -> Result<(usize, Spot<'w>), String> {
    let spots: Vec<Option<Spot<'w>>> = words.iter().take(3).map(|word| spot(word)).collect();
    let sure = |test: &dyn Fn(&Spot<'_>) -> bool| {
        spots
            .iter()
            .position(|spot| spot.as_ref().is_some_and(test))
    };
    let at = sure(&|spot| !spot.user.is_empty())
        .or_else(|| sure(&|spot| spot.address.parse::<IpAddr>().is_ok()))
        .or_else(|| sure(&|spot| spot.address.contains('.')))
        .unwrap_or(usize::from(words.len() > 1));
    match spots.into_iter().nth(at).flatten() {
        Some(spot) => Ok((at, spot)),
        None => Err(format!(
            "`{}` is no address; for example `host-1 10.0.0.12 deploy`",
            words.get(at).copied().unwrap_or_default()
        )),
    }
}

/// Takes `[user@]address[:port]` apart; `None` when the address is none.
fn spot(word: &str) -> Option<Spot<'_>> {
    let plain = word.strip_prefix("ssh://").unwrap_or(word);
    let plain = plain.trim_end_matches('/');
    let (user, rest) = plain.rsplit_once('@').unwrap_or(("", plain));
    let (address, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':').unwrap_or_default()),
        None if rest.matches(':').count() > 1 => (rest, ""),
        None => rest.split_once(':').unwrap_or((rest, "")),
    };
    let good_port = port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0);
    // An alias of `~/.ssh/config` may hold underscores.
    let good = address.parse::<IpAddr>().is_ok() || is_host_name(&address.replace('_', "-"));
    (good && good_port).then_some(Spot {
        user,
        address,
        port,
    })
}

/// Makes a name of a deployment's host out of any text: the first label of a name, or the whole of an address.
#[must_use]
pub fn slug(text: &str) -> String {
    let is_address = text.parse::<IpAddr>().is_ok();
    let label = if is_address {
        text
    } else {
        text.split('.').next().unwrap_or(text)
    };
    let plain: String = label
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let plain = plain.trim_matches('-');
    let named = if !is_address && plain.starts_with(|c: char| c.is_ascii_lowercase()) {
        plain.to_owned()
    } else {
        format!("host-{plain}")
    };
    let cut: String = named.chars().take(63).collect();
    cut.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ray-1 10.0.0.12 deploy", "ray-1 10.0.0.12 deploy ")]
    #[case("ray-1,10.0.0.12,deploy", "ray-1 10.0.0.12 deploy ")]
    #[case("ray-1;\tdeploy@10.0.0.12:2222", "ray-1 10.0.0.12 deploy 2222")]
    #[case("10.0.0.12  RAY_1.acme.example ray-1", "ray-1 10.0.0.12  ")]
    #[case(
        "| ray-1 | ray-1.acme.example | deploy |",
        "ray-1 ray-1.acme.example deploy "
    )]
    #[case("- ui.acme.example", "ui ui.acme.example  ")]
    #[case("10.0.0.12", "host-10-0-0-12 10.0.0.12  ")]
    #[case("ui bastion_alias", "ui bastion_alias  ")]
    #[case("ssh://deploy@[fd00::1]:22", "host-fd00--1 fd00::1 deploy 22")]
    #[case("ui fd00::1", "ui fd00::1  ")]
    fn every_usual_form(#[case] line: &str, #[case] expected: &str) {
        let (hosts, unread) = read_list(line);
        assert_eq!(unread, []);
        let host = &hosts[0];
        let shown = [&host.name, &host.address, &host.user, &host.port];
        assert_eq!(shown.map(String::as_str).join(" "), expected);
    }

    #[test]
    fn what_is_no_host_is_told_with_its_line() {
        let (hosts, unread) =
            read_list("name address user\n\n# note\nui 10.0.0.1 # first\nui 10.0.0.1:99999\n---\n");
        assert_eq!(hosts.len(), 1);
        assert_eq!(unread.len(), 1);
        assert_eq!(unread[0].line, 5);
        assert!(
            unread[0].why.contains("10.0.0.1:99999"),
            "{}",
            unread[0].why
        );
    }

    proptest::proptest! {
        #[test]
        fn anything_may_be_pasted(text in ".{0,200}") {
            let (hosts, _) = read_list(&text);
            for host in hosts {
                proptest::prop_assert!(host.name.parse::<crate::model::ids::HostName>().is_ok(), "{:?}", host);
            }
        }
    }
}
