//! The address by which the other hosts reach this one, and which its software will announce.

use super::scene::Seat;
use crate::model::check::CheckResult;

/// Judges the private address: on the host, not loopback, and whether software that guesses would announce another.
pub(super) fn address(seat: Seat<'_>) -> Vec<CheckResult> {
    let draft = seat.draft("address", "Address to announce");
    let wanted = seat.host.private_address;
    let own: Vec<String> = seat
        .facts
        .addresses
        .iter()
        .filter(|own| own.address.is_ipv4() == wanted.is_ipv4())
        .map(|own| format!("{} ({})", own.address, own.interface))
        .collect();
    let single = seat.resolved.hosts.len() == 1;
    if wanted.is_loopback() && !single {
        return vec![
            draft
                .because("every host reaches only itself there")
                .remedy(format!(
                    "write the host's own address into `private-address`: one of {}",
                    own.join(", ")
                ))
                .fail(format!("{wanted} is a loopback address")),
        ];
    }
    if !wanted.is_loopback() && !seat.facts.addresses.iter().any(|own| own.address == wanted) {
        return vec![
            draft
                .because("software on the host can neither listen on nor announce an address that it does not have")
                .remedy(format!("write one of the host's own addresses into `private-address`: {}", own.join(", ")))
                .command("ip -brief address")
                .fail(format!("{wanted} is not an address of this host")),
        ];
    }
    vec![match seat.facts.default_address {
        Some(guess) if guess == wanted => draft.pass(wanted.to_string()),
        Some(guess) => draft
            .because("software that guesses its address takes the one of the default route")
            .remedy("nothing to do: the stacks are told the right address and guess none")
            .warn(format!("{wanted}; software that guesses would announce {guess}")),
        None => draft
            .because("without a default route software that guesses its address takes the host name's, often 127.0.1.1")
            .remedy("nothing to do: the stacks are told the right address and guess none")
            .warn(format!("{wanted}; the host has no default route")),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Sample, ip, told};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("10.0.0.12", Some("10.0.0.12"), "pass address: 10.0.0.12")]
    #[case(
        "10.0.0.12",
        Some("203.0.113.7"),
        "warn address: 10.0.0.12; software that guesses would announce 203.0.113.7"
    )]
    #[case(
        "10.0.0.12",
        None,
        "warn address: 10.0.0.12; the host has no default route"
    )]
    #[case(
        "127.0.1.1",
        Some("10.0.0.12"),
        "fail address: 127.0.1.1 is a loopback address"
    )]
    #[case(
        "10.0.0.99",
        Some("10.0.0.12"),
        "fail address: 10.0.0.99 is not an address of this host"
    )]
    fn addresses(#[case] wanted: &str, #[case] guess: Option<&str>, #[case] expected: &str) {
        let mut sample = Sample::three();
        sample.host("ray-1").private_address = ip(wanted);
        sample.on("ray-1").default_address = guess.map(ip);
        assert_eq!(told(&address(sample.seat("ray-1"))), [expected]);
    }

    #[test]
    fn one_host_alone_may_use_loopback() {
        let mut sample = Sample::three();
        sample
            .resolved
            .hosts
            .retain(|host| host.name.as_str() == "ui");
        sample.host("ui").private_address = ip("127.0.0.1");
        assert!(told(&address(sample.seat("ui")))[0].starts_with("warn"));
    }
}
