//! Real handshakes with a server on this machine.

use std::net::TcpListener;

use openssl::pkey::PKey;
use openssl::ssl::SslAcceptor;
use rstest::rstest;

use super::*;
use crate::model::issue::{Issued, KeptParts, Wanted, settle};
use crate::model::preset::CertificatePart as Part;

const HOST: &str = "syntho.acme.example";

/// Returns a certificate that was made `days` ago.
fn made(days: i64) -> Issued {
    let names = [HOST.to_owned()];
    let wanted = Wanted {
        owner: "acme",
        names: &names,
    };
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(days * 24);
    settle(wanted, &KeptParts::default(), then).unwrap()
}

/// Serves one handshake with this certificate, and with its authority behind it when told.
fn server(issued: &Issued, with_authority: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    let leaf = X509::from_pem(issued.part(Part::Certificate).as_bytes()).unwrap();
    acceptor.set_certificate(&leaf).unwrap();
    let key = PKey::private_key_from_pem(issued.part(Part::Key).as_bytes()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    if with_authority {
        let authority = X509::from_pem(issued.authority.as_bytes()).unwrap();
        acceptor.add_extra_chain_cert(authority).unwrap();
    }
    let acceptor = acceptor.build();
    std::thread::spawn(move || {
        // A client that turns away ends the handshake.
        let _ = acceptor.accept(listener.accept().unwrap().0);
    });
    port
}

fn asked(port: u16, name: &str, trust: Trust) -> Finding {
    asked_for(port, name, trust, None)
}

fn asked_for(port: u16, name: &str, trust: Trust, expected: Option<&Issued>) -> Finding {
    shake_hands(&PlacedProbe::Tls {
        address: "127.0.0.1".to_owned(),
        port,
        name: name.to_owned(),
        trust,
        expected: expected.map(|issued| issued.certificate.clone()),
        renew: Some("make the next one".to_owned()),
    })
}

#[test]
fn a_good_one_is_told_with_its_names_its_end_and_whose_word_counted() {
    let issued = made(0);
    let finding = asked(
        server(&issued, false),
        HOST,
        Trust::Own(issued.authority.clone()),
    );
    assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
    for part in [
        "TLSv1.3, for syntho.acme.example",
        "own authority",
        "(396 days)",
    ] {
        assert!(finding.found.contains(part), "{finding:?}");
    }
}

#[test]
fn another_than_the_one_that_is_meant_is_told_and_may_yet_change() {
    let (old, new) = (made(0), made(0));
    let trust = || Trust::Own(old.authority.clone());
    let finding = asked_for(server(&old, false), HOST, trust(), Some(&old));
    assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
    let finding = asked_for(server(&old, false), HOST, trust(), Some(&new));
    assert_eq!((finding.verdict, finding.certain), (Verdict::Warn, false));
    assert!(
        finding.found.starts_with("another certificate"),
        "{finding:?}"
    );
    // What ends soon is told first: the next one is not there yet because nobody has deployed it.
    let ending = made(370);
    let trust = Trust::Own(ending.authority.clone());
    let finding = asked_for(server(&ending, false), HOST, trust, Some(&new));
    assert_eq!((finding.verdict, finding.certain), (Verdict::Warn, false));
    assert!(finding.found.contains("(26 days)"), "{finding:?}");
}

#[test]
fn one_that_ends_soon_warns_and_says_what_to_do() {
    let issued = made(370);
    let finding = asked(
        server(&issued, false),
        HOST,
        Trust::Own(issued.authority.clone()),
    );
    assert_eq!(finding.verdict, Verdict::Warn, "{finding:?}");
    assert_eq!(finding.remedy.as_deref(), Some("make the next one"));
}

#[rstest]
#[case::name(0, "other.example", "hostname mismatch")]
#[case::expired(398, HOST, "certificate has expired")]
fn what_a_browser_refuses_fails_with_its_reason(
    #[case] days: i64,
    #[case] name: &str,
    #[case] why: &str,
) {
    let issued = made(days);
    let finding = asked(
        server(&issued, false),
        name,
        Trust::Own(issued.authority.clone()),
    );
    assert_eq!(finding.verdict, Verdict::Fail, "{finding:?}");
    let cause = finding.cause.unwrap().to_lowercase();
    assert!(cause.contains(why), "{cause}");
}

#[test]
fn another_deployments_authority_does_not_vouch() {
    let issued = made(0);
    let finding = asked(server(&issued, false), HOST, Trust::Own(made(0).authority));
    assert_ne!(finding.verdict, Verdict::Pass, "{finding:?}");
}

#[test]
fn a_chain_is_judged_by_its_own_last_authority_where_this_machine_knows_none() {
    let issued = made(0);
    let chain = format!("{}{}", issued.certificate, issued.authority);
    let finding = asked(server(&issued, true), HOST, Trust::Chain(chain));
    assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
    assert!(
        finding.found.contains("last authority of the file"),
        "{finding:?}"
    );
}

#[test]
fn one_whose_authority_nobody_here_knows_is_only_doubted() {
    let issued = made(0);
    for trust in [Trust::Chain(issued.certificate.clone()), Trust::Known] {
        let finding = asked(server(&issued, false), HOST, trust);
        assert_eq!(finding.verdict, Verdict::Warn, "{finding:?}");
        assert!(finding.found.contains("acme authority"), "{finding:?}");
    }
}

#[test]
fn a_server_without_tls_and_none_at_all_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::Write as _;
        let mut plain = listener.accept().unwrap().0;
        // It may have gone already.
        let _ = plain.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    for port in [port, 1] {
        let finding = asked(port, HOST, Trust::Known);
        assert_eq!(finding.verdict, Verdict::Fail);
        assert_eq!(
            finding.found,
            format!("127.0.0.1:{port} does not speak TLS")
        );
    }
}
